// How a callee ends a call. Apart from what callers send: a client whose server makes no calls needs none of it.

import { rpcCodes } from "../codes.ts";
import { Metadata } from "../metadata.ts";
import { RpcError } from "../rpc-error.ts";
import { frameFlags, frameTypes } from "./frames.ts";
import { beginFrame, finishFrame, isTooMuch, writeMetadata, type CallEnd } from "./payloads.ts";
import type { SessionOutput } from "./session-output.ts";

/** Sends an END. What the peer would refuse for its size is left out. */
export function sendEnd(output: SessionOutput, id: number, end: CallEnd, isBegun: boolean): void {
  if (end.error === undefined && end.trailers.isEmpty) return output.write(endFrame(id, plainEnd, true));
  if (!isTooMuch({ metadata: end.trailers }) && output.writeWhole(endFrame(id, end, isBegun))) return;
  const { code, message } = end.error ?? new RpcError("internal", "the trailers are too large for a frame");
  const error = new RpcError(code, message.slice(0, 1000));
  output.write(endFrame(id, { error, trailers: new Metadata() }, isBegun));
}

/** An END frame. `isBegun`: whether the call may have had an effect. */
export function endFrame(streamId: number, { error, trailers }: CallEnd, isBegun: boolean): Uint8Array {
  const writer = beginFrame();
  writer.byte(error === undefined ? 0 : rpcCodes[error.code]);
  writer.text(error?.message ?? "");
  writer.number(error?.details.length ?? 0);
  for (const { type, value } of error?.details ?? []) {
    writer.text(type);
    writer.bytes(value);
  }
  writeMetadata(writer, trailers);
  return finishFrame(frameTypes.end, isBegun ? 0 : frameFlags.notBegun, streamId);
}

/** Of a call that went well and has no trailers: the usual one. */
const plainEnd: CallEnd = { error: undefined, trailers: new Metadata() };
