// The actions on the caches of a running program: what is sent, and how the answers of its workers become one.

import type { CacherPurge, ExplainedCache, PurgeSelector } from "@hemi/hemi";
import { HemiError } from "@hemi/hemi/base";
import { readHeaderLists, type HeaderLists } from "../control/header-lists.ts";

/** What to purge, and how. */
export interface PurgeOrder {
  readonly selectors: readonly PurgeSelector[];
  /** Makes stale instead of removing. */
  readonly isSoft: boolean;
  /** Only counts. */
  readonly isDryRun: boolean;
}

/** How many responses were purged. */
export interface PurgeReport {
  readonly count: number;
  readonly cachers: readonly { readonly cacher: string; readonly count: number }[];
}

/** Which URL to explain, for a request with these fields. */
export interface CachedUrl {
  readonly url: string;
  readonly headers: HeaderLists;
}

/** What the caches of one worker know of a URL. */
export interface WorkerCaches {
  readonly slot: number;
  readonly caches: readonly ExplainedCache[];
}

/** Workers of one machine share some cachers, and have one each of others. */
export function sumOfPurges(purges: readonly (readonly CacherPurge[])[]): PurgeReport {
  const counts = new Map<string, number>();
  for (const { cacher, isShared, count } of purges.flat()) {
    const before = counts.get(cacher) ?? 0;
    counts.set(cacher, isShared ? Math.max(before, count) : before + count);
  }
  const cachers = [...counts].map(([cacher, count]) => ({ cacher, count }));
  return { count: cachers.reduce((sum, { count }) => sum + count, 0), cachers };
}

/** Throws HEMI_USAGE. */
export function readPurgeOrder(params: unknown): PurgeOrder {
  const { selectors, isSoft = false, isDryRun = false } = recordOf(params);
  if (!Array.isArray(selectors) || selectors.length === 0 || selectors.length > maxSelectors) {
    throw new HemiError("HEMI_USAGE", `selectors is a list of 1 to ${maxSelectors} selectors`);
  }
  if (typeof isSoft !== "boolean" || typeof isDryRun !== "boolean") {
    throw new HemiError("HEMI_USAGE", "isSoft and isDryRun are true or false");
  }
  return { selectors: selectors.map(readSelector), isSoft, isDryRun };
}

/** Throws HEMI_USAGE. */
export function readCachedUrl(params: unknown): CachedUrl {
  const { url, headers } = recordOf(params);
  if (typeof url !== "string" || !URL.canParse(url)) {
    throw new HemiError("HEMI_USAGE", `a URL begins with http:// or https://, and has a host, unlike ${String(url)}`);
  }
  return { url, headers: readHeaderLists(headers) };
}

function recordOf(params: unknown): Readonly<Record<string, unknown>> {
  return typeof params === "object" && params !== null ? { ...params } : {};
}

function readSelector(value: unknown): PurgeSelector {
  if (value === "all") return value;
  const { url, prefix, tag } = recordOf(value);
  if (typeof url === "string" && URL.canParse(url)) return { url };
  if (typeof prefix === "string" && /^https?:\/\/./.test(prefix)) return { prefix };
  if (typeof tag === "string" && tag !== "") return { tag };
  const text = JSON.stringify(value);
  const message = `${text} selects nothing: a URL and a prefix begin with http:// or https://, a tag is not empty`;
  throw new HemiError("HEMI_USAGE", message);
}

const maxSelectors = 1000;
