// Writes as much as a descriptor takes. Nothing, where the reader of a pipe or terminal does not read just now, is no error.

import { write, writeSync } from "node:fs";

/** In another thread, which a descriptor that is not non-blocking may hold. Resolves with the bytes written. Rejects with the system's error. */
export function writeSome(fd: number, bytes: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    write(fd, bytes, 0, bytes.length, null, (error, size) => {
      if (error === null) resolve(size);
      else if (isBusy(error)) resolve(0);
      else reject(error);
    });
  });
}

/** Gives the bytes written. Throws the system's error. */
export function writeSomeSync(fd: number, bytes: Buffer): number {
  try {
    return writeSync(fd, bytes);
  } catch (error) {
    if (isBusy(error)) return 0;
    throw error;
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "EAGAIN" || error.code === "EBUSY");
}
