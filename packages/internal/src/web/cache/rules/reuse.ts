// Whether a stored response may answer a request (RFC 9111 section 4, 5.2.1; RFC 5861).

import { noDirectives, secondsIn, type Directives } from "./directives.ts";
import type { Usability } from "./storing.ts";

/** What reuse depends on. */
export interface StoredTimes extends Usability {
  /** When its head arrived, in milliseconds since the epoch. */
  readonly storedAt: number;
  /** A soft purge has made it stale: it is validated before its next use, but may stand in for a failing backend. */
  readonly isOutdated: boolean;
}

/**
 * `fresh`: it answers. `revalidating`: it answers, and is validated in the background. `stale`: it answers, because the
 * client accepts stale responses. `validate`: only if the backend confirms it.
 */
export type Reuse = "fresh" | "revalidating" | "stale" | "validate";

/** The age at `now` (milliseconds since the epoch), in milliseconds: `current_age` of section 4.2.3. */
export function ageAt({ initialAge, storedAt }: StoredTimes, now: number): number {
  return initialAge + Math.max(0, now - storedAt);
}

/** Decides for a request with these directives. */
export function decideReuse(stored: StoredTimes, wishes: Directives, now: number): Reuse {
  // The clock was put back: nobody knows how old it is.
  const isUnsure = now < stored.storedAt - clockTolerance;
  if (stored.noCache || stored.isOutdated || isUnsure) return "validate";
  const age = ageAt(stored, now);
  const staleFor = age - stored.lifetime;
  // Most clients have no wishes.
  if (staleFor < 0 && wishes.size === 0) return "fresh";
  if (wishes.has("no-cache")) return "validate";
  const maxAge = secondsIn(wishes, "max-age");
  const isYoung = maxAge === undefined || age <= maxAge * 1000 || (stored.isImmutable && staleFor < 0);
  const minFresh = secondsIn(wishes, "min-fresh") ?? 0;
  if (!isYoung || (minFresh > 0 && staleFor + minFresh * 1000 >= 0)) return "validate";
  if (staleFor < 0) return "fresh";
  if (stored.mustRevalidate) return "validate";
  if (staleFor < stored.staleWhileRevalidate) return "revalidating";
  return isAccepted(wishes, staleFor) ? "stale" : "validate";
}

/** Why a stored response that is to be validated does not answer: it is stale, or the client wants another one. */
export function whyNotReused(stored: StoredTimes, wishes: Directives, now: number): "stale" | "request" {
  return decideReuse(stored, noDirectives, now) === "fresh" && wishes.size > 0 ? "request" : "stale";
}

/**
 * Whether a response, when it came, could answer all that waited for it (section 4): it is as new as they can have it,
 * but `no-cache` and `max-age=0` are for one request. `delay`: the time that the backend took, in milliseconds.
 */
export function couldBeShared(stored: StoredTimes, delay: number): boolean {
  const come = { ...stored, initialAge: stored.initialAge - delay, isOutdated: false };
  return decideReuse(come, noDirectives, stored.storedAt) !== "validate";
}

/** Whether it may answer while the backend fails (RFC 5861 section 4). */
export function mayReplaceFailure(stored: StoredTimes, wishes: Directives, now: number): boolean {
  if (stored.mustRevalidate || stored.noCache) return false;
  const wish = secondsIn(wishes, "stale-if-error");
  const allowed = wish === undefined ? stored.staleIfError : Math.min(wish * 1000, stored.staleIfError);
  return ageAt(stored, now) - stored.lifetime < allowed;
}

/** `max-stale` without an argument accepts any age (section 5.2.1.2). */
function isAccepted(wishes: Directives, staleFor: number): boolean {
  const maxStale = wishes.get("max-stale");
  return maxStale !== undefined && (maxStale === "" || staleFor <= (secondsIn(wishes, "max-stale") ?? 0) * 1000);
}

/** In milliseconds: time services adjust clocks by small steps. */
const clockTolerance = 1000;
