// Messages in a stream of bytes, as gRPC, gRPC-Web and Connect have them: flags (1 byte), size (4 bytes), message.

import { writeUint32 } from "./bytes.ts";
import { RpcError } from "./rpc-error.ts";

/** The message is compressed. */
export const compressedFlag = 0x01;

/** One message of a stream. */
export interface Envelope {
  readonly flags: number;
  /** The message, as it was sent. */
  readonly bytes: Uint8Array;
}

/** A message in its envelope. */
export function envelope(flags: number, message: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(envelopeHeadSize + message.length);
  writeEnvelopeHead(bytes, 0, flags, message.length);
  bytes.set(message, envelopeHeadSize);
  return bytes;
}

/** What stands before a message of `size` bytes. */
export function writeEnvelopeHead(bytes: Uint8Array, at: number, flags: number, size: number): void {
  bytes[at] = flags;
  writeUint32(bytes, at + 1, size);
}

/** For a message that exceeds a limit, both in bytes. */
export function tooLarge(size: number | undefined, maxSize: number): RpcError {
  const what = size === undefined ? "a message is" : `a message of ${size} bytes is`;
  return new RpcError("resource_exhausted", `${what} larger than the limit of ${maxSize} bytes`);
}

/** In bytes: flags and size. */
export const envelopeHeadSize = 5;
