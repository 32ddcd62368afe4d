// Walks over all files of a cacher on disk, for purges while the index is made anew: one walk serves all that have come
// before it, so that a flood of purges reads no file more than twice.

import { storedFiles, type FoundFile } from "./stored-files.ts";

type Visit = (files: readonly FoundFile[]) => Promise<void>;

export class SharedWalks {
  readonly #folder: string;
  /** Those for whom the next walk is. */
  #visits: Visit[] = [];
  #next: Promise<void> | undefined;
  #running: Promise<void> | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * Passes all files that are there from now on till the end, in portions. Rejects if they cannot be read, and with the
   * first error of `visit`, which is not called again then.
   */
  async visitAll(visit: Visit): Promise<void> {
    const failures: unknown[] = [];
    this.#visits.push(async (files) => {
      if (failures.length > 0) return;
      await visit(files).catch((error: unknown) => failures.push(error));
    });
    this.#next ??= this.#walkNext();
    await this.#next;
    if (failures.length > 0) throw failures[0];
  }

  async #walkNext(): Promise<void> {
    // Whatever became of it.
    await this.#running?.catch(() => undefined);
    const visits = this.#visits;
    this.#visits = [];
    this.#running = this.#next;
    this.#next = undefined;
    for await (const files of storedFiles(this.#folder)) await Promise.all(visits.map((visit) => visit(files)));
  }
}
