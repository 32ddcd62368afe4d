// A wobject: one response in a cache.

import type { Source } from "../response/source.ts";
import type { StoredTimes } from "./rules/reuse.ts";
import type { Variant } from "./rules/vary.ts";

/** What a cache knows of a stored response, its content apart. Never changed: an update makes another one. */
export interface WobjectHead extends StoredTimes {
  /** What it is found by; all variants of a resource have the same. */
  readonly key: string;
  /** What was asked for: `https://shop.example/a?b`. Purges name it. */
  readonly url: string;
  /** The status of the response. */
  readonly status: number;
  /** The fields to send, without `age`: names in lower case and values alternating. */
  readonly fieldList: readonly string[];
  /** The request fields that selected it. */
  readonly variant: Variant;
  /** The words by which several are purged at once, from `cache-tag` and `surrogate-key`. */
  readonly tags: readonly string[];
}

/** A response that may be stored. */
export interface Storable {
  readonly head: WobjectHead;
  /**
   * The fields for the client whose request it answers, names and values alternating: also those that `private` and
   * `no-cache` name, such as its cookie.
   */
  readonly ownFields: readonly string[];
}

/** A stored response. */
export interface Wobject {
  /** The current head: another one after an update. */
  readonly head: WobjectHead;
  /** The content. */
  readonly source: Source;
}

/** Whether both are selected by the same requests. */
export function hasVariantOf(one: WobjectHead, other: WobjectHead): boolean {
  return one.variant.length === other.variant.length && one.variant.every((text, i) => text === other.variant[i]);
}

/**
 * When a response was made, in milliseconds since the epoch, by its `date` and `age`: where several variants match, the
 * most recent one is used (RFC 9111 section 4.1), which a slow backend may have sent before others.
 */
export function madeAt({ storedAt, initialAge }: StoredTimes): number {
  return storedAt - initialAge;
}

/** The same response with other fields: for one client. */
export function withFields({ head, source }: Wobject, fieldList: readonly string[]): Wobject {
  return { head: { ...head, fieldList }, source };
}
