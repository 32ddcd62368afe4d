// Reads what a folder shows of itself.

import type { Dirent, Stats } from "node:fs";
import { opendir, realpath, stat } from "node:fs/promises";
import { join } from "node:path";

export interface Listing {
  /** Folders first, then by name: numbers in names by their value. */
  readonly entries: readonly ListedEntry[];
  /** False: the folder holds more than were read. */
  readonly isComplete: boolean;
}

export interface ListedEntry {
  readonly name: string;
  readonly type: "directory" | "file";
  /** In bytes; 0 for a folder. */
  readonly size: number;
  /** Of the years 0 to 9999: what is earlier or later is shown as their beginning or end. */
  readonly modified: Date;
}

export interface ListingLimits {
  /** So many names are read; which ones, if there are more, is up to the file system. */
  readonly maxEntries: number;
  /** Whether a real path may be shown. */
  readonly contains: (realPath: string) => boolean;
}

/**
 * Files and folders, symbolic links to them where they lead to what may be shown. Left out are names that begin with a
 * dot and all that no request could ask for. Rejects with the system's error if the folder cannot be read.
 */
export async function readListing(folder: string, limits: ListingLimits): Promise<Listing> {
  const found: Dirent[] = [];
  let isComplete = true;
  for await (const dirent of await opendir(folder, { bufferSize: namesAtOnce })) {
    if (!isAskable(dirent.name)) continue;
    isComplete = found.length < limits.maxEntries;
    if (!isComplete) break;
    found.push(dirent);
  }
  const entries: ListedEntry[] = [];
  for (let i = 0; i < found.length; i += looksAtOnce) {
    const some = await Promise.all(found.slice(i, i + looksAtOnce).map((dirent) => lookAt(folder, dirent, limits)));
    for (const entry of some) if (entry !== undefined) entries.push(entry);
  }
  return { entries: entries.sort(compareEntries), isComplete };
}

/** `undefined` for what is not shown, or has gone meanwhile. */
async function lookAt(folder: string, dirent: Dirent, { contains }: ListingLimits): Promise<ListedEntry | undefined> {
  const { name } = dirent;
  const path = join(folder, name);
  try {
    if (dirent.isSymbolicLink() && !contains(await realpath(path))) return undefined;
    const stats = await stat(path);
    const modified = modifiedOf(stats);
    if (stats.isDirectory()) return { name, type: "directory", size: 0, modified };
    return stats.isFile() ? { name, type: "file", size: stats.size, modified } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * File systems keep times, right or wrong, that JavaScript has no date for: one such file must not take the listing
 * from all others.
 */
function modifiedOf({ mtimeMs }: Stats): Date {
  return new Date(Math.min(Math.max(Math.round(mtimeMs), earliest), latest));
}

const earliest = Date.parse("0000-01-01T00:00:00.000Z");
const latest = Date.parse("9999-12-31T23:59:59.999Z");

/**
 * Paths with `%5C` are refused, so is what begins with a dot; and of a name that is not UTF-8 we have only what it was
 * made into, with U+FFFD.
 */
function isAskable(name: string): boolean {
  return !name.startsWith(".") && !/[\\/\ufffd]/.test(name) && name.isWellFormed();
}

function compareEntries(one: ListedEntry, other: ListedEntry): number {
  if (one.type !== other.type) return one.type === "directory" ? -1 : 1;
  // Made with the first listing: it loads the rules of the language.
  byName ??= new Intl.Collator("en", { numeric: true });
  return byName.compare(one.name, other.name) || (one.name < other.name ? -1 : 1);
}

/** The same on all machines, whatever their locale. */
let byName: Intl.Collator | undefined;

const namesAtOnce = 256;
/** Few enough that one large folder does not keep all others from the disk. */
const looksAtOnce = 16;
