// Tiers: a cacher over another one, such as memory over disk. What the upper one does not have is looked up in the
// lower one, and comes up when it is asked for.

import { quietly } from "@hemi/common";
import { ListedFields } from "../../http/fields.ts";
import type { CacherPart, PurgeOptions, PurgeSelector, WobjectWriter } from "./cacher.ts";
import { hasVariantOf, type Wobject, type WobjectHead } from "./wobject.ts";

/** Everything is stored in both; a wobject that is too large for the upper one is in the lower one only. */
export class Tiers implements CacherPart {
  readonly #upper: CacherPart;
  readonly #lower: () => CacherPart;
  /** For wobjects of the upper one, those in the lower one that they come from. */
  readonly #below = new WeakMap<Wobject, Wobject>();
  /** By key, what is under way in the lower one: commits, and updates, which come behind what has begun before. */
  readonly #pending = new Map<string, Promise<void>>();
  #followed: CacherPart | undefined;
  #unfollow: (() => void) | undefined;

  /** `lower` may be another one after a reload. */
  constructor(upper: CacherPart, lower: () => CacherPart) {
    this.#upper = upper;
    this.#lower = lower;
  }

  get maxWobjectSize(): number {
    return Math.max(this.#upper.maxWobjectSize, this.#lower().maxWobjectSize);
  }

  get isShared(): boolean {
    return this.#lower().isShared === true;
  }

  lookup(key: string): readonly Wobject[] | Promise<readonly Wobject[]> {
    const found = this.#upper.lookup(key);
    if (found instanceof Promise) return found.then((found) => (found.length > 0 ? found : this.#bringUp(key)));
    return found.length > 0 ? found : this.#bringUp(key);
  }

  begin(key: string): WobjectWriter {
    const writers = [this.#upper.begin(key), this.#lower().begin(key)] as const;
    const [upper, lower] = writers;
    return {
      write: (piece) => writers.forEach((writer) => writer.write(piece)),
      abort: () => writers.forEach((writer) => writer.abort()),
      isPurged: (response) => writers.some((writer) => writer.isPurged?.(response) === true),
      commit: (head) => {
        const committed = this.#commit(head, upper, lower);
        this.#note(head.key, committed);
        return committed;
      },
    };
  }

  async #commit(head: WobjectHead, upper: WobjectWriter, lower: WobjectWriter): Promise<Wobject | undefined> {
    const [above, below] = await Promise.all([upper.commit(head), lower.commit(head)]);
    if (above !== undefined && below !== undefined) this.#below.set(above, below);
    return above ?? below;
  }

  freshen(wobject: Wobject, head: WobjectHead): void {
    const below = this.#below.get(wobject);
    this.#upper.freshen(wobject, head);
    this.#lower().freshen(below ?? wobject, head);
    // The upper one may have made another object of it since it came up, or the lower one is still about to store it.
    if (below === undefined) this.#note(head.key, this.#freshenBelow(wobject, head));
  }

  async #freshenBelow({ source: { size } }: Wobject, head: WobjectHead): Promise<void> {
    const lower = this.#lower();
    const etag = new ListedFields(head.fieldList).get("etag");
    // Not to store anything: a purge from here on holds for the update.
    const purges = lower.begin(head.key);
    try {
      await this.#pending.get(head.key);
      const found = (await lower.lookup(head.key)).find((one) => {
        const isSame = one.source.size === size && new ListedFields(one.head.fieldList).get("etag") === etag;
        return isSame && hasVariantOf(one.head, head);
      });
      const isNews = found !== undefined && found.head.storedAt <= head.storedAt && !isAsUsable(found.head, head);
      if (isNews && purges.isPurged?.(head) !== true) lower.freshen(found, head);
    } finally {
      purges.abort();
    }
  }

  #note(key: string, work: Promise<unknown>): void {
    const all: Promise<void> = Promise.allSettled([this.#pending.get(key), work]).then(() => {
      if (this.#pending.get(key) === all) this.#pending.delete(key);
    });
    this.#pending.set(key, all);
  }

  /** The number is that of the lower one, which has everything. The upper one first: it would be filled from below. */
  async purge(selector: PurgeSelector, options?: PurgeOptions): Promise<number> {
    try {
      const both = [this.#upper.purge(selector, options), this.#lower().purge(selector, options)] as const;
      const [, count] = await Promise.all(both);
      return count;
    } finally {
      // What came up meanwhile, also if the lower one could not remove all of it.
      if (options?.isDryRun !== true) await this.#upper.purge(selector, options);
    }
  }

  /** All variants or none: the lower one is not asked for what the upper one has. */
  async #bringUp(key: string): Promise<readonly Wobject[]> {
    const found = await this.#lower().lookup(key);
    const max = this.#upper.maxWobjectSize;
    if (found.length === 0 || found.some(({ source }) => (source.content?.length ?? Infinity) > max)) return found;
    // A purge from here on holds for what is brought up; one before it shows in the second look.
    const writers = found.map(() => this.#upper.begin(key));
    const current = await this.#lower().lookup(key);
    const isSame = current.length === found.length && current.every((wobject, i) => wobject === found[i]);
    if (!isSame) {
      for (const writer of writers) writer.abort();
      return current;
    }
    // The latest one is stored last, and comes first again.
    for (const [i, wobject] of [...found.entries()].reverse()) {
      const writer = writers[i];
      if (wobject.source.content !== undefined) writer?.write(wobject.source.content);
      const above = await writer?.commit(wobject.head);
      if (above !== undefined) this.#below.set(above, wobject);
    }
    return found;
  }

  // ---- life cycle of the upper one ----

  update(changed: ReadonlySet<string>): void {
    this.#upper.update?.(changed);
  }

  /** What other machines purge in the lower one, the upper one must not serve either. */
  compose(): void {
    const lower = this.#lower();
    if (lower === this.#followed) return;
    this.#unfollow?.();
    this.#followed = lower;
    this.#unfollow = lower.onPurge?.((selector, options) => {
      void quietly(this.#upper.purge(selector, { ...options, isHere: true }));
    });
  }

  async shutdown(): Promise<void> {
    this.#unfollow?.();
    await Promise.all(this.#pending.values());
    await this.#upper.shutdown?.();
  }
}

/** Whether it has the head already, as far as that decides its use. */
function isAsUsable(one: WobjectHead, other: WobjectHead): boolean {
  const { storedAt, noCache, isOutdated } = other;
  return one.storedAt === storedAt && one.noCache === noCache && one.isOutdated === isOutdated;
}
