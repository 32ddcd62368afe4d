// Calls inside the process: a client gets to a service without HTTP and without serialisation.

import { Deadlines, isPromiseLike } from "@hemi/common";
import { Metadata, RpcError, type MessageType, type OutgoingCall, type Transport } from "@hemi/common/rpc";
import type { ErrorLog } from "../log/error-log.ts";
import type { OpenSpan, Trace } from "../operator/trace.ts";
import { Call, type CallOrigin } from "./call.ts";
import type { CallDoor } from "./call-door.ts";
import { CallRun, type CallHost } from "./call-run.ts";
import { unknownIdentity, type Identity } from "./identity.ts";
import type { ServicePart } from "./kinds.ts";
import type { ServedProcedure } from "./served-bundlet.ts";

/** The limits of local calls, for procedures that have none of their own. */
export interface LocalOptions {
  /** Reports what procedures throw beside RpcError. */
  readonly log: ErrorLog;
  /** Running calls of each procedure. One more: `resource_exhausted`. Default: 10,000. */
  readonly maxCalls?: number;
  /** In ms, for a unary call. Default: 60,000. */
  readonly maxTime?: number;
  /** In ms, for a call that streams. Default: 3,600,000. */
  readonly maxStreamTime?: number;
}

/**
 * The way to a service of the same stage: `client(stock, { to: localTransport(() => props.stock.current, { log }) })`.
 * Messages are checked like those that come by HTTP, and handed over as they are: neither side may change them
 * afterwards. `service` is asked at each call, because a reload may replace it.
 */
export function localTransport(service: () => ServicePart, options: LocalOptions): Transport {
  const { log, maxCalls = 10_000, maxTime = 60_000, maxStreamTime = 3_600_000 } = options;
  const host: CallHost = {
    settings: { maxCalls, maxTime, maxStreamTime },
    deadlines,
    log,
    noteFault: (error) => log.error("a local call failed", { error }),
    streamOpened: () => undefined,
    streamClosed: () => undefined,
  };
  return {
    call(call) {
      const procedures = service().bundlets.flatMap(({ procedures }) => procedures);
      const served = procedures.find(({ path }) => path === call.path);
      if (served === undefined) throw new RpcError("unimplemented", `there is no procedure ${call.path}`);
      return callLocally(host, served, call);
    },
  };
}

/** For all local calls of the process; its timer runs only while there are some. */
const deadlines = new Deadlines({ resolution: 20 });

async function* callLocally(
  host: CallHost,
  served: ServedProcedure,
  call: OutgoingCall,
): AsyncGenerator<unknown, void, void> {
  call.signal.throwIfAborted();
  const door = new LocalDoor(call, served);
  const run = new CallRun(host, served, door, door, call.timeout);
  const left = (): void => {
    const reason: unknown = call.signal.reason;
    door.fail(reason instanceof RpcError ? reason : new RpcError("canceled"));
    run.clientLeft();
  };
  call.signal.addEventListener("abort", left);
  try {
    run.begin();
    yield* door.outputs();
  } finally {
    call.signal.removeEventListener("abort", left);
    run.clientLeft();
  }
}

/** Hands messages over, one at a time: the procedure waits until its caller asks for the next one. */
class LocalDoor implements CallDoor, CallOrigin {
  readonly req = undefined;
  readonly peer = undefined;
  readonly caller = undefined;
  readonly #call: OutgoingCall;
  readonly #input: MessageType;
  readonly #served: ServedProcedure;
  readonly #inputs: AsyncIterator<unknown> | Iterator<unknown>;
  #waiting: unknown[] = [];
  #isOver = false;
  #error: RpcError | undefined;
  #headers: Metadata | undefined;
  #trailers: Metadata | undefined;
  /** Resolved when the caller asks for more. */
  #taken = Promise.withResolvers<void>();
  /** Resolved when there is something for the caller. */
  #came = Promise.withResolvers<void>();

  constructor(call: OutgoingCall, served: ServedProcedure) {
    this.#call = call;
    this.#input = call.procedure.input;
    this.#served = served;
    const { inputs } = call;
    this.#inputs = Symbol.asyncIterator in inputs ? inputs[Symbol.asyncIterator]() : inputs[Symbol.iterator]();
  }

  get trace(): Trace | undefined {
    return this.#parent?.trace;
  }

  get parentSpan(): OpenSpan | undefined {
    return this.#parent?.span;
  }

  readIdentity(): Identity {
    return this.#parent?.identity ?? unknownIdentity;
  }

  /** The call that this one is made for. */
  get #parent(): Call | undefined {
    const { parent } = this.#call;
    return parent instanceof Call ? parent : undefined;
  }

  readMetadata(): Metadata {
    return this.#call.metadata;
  }

  receive(): unknown {
    const next = this.#inputs.next();
    if (!isPromiseLike(next)) return next.done === true ? undefined : this.#input.check(next.value);
    return next.then((next) => (next.done === true ? undefined : this.#input.check(next.value)));
  }

  async send(message: unknown, call: Call): Promise<void> {
    const checked = await this.#served.checkOutput(message);
    this.#headers ??= call.ownHeaders ?? new Metadata();
    this.#waiting.push(checked);
    this.#came.resolve();
    await this.#taken.promise;
  }

  finish(error: RpcError | undefined, call: Call): void {
    this.#headers ??= call.ownHeaders;
    this.#trailers = call.ownTrailers;
    this.fail(error);
  }

  abandon(): void {
    this.fail(new RpcError("canceled"));
  }

  /** Nothing more is to come. The first reason counts. */
  fail(error: RpcError | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#error = error;
    this.#taken.resolve();
    this.#came.resolve();
  }

  async *outputs(): AsyncGenerator<unknown, void, void> {
    let isFirst = true;
    for (;;) {
      if (this.#waiting.length === 0 && !this.#isOver) {
        const { resolve } = this.#taken;
        this.#taken = Promise.withResolvers<void>();
        resolve();
        await this.#came.promise;
      }
      const messages = this.#waiting;
      this.#waiting = [];
      if (!this.#isOver) this.#came = Promise.withResolvers<void>();
      if (isFirst && this.#headers !== undefined) this.#call.headersCame(this.#headers);
      isFirst = false;
      yield* messages;
      if (!this.#isOver) continue;
      if (this.#trailers !== undefined) this.#call.trailersCame(this.#trailers);
      if (this.#error !== undefined) throw this.#error;
      return;
    }
  }
}
