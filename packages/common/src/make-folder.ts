// Makes a folder with the folders above it.
//
// Node.js has this (`recursive`), but its loop has no end where the parent of a folder exists and the folder cannot be
// made in it, as in /proc: the system says of both that something is missing.

import { mkdirSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";

/** What exists stays as it is, even if it is no folder. `mode`: of new folders. Rejects with the system's error. */
export async function makeFolder(path: string, mode = 0o777): Promise<void> {
  try {
    await mkdir(path, mode);
  } catch (error) {
    if (!lacksParent(error, path)) return;
    await makeFolder(dirname(path), mode);
    await mkdir(path, mode).catch((failure: unknown) => assertExists(failure));
  }
}

/** As `makeFolder`, at once. */
export function makeFolderSync(path: string, mode = 0o777): void {
  try {
    mkdirSync(path, mode);
  } catch (error) {
    if (!lacksParent(error, path)) return;
    makeFolderSync(dirname(path), mode);
    try {
      mkdirSync(path, mode);
    } catch (failure) {
      assertExists(failure);
    }
  }
}

/** False: it exists. Throws any other error. */
function lacksParent(error: unknown, path: string): boolean {
  if (hasCode(error, "ENOENT") && dirname(path) !== path) return true;
  assertExists(error);
  return false;
}

/** Others may make the same folder. */
function assertExists(error: unknown): void {
  if (!hasCode(error, "EEXIST")) throw error;
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
