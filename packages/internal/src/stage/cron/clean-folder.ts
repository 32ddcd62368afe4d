// What a run of cleanCronjob does.

import { HeldFolder } from "./held-folder.ts";

/** What to remove from a folder. */
export interface Cleaning {
  /** The absolute path of the folder. */
  readonly folder: string;
  /** Files and empty folders that were changed before are removed: in milliseconds since the epoch. */
  readonly oldest: number;
  /** If the files have more bytes together, the oldest are removed, too. Default: no limit. */
  readonly maxTotal: number | undefined;
  /** Is asked between two files. */
  readonly signal: Pick<AbortSignal, "throwIfAborted">;
}

interface LeftFile {
  /** The names of the folders that it is in, from the top. */
  readonly folders: readonly string[];
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /** In milliseconds since the epoch. */
  readonly changedAt: number;
}

/**
 * Resolves with the number of files that were removed. Symbolic links are not followed, also where somebody puts one in
 * the place of a folder meanwhile (on Linux).
 */
export async function cleanFolder(cleaning: Cleaning): Promise<number> {
  await using top = await HeldFolder.open(cleaning.folder);
  if (top === undefined) return 0;
  const left: LeftFile[] = [];
  const removed = (await removeOld(top, [], cleaning, left)) + (await removeSurplus(top, cleaning, left));
  await removeEmptyIn(top, cleaning);
  return removed;
}

/** Notes in `left` what stays, if it matters. */
async function removeOld(
  folder: HeldFolder,
  folders: readonly string[],
  cleaning: Cleaning,
  left: LeftFile[],
): Promise<number> {
  let removed = 0;
  for await (const entry of folder.entries()) {
    const { name } = entry;
    cleaning.signal.throwIfAborted();
    if (entry.isDirectory()) {
      await using child = await folder.child(name);
      if (child !== undefined) removed += await removeOld(child, [...folders, name], cleaning, left);
    }
    const stats = entry.isFile() ? await folder.statsOfFile(name) : undefined;
    if (stats === undefined) continue;
    const { size, mtimeMs: changedAt } = stats;
    if (changedAt < cleaning.oldest) removed += (await folder.removeFile(name)) ? 1 : 0;
    else if (cleaning.maxTotal !== undefined) left.push({ folders, name, size, changedAt });
  }
  return removed;
}

async function removeSurplus(top: HeldFolder, { maxTotal = Infinity, signal }: Cleaning, left: LeftFile[]) {
  let removed = 0;
  let total = left.reduce((sum, { size }) => sum + size, 0);
  left.sort((one, other) => one.changedAt - other.changedAt);
  for (const { folders, name, size } of left) {
    if (total <= maxTotal) break;
    signal.throwIfAborted();
    total -= size;
    if (await removeBelow(top, folders, name)) removed++;
  }
  return removed;
}

async function removeBelow(folder: HeldFolder, [next, ...others]: readonly string[], name: string): Promise<boolean> {
  if (next === undefined) return await folder.removeFile(name);
  await using child = await folder.child(next);
  return child !== undefined && (await removeBelow(child, others, name));
}

/** A folder that was made just now is somebody's who is about to put a file into it. */
async function removeEmptyIn(folder: HeldFolder, cleaning: Cleaning): Promise<void> {
  for await (const entry of folder.entries()) {
    if (!entry.isDirectory()) continue;
    await using child = await folder.child(entry.name);
    if (child === undefined) continue;
    await removeEmptyIn(child, cleaning);
    if ((await child.stats()).mtimeMs < cleaning.oldest) await folder.removeFolder(entry.name);
  }
}
