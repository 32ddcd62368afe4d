// Fetches of one cache: one request to the backend for all clients that want the same.
//
//   client ─┐                                 ┌─ shared: all that wait get it, as it comes
//   client ─┼─> Fetch ──> handlets behind ────┼─ confirmed, stale: all get what was stored
//   client ─┘   (its own wire)                ├─ private: the first gets it, the others ask for themselves, at once
//                                             └─ untaken: no handlet behind takes the request

import type { ExchanError } from "../../http/exchan-error.ts";
import { ListedFields } from "../../http/fields.ts";
import type { Request } from "../request/request.ts";
import type { Response } from "../response/response.ts";
import type { RulePart } from "../kinds.ts";
import { selects, type CacherPart, type PurgeSelector, type WobjectWriter } from "./cacher.ts";
import { FetchWire, type FetchListener } from "./fetch-wire.ts";
import { mayReplaceFailure } from "./rules/reuse.ts";
import { isFailure } from "./rules/statuses.ts";
import { conditionFields, confirms } from "./rules/validating.ts";
import type { Directives } from "./rules/directives.ts";
import { matchesVariant, type Variant } from "./rules/vary.ts";
import { SharedContent, type KeptBytes } from "./shared-content.ts";
import type { Wobject, WobjectHead } from "./wobject.ts";

/** How a fetch ended, as soon as its head is known. */
export type Outcome =
  | {
      readonly kind: "shared" | "private";
      readonly status: number;
      readonly fieldList: readonly string[];
      readonly size: number | undefined;
      readonly content: SharedContent;
      /** The requests that may have it. */
      readonly variant: Variant;
    }
  | { readonly kind: "confirmed"; readonly wobject: Wobject }
  | { readonly kind: "stale"; readonly wobject: Wobject; readonly status: number | undefined }
  /** A 304 about another response than the stored one: it is to be fetched without conditions. */
  | { readonly kind: "unconfirmed" }
  | { readonly kind: "untaken" }
  | { readonly kind: "failed"; readonly status: 502 | 504 };

/** What to fetch. */
export interface FetchOrder {
  readonly key: string;
  readonly req: Request;
  readonly resp: Response;
  readonly rule: RulePart;
  /** The response to validate. */
  readonly stored: Wobject | undefined;
  /** The directives of the request. */
  readonly wishes: Directives;
}

/** What a cache makes of a head that has come. */
export interface FetchOptions {
  readonly cacher: () => CacherPart;
  /** In milliseconds. */
  readonly timeout: () => number;
  /** The fields of clients that handlets behind the cache must not see. */
  readonly hidden: () => ReadonlySet<string>;
  readonly now: () => number;
  /** The URL that purges name. */
  readonly urlOf: (req: Request) => string;
  /** Of all fetches. */
  readonly kept: KeptBytes;
  /** The head to store; `undefined` if the response must not be stored. */
  readonly judge: (
    order: FetchOrder,
    requestTime: number,
    status: number,
    fieldList: readonly string[],
  ) => WobjectHead | undefined;
}

/** What came from another cache has an age when it comes (RFC 9111 section 5.1). */
function withAge({ fieldList, initialAge }: WobjectHead, received: Pick<ListedFields, "has">): readonly string[] {
  return received.has("age") ? ["age", String(Math.floor(initialAge / 1000)), ...fieldList] : fieldList;
}

/** The fetches under way. */
export class Fetches {
  readonly #options: FetchOptions;
  readonly #running = new Map<string, readonly Fetch[]>();

  constructor(options: FetchOptions) {
    this.#options = options;
  }

  /** Whether one is under way for this key. */
  has(key: string): boolean {
    return this.#running.has(key);
  }

  /** How many are under way. */
  get count(): number {
    return this.#running.size;
  }

  /** A fetch under way that may bring what the request wants. */
  find(key: string, req: Request): Fetch | undefined {
    return this.#running.get(key)?.find((fetch) => fetch.mayServe(req));
  }

  /** `run` of the fetch is to follow, when its client has joined it. */
  begin(order: FetchOrder): Fetch {
    const { key } = order;
    const fetch: Fetch = new Fetch(order, this.#options, () => {
      const left = (this.#running.get(key) ?? []).filter((other) => other !== fetch);
      if (left.length === 0) this.#running.delete(key);
      else this.#running.set(key, left);
    });
    this.#running.set(key, [...(this.#running.get(key) ?? []), fetch]);
    return fetch;
  }

  /** Requests from now on must not get what was asked for before a purge. */
  purged(selector: PurgeSelector): void {
    for (const fetches of this.#running.values()) for (const fetch of fetches) fetch.purged(selector);
  }

  /** Breaks off all that is under way. */
  close(): void {
    for (const fetches of this.#running.values()) for (const fetch of fetches) fetch.abort();
  }
}

/** One of them. */
export class Fetch implements FetchListener {
  readonly #order: FetchOrder;
  readonly #options: FetchOptions;
  readonly #over: () => void;
  readonly #outcome = Promise.withResolvers<Outcome>();
  #known: Outcome | undefined;
  readonly #content: SharedContent;
  /** How many wait for it, or read it. */
  #clients = 0;
  #wire: FetchWire | undefined;
  #writer: WobjectWriter | undefined;
  /** What will be stored; `undefined`: nothing, or it is not known yet. */
  #head: WobjectHead | undefined;
  #requestTime = 0;
  /** Nothing of the response is wanted, such as that of a 304. */
  #isDropped = false;
  #isPurged = false;

  constructor(order: FetchOrder, options: FetchOptions, over: () => void) {
    this.#order = order;
    this.#options = options;
    this.#over = over;
    this.#content = new SharedContent(options.kept);
  }

  /** Resolves when the head has come. Never rejects. */
  get outcome(): Promise<Outcome> {
    return this.#outcome.promise;
  }

  /** Whether a request may wait for it: a response that has come must fit it, and be kept from its begin. */
  mayServe(req: Request): boolean {
    if (this.#isPurged) return false;
    const known = this.#known;
    return known === undefined || (known.kind === "shared" && matchesVariant(known.variant, req.headers));
  }

  /** A client waits for it until the result is disposed of. */
  join(): Disposable {
    this.#clients++;
    return {
      [Symbol.dispose]: () => {
        this.#clients--;
        this.#abortIfUnwanted();
      },
    };
  }

  /** Before the head has come, any tag may be that of the response. */
  purged(selector: PurgeSelector): void {
    const mayHaveTag = this.#head === undefined && typeof selector === "object" && "tag" in selector;
    const about = this.#head ?? { url: this.#options.urlOf(this.#order.req), tags: [] };
    this.#isPurged ||= mayHaveTag || selects(selector, about);
  }

  run(): void {
    const { key, req, resp, rule, stored } = this.#order;
    this.#requestTime = this.#options.now();
    this.#writer = this.#options.cacher().begin(key);
    const fields = stored === undefined ? [] : conditionFields(new ListedFields(stored.head.fieldList));
    const wire = new FetchWire(req, { fields, hidden: this.#options.hidden(), timeout: this.#options.timeout() }, this);
    this.#wire = wire;
    const taken = resp.detach(wire, (inner, innerResp) => rule.handleBehind(req, inner, innerResp));
    if (taken === false) this.#notTaken();
    else if (taken !== true) void taken.then((taken) => taken || this.#notTaken());
  }

  abort(): void {
    this.#wire?.abort();
  }

  // ---- the response ----

  headCame(status: number, fieldList: readonly string[], size: number | undefined): void {
    const { stored, wishes } = this.#order;
    const now = this.#options.now();
    const received = new ListedFields(fieldList);
    if (stored !== undefined && status === 304) {
      this.#isDropped = true;
      if (!confirms(received, new ListedFields(stored.head.fieldList))) return this.#settle({ kind: "unconfirmed" });
      const head = this.#options.judge(this.#order, this.#requestTime, status, fieldList);
      if (head !== undefined) this.#options.cacher().freshen(stored, head);
      const wobject = head === undefined ? stored : { head, source: stored.source };
      return this.#settle({ kind: "confirmed", wobject });
    }
    if (stored !== undefined && isFailure(status) && mayReplaceFailure(stored.head, wishes, now)) {
      this.#isDropped = true;
      return this.#settle({ kind: "stale", wobject: stored, status });
    }
    const fits = size === undefined || size <= this.#options.cacher().maxWobjectSize;
    const head = fits ? this.#options.judge(this.#order, this.#requestTime, status, fieldList) : undefined;
    this.#head = head;
    if (head === undefined) this.#stopStoring();
    const content = this.#content;
    const kind = head === undefined ? "private" : "shared";
    this.#settle({
      kind,
      status,
      fieldList: head === undefined ? fieldList : withAge(head, received),
      size,
      content,
      variant: head?.variant ?? [],
    });
  }

  contentCame(piece: Uint8Array): boolean {
    if (this.#isDropped) return true;
    const hasRoom = this.#content.add(piece);
    if (this.#head === undefined) return hasRoom;
    if (this.#content.size > this.#options.cacher().maxWobjectSize || this.#options.kept.isFull) {
      // Those who read it go on, and others can join no more.
      this.#head = undefined;
      this.#stopStoring();
      this.#over();
      this.#abortIfUnwanted();
      return this.#content.hasRoom;
    }
    this.#writer?.write(piece);
    return true;
  }

  room(): Promise<void> {
    return this.#content.room();
  }

  ended(): void {
    this.#content.end();
    const writer = this.#writer;
    this.#writer = undefined;
    if (this.#head === undefined) writer?.abort();
    else {
      const committed = writer?.commit(this.#head);
      // What cannot be stored is served all the same.
      if (committed instanceof Promise) {
        committed.catch(() => undefined).finally(this.#over);
        return;
      }
    }
    this.#over();
  }

  broken(error: ExchanError): void {
    const { stored, wishes } = this.#order;
    this.#content.fail(error);
    this.#stopStoring();
    const mayStandIn = stored !== undefined && mayReplaceFailure(stored.head, wishes, this.#options.now());
    this.#settle(
      mayStandIn
        ? { kind: "stale", wobject: stored, status: undefined }
        : { kind: "failed", status: error.code === "HEMI_TIMEOUT" ? 504 : 502 },
    );
    this.#over();
  }

  /** What is not stored is for its clients alone. */
  #abortIfUnwanted(): void {
    if (this.#clients === 0 && this.#known?.kind === "shared" && this.#head === undefined) this.abort();
  }

  #notTaken(): void {
    this.#settle({ kind: "untaken" });
    this.abort();
  }

  #settle(outcome: Outcome): void {
    this.#known ??= outcome;
    this.#outcome.resolve(this.#known);
  }

  #stopStoring(): void {
    this.#writer?.abort();
    this.#writer = undefined;
    this.#content.keepWindow();
  }
}
