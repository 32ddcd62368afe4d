// How long a response is fresh, and how old it was when it came (RFC 9111 section 4.2).

import { parseHTTPDate } from "@hemi/common";
import type { Fields } from "../../../http/fields.ts";
import { secondsIn, maxSeconds, type Directives } from "./directives.ts";
import { isHeuristicallyCacheable } from "./statuses.ts";

/** What decided how long a response is fresh. */
export type LifetimeSource = "s-maxage" | "max-age" | "expires" | "heuristic" | "ttl" | "age" | "none";

/** How long a response is fresh after it was generated. */
export interface Lifetime {
  /** In milliseconds. */
  readonly lifetime: number;
  /** What decided it. */
  readonly from: LifetimeSource;
}

/** When a request was sent, and when the head of its response arrived, in milliseconds since the epoch. */
export interface ExchangeTimes {
  readonly requestTime: number;
  readonly responseTime: number;
}

/** Guesses of how long a response is fresh that does not say so (RFC 9111 section 4.2.2). */
export interface HeuristicPolicy {
  /** The part of the time since its last modification, from 0 to 1. 0: no guesses. */
  readonly fraction: number;
  /** The upper limit, in milliseconds. */
  readonly max: number;
}

/**
 * The freshness lifetime of a response for a shared cache (section 4.2.1). `isTargeted`: the directives come from a
 * targeted field, so that `expires` does not count. `undefined`: the response says nothing.
 */
export function explicitLifetime(
  directives: Directives,
  fields: Pick<Fields, "get">,
  times: ExchangeTimes,
  isTargeted = false,
): Lifetime | undefined {
  for (const from of ["s-maxage", "max-age"] as const) {
    const seconds = secondsIn(directives, from);
    if (seconds !== undefined) return { lifetime: seconds * 1000, from };
  }
  const expires = isTargeted ? undefined : fields.get("expires");
  if (expires === undefined) return undefined;
  const until = parseHTTPDate(expires);
  // An invalid date, `0` for instance, means the past (section 5.3).
  if (until === undefined) return { lifetime: 0, from: "expires" };
  const lifetime = until * 1000 - dateOf(fields, times);
  return { lifetime: Math.min(Math.max(0, lifetime), maxSeconds * 1000), from: "expires" };
}

/** A guess for a response that says nothing; `undefined` if its status or its fields do not allow one. */
export function heuristicLifetime(
  status: number,
  directives: Directives,
  fields: Pick<Fields, "get">,
  times: ExchangeTimes,
  { fraction, max }: HeuristicPolicy,
): Lifetime | undefined {
  if (fraction === 0 || !(isHeuristicallyCacheable(status) || directives.has("public"))) return undefined;
  const modified = parseHTTPDate(fields.get("last-modified") ?? "");
  if (modified === undefined) return undefined;
  const unchanged = dateOf(fields, times) - modified * 1000;
  return { lifetime: Math.min(Math.max(0, unchanged * fraction), max), from: "heuristic" };
}

/** The age of a response when its head arrived, in milliseconds: `corrected_initial_age` of section 4.2.3. */
export function initialAge(fields: Pick<Fields, "get" | "has">, times: ExchangeTimes): number {
  const { requestTime, responseTime } = times;
  const apparentAge = Math.max(0, responseTime - dateOf(fields, times));
  const responseDelay = Math.max(0, responseTime - requestTime);
  return Math.max(apparentAge, (ageIn(fields.get("age")) ?? 0) + responseDelay);
}

/** Whether nobody knows how old a response is: it is better taken for stale (section 4.2.1). */
export function hasInvalidAge(fields: Pick<Fields, "get">): boolean {
  const age = fields.get("age");
  return age !== undefined && ageIn(age) === undefined;
}

/**
 * The field `age` in milliseconds; `undefined` if there is none, or it is invalid. Of a list in one line, the first
 * member counts (section 5.1). Several lines, which arrive here joined by a comma and a space, are invalid: two caches
 * disagree.
 */
function ageIn(field: string | undefined): number | undefined {
  const [, first] = /^[ \t]*(\d+)[ \t]*(?:,(?! )|$)/.exec(field ?? "") ?? [];
  return first === undefined ? undefined : Math.min(Number(first), maxSeconds) * 1000;
}

/** When the response was generated. Without a valid date, it is the time of arrival (RFC 9110 section 6.6.1). */
function dateOf(fields: Pick<Fields, "get">, { responseTime }: ExchangeTimes): number {
  const date = parseHTTPDate(fields.get("date") ?? "");
  return date === undefined ? responseTime : date * 1000;
}
