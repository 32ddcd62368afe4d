// The folder in which a cacher keeps its files: how they are named, moved in, made outdated, and removed.

import { createHash } from "node:crypto";
import { mkdir, rename, rmdir, unlink } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import type { Variant } from "../rules/vary.ts";
import { appendHead, isMissing, readStoredAt } from "./wobject-file.ts";

/** What became of files that were to be removed, or made stale. */
export interface FilesChanged {
  /** How many there were, for which it was done. */
  readonly count: number;
  /** Relative: those for which it could not be done. */
  readonly left: readonly string[];
  /** Why, for one of them. */
  readonly failure: Error | undefined;
}

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

  /** Removes files. */
  remove(paths: readonly string[]): Promise<FilesChanged> {
    return this.#change(paths, async (path) => {
      await unlink(path);
      // Not empty: there are other variants.
      await rmdir(dirname(path)).catch(ignore);
      return true;
    });
  }

  /** Makes files stale, which stay. */
  outdate(paths: readonly string[]): Promise<FilesChanged> {
    return this.#change(paths, async (path) => {
      const stored = await readStoredAt(path);
      if (stored === undefined) return false;
      if (stored.head.isOutdated) return true;
      return await appendHead(path, { ...stored.head, isOutdated: true }, stored, { isUrgent: true });
    });
  }

  /** `change` resolves with whether there was such a file. */
  async #change(paths: readonly string[], change: (path: string) => Promise<boolean>): Promise<FilesChanged> {
    const left: string[] = [];
    let count = 0;
    let failure: Error | undefined;
    const changing = paths.map(async (below) => {
      try {
        if (await change(join(this.path, below))) count++;
      } catch (error) {
        if (isMissing(error)) return;
        left.push(below);
        failure = error instanceof Error ? error : new Error(String(error));
      }
    });
    await Promise.all(changing);
    return { count, left, failure };
  }
}

function ignore(): void {}
