// Makes a call of a client over a session.

import { isPromiseLike } from "../../guarded.ts";
import { asRpcError, reasonOf } from "../call-limits.ts";
import { decodeMessage, encodeMessage, type MessageCodec } from "../message-type.ts";
import { Metadata } from "../metadata.ts";
import { streamsIn, type Procedure } from "../procedure.ts";
import { RpcError } from "../rpc-error.ts";
import type { OutgoingCall, SingleCall } from "../transport.ts";
import { frameFlags } from "./frames.ts";
import type { Session } from "./session.ts";
import type { CallingStream } from "./stream.ts";

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
  const gotHeaders = (headers: Metadata): void => {
    if (!hasHeaders) call.headersCame(headers);
    hasHeaders = true;
  };
  const stream = session.call({ path, timeout, codec, metadata }, maxMessageSize, gotHeaders);
  const abort = (): void => stream.cancel(reasonOf(signal));
  signal.addEventListener("abort", abort);
  const sending = only === undefined ? sendAll(stream, call, codec) : sendOnly(stream, only);
  // What fails at its sending ends the stream, and is thrown from there.
  sending?.catch((error: unknown) => stream.cancel(asRpcError(error)));
  try {
    for (;;) {
      const next = stream.receive();
      const bytes = isPromiseLike(next) ? await next : next;
      if (bytes === undefined) break;
      gotHeaders(new Metadata());
      yield decodeMessage(procedure.output, codec, bytes);
    }
    const { error, trailers } = stream.end ?? { error: undefined, trailers: new Metadata() };
    gotHeaders(new Metadata());
    call.trailersCame(trailers);
    if (error !== undefined) throw error;
  } finally {
    signal.removeEventListener("abort", abort);
    if (!stream.isOver) stream.cancel(new RpcError("canceled", "the caller left the stream"));
  }
}

/** The same for a call that is answered by one message: without iterables, and without a signal. */
export function callOnceOver(session: Session, call: SingleCall, maxMessageSize: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const { procedure, limits, timeout, path, metadata } = call;
    if (limits.reason !== undefined) throw limits.reason;
    const codec = codecOf(procedure);
    const only = onlyInput(call, codec);
    let hasHeaders = false;
    const stream = session.call({ path, timeout, codec, metadata }, maxMessageSize, (headers) => {
      hasHeaders = true;
      call.headersCame(headers);
    });
    limits.whenOver((reason) => stream.cancel(reason));
    const decoded = (bytes: Uint8Array): unknown => decodeMessage(procedure.output, codec, bytes);
    stream.receiveOne((error, message) => {
      try {
        if (!hasHeaders) call.headersCame(new Metadata());
        const { end } = stream;
        if (end !== undefined) call.trailersCame(end.trailers);
        if (error !== undefined) reject(error);
        else if (isPromiseLike(message)) message.then((bytes) => resolve(decoded(bytes))).catch(reject);
        else resolve(decoded(message));
      } catch (error) {
        reject(asRpcError(error));
      }
    });
    const sending = only === undefined ? sendAll(stream, call, codec) : sendOnly(stream, only);
    sending?.catch((error: unknown) => stream.cancel(asRpcError(error)));
  });
}

function codecOf({ input, output }: Procedure): MessageCodec {
  return input.binary !== undefined && output.binary !== undefined ? "proto" : "json";
}

/**
 * The one message of a call that has it at hand; `undefined`: they come one by one. Encoded before the call begins: one
 * that cannot be encoded leaves no stream behind. Throws what the encoder throws.
 */
function onlyInput({ inputs, procedure }: OutgoingCall, codec: MessageCodec): Uint8Array | undefined {
  if (streamsIn(procedure.kind) || !Array.isArray(inputs)) return undefined;
  return encodeMessage(procedure.input, codec, inputs[0]);
}

/** The one message, which closes our side, too. */
function sendOnly(stream: CallingStream, message: Uint8Array): Promise<void> | undefined {
  const sent = stream.send(message, frameFlags.last);
  return sent === undefined ? undefined : sent.catch(unlessOver(stream));
}

async function sendAll(stream: CallingStream, call: OutgoingCall, codec: MessageCodec): Promise<void> {
  for await (const input of call.inputs) {
    if (stream.isOver) return;
    const sent = stream.send(encodeMessage(call.procedure.input, codec, input));
    if (sent !== undefined) await sent.catch(unlessOver(stream));
  }
  stream.close();
}

/** A stream that is over takes no messages: that is not what the caller is to hear of. */
function unlessOver(stream: CallingStream): (error: unknown) => void {
  return (error) => {
    if (!stream.isOver) throw error;
  };
}
