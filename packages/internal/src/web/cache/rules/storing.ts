// Whether a response may be stored, and for how long it may be used (RFC 9111 section 3, RFC 5861).

import type { Fields } from "../../../http/fields.ts";
import { fieldNamesIn, parseDirectives, secondsIn, type Directives } from "./directives.ts";
import { explicitLifetime, hasInvalidAge, heuristicLifetime, initialAge } from "./freshness.ts";
import type { ExchangeTimes, HeuristicPolicy, Lifetime, LifetimeSource } from "./freshness.ts";
import { isHeuristicallyCacheable, isUnderstood } from "./statuses.ts";
import { targetedDirectives } from "./targeted.ts";
import { varyNames } from "./vary.ts";

/** What the configuration says about storing. */
export interface StoragePolicy {
  /** The targeted fields, in lower case, the first one that counts first. */
  readonly targets: readonly string[];
  readonly heuristic: HeuristicPolicy;
  /** How long a response is fresh that says nothing about caching, in milliseconds; `undefined`: no such wish. */
  readonly ttlOf: (status: number) => number | undefined;
  /** Whether responses with `set-cookie` may be stored. */
  readonly allowsCookies: boolean;
  /** In milliseconds, for a response that does not say how long it may be used while the backend fails. */
  readonly staleIfError: number;
  /** In milliseconds, likewise for the time while it is validated. */
  readonly staleWhileRevalidate: number;
}

/** A request, as far as it decides whether its response is stored. */
export interface StorageRequest {
  readonly method: string;
  readonly directives: Directives;
  readonly hasAuthorization: boolean;
}

/** A response without its content. */
export interface ResponseFacts {
  readonly status: number;
  readonly fields: Pick<Fields, "get" | "has">;
}

/** For how long a stored response may be used. All times in milliseconds. */
export interface Usability {
  /** Freshness lifetime. */
  readonly lifetime: number;
  /** What decided the lifetime. */
  readonly lifetimeFrom: LifetimeSource;
  /** Its age when it arrived. */
  readonly initialAge: number;
  /** It is validated before each use. */
  readonly noCache: boolean;
  /** It is never used when stale (`must-revalidate`, `proxy-revalidate`, `s-maxage`). */
  readonly mustRevalidate: boolean;
  /** While it is fresh, a client that only wants it younger does not have it validated (RFC 8246 section 2). */
  readonly isImmutable: boolean;
  /** How long after its lifetime it is used while it is validated. */
  readonly staleWhileRevalidate: number;
  /** How long after its lifetime it may replace the answer of a failing backend. */
  readonly staleIfError: number;
}

/**
 * Why a response is not stored, in words for `explain`; or how it may be used. `isOwn`: the reason is the request, so
 * that the answer to another one may be stored.
 */
export type Verdict =
  | { readonly refusal: string; readonly isOwn: boolean }
  | { readonly usability: Usability; readonly directives: Directives };

/** Decides in the order of RFC 9111 section 3. */
export function judgeStorage(
  request: StorageRequest,
  response: ResponseFacts,
  times: ExchangeTimes,
  policy: StoragePolicy,
): Verdict {
  const { status, fields } = response;
  const { directives, isTargeted } = directivesFor(fields, policy);
  const refusal = refusalOf(request, response, directives, policy);
  if (refusal !== undefined) return { refusal, isOwn: false };
  const own = ownRefusalOf(request, directives);
  if (own !== undefined) return { refusal: own, isOwn: true };
  const lifetime = lifetimeOf(response, directives, isTargeted, times, policy);
  if (lifetime === undefined) {
    return { refusal: `a response with status ${status} says nothing about caching`, isOwn: false };
  }
  const noCache = directives.get("no-cache") === "";
  const isUseful = lifetime.lifetime > 0 || fields.has("etag") || fields.has("last-modified");
  if (!isUseful) return { refusal: "it is never fresh and has no validator", isOwn: false };
  // `proxy-revalidate` and `s-maxage` say the same to shared caches (sections 5.2.2.8 and 5.2.2.10).
  const mustRevalidate = ["must-revalidate", "proxy-revalidate", "s-maxage"].some((name) => directives.has(name));
  return {
    directives,
    usability: {
      lifetime: lifetime.lifetime,
      lifetimeFrom: lifetime.from,
      initialAge: initialAge(fields, times),
      noCache,
      mustRevalidate,
      isImmutable: directives.has("immutable"),
      staleWhileRevalidate: millisecondsIn(directives, "stale-while-revalidate") ?? policy.staleWhileRevalidate,
      staleIfError: millisecondsIn(directives, "stale-if-error") ?? policy.staleIfError,
    },
  };
}

/** Whether a 304 with these fields says that what it confirms is not for a shared cache any more. */
export function forbidsStoring(fields: Pick<Fields, "get">, policy: StoragePolicy): boolean {
  const { directives } = directivesFor(fields, policy);
  return directives.has("no-store") || directives.get("private") === "";
}

/** `isTargeted`: they are those of a targeted field, which stand in for all others. */
function directivesFor(
  fields: Pick<Fields, "get">,
  { targets }: StoragePolicy,
): { readonly directives: Directives; readonly isTargeted: boolean } {
  const targeted = targetedDirectives(fields, targets);
  const directives = targeted ?? parseDirectives(fields.get("cache-control"));
  return { directives, isTargeted: targeted !== undefined };
}

function refusalOf(
  { method }: StorageRequest,
  { status, fields }: ResponseFacts,
  directives: Directives,
  { allowsCookies }: StoragePolicy,
): string | undefined {
  if (method !== "GET") return `the method is ${method}`;
  if (status === 206 || status === 304) return `the status is ${status}, which is a part of a response`;
  // With `must-understand`, `no-store` is for caches that do not know the status (section 5.2.2.3).
  if (directives.has("must-understand")) {
    if (!isUnderstood(status)) return `the response has must-understand, and the status is ${status}`;
  } else if (directives.has("no-store")) return "the response has no-store";
  if (directives.get("private") === "") return "the response is private";
  if (fields.has("set-cookie") && !allowsCookies && !namesCookies(directives)) return "the response has set-cookie";
  if (varyNames(fields) === "any") return "its vary matches no other request";
  return undefined;
}

/** Reasons of the request: see `mayRefuseItself`. */
function ownRefusalOf(
  { directives: wishes, hasAuthorization }: StorageRequest,
  directives: Directives,
): string | undefined {
  if (wishes.has("no-store")) return "the request has no-store";
  if (hasAuthorization && !["public", "must-revalidate", "s-maxage"].some((name) => directives.has(name)))
    return "the request has authorization, and the response does not allow to share it (section 3.5)";
  return undefined;
}

/** Such a `set-cookie` is not stored, and the rest is. */
function namesCookies(directives: Directives): boolean {
  return ["private", "no-cache"].some((name) => fieldNamesIn(directives, name).includes("set-cookie"));
}

function lifetimeOf(
  { status, fields }: ResponseFacts,
  directives: Directives,
  isTargeted: boolean,
  times: ExchangeTimes,
  { heuristic, ttlOf }: StoragePolicy,
): Lifetime | undefined {
  if (hasInvalidAge(fields)) return { lifetime: 0, from: "age" };
  const explicit = explicitLifetime(directives, fields, times, isTargeted);
  if (explicit !== undefined) return explicit;
  // It wants to be validated each time, which is an answer, too.
  const ttl = directives.has("no-cache") ? undefined : ttlOf(status);
  if (ttl !== undefined) return { lifetime: ttl, from: "ttl" };
  const guessed = heuristicLifetime(status, directives, fields, times, heuristic);
  if (guessed !== undefined) return guessed;
  return isHeuristicallyCacheable(status) || directives.has("public") ? { lifetime: 0, from: "none" } : undefined;
}

function millisecondsIn(directives: Directives, name: string): number | undefined {
  const seconds = secondsIn(directives, name);
  return seconds === undefined ? undefined : seconds * 1000;
}
