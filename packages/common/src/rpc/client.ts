// Clients: the procedures of a bundlet as methods of an object, over any transport.

import { wireNameOf, type Bundlet, type Procedures } from "./bundlet.ts";
import { CallLimits, type ParentCall } from "./call-limits.ts";
import type { GivenOf, TakenOf } from "./message-type.ts";
import { Metadata } from "./metadata.ts";
import type { OutgoingCall } from "./outgoing-call.ts";
import { streamsIn, streamsOut, type Procedure } from "./procedure.ts";
import { Retries } from "./retries.ts";
import { RpcError } from "./rpc-error.ts";
import { SingleCall, type SingleMethod } from "./single-call.ts";
import type { Transport } from "./transport.ts";

/** The procedures of a bundlet as methods. */
export type Client<Declared extends Procedures> = {
  readonly [Name in keyof Declared]: ClientMethod<Declared[Name]>;
};

/** One procedure as a method. Streams are async iterables, in and out. It rejects with, or throws, RpcError. */
export type ClientMethod<Declared extends Procedure> =
  Declared extends Procedure<infer Kind, infer Input, infer Output>
    ? {
        unary: (input: GivenOf<Input>, options?: CallOptions) => Promise<TakenOf<Output>>;
        server_streaming: (input: GivenOf<Input>, options?: CallOptions) => AsyncIterable<TakenOf<Output>>;
        client_streaming: (inputs: Many<GivenOf<Input>>, options?: CallOptions) => Promise<TakenOf<Output>>;
        bidi_streaming: (inputs: Many<GivenOf<Input>>, options?: CallOptions) => AsyncIterable<TakenOf<Output>>;
      }[Kind]
    : never;

type Many<T> = AsyncIterable<T> | Iterable<T>;

/** What one call may have beside its messages. */
export interface CallOptions {
  readonly metadata?: Metadata;
  /** Gives the call up: it ends with `canceled`. */
  readonly signal?: AbortSignal;
  /** In ms; Infinity: none. Default: that of the client. */
  readonly timeout?: number;
  /** The call that this one is made for: its deadline, cancellation and trace context hold for it, too. */
  readonly parent?: ParentCall;
  /** Is called with the metadata that comes before the messages. */
  readonly onHeaders?: (headers: Metadata) => void;
  /** Is called with the metadata that comes after the messages. */
  readonly onTrailers?: (trailers: Metadata) => void;
}

/** Stands between a client and its transport, for all calls. `next` makes the call. */
export type ClientInterceptor = (
  call: OutgoingCall,
  next: (call: OutgoingCall) => AsyncIterable<unknown>,
) => AsyncIterable<unknown>;

/** How a client calls. */
export interface ClientSettings {
  /** In ms, for calls that are answered by one message. Default: 30,000. */
  readonly timeout?: number;
  /** The same for calls that are answered by a stream. Default: Infinity; the server has a limit of its own. */
  readonly streamTimeout?: number;
  /** How often a unary call is repeated that is declared idempotent, if the server is unavailable. Default: 2. */
  readonly retries?: number;
  /** The first one is the outermost. Default: none. */
  readonly interceptors?: readonly ClientInterceptor[];
}

/** Makes a client: `const stock = makeClient(stockBundlet, transport)`. */
export function makeClient<Declared extends Procedures>(
  bundlet: Bundlet<Declared>,
  transport: Transport,
  settings?: ClientSettings,
): Client<Declared>;
export function makeClient(bundlet: Bundlet, transport: Transport, settings: ClientSettings = {}): object {
  const { interceptors = [], retries = 2 } = settings;
  const send = interceptors.reduceRight<(call: OutgoingCall) => AsyncIterable<unknown>>(
    (next, interceptor) => (call) => interceptor(call, next),
    (call) => transport.call(call),
  );
  const attempt = singleAttempt(transport, interceptors.length === 0, send);
  const budget = new Retries(retries);
  const methods = Object.entries(bundlet.procedures).map(([name, procedure]) => {
    const path = `/${bundlet.name}/${wireNameOf(name, procedure)}`;
    const { kind } = procedure;
    const manyIn = streamsIn(kind);
    const manyOut = streamsOut(kind);
    const usual = manyOut ? (settings.streamTimeout ?? Infinity) : (settings.timeout ?? 30_000);
    const single: SingleMethod = { path, procedure, retries: budget, attempt };
    const method = (input: unknown, own: CallOptions = noOptions): unknown => {
      const inputs = manyIn && isIterable(input) ? made(procedure, input) : [procedure.input.make(input)];
      // Behind what may throw: it has a timer.
      const { parent } = own;
      const limits = new CallLimits(own.timeout ?? usual, own.signal, parent, transport.timers);
      const metadata = parent?.handOn?.(own.metadata) ?? own.metadata ?? new Metadata();
      const { onHeaders: headersCame = ignoreMetadata, onTrailers: trailersCame = ignoreMetadata } = own;
      if (manyOut) {
        const { timeout, signal } = limits;
        const call = { path, procedure, inputs, metadata, parent, timeout, signal, headersCame, trailersCame };
        return ending(send(call), limits);
      }
      return new Promise((resolve, reject) => {
        new SingleCall(single, {
          inputs,
          metadata,
          parent,
          limits,
          headersCame,
          trailersCame,
          resolve,
          reject,
        }).begin();
      });
    };
    return [name, method] as const;
  });
  return Object.fromEntries(methods);
}

const noOptions: CallOptions = {};

/** How one attempt of a call is made that is answered by one message. */
function singleAttempt(
  transport: Transport,
  isDirect: boolean,
  send: (call: OutgoingCall) => AsyncIterable<unknown>,
): SingleMethod["attempt"] {
  // Interceptors stand between messages and their caller.
  if (isDirect && transport.callOnce !== undefined) return (call) => transport.callOnce?.(call);
  return (call) => {
    const { path, procedure, inputs, metadata, parent, timeout, signal, headersCame, trailersCame } = call;
    // An object of its own: an interceptor may spread it.
    onlyMessage(send({ path, procedure, inputs, metadata, parent, timeout, signal, headersCame, trailersCame })).then(
      (message) => call.answered(message),
      (error: unknown) => call.failed(error),
    );
  };
}

async function* made({ input }: Procedure, given: Many<unknown>): AsyncGenerator<unknown, void, void> {
  for await (const each of given) yield input.make(each);
}

async function* ending(messages: AsyncIterable<unknown>, limits: CallLimits): AsyncGenerator<unknown, void, void> {
  try {
    yield* messages;
  } finally {
    limits.end();
  }
}

/** The one message of an answer. Rejects with RpcError `unimplemented` if there is not exactly one. */
export async function onlyMessage(messages: AsyncIterable<unknown>): Promise<unknown> {
  let found: unknown;
  let count = 0;
  for await (const message of messages) {
    found = message;
    count++;
  }
  if (count !== 1) throw new RpcError("unimplemented", `the answer has ${count} messages instead of one`);
  return found;
}

function isIterable(value: unknown): value is Many<unknown> {
  return typeof value === "object" && value !== null && (Symbol.asyncIterator in value || Symbol.iterator in value);
}

/** For callers that want no metadata: whoever knows it need not make any. */
export function ignoreMetadata(): void {}
