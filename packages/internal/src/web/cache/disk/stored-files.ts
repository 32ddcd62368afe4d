// All files of a cacher on disk, one after the other: for an index that is made anew.

import { opendir } from "node:fs/promises";
import { join } from "node:path";
import { readStoredAt, type StoredFile } from "./wobject-file.ts";

/** `stored` is `undefined` for a file that is incomplete or was changed. Memory does not grow with their number. */
export async function* storedFiles(
  folder: string,
): AsyncGenerator<{ readonly path: string; readonly stored: StoredFile | undefined }, void, void> {
  for await (const entry of await opendir(folder, { recursive: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    yield { path, stored: await readStoredAt(path) };
  }
}
