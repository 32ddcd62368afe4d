// One purge of a cacher on disk: what is in the index, and while that is made anew, what only the folder has.

import { HemiError } from "../../../errors/hemi-error.ts";
import { selects, type PurgeOptions, type PurgeSelector } from "../cacher.ts";
import type { DiskIndex } from "./disk-index.ts";
import type { FilesChanged, ObjectFolder } from "./object-folder.ts";
import type { SharedWalks } from "./shared-walks.ts";

/** What it needs of its cacher. */
export interface PurgedCacher {
  readonly index: DiskIndex;
  readonly objects: ObjectFolder;
  readonly walks: SharedWalks;
  /** Removes files, by their paths below the folder of objects. */
  readonly remove: (paths: readonly string[]) => Promise<FilesChanged>;
}

/** Resolves with the number of responses. Rejects with HEMI_FILE if some of them are still there. */
export async function purgeFiles(
  { index, objects, walks, remove }: PurgedCacher,
  selector: PurgeSelector,
  { isSoft = false, isDryRun = false }: PurgeOptions,
): Promise<number> {
  await index.flush();
  let count = 0;
  let failure: Error | undefined;
  const change = async (paths: readonly string[]): Promise<void> => {
    const changed = await (isSoft ? objects.outdate(paths) : remove(paths));
    count += changed.count;
    failure ??= changed.failure;
  };
  for (const paths of index.selected(selector)) {
    if (isDryRun) count += paths.length;
    else await change(paths);
  }
  // While the index is made anew, files may not be listed in it. Those that are, have been purged by now.
  if (!index.isComplete && !isDryRun) {
    await walks.visitAll(async (files) => {
      const selected = files.filter(({ stored }) => {
        if (stored === undefined || (isSoft && stored.head.isOutdated)) return false;
        return selects(selector, stored.head);
      });
      if (selected.length > 0) await change(selected.map(({ path }) => objects.below(path)));
    });
  }
  if (failure === undefined) return count;
  const text = `purged responses are still on disk: ${failure.message}`;
  throw new HemiError("HEMI_FILE", text, { cause: failure });
}
