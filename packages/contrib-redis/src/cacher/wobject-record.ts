// A stored response in Redis: a record, which has the content too if it is small. Larger content is a hash of its own,
// in chunks by their numbers: Redis evicts it as a whole or not at all.
//
//   id (16 bytes) │ size of the JSON (4 bytes) │ JSON: StoredHead │ content

import type { WobjectHead } from "@hemi/internal";
import { RedisFailure } from "../failure.ts";
import type { LogPosition } from "./purge-log.ts";

/** The JSON of a record. */
export interface StoredHead {
  readonly head: WobjectHead;
  /** The purges from here on count for it. */
  readonly since: LogPosition;
  /** The content, in bytes. */
  readonly size: number;
  /** Whether the content has a key of its own. */
  readonly isChunked: boolean;
  /** When the content was stored, in milliseconds since the epoch, with fractions: the latest variant comes first. */
  readonly writtenAt: number;
}

/** A record that was read. */
export interface WobjectRecord {
  /** Another one for each content, in 16 characters. */
  readonly id: string;
  /** The JSON, as it was read. */
  readonly text: string;
  readonly stored: StoredHead;
  /** What follows the JSON; `undefined`: it was left in Redis. */
  readonly content: Buffer | undefined;
}

/** Bytes before the JSON. */
export const recordHeadSize = 20;
export const idSize = 16;

export function encodeRecord(id: string, stored: StoredHead, content: readonly Uint8Array[]): Buffer {
  const text = Buffer.from(JSON.stringify(stored));
  const head = Buffer.alloc(recordHeadSize);
  head.write(id, "latin1");
  head.writeUInt32BE(text.length, idSize);
  return Buffer.concat([head, text, ...content]);
}

/** The content may have been left out. Throws RedisFailure for what somebody else has put there. */
export function decodeRecord(record: Buffer): WobjectRecord {
  if (record.length < recordHeadSize) throw new RedisFailure("a stored response has no head");
  const end = recordHeadSize + record.readUInt32BE(idSize);
  const text = record.toString("utf8", recordHeadSize, end);
  const stored = parsed(text);
  if (!isStoredHead(stored)) throw new RedisFailure("the head of a stored response is not as it was written");
  const isLeftOut = record.length === end && !stored.isChunked && stored.size > 0;
  const content = isLeftOut ? undefined : record.subarray(end);
  return { id: record.toString("latin1", 0, idSize), text, stored, content };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isStoredHead(value: unknown): value is StoredHead {
  if (typeof value !== "object" || value === null || !("head" in value) || !("since" in value)) return false;
  const { head, since } = value;
  const hasHead = typeof head === "object" && head !== null && "key" in head && "url" in head && "fieldList" in head;
  return hasHead && typeof since === "object" && since !== null && "generation" in since && "size" in value;
}
