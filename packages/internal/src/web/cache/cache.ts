// cache: answers with stored responses of the handlets that stand behind it in the rule.
//
//   rule { basicAuth {…}   cache { .withCacher = "c" }   httpProxy {…} }
//          runs on hits        │  stored ──> answers.ts      ^
//                              └─ not stored ──> misses.ts ──┘  one request for all clients that wait
//
// What may be stored and reused: judge.ts, rules/. Where it is stored: the kind in cacher.ts, memCacher in mem/.

import type { Context } from "../../stage/context.ts";
import { ListedFields } from "../../http/fields.ts";
import { memoizeField } from "../../http/field-memo.ts";
import type { Explanation } from "../explain/explanation.ts";
import { defineHandlet, type HandletPart, type RulePart } from "../kinds.ts";
import type { Request } from "../request/request.ts";
import type { Response } from "../response/response.ts";
import { sendStatusPage } from "../response/status-page.ts";
import { Answers } from "./answers.ts";
import { askedRequest } from "./asked-request.ts";
import { checkCache } from "./cache-check.ts";
import {
  keyMaker,
  storedSelector,
  storedUrl,
  unkeyedFields,
  urlMaker,
  urlOf,
  type UnkeyedFields,
} from "./cache-key.ts";
import { cacheProps, type CacheProps } from "./cache-props.ts";
import type { PurgeOptions, PurgeSelector } from "./cacher.ts";
import type { FetchOptions, FetchOrder } from "./fetch-order.ts";
import { describeStored } from "./describe-stored.ts";
import { Fetches } from "./fetches.ts";
import { HeadRequests } from "./head-requests.ts";
import { Judge } from "./judge.ts";
import { Misses, mustBeStored } from "./misses.ts";
import { RevalidationJitter } from "./revalidation-jitter.ts";
import { Slices } from "./slices.ts";
import { managedCache, type CacheExplanation, type ManagedCache, type RequestFields } from "./managed-cache.ts";
import { selectorsOf } from "./purge-requests.ts";
import type { ForwardReason } from "./rules/cache-status.ts";
import { noDirectives, parseDirectives, type Directives } from "./rules/directives.ts";
import { invalidatedUrls, isSafe } from "./rules/invalidating.ts";
import { decideReuse, whyNotReused } from "./rules/reuse.ts";
import { sliceKey } from "./rules/slicing.ts";
import { matchesVariant } from "./rules/vary.ts";
import { KeptBytes } from "./shared-content.ts";
import type { Wobject } from "./wobject.ts";

/**
 * Answers GET and HEAD with stored responses of the handlets behind it in the rule, by the rules of HTTP caching (RFC
 * 9111). Handlets before it, such as checkers, run for each request; revisers of the rule revise what is stored for
 * each client. For a response that is not stored there is one request to the handlets behind, whose answer goes to all
 * clients that wait for it. 504: `only-if-cached`, and it is not stored.
 */
export const cache = defineHandlet({
  sign: "cache",
  props: cacheProps,
  offers: [managedCache],
  check: checkCache,
  create: (context): HandletPart & ManagedCache => new Cache(context),
});

class Cache implements HandletPart, ManagedCache {
  readonly defaultMaxContentSize = Infinity;
  readonly #context: Context<CacheProps>;
  readonly #answers: Answers;
  readonly #fetches: Fetches;
  readonly #heads: HeadRequests;
  readonly #slices: Slices;
  readonly #judge: Judge;
  readonly #hidden: UnkeyedFields;
  readonly #jitter = new RevalidationJitter();
  readonly #misses: Misses;
  #keyOf: (req: Request) => string;

  constructor(context: Context<CacheProps>) {
    this.#context = context;
    const { props } = context;
    this.#answers = new Answers(() => props.statusName);
    this.#keyOf = keyMaker(props.key, props);
    this.#hidden = unkeyedFields(props.key);
    this.#judge = new Judge(props, () => this.#now());
    const fetching: FetchOptions = {
      cacher: () => props.withCacher.current,
      timeout: () => props.fetchTimeout,
      hidden: ({ hasTrustedSender }) => (hasTrustedSender ? this.#hidden.ofTrusted : this.#hidden.ofOthers),
      now: () => this.#now(),
      urlOf: (req) => urlMaker(props)(req),
      kept: new KeptBytes(() => props.maxArriving),
      locks: () => (this.isShared ? props.withLock?.current : undefined),
      lockWait: () => props.lockWait,
      judge: (order, requestTime, status, fieldList) => this.#judge.judge(order, requestTime, status, fieldList),
      endsReuse: (stored, received) => this.#judge.endsReuse(stored, received),
    };
    this.#fetches = new Fetches(fetching);
    const pass = (resp: Response, forward: ForwardReason, isCollapsed?: false) =>
      this.#pass(resp, forward, isCollapsed);
    const withoutFetch = (order: FetchOrder, forward: ForwardReason) => this.#withoutFetch(order, forward);
    this.#slices = new Slices({
      size: () => props.sliceSize,
      cacher: () => props.withCacher.current,
      fetches: this.#fetches,
      now: () => this.#now(),
      passTime: () => props.passTime,
      revalidate: (order) => this.#revalidate({ ...order, wishes: noDirectives }),
      purge: (url) => void this.#purgeQuietly({ url }),
    });
    this.#heads = new HeadRequests({
      ...fetching,
      answers: this.#answers,
      slices: this.#slices,
      pass,
      withoutFetch,
      leaveFetches: (url) => this.#fetches.purged({ url }),
      outdate: (url) => this.#purgeQuietly({ url }, { isSoft: true }),
    });
    this.#misses = new Misses({
      answers: this.#answers,
      fetches: this.#fetches,
      slices: this.#slices,
      now: () => this.#now(),
      sliceSize: () => props.sliceSize,
      pass,
      withoutFetch,
    });
  }

  compose(): void {
    const { sliceSize = 0, withCacher, withLock } = this.#context.props;
    const { maxWobjectSize } = withCacher.current;
    this.#fetches.cacherChanged();
    if (withLock !== undefined && !this.isShared) {
      this.#context.log.warn("withLock has no effect: no other process sees what the cacher stores", {
        cacher: withCacher.name,
      });
    }
    if (sliceSize <= maxWobjectSize) return;
    this.#context.log.warn("no slice can be stored: sliceSize is above maxWobjectSize of the cacher", {
      sliceSize,
      maxWobjectSize,
    });
  }

  update(): void {
    const { props } = this.#context;
    this.#keyOf = keyMaker(props.key, props);
    this.#judge.update();
  }

  shutdown(): void {
    this.#fetches.close();
  }

  #now(): number {
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
    const stored = this.#context.props.withCacher.current.lookup(key, req.headers);
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
    const now = this.#now();
    const { rule } = resp;
    const wishes = this.#wishesOf(req);
    const stored = variants.find(({ head }) => matchesVariant(head.variant, req.headers));
    // Whether the origin has what the client expects, only the origin knows (RFC 9111 section 4.3.2).
    if (stored !== undefined && this.#answers.refuses(req, stored)) return this.#pass(resp, "request");
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
    const forward =
      stored === undefined ? (variants.length > 0 ? "vary-miss" : "uri-miss") : whyNotReused(stored.head, wishes, now);
    if (!isRulePart(rule)) return false;
    const order: FetchOrder = { key, req, resp, rule, stored, wishes };
    const isRefused = stored === undefined && this.#judge.isRefused(order);
    if (stored === undefined && !isRefused && this.#slices.areUsedFor(key)) {
      const answering = req.method === "HEAD" ? this.#heads : this.#misses;
      return answering.answerSliced(order, forward);
    }
    if (stored !== undefined && req.method === "HEAD" && !wishes.has("only-if-cached")) {
      const selectable = variants.filter(({ head }) => matchesVariant(head.variant, req.headers));
      return this.#heads.answer({ ...order, stored }, selectable, forward);
    }
    if (mustBeStored(order)) return this.#withoutFetch(order, forward);
    return isRefused ? this.#pass(resp, forward) : this.#misses.answer(order, forward);
  }

  /** For a request that does not lead to a fetch. */
  #withoutFetch({ resp, wishes }: FetchOrder, forward: ForwardReason): boolean {
    if (wishes.has("only-if-cached")) {
      sendStatusPage(resp, 504);
      return true;
    }
    return this.#pass(resp, forward);
  }

  #revalidate(order: FetchOrder): void {
    const { maxRevalidations, revalidationJitter } = this.#context.props;
    if (this.#fetches.has(order.key) || this.#fetches.count >= maxRevalidations) return;
    const { key, stored } = order;
    if (stored !== undefined && this.#jitter.delays(key, stored.head, revalidationJitter, this.#now())) return;
    const fetch = this.#fetches.begin(order);
    fetch.run();
    void fetch.outcome.then(({ kind }) => {
      if (kind === "private") fetch.abort();
    });
  }

  /** Leaves the request to the handlets behind. `isCollapsed`: as for `cache-status`. */
  #pass(resp: Response, forward: ForwardReason, isCollapsed?: false): false {
    if (resp.req !== undefined) resp.req.cacheStatus = forward;
    const member = this.#answers.member({ forward, isCollapsed });
    if (member !== undefined) this.#onHead(resp, () => resp.addHeader("cache-status", member));
    return false;
  }

  #invalidateAfter(req: Request, resp: Response): void {
    const url = urlOf(req);
    this.#onHead(resp, () => {
      for (const invalid of invalidatedUrls(url, resp.status, new ListedFields(resp.fieldList))) {
        void this.#purgeQuietly({ url: invalid });
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

  // ---- purging and explaining ----

  get cacherName(): string {
    return this.#context.props.withCacher.name;
  }

  get isShared(): boolean {
    return this.#context.props.withCacher.current.isShared === true;
  }

  storedSelector(selector: PurgeSelector): PurgeSelector {
    return storedSelector(selector, this.#context.props);
  }

  purge(selector: PurgeSelector, options?: PurgeOptions): Promise<number> {
    const stored = this.storedSelector(selector);
    if (options?.isDryRun !== true) this.#fetches.purged(stored);
    return this.#context.props.withCacher.current.purge(stored, options);
  }

  async explainUrl(url: string, headers: RequestFields = {}): Promise<CacheExplanation> {
    const { props } = this.#context;
    const key = props.key === undefined ? storedUrl(url, props) : this.#keyOf(askedRequest(url, headers));
    const { sliceSize, withCacher } = props;
    const slices = sliceSize === undefined ? [] : [sliceKey({ wholeKey: key, offset: 0, size: sliceSize })];
    const variants = await describeStored(withCacher.current, [key, ...slices], this.#now());
    return { key, variants, refusal: this.#judge.refusalOf(key) };
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

  async #purgeQuietly(selector: PurgeSelector, options?: PurgeOptions): Promise<void> {
    try {
      await this.purge(selector, options);
    } catch (error) {
      this.#context.log.error("a stored response could not be made invalid", { error });
    }
  }
}

const directivesOf = memoizeField((field) => parseDirectives(field));

function isRulePart(rule: object | undefined): rule is RulePart {
  return rule !== undefined && "handleBehind" in rule;
}
