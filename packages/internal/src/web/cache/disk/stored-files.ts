// All files of a cacher on disk, in portions: for an index that is made anew.

import { opendir } from "node:fs/promises";
import { join } from "node:path";
import { readStoredAt, type StoredFile } from "./wobject-file.ts";

/** A file; `stored` is `undefined` if it is incomplete or was changed. */
export interface FoundFile {
  readonly path: string;
  readonly stored: StoredFile | undefined;
}

/** Memory does not grow with their number. */
export async function* storedFiles(folder: string): AsyncGenerator<readonly FoundFile[], void, void> {
  let paths: string[] = [];
  for await (const entry of await opendir(folder, { recursive: true })) {
    if (!entry.isFile()) continue;
    paths.push(join(entry.parentPath, entry.name));
    if (paths.length < portion) continue;
    yield await readAll(paths);
    paths = [];
  }
  yield await readAll(paths);
}

function readAll(paths: readonly string[]): Promise<readonly FoundFile[]> {
  return Promise.all(paths.map(async (path) => ({ path, stored: await readStoredAt(path) })));
}

/** So many are read at once, and entered in one transaction. */
const portion = 100;
