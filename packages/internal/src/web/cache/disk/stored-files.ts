// All files of a cacher on disk, in portions: for an index that is made anew.

import { opendir } from "node:fs/promises";
import { join } from "node:path";
import { isMissing, readStoredAt, type StoredFile } from "./wobject-file.ts";

/** A file; `stored` is `undefined` if it is incomplete or was changed. */
export interface FoundFile {
  readonly path: string;
  readonly stored: StoredFile | undefined;
}

/** Memory does not grow with their number. */
export async function* storedFiles(folder: string): AsyncGenerator<readonly FoundFile[], void, void> {
  let paths: string[] = [];
  for await (const path of filesBelow(folder)) {
    paths.push(path);
    if (paths.length < portion) continue;
    yield await readAll(paths);
    paths = [];
  }
  yield await readAll(paths);
}

/** Purges and evictions may remove folders meanwhile. */
async function* filesBelow(folder: string): AsyncGenerator<string, void, void> {
  try {
    for await (const entry of await opendir(folder)) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) yield* filesBelow(path);
      else if (entry.isFile()) yield path;
    }
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

function readAll(paths: readonly string[]): Promise<readonly FoundFile[]> {
  return Promise.all(paths.map(async (path) => ({ path, stored: await readStoredAt(path) })));
}

/** So many are read at once, and entered in one transaction. */
const portion = 100;
