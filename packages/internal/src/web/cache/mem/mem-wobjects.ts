// The wobjects of a memCacher. Most are packed: head and content as bytes in a slab. Those that were asked for lately
// are ready as objects, too.
//
//   MemEntry ──> slab: │ head, packed │ content │
//       └──> ReadyWobject, for some: head and source, with a copy of content that shares a slab with others: a client
//            that reads slowly would keep all of the slab in memory

import { Buffer } from "node:buffer";
import { memorySource, type Source } from "../../response/source.ts";
import type { Wobject, WobjectHead } from "../wobject.ts";
import type { Evictable } from "./admission.ts";
import { flagsLength, isKeyOf, packHead, unpackHead } from "./packed-head.ts";
import { Slabs, type Piece, type Slab } from "./slabs.ts";

/** A stored wobject. */
export class MemEntry implements Evictable, Piece {
  readonly key: string;
  slab: Slab;
  offset: number;
  length: number;
  index = 0;
  /** The room for the head, in bytes: the content follows it. */
  headRoom: number;
  /** With what it takes beside the slab, in bytes. */
  size: number;
  hits = 0;
  ready: ReadyWobject | undefined;

  constructor(key: string, slab: Slab, offset: number, { headRoom, length }: { headRoom: number; length: number }) {
    this.key = key;
    this.slab = slab;
    this.offset = offset;
    this.headRoom = headRoom;
    this.length = length;
    this.size = sizeOf(this);
  }

  get packedHead(): string {
    return this.slab.bytes.toString("utf8", this.offset, this.offset + this.headRoom);
  }

  get hasUrlAsKey(): boolean {
    return isKeyOf(this.slab.bytes.toString("latin1", this.offset, this.offset + flagsLength));
  }

  get content(): Uint8Array {
    return this.slab.bytes.subarray(this.offset + this.headRoom, this.offset + this.length);
  }

  /** Whether others have parts of the same slab. */
  get sharesSlab(): boolean {
    return this.slab.bytes.length > this.length;
  }
}

/** A wobject as others see it. */
export class ReadyWobject implements Wobject {
  head: WobjectHead;
  readonly source: Source;
  readonly entry: MemEntry;
  /** It alone. */
  readonly list: readonly Wobject[];
  /** Since it was looked at last. */
  isUsed = false;
  /** The memory that its content has beside the slab, and the texts of its head, in bytes. */
  readonly copied: number;

  constructor(entry: MemEntry, head: WobjectHead) {
    const { content, sharesSlab } = entry;
    this.entry = entry;
    this.head = head;
    this.source = memorySource(sharesSlab ? copyOf(content) : content);
    this.copied = entry.headRoom + (sharesSlab ? content.length : 0);
    this.list = [this];
  }
}

export class MemWobjects {
  /** How many may be ready at once; live. */
  readonly #maxReady: () => number;
  readonly #slabs: Slabs;
  /** The one that is looked at next comes first. */
  readonly #ready = new Set<ReadyWobject>();
  /** Of their contents, in bytes. */
  #copied = 0;

  constructor(options: { readonly slabSize: () => number; readonly maxReady: () => number }) {
    this.#maxReady = options.maxReady;
    this.#slabs = new Slabs(options.slabSize);
  }

  /** The memory that is taken beside that of the entries, in bytes, estimated. */
  get otherMemory(): number {
    return this.#slabs.waste + this.#ready.size * readySize + this.#copied;
  }

  /** Packs a head and content of this size. */
  add(head: WobjectHead, pieces: readonly Uint8Array[], contentSize: number): MemEntry {
    const packed = packHead(head);
    const headRoom = Buffer.byteLength(packed);
    const length = headRoom + contentSize;
    const { slab, offset } = this.#slabs.reserve(length);
    const entry = new MemEntry(head.key, slab, offset, { headRoom, length });
    this.#slabs.hold(entry);
    slab.bytes.write(packed, offset);
    let at = offset + headRoom;
    for (const piece of pieces) {
      slab.bytes.set(piece, at);
      at += piece.length;
    }
    return entry;
  }

  /** The entry is not stored any more. */
  remove(entry: MemEntry): void {
    this.#drop(entry);
    this.#slabs.release(entry);
  }

  headOf(entry: MemEntry): WobjectHead {
    return entry.ready?.head ?? unpackHead(entry.key, entry.packedHead);
  }

  /** `head`: if it is at hand. */
  wobjectOf(entry: MemEntry, head?: WobjectHead): ReadyWobject {
    const { ready } = entry;
    if (ready !== undefined) {
      ready.isUsed = true;
      return ready;
    }
    const made = new ReadyWobject(entry, head ?? unpackHead(entry.key, entry.packedHead));
    entry.ready = made;
    this.#ready.add(made);
    this.#copied += made.copied;
    const max = this.#maxReady();
    while (this.#ready.size > max || this.#copied > max * readySize) this.#dropOne();
    return made;
  }

  /** Gives it another head. Its size may change. */
  replaceHead(entry: MemEntry, head: WobjectHead): void {
    const packed = packHead(head);
    const needed = Buffer.byteLength(packed);
    if (needed <= entry.headRoom) {
      // Nobody reads the bytes of heads.
      const { slab, offset, headRoom } = entry;
      slab.bytes.fill(0x20, offset, offset + headRoom);
      slab.bytes.write(packed, offset);
      if (entry.ready !== undefined) entry.ready.head = head;
      return;
    }
    this.#drop(entry);
    const { content } = entry;
    this.#slabs.release(entry);
    const { slab, offset } = this.#slabs.reserve(needed + content.length);
    entry.slab = slab;
    entry.offset = offset;
    entry.headRoom = needed;
    entry.length = needed + content.length;
    this.#slabs.hold(entry);
    slab.bytes.write(packed, offset);
    slab.bytes.set(content, offset + needed);
  }

  clear(): void {
    this.#ready.clear();
    this.#copied = 0;
    this.#slabs.clear();
  }

  /** It is ready no longer; whoever has it can use it. */
  #drop(entry: MemEntry): void {
    const { ready } = entry;
    if (ready === undefined || !this.#ready.delete(ready)) return;
    this.#copied -= ready.copied;
    entry.ready = undefined;
  }

  /** One that was not used for the longest time, roughly. */
  #dropOne(): void {
    for (const ready of this.#ready) {
      if (!ready.isUsed) return this.#drop(ready.entry);
      ready.isUsed = false;
      this.#ready.delete(ready);
      this.#ready.add(ready);
    }
  }
}

/** What an entry takes in memory, in bytes. */
export function sizeOf({ key, length, sharesSlab }: MemEntry): number {
  return entrySize + key.length + length + (sharesSlab ? 0 : bufferSize);
}

/** In bytes: the object, and its places in maps and lists. */
const entrySize = 250;
/** In bytes: the objects of a buffer that it has for itself, as measured. */
const bufferSize = 700;

/** Of one that is ready: head, source, and the form in which it is sent. In bytes, estimated. */
export const readySize = 3000;

/** In memory of its own. */
function copyOf(content: Uint8Array): Buffer {
  const copy = Buffer.allocUnsafeSlow(content.length);
  copy.set(content);
  return copy;
}
