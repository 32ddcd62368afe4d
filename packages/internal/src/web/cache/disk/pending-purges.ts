// The purges that a cacher on disk is at. One of many files takes a while: no request waits for it, and none gets what
// it is about to remove.

import { performance } from "node:perf_hooks";
import { selects, type PurgeSelector } from "../cacher.ts";
import type { DiskWobject } from "./disk-wobject.ts";

interface PendingPurge {
  readonly selector: PurgeSelector;
  readonly isSoft: boolean;
  /** As `writtenAt` of files. */
  readonly begunAt: number;
  /** Settles when it is done, whatever became of it. */
  readonly done: Promise<void>;
}

export class PendingPurges {
  readonly #purges = new Set<PendingPurge>();

  /** One has begun, which is done when `work` settles. */
  add(selector: PurgeSelector, isSoft: boolean, work: Promise<unknown>): void {
    const begunAt = performance.timeOrigin + performance.now();
    const end = (): void => void this.#purges.delete(purge);
    const purge = { selector, isSoft, begunAt, done: work.then(end, end) };
    this.#purges.add(purge);
  }

  /** Those that are under way. */
  current(): readonly PendingPurge[] {
    return [...this.#purges];
  }

  /** Settles when those are done that are under way. */
  async settled(): Promise<void> {
    await Promise.all(this.current().map(({ done }) => done));
  }
}

/** Whether one of them is for a stored response. */
export function isSelectedBy(purges: readonly PendingPurge[], one: DiskWobject): boolean {
  return purges.some((purge) => isFor(purge, one));
}

/** Whether none of them removes it. What a soft one selects becomes stale here. */
export function isLeftBy(purges: readonly PendingPurge[], one: DiskWobject): boolean {
  const selecting = purges.filter((purge) => isFor(purge, one));
  if (selecting.length > 0) one.head = { ...one.head, isOutdated: true };
  return selecting.every(({ isSoft }) => isSoft);
}

/** What came after it is not. */
function isFor({ selector, begunAt }: PendingPurge, { head, writtenAt }: DiskWobject): boolean {
  return writtenAt <= begunAt + clockTolerance && selects(selector, head);
}

/** In milliseconds: another process may have written the file, whose clock may differ by a little. */
const clockTolerance = 1000;
