// The folder in which a cacher keeps its files: how they are named, moved in, made outdated, and removed.

import { createHash } from "node:crypto";
import { mkdir, rename, rmdir, unlink } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import type { Variant } from "../rules/vary.ts";
import { appendHead, readStoredAt } from "./wobject-file.ts";

/** Paths of its files are relative to it, where nothing else is said. */
export class ObjectFolder {
  /** Absolute. */
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Absolute: the folder of all variants of a key. */
  folderOf(key: string): string {
    const hash = createHash("sha256").update(key).digest("hex");
    return join(this.path, hash.slice(0, 2), hash.slice(2));
  }

  /** Absolute: the file of a variant. */
  fileOf(key: string, variant: Variant): string {
    const hash = createHash("sha256").update(JSON.stringify(variant)).digest("hex");
    return join(this.folderOf(key), hash.slice(0, 32));
  }

  /** The relative path of an absolute one. */
  below(path: string): string {
    return relative(this.path, path);
  }

  /** Moves a complete file to its absolute path, in place of an older one. */
  async moveIn(path: string, temporary: string): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      await mkdir(dirname(path), { recursive: true });
      try {
        return await rename(temporary, path);
      } catch (error) {
        // A purge may remove an empty folder in between.
        if (attempt === 3) throw error;
      }
    }
  }

  /** Removes files. Returns how many there were. */
  async remove(paths: readonly string[]): Promise<number> {
    const removed = await Promise.all(paths.map((below) => this.#removeFile(join(this.path, below))));
    return removed.filter(Boolean).length;
  }

  /** Makes files stale, which stay. Returns how many there were. */
  async outdate(paths: readonly string[]): Promise<number> {
    let count = 0;
    for (const below of paths) {
      const path = join(this.path, below);
      const stored = await readStoredAt(path);
      if (stored === undefined) continue;
      count++;
      await appendHead(path, { ...stored.head, isOutdated: true }, stored).catch(ignore);
    }
    return count;
  }

  async #removeFile(path: string): Promise<boolean> {
    const isRemoved = await unlink(path).then(
      () => true,
      () => false,
    );
    // Not empty: there are other variants.
    await rmdir(dirname(path)).catch(ignore);
    return isRemoved;
  }
}

function ignore(): void {}

/** The space of head, footer and folder of one file on disk, in bytes, estimated. */
export const headSpace = 4096;
