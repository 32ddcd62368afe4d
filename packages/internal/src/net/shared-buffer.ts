import { Buffer } from "node:buffer";

/**
 * The size of one read of a socket, in bytes. Not a prop: it balances the cost of system calls against the memory for
 * slow peers.
 */
export const readSize = 64 * 1024;

/**
 * The buffer for sockets whose input is processed at once. On the supported systems, a socket is read and its event
 * emitted in one step, so that all sockets can share one buffer. Data to keep is copied.
 */
export const sharedBuffer = Buffer.allocUnsafeSlow(readSize);

/** What a read of `size` bytes has put into the buffer: valid until the next read. */
export function sharedPiece(size: number): Buffer {
  if (size > maxKnown) return sharedBuffer.subarray(0, size);
  return (pieces[size] ??= sharedBuffer.subarray(0, size));
}

/** In bytes. Small messages come often, and for them, an object for each would be part of the cost. */
const maxKnown = 2048;
const pieces: (Buffer | undefined)[] = Array<undefined>(maxKnown + 1).fill(undefined);
