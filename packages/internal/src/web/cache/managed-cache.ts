// The capability of a cache to be purged and inspected, for commands and programs.

import { capability } from "../../component/capability.ts";
import type { PurgeOptions, PurgeSelector } from "./cacher.ts";
import type { LifetimeSource } from "./rules/freshness.ts";

/** One stored variant of a URL, at the moment of the question. All times in milliseconds. */
export interface WobjectDescription {
  /** What it is found by. */
  readonly key: string;
  /** The status of the response. */
  readonly status: number;
  /** The content in bytes. */
  readonly size: number;
  /** The request fields that select it: names and values alternating. */
  readonly variant: readonly string[];
  /** The tags by which it can be purged. */
  readonly tags: readonly string[];
  /** When its head arrived, since the epoch. */
  readonly storedAt: number;
  /** The age that an answer would have. */
  readonly age: number;
  /** It is fresh while its age is less. */
  readonly lifetime: number;
  /** What decided the lifetime. */
  readonly lifetimeFrom: LifetimeSource;
  /** Whether a request without directives would get it without validation. */
  readonly isFresh: boolean;
}

/** What a cache knows of a URL. */
export interface CacheExplanation {
  /** What the URL is found by; `undefined` if that depends on more than the URL. */
  readonly key: string | undefined;
  /** The stored variants. */
  readonly variants: readonly WobjectDescription[];
  /** Why the last response was not stored; `undefined` if it was, or if that is not known any more. */
  readonly refusal: string | undefined;
}

/** What can be done with a cache while it runs. */
export interface ManagedCache {
  /** Removes responses, also those that are being fetched. Resolves with the number of stored ones. */
  purge(selector: PurgeSelector, options?: PurgeOptions): Promise<number>;
  /** Describes what is stored for a URL: `https://shop.example/a?b`. */
  explainUrl(url: string): Promise<CacheExplanation>;
}

/** Offered by the handlet `cache`. */
export const managedCache = capability<ManagedCache>("managed-cache");
