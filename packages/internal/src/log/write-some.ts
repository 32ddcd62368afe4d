// Writes as much as a descriptor accepts. If the reader of a pipe or terminal does not read now, it writes nothing,
// without an error.

import { write, writeSync } from "node:fs";

/**
 * Runs in another thread, which a blocking descriptor may hold up. Resolves with the number of bytes written. Rejects
 * with the system's error.
 */
export function writeSome(fd: number, bytes: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    write(fd, bytes, 0, bytes.length, null, (error, size) => {
      if (error === null) resolve(size);
      else if (isBusy(error)) resolve(0);
      else reject(error);
    });
  });
}

/** Returns the number of bytes written. Throws the system's error. */
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
