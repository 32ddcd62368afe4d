// memCacher: stores responses in the memory of the process.

import { setImmediate } from "node:timers/promises";
import { prop } from "../../../component/prop.ts";
import type { PropsOf } from "../../../component/props/prop-type.ts";
import type { Context } from "../../../stage/context.ts";
import { memorySource, type Source } from "../../response/source.ts";
import { cacherKind, defineCacher, selects } from "../cacher.ts";
import type { CacherPart, PurgeOptions, PurgeSelector, WobjectWriter } from "../cacher.ts";
import { OpenWrites } from "../open-writes.ts";
import { SpreadPurges } from "../spread-purges.ts";
import { Tiers } from "../tiers.ts";
import type { Wobject, WobjectHead } from "../wobject.ts";
import { Admission, type Evictable } from "./admission.ts";

const props = {
  /** The memory for responses with their heads, in bytes. Those that are asked for least are evicted. */
  maxSize: prop.size({ default: "64M", min: "64K", reload: "live" }),
  /** The largest content that is stored, in bytes; at most a quarter of `maxSize` in any case. */
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

class Entry implements Wobject, Evictable {
  head: WobjectHead;
  readonly source: Source;
  size: number;
  hits = 0;

  constructor(head: WobjectHead, content: Uint8Array) {
    this.head = head;
    this.source = memorySource(content);
    this.size = this.sizeWith(head);
  }

  /** In bytes, with this head. */
  sizeWith(head: WobjectHead): number {
    return this.source.size + sizeOf(head);
  }

  get key(): string {
    return this.head.key;
  }
}

class MemCacher implements CacherPart {
  readonly #props: MemCacherProps;
  readonly #byKey = new Map<string, readonly Entry[]>();
  readonly #admission = new Admission<Entry>();
  readonly #writes = new OpenWrites();
  readonly #spread: SpreadPurges;
  /** How many entries have a key that is not their URL. */
  #otherKeys = 0;

  constructor({ props, workers, name, log }: Context<MemCacherProps>) {
    this.#props = props;
    this.#spread = new SpreadPurges({ workers, name, log }, (selector, options) => this.purge(selector, options));
  }

  get maxWobjectSize(): number {
    return Math.min(this.#props.maxWobjectSize, Math.floor(this.#props.maxSize / 4));
  }

  update(): void {
    this.#makeRoom();
  }

  freshen(wobject: Wobject, head: WobjectHead): void {
    if (!(wobject instanceof Entry) || !this.#isStored(wobject)) return;
    // A 304 may bring more fields than the response had.
    this.#admission.resize(wobject, wobject.sizeWith(head));
    wobject.head = head;
    this.#makeRoom();
  }

  lookup(key: string): readonly Wobject[] {
    const entries = this.#byKey.get(key);
    if (entries === undefined) return none;
    for (const entry of entries) this.#admission.hit(entry);
    return entries;
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
    };
  }

  async purge(selector: PurgeSelector, options: PurgeOptions = {}): Promise<number> {
    const { isSoft = false, isDryRun = false } = options;
    if (!isDryRun) this.#writes.note(selector);
    this.#spread.tell(selector, options);
    let count = 0;
    const purge = (entries: readonly Entry[]): void => {
      for (const entry of entries) {
        if (!selects(selector, entry.head)) continue;
        count++;
        if (isDryRun) continue;
        if (isSoft) entry.head = { ...entry.head, isOutdated: true };
        else this.#remove(entry);
      }
    };
    // Most keys are URLs: those of one URL are gone when this returns.
    if (selector !== "all" && "url" in selector) {
      purge(this.#byKey.get(selector.url) ?? none);
      if (this.#otherKeys === 0) return count;
    }
    let looked = 0;
    for (const [key, entries] of this.#byKey) {
      if (selector !== "all" && "url" in selector && key === selector.url) continue;
      purge(entries);
      if (++looked % purgedAtOnce === 0) await setImmediate();
    }
    return count;
  }

  shutdown(): void {
    this.#spread.close();
    this.#byKey.clear();
  }

  #add(head: WobjectHead, pieces: readonly Uint8Array[]): Wobject | undefined {
    const size = pieces.reduce((sum, { length }) => sum + length, 0);
    if (size > this.maxWobjectSize) return undefined;
    // A small buffer of Node's is a part of a shared pool, which it would keep in memory as a whole.
    const content = Buffer.allocUnsafeSlow(size);
    let at = 0;
    for (const piece of pieces) {
      content.set(piece, at);
      at += piece.length;
    }
    const entry = new Entry(head, content);
    const others = this.#byKey.get(head.key) ?? none;
    const isSame = ({ head: { variant } }: Entry) =>
      variant.length === head.variant.length && variant.every((text, i) => text === head.variant[i]);
    const surplus = others.filter((other) => !isSame(other)).slice(this.#props.maxVariants - 1);
    for (const other of [...others.filter(isSame), ...surplus]) this.#remove(other);
    // The latest comes first: it is the one to use where several match (RFC 9111 section 4.1).
    this.#byKey.set(head.key, [entry, ...(this.#byKey.get(head.key) ?? none)]);
    if (head.key !== head.url) this.#otherKeys++;
    this.#admission.add(entry);
    this.#makeRoom();
    return this.#isStored(entry) ? entry : undefined;
  }

  #makeRoom(): void {
    while (this.#admission.size > this.#props.maxSize) {
      const evicted = this.#admission.evict();
      if (evicted === undefined) return;
      this.#forget(evicted);
    }
  }

  #isStored(entry: Entry): boolean {
    return this.#byKey.get(entry.key)?.includes(entry) === true;
  }

  #remove(entry: Entry): void {
    this.#admission.remove(entry);
    this.#forget(entry);
  }

  #forget(entry: Entry): void {
    const others = (this.#byKey.get(entry.key) ?? none).filter((other) => other !== entry);
    if (others.length === 0) this.#byKey.delete(entry.key);
    else this.#byKey.set(entry.key, others);
    if (entry.head.key !== entry.head.url) this.#otherKeys--;
  }
}

const none: readonly Entry[] = [];

/** So many keys are looked at in one turn of the event loop: about a millisecond. */
const purgedAtOnce = 5000;

/** A head and its objects, in bytes, estimated: V8 holds these texts with one byte for each character. */
function sizeOf({ key, url, fieldList, variant, tags }: WobjectHead): number {
  let size = objectsSize + key.length + (key === url ? 0 : url.length);
  for (const list of [fieldList, variant, tags]) for (const text of list) size += text.length + textSize;
  return size;
}

const objectsSize = 600;
const textSize = 24;
