// memCacher: stores responses in the memory of the process.

import { setImmediate } from "node:timers/promises";
import { prop } from "../../../component/prop.ts";
import type { PropsOf } from "../../../component/props/prop-type.ts";
import type { Context } from "../../../stage/context.ts";
import { shareOf, type Workers } from "../../../stage/workers.ts";
import { cacherKind, defineCacher, selects } from "../cacher.ts";
import type { CacherPart, PurgeOptions, PurgeSelector, WobjectWriter } from "../cacher.ts";
import { OpenWrites } from "../open-writes.ts";
import { SpreadPurges } from "../spread-purges.ts";
import { Tiers } from "../tiers.ts";
import { hasVariantOf, madeAt, type Wobject, type WobjectHead } from "../wobject.ts";
import { Admission } from "./admission.ts";
import { MemWobjects, readySize, ReadyWobject, sizeOf, type MemEntry } from "./mem-wobjects.ts";

const props = {
  /**
   * The memory for responses with their heads, in bytes, of which each worker of the program has its equal part. Those
   * that are asked for least are evicted.
   */
  maxSize: prop.size({ default: "64M", min: "64K", reload: "live" }),
  /** The largest content that is stored, in bytes; at most a quarter of the worker's part of `maxSize` in any case. */
  maxWobjectSize: prop.size({ default: "4M", min: 1, reload: "live" }),
  /**
   * Another cacher that stores the same below this one, such as a diskCacher: what is not in memory is looked up there,
   * and comes up. Default: none.
   */
  over: prop.reference(cacherKind),
  /** Variants of one resource; with one more, the oldest is dropped. */
  maxVariants: prop.integer({ default: 50, min: 1, max: 10_000, reload: "live" }),
};

type MemCacherProps = PropsOf<typeof props>;

/**
 * Stores responses in memory, and keeps those that are asked for often: a scan of many URLs does not displace them.
 * Each worker has its own. They are lost at the end of the process.
 */
export const memCacher = defineCacher({
  sign: "memCacher",
  props,
  create(context): CacherPart {
    const { over } = context.props;
    const memory = new MemCacher(context);
    return over === undefined ? memory : new Tiers(memory, () => over.current);
  },
});

class MemCacher implements CacherPart {
  readonly #props: MemCacherProps;
  readonly #workers: Workers;
  /** Hears no more of other workers that come and go. */
  readonly #unfollow: () => void;
  /** A list, with the latest first, only for several variants. */
  readonly #byKey = new Map<string, MemEntry | readonly MemEntry[]>();
  readonly #wobjects: MemWobjects;
  readonly #admission = new Admission<MemEntry>();
  readonly #writes = new OpenWrites();
  readonly #spread: SpreadPurges;
  /** By URL, those that have another key: any client may make one URL invalid, which must not cost a look at all. */
  readonly #otherKeys = new Map<string, Set<MemEntry>>();

  constructor({ props, workers, name, log }: Context<MemCacherProps>) {
    this.#props = props;
    this.#workers = workers;
    this.#unfollow = workers.onChange(() => this.#makeRoom());
    this.#spread = new SpreadPurges({ workers, name, log }, (selector, options) => this.purge(selector, options));
    this.#wobjects = new MemWobjects({
      slabSize: () => Math.min(maxSlabSize, Math.floor(this.#maxSize / 64)),
      maxReady: () => Math.min(maxReady, Math.max(1, Math.floor(this.#maxSize / 8 / readySize))),
    });
  }

  get maxWobjectSize(): number {
    return Math.min(this.#props.maxWobjectSize, Math.floor(this.#maxSize / 4));
  }

  /** Of this worker. */
  get #maxSize(): number {
    return shareOf(this.#props.maxSize, this.#workers);
  }

  update(): void {
    this.#makeRoom();
  }

  freshen(wobject: Wobject, head: WobjectHead): void {
    if (wobject instanceof ReadyWobject && this.#isStored(wobject.entry)) this.#replaceHead(wobject.entry, head);
  }

  lookup(key: string): readonly Wobject[] {
    const found = this.#byKey.get(key);
    if (found === undefined) return none;
    if (isList(found)) return found.map((entry) => this.#hit(entry));
    return this.#hit(found).list;
  }

  begin(): WobjectWriter {
    const write = this.#writes.begin();
    const pieces: Uint8Array[] = [];
    return {
      write: (piece) => void pieces.push(piece),
      commit: (head) => {
        this.#writes.end(write);
        return write.isPurged(head) ? undefined : this.#add(head, pieces);
      },
      abort: () => this.#writes.end(write),
      isPurged: (head) => write.isPurged(head),
    };
  }

  async purge(selector: PurgeSelector, options: PurgeOptions = {}): Promise<number> {
    const { isSoft = false, isDryRun = false } = options;
    if (!isDryRun) this.#writes.note(selector);
    this.#spread.tell(selector, options);
    let count = 0;
    const purge = (entries: readonly MemEntry[]): void => {
      for (const entry of entries) {
        const head = this.#wobjects.headOf(entry);
        if (!selects(selector, head)) continue;
        count++;
        if (isDryRun) continue;
        if (isSoft) this.#replaceHead(entry, { ...head, isOutdated: true });
        else this.#remove(entry);
      }
    };
    // Those of one URL are gone when this returns.
    if (selector !== "all" && "url" in selector) {
      const withOtherKeys = this.#otherKeys.get(selector.url) ?? none;
      purge([...this.#entriesOf(selector.url), ...withOtherKeys]);
      return count;
    }
    let looked = 0;
    for (const key of this.#byKey.keys()) {
      purge(this.#entriesOf(key));
      if (++looked % purgedAtOnce === 0) await setImmediate();
    }
    return count;
  }

  shutdown(): void {
    this.#unfollow();
    this.#spread.close();
    this.#byKey.clear();
    this.#otherKeys.clear();
    this.#wobjects.clear();
  }

  #hit(entry: MemEntry): ReadyWobject {
    this.#admission.hit(entry);
    return this.#wobjects.wobjectOf(entry);
  }

  #add(head: WobjectHead, pieces: readonly Uint8Array[]): Wobject | undefined {
    const size = pieces.reduce((sum, { length }) => sum + length, 0);
    if (size > this.maxWobjectSize) return undefined;
    const others = this.#entriesOf(head.key);
    const isSame = (other: MemEntry) => hasVariantOf(this.#wobjects.headOf(other), head);
    const surplus = others.filter((other) => !isSame(other)).slice(this.#props.maxVariants - 1);
    for (const other of [...others.filter(isSame), ...surplus]) this.#remove(other);
    const entry = this.#wobjects.add(head, pieces, size);
    this.#place(entry, head, this.#entriesOf(head.key));
    this.#noteUrl(entry, head);
    this.#admission.add(entry);
    this.#makeRoom();
    return this.#isStored(entry) ? this.#wobjects.wobjectOf(entry, head) : undefined;
  }

  /** The most recent comes first: it is the one to use where several match. */
  #place(entry: MemEntry, head: WobjectHead, others: readonly MemEntry[]): void {
    const isRecent = (other: MemEntry) => madeAt(this.#wobjects.headOf(other)) > madeAt(head);
    const list = [...others.filter(isRecent), entry, ...others.filter((other) => !isRecent(other))];
    this.#byKey.set(head.key, others.length === 0 ? entry : list);
  }

  #replaceHead(entry: MemEntry, head: WobjectHead): void {
    this.#forgetUrl(entry);
    this.#wobjects.replaceHead(entry, head);
    const others = this.#entriesOf(entry.key).filter((other) => other !== entry);
    if (others.length > 0) this.#place(entry, head, others);
    this.#noteUrl(entry, head);
    // A 304 may bring more fields than the response had.
    this.#admission.resize(entry, sizeOf(entry));
    this.#makeRoom();
  }

  #makeRoom(): void {
    while (this.#admission.size + this.#wobjects.otherMemory > this.#maxSize) {
      const evicted = this.#admission.evict();
      if (evicted === undefined) return;
      this.#forget(evicted);
    }
  }

  #entriesOf(key: string): readonly MemEntry[] {
    const found = this.#byKey.get(key);
    return found === undefined ? none : isList(found) ? found : [found];
  }

  #isStored(entry: MemEntry): boolean {
    return this.#entriesOf(entry.key).includes(entry);
  }

  #remove(entry: MemEntry): void {
    this.#admission.remove(entry);
    this.#forget(entry);
  }

  #forget(entry: MemEntry): void {
    const left = this.#entriesOf(entry.key).filter((other) => other !== entry);
    const [only] = left;
    if (only === undefined) this.#byKey.delete(entry.key);
    else this.#byKey.set(entry.key, left.length === 1 ? only : left);
    this.#forgetUrl(entry);
    this.#wobjects.remove(entry);
  }

  #noteUrl(entry: MemEntry, { key, url }: WobjectHead): void {
    if (key === url) return;
    const entries = this.#otherKeys.get(url);
    if (entries === undefined) this.#otherKeys.set(url, new Set([entry]));
    else entries.add(entry);
  }

  #forgetUrl(entry: MemEntry): void {
    if (entry.hasUrlAsKey) return;
    const { url } = this.#wobjects.headOf(entry);
    const entries = this.#otherKeys.get(url);
    entries?.delete(entry);
    if (entries?.size === 0) this.#otherKeys.delete(url);
  }
}

const none: readonly never[] = [];

function isList(found: MemEntry | readonly MemEntry[]): found is readonly MemEntry[] {
  return Array.isArray(found);
}

/** So many keys are looked at in one turn of the event loop: some milliseconds. */
const purgedAtOnce = 1000;
/** In bytes. */
const maxSlabSize = 1024 * 1024;
/** Not a prop: what is asked for less often costs a hit some microseconds more. */
const maxReady = 10_000;
