// cache: answers with stored responses of the handlets that stand behind it in the rule.
//
//   rule { basicAuth {…}   cache { .withCacher = "c" }   httpProxy {…} }
//          runs on hits        │  stored ──> answers.ts      ^
//                              └─ not stored ──> fetches.ts ─┘  one request for all clients that wait
//
// What may be stored and reused: rules/. Where it is stored: the kind in cacher.ts, memCacher in mem/.

import { formatHTTPDate } from "@hemi/common";
import type { Context } from "../../stage/context.ts";
import { prop } from "../../component/prop.ts";
import type { PropsOf } from "../../component/props/prop-type.ts";
import { ListedFields, type Fields } from "../../http/fields.ts";
import { memoizeField } from "../../http/field-memo.ts";
import { listMembers } from "../../http/list-members.ts";
import type { Explanation } from "../explain/explanation.ts";
import { defineHandlet, type HandletPart, type RulePart } from "../kinds.ts";
import type { Request } from "../request/request.ts";
import type { Response } from "../response/response.ts";
import { sendStatusPage } from "../response/status-page.ts";
import { Answers } from "./answers.ts";
import { keyMaker, urlOf, withoutQueries } from "./cache-key.ts";
import { cacherKind, type PurgeOptions, type PurgeSelector } from "./cacher.ts";
import { Fetches, type Fetch, type FetchOrder } from "./fetches.ts";
import { managedCache, type CacheExplanation, type ManagedCache } from "./managed-cache.ts";
import { Refusals } from "./refusals.ts";
import type { CacheStatus, ForwardReason } from "./rules/cache-status.ts";
import { noDirectives, parseDirectives, type Directives } from "./rules/directives.ts";
import { invalidatedUrls, isSafe } from "./rules/invalidating.ts";
import { ageAt, decideReuse } from "./rules/reuse.ts";
import { storedFields, updatedFields } from "./rules/stored-fields.ts";
import { judgeStorage, type StoragePolicy } from "./rules/storing.ts";
import { matchesVariant, varyNames, variantOf } from "./rules/vary.ts";
import type { Wobject, WobjectHead } from "./wobject.ts";

const props = {
  /** The cacher that stores the responses. Several caches may share one. */
  withCacher: prop.reference(cacherKind, { required: true, inherited: true }),
  /**
   * What a response is found by. Whatever changes a response and is not in its `vary` must be in the key; otherwise
   * clients get, and can plant, responses that are not for them. Default: scheme, authority, path and query.
   */
  key: prop.template(),
  /** Query parameters that do not change responses, such as `utm_*`. Only without `key`; handlets behind see them. */
  ignoreQueries: prop.strings({ default: [], reload: "live" }),
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
  /** Stores responses with `set-cookie`, without this field. By default they are not stored. */
  dropCookies: prop.bool({ default: false, reload: "live" }),
  /** How long a stale response may replace that of a failing backend, if it does not say so itself (RFC 5861). */
  staleIfError: prop.duration({ default: 0, max: "365d", reload: "live" }),
  /** How long a stale response is used while it is validated, if it does not say so itself (RFC 5861). */
  staleWhileRevalidate: prop.duration({ default: 0, max: "365d", reload: "live" }),
  /** Fetches under way that validate in the background are not begun beyond so many. */
  maxRevalidations: prop.integer({ default: 100, min: 1, max: 100_000, reload: "live" }),
  /** Until the head of a response from behind, and between two pieces of its content; then 504, or it breaks off. */
  fetchTimeout: prop.duration({ default: "60s", min: "1ms", reload: "live" }),
  /** After a response that must not be stored, requests for the same do not wait for each other for so long. */
  passTime: prop.duration({ default: "2m", reload: "live" }),
  /** The name of this cache in the field `cache-status` (RFC 9211). "": no such field. */
  statusName: prop.string({ default: "Hemi", maxLength: 100, reload: "live" }),
  /**
   * Who may purge by the method PURGE: a URL with all variants, all below a path that ends with a star, or all with one
   * of the tags in the field `cache-tag`. With `soft-purge: 1`, they become stale instead. Others get 403. Default:
   * nobody, and PURGE is a method like any other.
   */
  purgeFrom: prop.addresses({ reload: "live" }),
};

type CacheProps = PropsOf<typeof props>;

/**
 * Answers GET and HEAD with stored responses of the handlets behind it in the rule, by the rules of HTTP caching (RFC
 * 9111). Handlets before it, such as checkers, run for each request; revisers of the rule revise what is stored for
 * each client. For a response that is not stored there is one request to the handlets behind, whose answer goes to all
 * clients that wait for it. 504: `only-if-cached`, and it is not stored.
 */
export const cache = defineHandlet({
  sign: "cache",
  props,
  offers: [managedCache],
  check({ props, report, warn }) {
    const { key } = props;
    for (const status of props.statusTtl.keys()) {
      if (/^[2-5](?:\d\d|xx)$/.test(status)) continue;
      report({ prop: "statusTtl", message: `${JSON.stringify(status)} is no status, nor a class such as 5xx` });
    }
    if (key === undefined) return;
    if (key.constant !== undefined) {
      report({ prop: "key", message: "it is the same for all requests, so that all would get the same response" });
      return;
    }
    const named = new Set(key.parts.flatMap((part) => (typeof part === "string" ? [] : part.variable)));
    const lacks = (...names: readonly string[]) => !names.some((name) => named.has(name));
    if (lacks("authority", "hostname")) {
      const message = "the key has no host: a client can plant the response of one host for another";
      warn({ prop: "key", message, hint: "add $authority, unless one host is served" });
    }
    if (lacks("uri", "originalURI", "encodedPath", "path")) {
      warn({ prop: "key", message: "the key has no path: all paths get the same response", hint: "add $uri" });
    }
  },
  create: (context): HandletPart & ManagedCache => new Cache(context),
});

class Cache implements HandletPart, ManagedCache {
  readonly defaultMaxContentSize = Infinity;
  readonly #context: Context<CacheProps>;
  readonly #answers: Answers;
  readonly #fetches: Fetches;
  readonly #refusals = new Refusals();
  #keyOf: (req: Request) => string;
  #policy: StoragePolicy;

  constructor(context: Context<CacheProps>) {
    this.#context = context;
    const { props } = context;
    this.#answers = new Answers(() => props.statusName);
    this.#keyOf = keyMaker(props.key, props.ignoreQueries);
    this.#policy = policyOf(props);
    this.#fetches = new Fetches({
      cacher: () => props.withCacher.current,
      timeout: () => props.fetchTimeout,
      now: () => this.#now,
      judge: (order, requestTime, status, fieldList) => this.#judge(order, requestTime, status, fieldList),
    });
  }

  update(): void {
    const { props } = this.#context;
    this.#keyOf = keyMaker(props.key, props.ignoreQueries);
    this.#policy = policyOf(props);
  }

  shutdown(): void {
    this.#fetches.close();
  }

  get #now(): number {
    return this.#context.stage.clock.now();
  }

  // ---- requests ----

  handle(req: Request, resp: Response): boolean | Promise<boolean> {
    const { method } = req;
    const isRead = method === "GET" || method === "HEAD";
    if (!isRead && method === "PURGE" && this.#context.props.purgeFrom !== undefined) return this.#purgeFor(req, resp);
    // A rewrite may enter the rule twice, and two rules may name one cache.
    if (resp.isHookedBy(this) || !isRulePart(resp.rule)) return false;
    if (!isRead) {
      if (!isSafe(method)) this.#invalidateAfter(req, resp);
      return this.#pass(resp, "method");
    }
    // What content or another protocol would change is in no key.
    if (req.hasContent || req.upgrades.length > 0) return this.#pass(resp, "bypass");
    const key = this.#keyOf(req);
    const stored = this.#context.props.withCacher.current.lookup(key);
    if (stored instanceof Promise) return stored.then((stored) => this.#answer(req, resp, key, stored));
    return this.#answer(req, resp, key, stored);
  }

  explain(req: Request): Explanation {
    const { method, hasContent, upgrades } = req;
    const isRead = (method === "GET" || method === "HEAD") && !hasContent && upgrades.length === 0;
    if (!isRead) return { takes: "no", text: "only GET and HEAD without content are answered by a cache" };
    const { name } = this.#context.props.withCacher;
    return { takes: "maybe", text: `answers with what ${name} has stored for ${this.#keyOf(req)}` };
  }

  #answer(req: Request, resp: Response, key: string, variants: readonly Wobject[]): boolean | Promise<boolean> {
    const now = this.#now;
    const { rule } = resp;
    const wishes = this.#wishesOf(req);
    const stored = variants.find(({ head }) => matchesVariant(head.variant, req.headers));
    if (stored !== undefined) {
      const reuse = decideReuse(stored.head, wishes, now);
      if (reuse !== "validate") {
        const sent = this.#answers.sendHit(req, resp, stored, now);
        if (reuse === "revalidating" && isRulePart(rule)) {
          this.#revalidate({ key, req, resp, rule, stored, wishes: noDirectives });
        }
        return sent;
      }
    }
    if (wishes.has("only-if-cached")) {
      sendStatusPage(resp, 504);
      return true;
    }
    const forward =
      stored === undefined ? (variants.length > 0 ? "vary-miss" : "uri-miss") : reasonOf(stored, wishes, now);
    if (req.method === "HEAD") return this.#pass(resp, forward);
    if (stored === undefined && this.#refusals.has(key, now)) return this.#pass(resp, forward);
    return isRulePart(rule) ? this.#fetch({ key, req, resp, rule, stored, wishes }, forward) : false;
  }

  async #fetch(first: FetchOrder, forward: ForwardReason): Promise<boolean> {
    const { key, req, resp } = first;
    let order = first;
    // Each round, a fetch has brought another variant than this request wants, or confirmed another response.
    for (let round = 0; round < maxRounds; round++) {
      const running = this.#fetches.find(key, req);
      const fetch = running ?? this.#fetches.begin(order);
      const answered = await this.#answerBy(fetch, running !== undefined, order, forward);
      if (typeof answered === "boolean") return answered;
      if (answered === "unconfirmed") order = { ...order, stored: undefined };
    }
    return this.#pass(resp, forward);
  }

  async #answerBy(
    fetch: Fetch,
    isCollapsed: boolean,
    { req, resp }: FetchOrder,
    forward: ForwardReason,
  ): Promise<boolean | "another" | "unconfirmed"> {
    const outcome = await fetch.outcome;
    const status: CacheStatus = { forward, isCollapsed };
    switch (outcome.kind) {
      case "untaken":
        return this.#pass(resp, forward);
      case "failed":
        sendStatusPage(resp, outcome.status);
        return true;
      case "unconfirmed":
        return "unconfirmed";
      case "confirmed":
        return this.#answers.send(req, resp, outcome.wobject, { ...status, forwardStatus: 304 }, this.#now);
      case "stale": {
        const forwarded = { ...status, forwardStatus: outcome.status, detail: "stale-if-error" };
        return this.#answers.send(req, resp, outcome.wobject, forwarded, this.#now);
      }
      case "shared":
        if (!matchesVariant(outcome.variant, req.headers)) return "another";
        return this.#answers.sendArriving(req, resp, outcome, { ...status, isStored: true });
      case "private":
        if (isCollapsed) return this.#pass(resp, forward);
        // Nobody else reads it.
        req.onAbort(() => fetch.abort());
        try {
          return await this.#answers.sendArriving(req, resp, outcome, status);
        } finally {
          fetch.abort();
        }
    }
  }

  #revalidate(order: FetchOrder): void {
    if (this.#fetches.has(order.key) || this.#fetches.count >= this.#context.props.maxRevalidations) return;
    const fetch = this.#fetches.begin(order);
    void fetch.outcome.then(({ kind }) => {
      if (kind === "private") fetch.abort();
    });
  }

  /** Leaves the request to the handlets behind. */
  #pass(resp: Response, forward: ForwardReason): false {
    const member = this.#answers.member({ forward });
    if (member !== undefined) this.#onHead(resp, () => resp.addHeader("cache-status", member));
    return false;
  }

  #invalidateAfter(req: Request, resp: Response): void {
    const url = urlOf(req);
    this.#onHead(resp, () => {
      for (const invalid of invalidatedUrls(url, resp.status, new ListedFields(resp.fieldList))) {
        this.#purgeQuietly({ url: invalid });
      }
    });
  }

  #onHead(resp: Response, act: () => void): void {
    const hook = () => {
      act();
      return undefined;
    };
    resp.addHook({ rank: 0, by: this, path: this.#context.path, hook });
  }

  #wishesOf(req: Request): Directives {
    if (this.#context.props.ignoreRequestDirectives) return noDirectives;
    const control = req.header("cache-control");
    if (control !== undefined) return directivesOf(control);
    // Clients of HTTP/1.0 (RFC 9111 section 5.4).
    return req.header("pragma")?.toLowerCase().includes("no-cache") === true ? directivesOf("no-cache") : noDirectives;
  }

  // ---- storing ----

  #judge(
    { key, req, stored, wishes }: FetchOrder,
    requestTime: number,
    status: number,
    received: readonly string[],
  ): WobjectHead | undefined {
    const responseTime = this.#now;
    const isUpdate = stored !== undefined && status === 304;
    const date = formatHTTPDate(responseTime / 1000);
    // Its age is computed from its date, here and downstream (RFC 9110 section 6.6.1).
    const dated = received.some((text, i) => i % 2 === 0 && text === "date") ? received : [...received, "date", date];
    const current = isUpdate ? updatedFields(stored.head.fieldList, dated) : dated;
    const fields = new ListedFields(current);
    const facts = { status: isUpdate ? stored.head.status : status, fields };
    const request = { method: "GET", directives: wishes, hasAuthorization: req.headers.has("authorization") };
    const verdict = judgeStorage(request, facts, { requestTime, responseTime }, this.#policy);
    if ("refusal" in verdict) {
      this.#refusals.add(key, verdict.refusal, responseTime + this.#context.props.passTime);
      return undefined;
    }
    this.#refusals.delete(key);
    const fieldList = storedFields(
      current,
      verdict.directives,
      this.#context.props.dropCookies ? droppedWithCookies : dropped,
    );
    const names = varyNames(fields);
    return {
      ...verdict.usability,
      key,
      url: urlOf(req),
      status: facts.status,
      fieldList,
      variant: names === "any" ? [] : variantOf(names, req.headers),
      tags: isUpdate ? stored.head.tags : tagsOf(fields),
      storedAt: responseTime,
      isOutdated: false,
    };
  }

  // ---- purging and explaining ----

  purge(selector: PurgeSelector, options?: PurgeOptions): Promise<number> {
    return this.#context.props.withCacher.current.purge(selector, options);
  }

  async explainUrl(url: string): Promise<CacheExplanation> {
    const { props } = this.#context;
    const key = props.key === undefined ? withoutQueries(url, props.ignoreQueries) : undefined;
    if (key === undefined) return { key, variants: [], refusal: undefined };
    const now = this.#now;
    const variants = (await props.withCacher.current.lookup(key)).map(({ head, source: { size } }) => {
      const { status, variant, tags, storedAt, lifetime, lifetimeFrom } = head;
      const isFresh = decideReuse(head, noDirectives, now) === "fresh";
      return { key, status, size, variant, tags, storedAt, age: ageAt(head, now), lifetime, lifetimeFrom, isFresh };
    });
    return { key, variants, refusal: this.#refusals.reasonOf(key) };
  }

  async #purgeFor(req: Request, resp: Response): Promise<true> {
    if (this.#context.props.purgeFrom?.contains(req.sender.address) !== true) {
      sendStatusPage(resp, 403);
      return true;
    }
    const options = { isSoft: req.header("soft-purge") === "1" };
    let count = 0;
    for (const selector of selectorsOf(req)) count += await this.purge(selector, options);
    resp.sendJSON({ purged: count });
    return true;
  }

  #purgeQuietly(selector: PurgeSelector): void {
    this.purge(selector).catch((error: unknown) => {
      this.#context.log.error("a stored response could not be made invalid", { error });
    });
  }
}

/** Not a prop: a resource with more variants at once is served without waiting for others. */
const maxRounds = 10;

const directivesOf = memoizeField((field) => parseDirectives(field));

/** Tags are for caches. */
const dropped: ReadonlySet<string> = new Set(["cache-tag", "surrogate-key"]);
const droppedWithCookies: ReadonlySet<string> = new Set([...dropped, "set-cookie"]);

function tagsOf(fields: Fields): readonly string[] {
  const tags = listMembers(fields.get("cache-tag") ?? "", maxTags);
  return [...tags, ...(fields.get("surrogate-key") ?? "").split(/[ ,]+/, maxTags).filter(Boolean)];
}

/** Not a prop: more tags of one response are ignored. */
const maxTags = 1000;

function selectorsOf(req: Request): readonly PurgeSelector[] {
  const tags = req.header("cache-tag");
  if (tags !== undefined) return listMembers(tags, maxTags).map((tag) => ({ tag }));
  const url = urlOf(req);
  return [url.endsWith("*") ? { prefix: url.slice(0, -1) } : { url }];
}

function reasonOf({ head }: Wobject, wishes: Directives, now: number): ForwardReason {
  return decideReuse(head, noDirectives, now) === "fresh" && wishes.size > 0 ? "request" : "stale";
}

function policyOf(props: CacheProps): StoragePolicy {
  const { ttl, statusTtl, targets, dropCookies, heuristicPercent, maxHeuristic } = props;
  return {
    targets,
    heuristic: { fraction: heuristicPercent / 100, max: maxHeuristic },
    ttlOf: (status) =>
      statusTtl.get(String(status)) ??
      statusTtl.get(`${Math.floor(status / 100)}xx`) ??
      (successes.has(status) ? ttl : undefined),
    dropsCookies: dropCookies,
    staleIfError: props.staleIfError,
    staleWhileRevalidate: props.staleWhileRevalidate,
  };
}

const successes: ReadonlySet<number> = new Set([200, 203, 204, 301, 308]);

function isRulePart(rule: object | undefined): rule is RulePart {
  return rule !== undefined && "handleBehind" in rule;
}
