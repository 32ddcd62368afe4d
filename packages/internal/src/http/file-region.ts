// Reads a stretch of an open file piece by piece.

import { Buffer } from "node:buffer";
import { read } from "node:fs";
import { promisify } from "node:util";
import { HemiError } from "../errors/hemi-error.ts";
import type { FileRegion } from "./exchan.ts";

const readFile = promisify(read);

/**
 * Large enough that a system call for each costs little, small enough that thousands of slow clients can have one each.
 */
const pieceSize = 64 * 1024;

/** The pieces of a region, each in memory of its own. Throws HEMI_FILE if the file has become shorter. */
export async function* readRegion(region: FileRegion): AsyncGenerator<Buffer, void, void> {
  const { fd, size } = region;
  for (let done = 0; done < size;) {
    const piece = Buffer.allocUnsafeSlow(Math.min(pieceSize, size - done));
    const { bytesRead } = await readFile(fd, piece, 0, piece.length, region.offset + done);
    if (bytesRead === 0) throw fileEnded(size - done);
    done += bytesRead;
    yield bytesRead === piece.length ? piece : piece.subarray(0, bytesRead);
  }
}

/** The file has become shorter, by so many bytes of what was to be sent. */
export function fileEnded(missing: number): HemiError {
  return new HemiError("HEMI_FILE", `the file ended ${missing} bytes before the size it had when it was opened`);
}
