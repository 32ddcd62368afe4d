// Where redisCacher stores responses in Redis. All keys of one resource are in one slot of a cluster.
//
//   PREFIXr{HASH}        the records of a resource, one for each variant: wobject-record.ts
//   PREFIXc{HASH}:ID     a large content, in chunks
//   PREFIXl{HASH}        a label, which is a URL or a tag: the resources that may have it, for purges
//
// What is in a label may be gone, and what Redis has evicted is in no label: the log of purges is what counts.

import { createHash, randomBytes } from "node:crypto";
import { type Fields, madeAt, matchesVariant, type PurgeSelector, type WobjectHead } from "@hemi/internal";
import { RedisFailure } from "../failure.ts";
import type { Lane } from "../lane.ts";
import { bytesOf, listOf, numberOf, pairsOf, textOf } from "../replies.ts";
import { decodeRecord, encodeRecord, type StoredHead, type WobjectRecord } from "./wobject-record.ts";
import { addToLabel, freshenRecord, putRecord, readHeads, readVariants, removeRecord } from "./wobject-scripts.ts";

/** Where a record is. */
export interface RecordPlace {
  /** Of the key of the resource. */
  readonly hash: string;
  /** The variant, as a hash. */
  readonly field: string;
}

/** A record, and where it is. */
export interface FoundRecord extends RecordPlace {
  readonly record: WobjectRecord;
}

export interface WobjectStoreOptions {
  readonly lane: () => Lane;
  /** What its keys begin with. */
  readonly prefix: () => string;
  /** How long a record is kept after it was written, in milliseconds. */
  readonly retention: () => number;
}

/** All methods reject with RedisFailure. */
export class WobjectStore {
  readonly #options: WobjectStoreOptions;

  constructor(options: WobjectStoreOptions) {
    this.#options = options;
  }

  /**
   * All variants of a resource, the latest first; without those whose content Redis has evicted. With `fields` of a
   * request, only the record of the variant that they select has its content.
   */
  async read(key: string, fields?: Fields): Promise<readonly FoundRecord[]> {
    const hash = hashOf(key);
    const found =
      fields === undefined
        ? recordsIn(hash, await this.#lane.callBytes("HGETALL", [this.#recordsKey(hash)]))
        : await this.#selected(hash, fields);
    const own = found.filter(({ record }) => record.stored.head.key === key);
    const isThere = await Promise.all(
      own.map(async ({ record: { id, stored } }) => {
        return !stored.isChunked || numberOf(await this.#lane.call("EXISTS", [this.contentKey(hash, id)])) === 1;
      }),
    );
    return latestFirst(own.filter((_, i) => isThere[i]));
  }

  /** The small content of a record that was read without. */
  async contentOf({ hash, field, record: { id } }: FoundRecord): Promise<Buffer> {
    const record = await this.#lane.callBytes("HGET", [this.#recordsKey(hash), field]);
    const read = record === null ? undefined : decodeRecord(bytesOf(record));
    if (read?.id === id && read.content !== undefined) return read.content;
    throw new RedisFailure("a response was replaced or removed in Redis before it was sent");
  }

  /** Two questions if there are several variants, so that not all of their contents are sent. */
  async #selected(hash: string, fields: Fields): Promise<readonly FoundRecord[]> {
    const found = recordsIn(hash, await this.#lane.runBytes(readVariants, [this.#recordsKey(hash)]));
    const selected = latestFirst(found).find(({ record }) => matchesVariant(record.stored.head.variant, fields));
    if (selected === undefined || selected.record.content !== undefined) return found;
    const record = await this.#lane.callBytes("HGET", [this.#recordsKey(hash), selected.field]);
    const others = found.filter((one) => one !== selected);
    // It may have been replaced or removed meanwhile.
    return record === null ? others : [...others, { ...selected, record: decodeRecord(bytesOf(record)) }];
  }

  /**
   * Stores a response in place of the same variant. With more than `maxVariants` of them, the oldest ones go. Returns
   * what was stored.
   */
  async write(
    {
      head,
      since,
      pieces,
    }: { readonly head: WobjectHead; readonly since: StoredHead["since"]; readonly pieces: readonly Uint8Array[] },
    maxVariants: number,
  ): Promise<FoundRecord> {
    const retention = this.#options.retention();
    const hash = hashOf(head.key);
    const field = hashOf(JSON.stringify(head.variant));
    const id = randomBytes(12).toString("base64url");
    const size = pieces.reduce((sum, { length }) => sum + length, 0);
    const isChunked = size > maxInRecord;
    const stored = { head, since, size, isChunked, writtenAt: performance.timeOrigin + performance.now() };
    if (isChunked) await this.#writeChunks(this.contentKey(hash, id), pieces);
    for (const label of new Set([`u${head.url}`, ...head.tags.map((tag) => `t${tag}`)])) {
      await this.#lane.run(addToLabel, [this.#labelKey(label)], [hash, retention]);
    }
    const record = encodeRecord(id, stored, isChunked ? [] : pieces);
    const count = numberOf(
      await this.#lane.run(putRecord, this.#keysOf(hash), [field, record, retention, readingTime]),
    );
    if (count > maxVariants) {
      for (const surplus of latestFirst(await this.#headsOf(hash)).slice(maxVariants)) await this.remove(surplus);
    }
    return { hash, field, record: decodeRecord(record) };
  }

  /** Writes another head to a record; does nothing if it is stored no longer. */
  async freshen({ hash, field, record: { id } }: FoundRecord, stored: StoredHead): Promise<void> {
    const args = [field, id, JSON.stringify(stored), this.#options.retention()];
    await this.#lane.run(freshenRecord, this.#keysOf(hash), args);
  }

  /** Whether it was still stored. */
  async remove({ hash, field, record: { id } }: FoundRecord): Promise<boolean> {
    return numberOf(await this.#lane.run(removeRecord, this.#keysOf(hash), [field, id, readingTime])) === 1;
  }

  /** The records that a purge may select, without contents, in portions. */
  async *candidates(selector: PurgeSelector): AsyncGenerator<readonly FoundRecord[], void, void> {
    for await (const hashes of this.#hashesFor(selector)) {
      yield (await Promise.all(hashes.map((hash) => this.#headsOf(hash)))).flat();
    }
  }

  contentKey(hash: string, id: string): string {
    return this.#contentsKey(hash) + id;
  }

  async *#hashesFor(selector: PurgeSelector): AsyncGenerator<readonly string[], void, void> {
    if (selector === "all" || "prefix" in selector) {
      for await (const keys of this.#lane.keys(`${this.#options.prefix()}r{`)) {
        yield keys.map((key) => key.slice(key.lastIndexOf("{") + 1, -1));
      }
      return;
    }
    const label = this.#labelKey("url" in selector ? `u${selector.url}` : `t${selector.tag}`);
    for (let at = 0; ; at += hashesAtOnce) {
      const hashes = listOf(await this.#lane.call("ZRANGE", [label, at, at + hashesAtOnce - 1])).map(textOf);
      yield hashes;
      if (hashes.length < hashesAtOnce) return;
    }
  }

  async #headsOf(hash: string): Promise<readonly FoundRecord[]> {
    return recordsIn(hash, await this.#lane.runBytes(readHeads, [this.#recordsKey(hash)]));
  }

  async #writeChunks(key: string, pieces: readonly Uint8Array[]): Promise<void> {
    const content = Buffer.concat(pieces);
    // One after the other: commands for other responses come in between.
    for (let number = 0; number * chunkSize < content.length; number++) {
      await this.#lane.call("HSET", [key, number, content.subarray(number * chunkSize, (number + 1) * chunkSize)]);
      if (number === 0) await this.#lane.call("PEXPIRE", [key, this.#options.retention()]);
    }
  }

  get #lane(): Lane {
    return this.#options.lane();
  }

  #recordsKey(hash: string): string {
    return `${this.#options.prefix()}r{${hash}}`;
  }

  #contentsKey(hash: string): string {
    return `${this.#options.prefix()}c{${hash}}:`;
  }

  #keysOf(hash: string): readonly string[] {
    return [this.#recordsKey(hash), this.#contentsKey(hash)];
  }

  #labelKey(label: string): string {
    return `${this.#options.prefix()}l{${hashOf(label)}}`;
  }
}

/** What others have put there is left out. */
function recordsIn(hash: string, reply: unknown): readonly FoundRecord[] {
  return pairsOf(reply).map(([field, record]) => {
    return { hash, field: textOf(field), record: decodeRecord(bytesOf(record)) };
  });
}

/** The most recent variant is the one to use where several match (RFC 9111 section 4.1). */
function latestFirst(records: readonly FoundRecord[]): readonly FoundRecord[] {
  return records.toSorted(({ record: { stored: one } }, { record: { stored: other } }) => {
    return madeAt(other.head) - madeAt(one.head) || other.writtenAt - one.writtenAt;
  });
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("base64url");
}

/** In bytes. */
export const chunkSize = 256 * 1024;
/** In bytes: larger content is in chunks. */
const maxInRecord = 64 * 1024;
/** In milliseconds: so long, content that was replaced or removed can still be read. */
const readingTime = 300_000;
const hashesAtOnce = 100;
