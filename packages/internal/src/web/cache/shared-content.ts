// The content of one fetch, for all that wait for it: each reads at its own pace.
//
//   keeps all:     ■■■■■■■■■■■■        a storable response: the fetch never waits for a reader
//                    ^      ^   readers
//   has a window:         ■■■■■        others: what all have read is dropped, and the fetch waits for the slowest

import { Buffer } from "node:buffer";
import { HemiError } from "../../errors/hemi-error.ts";
import type { ByteRange } from "../response/range.ts";
import type { Source } from "../response/source.ts";

/** What the contents of one cache keep in memory together, beside what is stored. */
export class KeptBytes {
  readonly #max: () => number;
  #size = 0;

  /** `max`: in bytes, live. */
  constructor(max: () => number) {
    this.#max = max;
  }

  /** In bytes. */
  get size(): number {
    return this.#size;
  }

  get isFull(): boolean {
    return this.#size > this.#max();
  }

  /** `change`: in bytes, negative for what is given up. */
  add(change: number): void {
    this.#size += change;
  }
}

interface Reader {
  /** The number of the next piece. */
  next: number;
  wake: (() => void) | undefined;
}

/** Content that arrives, and is read by several. */
export class SharedContent {
  #pieces: Uint8Array[] = [];
  /** The number of the first piece that is kept. */
  #first = 0;
  #size = 0;
  /** In bytes, of the kept pieces. */
  #kept = 0;
  #keepsAll = true;
  #isComplete = false;
  #failure: Error | undefined;
  readonly #readers = new Set<Reader>();
  #room = Promise.withResolvers<void>();
  readonly #keptByAll: KeptBytes;
  /** No fetch and no reader needs it any more. */
  #isReleased = false;

  constructor(keptByAll: KeptBytes) {
    this.#keptByAll = keptByAll;
  }

  /** What has come so far, in bytes. */
  get size(): number {
    return this.#size;
  }

  /** Everything, if it has come, and is kept. */
  get whole(): Uint8Array | undefined {
    if (!this.#isComplete || !this.#keepsAll) return undefined;
    const [only] = this.#pieces;
    return this.#pieces.length === 1 ? only : Buffer.concat(this.#pieces);
  }

  /** Keeps no more than the slowest reader needs. */
  keepWindow(): void {
    this.#keepsAll = false;
  }

  /** False: there is enough for now; await `room`. */
  add(piece: Uint8Array): boolean {
    this.#pieces.push(piece);
    this.#size += piece.length;
    this.#keep(piece.length);
    this.#wakeAll();
    return this.hasRoom;
  }

  /** Settles when more may come. */
  room(): Promise<void> {
    return this.hasRoom ? Promise.resolve() : this.#room.promise;
  }

  end(): void {
    this.#isComplete = true;
    this.#wakeAll();
    this.#releaseIfUnread();
  }

  /** Readers that have not read everything get this error. */
  fail(error: Error): void {
    if (this.#isComplete) return;
    this.#failure ??= error;
    this.#room.resolve();
    this.#wakeAll();
    this.#releaseIfUnread();
  }

  /** It as a source, of a size that is known. */
  asSource(size: number): Source {
    return { size, open: () => ({ read: (range) => this.read(range), [Symbol.dispose]: () => {} }) };
  }

  /** A part of it, or everything, in pieces. Throws if the content breaks off, and if its begin is kept no longer. */
  async *read(range: ByteRange = { offset: 0, size: Infinity }): AsyncGenerator<Uint8Array, void, void> {
    const reader: Reader = { next: 0, wake: undefined };
    if (this.#first > 0) throw new HemiError("HEMI_USAGE", "the begin of this content is kept no longer");
    this.#readers.add(reader);
    let at = 0;
    const end = range.offset + range.size;
    try {
      while (at < end) {
        const piece = this.#pieces[reader.next - this.#first];
        if (piece !== undefined) {
          const wanted = piece.subarray(Math.max(0, range.offset - at), Math.min(piece.length, end - at));
          at += piece.length;
          if (wanted.length > 0) yield wanted;
          reader.next++;
          this.#drop();
        } else if (this.#failure !== undefined) throw this.#failure;
        else if (this.#isComplete) return;
        else await new Promise<void>((resolve) => (reader.wake = resolve));
      }
    } finally {
      this.#readers.delete(reader);
      this.#drop();
      this.#releaseIfUnread();
    }
  }

  /** False: there is enough for now; await `room`. */
  get hasRoom(): boolean {
    return this.#keepsAll || this.#kept <= maxAhead || this.#failure !== undefined;
  }

  #drop(): void {
    if (this.#keepsAll || this.#readers.size === 0) return;
    const needed = Math.min(...[...this.#readers].map(({ next }) => next));
    for (const piece of this.#pieces.splice(0, needed - this.#first)) this.#keep(-piece.length);
    this.#first = needed;
    if (!this.hasRoom) return;
    this.#room.resolve();
    this.#room = Promise.withResolvers<void>();
  }

  #keep(change: number): void {
    this.#kept += change;
    if (!this.#isReleased) this.#keptByAll.add(change);
  }

  /** Nothing more comes, and nobody reads what has come. */
  #releaseIfUnread(): void {
    if (this.#isReleased || this.#readers.size > 0 || (!this.#isComplete && this.#failure === undefined)) return;
    this.#isReleased = true;
    this.#keptByAll.add(-this.#kept);
  }

  #wakeAll(): void {
    for (const reader of this.#readers) {
      reader.wake?.();
      reader.wake = undefined;
    }
  }
}

/** In bytes: the fetch waits when the slowest reader is so far behind. */
const maxAhead = 256 * 1024;
