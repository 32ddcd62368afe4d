// Makes a call of a client over a session.

import { isPromiseLike } from "../../guarded.ts";
import { asRpcError, reasonOf } from "../call-limits.ts";
import { ignoreMetadata } from "../client.ts";
import { codecOf, decodeMessage, encodeMessage, serializeMessage, type MessageCodec } from "../message-type.ts";
import { Metadata } from "../metadata.ts";
import type { OutgoingCall } from "../outgoing-call.ts";
import { streamsIn } from "../procedure.ts";
import { RpcError } from "../rpc-error.ts";
import type { SingleCall } from "../single-call.ts";
import { wentWell, type CallingStream } from "./calling-stream.ts";
import type { SentMessage } from "./frame-output.ts";
import type { CallEnd } from "./payloads.ts";
import type { Session } from "./session.ts";
import { callOnce, SingleStream, type AnswerTaker } from "./single-stream.ts";

/**
 * The messages of the answer. `maxMessageSize`: of each of them, in bytes. Throws RpcError: NotBegunError if the call
 * has never begun, the reason of the signal once that is aborted.
 */
export async function* callOver(
  session: Session,
  call: OutgoingCall,
  maxMessageSize: number,
): AsyncGenerator<unknown, void, void> {
  const { procedure, signal, timeout, path, metadata } = call;
  signal.throwIfAborted();
  const codec = codecOf(procedure);
  const only = onlyInput(call, codec);
  let hasHeaders = false;
  const headersCame = (headers: Metadata): void => {
    if (!hasHeaders) call.headersCame(headers);
    hasHeaders = true;
  };
  const stream = session.call({ path, timeout, codec, metadata }, maxMessageSize, { headersCame });
  const abort = (): void => stream.cancel(reasonOf(signal));
  signal.addEventListener("abort", abort);
  sendInputs(stream, call, codec, only);
  try {
    for (;;) {
      const next = stream.receive();
      const bytes = isPromiseLike(next) ? await next : next;
      if (bytes === undefined) break;
      headersCame(new Metadata());
      yield decodeMessage(procedure.output, codec, bytes);
    }
    const { error, trailers } = stream.end ?? wentWell();
    headersCame(new Metadata());
    call.trailersCame(trailers);
    if (error !== undefined) throw error;
  } finally {
    signal.removeEventListener("abort", abort);
    if (!stream.isOver) stream.cancel(new RpcError("canceled", "the caller left the stream"));
  }
}

/** The same for a call that is answered by one message: without iterables, and without a signal. Throws the same. */
export function callOnceOver(session: Session, call: SingleCall, maxMessageSize: number): void {
  const { procedure, limits, timeout, path, metadata } = call;
  const codec = codecOf(procedure);
  const only = onlyInput(call, codec);
  const head = { path, timeout, codec, metadata };
  const taker = new SingleTaker(call, codec);
  if (only !== undefined) return limits.cancels(callOnce(session, head, only, maxMessageSize, taker));
  const stream = session.open((id) => {
    session.output.call(id, head);
    return new SingleStream(id, session, maxMessageSize, taker);
  });
  limits.cancels(stream);
  sendInputs(stream, call, codec, only);
}

/** Takes the answer for a call. */
class SingleTaker implements AnswerTaker {
  readonly #call: SingleCall;
  readonly #codec: MessageCodec;
  #hasHeaders = false;

  constructor(call: SingleCall, codec: MessageCodec) {
    this.#call = call;
    this.#codec = codec;
  }

  headersCame(headers: Metadata): void {
    this.#hasHeaders = true;
    this.#call.headersCame(headers);
  }

  answered(
    error: RpcError | undefined,
    message: Uint8Array | Promise<Uint8Array> | undefined,
    end: CallEnd | undefined,
  ): void {
    const call = this.#call;
    try {
      if (!this.#hasHeaders && call.headersCame !== ignoreMetadata) call.headersCame(new Metadata());
      if (call.trailersCame !== ignoreMetadata && (end !== undefined || error === undefined)) {
        call.trailersCame(end?.trailers ?? new Metadata());
      }
      if (error !== undefined || message === undefined) call.failed(error);
      else if (isPromiseLike(message)) this.#whenOpened(message);
      // Messages of protobuf keep parts of what they are made of.
      else call.answered(this.#decoded(this.#codec === "proto" ? new Uint8Array(message) : message));
    } catch (error) {
      call.failed(asRpcError(error));
    }
  }

  #whenOpened(message: Promise<Uint8Array>): void {
    message
      .then((bytes) => this.#decoded(bytes))
      .then(
        (decoded) => this.#call.answered(decoded),
        (error: unknown) => this.#call.failed(error),
      );
  }

  #decoded(bytes: Uint8Array): unknown {
    return decodeMessage(this.#call.procedure.output, this.#codec, bytes);
  }
}

/**
 * The one message of a call that has it at hand; `undefined`: they come one by one. Serialized before the call begins:
 * one that cannot be leaves no stream behind. Throws what the serializer throws.
 */
function onlyInput({ inputs, procedure }: OutgoingCall, codec: MessageCodec): SentMessage | undefined {
  if (streamsIn(procedure.kind) || !Array.isArray(inputs)) return undefined;
  return serializeMessage(procedure.input, codec, inputs[0]);
}

/** What fails at its sending ends the stream, and is thrown from there. */
function sendInputs(
  stream: CallingStream,
  call: OutgoingCall,
  codec: MessageCodec,
  only: SentMessage | undefined,
): void {
  if (only !== undefined) stream.sendOnly(only);
  else sendAll(stream, call, codec).catch((error: unknown) => stream.cancel(asRpcError(error)));
}

async function sendAll(stream: CallingStream, call: OutgoingCall, codec: MessageCodec): Promise<void> {
  for await (const input of call.inputs) {
    if (stream.isOver) return;
    const sent = stream.send(encodeMessage(call.procedure.input, codec, input));
    if (sent !== undefined) await sent;
  }
  stream.close();
}
