// The capability of a cache to be purged and inspected, for commands and programs.

import { capability } from "../../component/capability.ts";
import type { StageCore } from "../../stage/stage.ts";
import type { ExplainRequest } from "../explain/explanation.ts";
import type { PurgeOptions, PurgeSelector } from "./cacher.ts";
import type { LifetimeSource } from "./rules/freshness.ts";
import type { Reuse } from "./rules/reuse.ts";

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
  /** Its age when it arrived. */
  readonly initialAge: number;
  /** The age that an answer would have. */
  readonly age: number;
  /** It is fresh while its age is less. */
  readonly lifetime: number;
  /** What decided the lifetime. */
  readonly lifetimeFrom: LifetimeSource;
  /** What a request without directives would get. */
  readonly reuse: Reuse;
}

/** What a cache knows of a URL. */
export interface CacheExplanation {
  /** What the request is found by. */
  readonly key: string;
  /** The stored variants. */
  readonly variants: readonly WobjectDescription[];
  /** Why the last response was not stored; `undefined` if it was, or if that is not known any more. */
  readonly refusal: string | undefined;
}

/** The fields of a request: names, and one value or several. */
export type RequestFields = NonNullable<ExplainRequest["headers"]>;

/** What can be done with a cache while it runs. */
export interface ManagedCache {
  /** The name of its cacher. Several caches may have the same. */
  readonly cacherName: string;
  /** Whether all workers of the machine see the same stored responses. */
  readonly isShared: boolean;
  /** A selector as this cache stores URLs: host in lower case, only the queries that count. */
  storedSelector(selector: PurgeSelector): PurgeSelector;
  /**
   * Removes responses, also those that are being fetched, in all workers. Resolves with the number of stored ones in
   * this worker.
   */
  purge(selector: PurgeSelector, options?: PurgeOptions): Promise<number>;
  /**
   * Describes what is stored for a request of a URL: `https://shop.example/a?b`. Its fields count only where the key
   * has them. Default: none.
   */
  explainUrl(url: string, headers?: RequestFields): Promise<CacheExplanation>;
}

/** Offered by the handlet `cache`. */
export const managedCache = capability<ManagedCache>("managed-cache");

/** What a purge has done to one cacher. */
export interface CacherPurge {
  /** The name of the cacher. */
  readonly cacher: string;
  /** As `ManagedCache.isShared`. */
  readonly isShared: boolean;
  /** How many responses it took, or would take. */
  readonly count: number;
}

/** Purges all cachers that caches of a stage use, each once. */
export async function purgeCaches(
  stage: Pick<StageCore, "offering">,
  selector: PurgeSelector,
  options: PurgeOptions,
): Promise<readonly CacherPurge[]> {
  const done = new Set<string>();
  const purges = new Map<string, CacherPurge>();
  for (const { part } of stage.offering(managedCache)) {
    const { cacherName: cacher, isShared } = part;
    // Two caches of one cacher may store one URL under two names.
    const id = JSON.stringify([cacher, part.storedSelector(selector)]);
    if (done.has(id)) continue;
    done.add(id);
    const count = (purges.get(cacher)?.count ?? 0) + (await part.purge(selector, options));
    purges.set(cacher, { cacher, isShared, count });
  }
  return [...purges.values()];
}

/** What one cache of a stage knows of a URL. */
export interface ExplainedCache extends CacheExplanation {
  /** The path of the handlet. */
  readonly cache: string;
  /** The name of its cacher. */
  readonly cacher: string;
}

/** What the caches of a stage know of a request of a URL with these fields. */
export async function explainCaches(
  stage: Pick<StageCore, "offering">,
  url: string,
  headers: RequestFields = {},
): Promise<readonly ExplainedCache[]> {
  return await Promise.all(
    stage.offering(managedCache).map(async ({ path, part }) => {
      return { cache: path, cacher: part.cacherName, ...(await part.explainUrl(url, headers)) };
    }),
  );
}
