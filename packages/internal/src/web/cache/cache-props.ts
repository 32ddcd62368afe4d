// The props of the handlet `cache`.

import { prop } from "../../component/prop.ts";
import type { PropsOf } from "../../component/props/prop-type.ts";
import { addonKind } from "../../stage/kinds/addon.ts";
import { lockService } from "../../stage/locks/lock-service.ts";
import { cacherKind } from "./cacher.ts";

export const cacheProps = {
  /** The cacher that stores the responses. Several caches may share one. */
  withCacher: prop.reference(cacherKind, { required: true, inherited: true }),
  /**
   * What a response is found by. Whatever changes a response and is not in its `vary` must be in the key; otherwise
   * clients get, and can plant, responses that are not for them. Fields by which a client could name another URL, such
   * as `x-original-url` and `x-forwarded-host`, do not reach handlets behind, unless they are in the key or, for those
   * of `forwarded` and its kind, come from a proxy in `trustForwarded` of the server. Default: scheme, authority, path
   * and query.
   */
  key: prop.template(),
  /** Query parameters that do not change responses, such as `utm_*`. Only without `key`; handlets behind see them. */
  ignoreQueries: prop.strings({ default: [], reload: "live" }),
  /**
   * The only query parameters that change responses: all others are ignored, as by `ignoreQueries`. Default: all do.
   * Only without `key`.
   */
  keepQueries: prop.strings({ reload: "live" }),
  /**
   * Whether `?a=1&b=2` and `?b=2&a=1` are the same. Parameters with one name keep their order. Only without `key`.
   */
  sortQueries: prop.bool({ default: false, reload: "live" }),
  /**
   * Asks the handlets behind for slices of so many bytes, by the field `range`, and stores each by itself: of a large
   * resource only the slices that clients want are fetched, and it may be larger than `maxWobjectSize` of the cacher,
   * which a slice must not exceed. Responses that come as a whole are stored as a whole; those without a strong etag
   * are not sliced. Default: nothing is sliced.
   */
  sliceSize: prop.size({ min: "4K", max: "1G" }),
  /** How long successful responses (200, 203, 204, 301, 308) are fresh that say nothing about caching. Default: not. */
  ttl: prop.duration({ max: "365d", reload: "live" }),
  /** The same by status or class of statuses, also for errors: `["404": 30s, "5xx": 1s]`. */
  statusTtl: prop.dict(prop.duration({ max: "365d" }), { default: {}, reload: "live" }),
  /**
   * Guesses how long a response is fresh that has only a `last-modified`: so many percent of its age then. 0: no guess.
   */
  heuristicPercent: prop.integer({ default: 0, max: 100, reload: "live" }),
  /** The upper limit of a guess. */
  maxHeuristic: prop.duration({ default: "1d", max: "365d", reload: "live" }),
  /** The fields of responses that take the place of `cache-control` for this cache (RFC 9213), in lower case. */
  targets: prop.strings({ default: ["cdn-cache-control"], reload: "live" }),
  /** Ignores `cache-control` of requests: clients can then not force requests to the backend. */
  ignoreRequestDirectives: prop.bool({ default: false, reload: "live" }),
  /**
   * Responses with `set-cookie`: are not stored (`refuse`), are stored without this field (`drop`), or as they are
   * (`store`, as RFC 9111 section 7.3 permits: all clients then get the same cookie).
   */
  setCookie: prop.choice(["refuse", "drop", "store"], { default: "refuse", reload: "live" }),
  /** How long a stale response may replace that of a failing backend, if it does not say so itself (RFC 5861). */
  staleIfError: prop.duration({ default: 0, max: "365d", reload: "live" }),
  /** How long a stale response is used while it is validated, if it does not say so itself (RFC 5861). */
  staleWhileRevalidate: prop.duration({ default: 0, max: "365d", reload: "live" }),
  /**
   * Up to so much later than it could, an answer that is used while it is validated (`stale-while-revalidate`) is
   * validated, by chance: what was stored together is not asked for together. At most a quarter of its time.
   */
  revalidationJitter: prop.duration({ default: "1s", max: "1d", reload: "live" }),
  /** Fetches under way that validate in the background are not begun beyond so many. */
  maxRevalidations: prop.integer({ default: 100, min: 1, max: 100_000, reload: "live" }),
  /** Until the head of a response from behind, and between two pieces of its content; then 504, or it breaks off. */
  fetchTimeout: prop.duration({ default: "60s", min: "1ms", reload: "live" }),
  /**
   * The memory for responses that arrive to be stored, and for slow clients that still read them, in bytes. Beyond it,
   * further ones are passed on as fast as their clients read, and not stored.
   */
  maxArriving: prop.size({ default: "64M", min: "64K", reload: "live" }),
  /**
   * An addon with locks, such as `sqliteLocks` for a machine or `redis` for several: of all processes that share the
   * cacher, one at a time fetches a response, and the others wait for what it stores. Only for cachers that processes
   * share. Default: each process fetches for its own clients.
   */
  withLock: prop.reference(addonKind, { offering: lockService }),
  /** How long a fetch waits for that of another process at most; then it does not wait any more. */
  lockWait: prop.duration({ default: "5s", min: "50ms", max: "10m", reload: "live" }),
  /** After a response that must not be stored, requests for the same do not wait for each other for so long. */
  passTime: prop.duration({ default: "2m", reload: "live" }),
  /** The name of this cache in the field `cache-status` (RFC 9211). "": no such field. */
  statusName: prop.string({ default: "Hemi", maxLength: 100, reload: "live" }),
  /**
   * Who may purge by the method PURGE: a URL with all variants, all below a path that ends with a star, or all with one
   * of the tags in the field `cache-tag`. With `soft-purge: 1`, they become stale instead. Others get 403. Default:
   * nobody, and PURGE is a method like any other. `hemi cache purge` needs no such permission.
   */
  purgeFrom: prop.addresses({ reload: "live" }),
};

export type CacheProps = PropsOf<typeof cacheProps>;
