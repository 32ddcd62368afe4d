// OP_COMPRESSED: another message within, by one of the methods that client and server have agreed on.

import { inflateSync, zstdDecompressSync } from "node:zlib";
import { operations, ProtocolError } from "./messages.ts";

/** The methods that the proxy can read, as they are called when client and server agree on one. */
export const compressors: readonly string[] = ["zlib", "zstd"];

/** The body of the OP_MSG that is within the body of an OP_COMPRESSED. `maxSize`: of the former. */
export function decompressedBody(body: Buffer, maxSize: number): Buffer {
  if (body.length < 9) throw new ProtocolError("a compressed message that is too short");
  const [operation, size, method] = [body.readInt32LE(0), body.readInt32LE(4), body[8] ?? 0];
  if (size < 0 || size > maxSize) throw new ProtocolError(`a compressed message of more than ${maxSize} bytes`);
  if (operation !== operations.message) throw new ProtocolError("a compressed message of another kind than OP_MSG");
  const content = inflated(body.subarray(9), method, size);
  if (content.length !== size) throw new ProtocolError("a compressed message with a length that lies");
  return content;
}

function inflated(bytes: Buffer, method: number, size: number): Buffer {
  // One byte more than it may, so that a longer one is noticed.
  const options = { maxOutputLength: size + 1 };
  try {
    if (method === 0) return bytes;
    if (method === 2) return inflateSync(bytes, options);
    if (method === 3) return zstdDecompressSync(bytes, options);
  } catch {
    throw new ProtocolError("a compressed message that is broken");
  }
  throw new ProtocolError(`a message that is compressed by the method ${method}`);
}
