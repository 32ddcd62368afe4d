// Frames that are all that one side sends on a stream: a CALL with its only message, and an answer with the end. What
// is large, is to be compressed, or has to wait for its peer is sent in frames of its own instead.

import type { SentMessage } from "./frame-output.ts";
import { frameFlags, frameHeadSize, frameTypes } from "./frames.ts";
import { messageCost } from "./inbox.ts";
import { isTooMuch, writeCallHead, type CallHead } from "./payloads.ts";
import type { SessionOutput } from "./session-output.ts";

/** A CALL with its only message. False: nothing is sent. */
export function sendCallWith(output: SessionOutput, id: number, head: CallHead, message: SentMessage): boolean {
  if (!output.isFree || output.compresses(message.length) || isTooMuch(head)) return false;
  const { writer } = output.frames;
  const start = writer.size;
  writer.head();
  writeCallHead(writer, head);
  return finish(output, start, frameTypes.call, id, message);
}

/** The only message of a callee, with the end of a call that went well. False: nothing is sent. */
export function sendAnswer(output: SessionOutput, id: number, message: SentMessage): boolean {
  if (!output.isFree || output.compresses(message.length)) return false;
  const { writer } = output.frames;
  const start = writer.size;
  writer.head();
  return finish(output, start, frameTypes.message, id, message);
}

function finish(output: SessionOutput, start: number, type: number, id: number, message: SentMessage): boolean {
  const { writer } = output.frames;
  const { maxFrameSize, credit } = output.peer;
  const messageStart = writer.size;
  // Not even begun, where it is too long in any case.
  const isFar = message.length > maxFrameSize;
  if (!isFar) {
    if (typeof message === "string") writer.utf8(message);
    else writer.raw(message);
  }
  const isTooLarge = writer.size - start - frameHeadSize > maxFrameSize;
  if (isFar || isTooLarge || writer.size - messageStart + messageCost > credit) {
    writer.cut(start);
    return false;
  }
  writer.headAt(start, type, frameFlags.last, id);
  output.frames.wrote();
  return true;
}
