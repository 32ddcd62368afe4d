// Answers requests for what is not stored, or is to be validated: by one fetch for all that wait for it.

import type { Response } from "../response/response.ts";
import { sendStatusPage } from "../response/status-page.ts";
import type { Answers } from "./answers.ts";
import type { Fetch } from "./fetch.ts";
import type { FetchOrder, Outcome } from "./fetch-order.ts";
import type { Fetches } from "./fetches.ts";
import { staleIfError, type CacheStatus, type ForwardReason } from "./rules/cache-status.ts";
import { decideReuse } from "./rules/reuse.ts";
import { firstByteIn } from "./rules/slicing.ts";
import { matchesVariant } from "./rules/vary.ts";
import type { Slices } from "./slices.ts";
import { withFields } from "./wobject.ts";

/** What it needs of its cache. */
export interface MissesOptions {
  readonly answers: Answers;
  readonly fetches: Fetches;
  readonly slices: Slices;
  /** In milliseconds since the epoch. */
  readonly now: () => number;
  /** In bytes. */
  readonly sliceSize: () => number | undefined;
  /** Leaves a request to the handlets behind. `isCollapsed`: false if it has waited for the answer to another one. */
  readonly pass: (resp: Response, forward: ForwardReason, isCollapsed?: false) => false;
  /** For a request that does not lead to a fetch. */
  readonly withoutFetch: (order: FetchOrder, forward: ForwardReason) => boolean;
}

/** Of one cache. */
export class Misses {
  readonly #options: MissesOptions;

  constructor(options: MissesOptions) {
    this.#options = options;
  }

  /** By slices of the resource. */
  async answerSliced(order: FetchOrder, forward: ForwardReason): Promise<boolean> {
    const { answers, slices, now, sliceSize, pass, withoutFetch } = this.#options;
    const { key, req, resp } = order;
    const first = firstByteIn(req.header("range"));
    using slice = mustBeStored(order) ? await slices.stored(order, first) : await slices.obtain(order, first, forward);
    if (slice === undefined) return withoutFetch(order, forward);
    if (slice.kind === "slice") {
      const whole = slices.whole(order, slice);
      // As for what is stored as a whole: only the origin knows (RFC 9111 section 4.3.2).
      if (answers.refuses(req, whole)) return pass(resp, "request");
      if (slice.status === undefined) return await answers.sendHit(req, resp, whole, now());
      return await answers.send(req, resp, whole, slice.status, now());
    }
    const { outcome, fetch, isCollapsed } = slice;
    if (outcome.kind === "private") {
      // What must not be stored is asked for as the client did; an empty resource has no slice.
      const isEmpty = outcome.status === 416 && first < (sliceSize() ?? 0);
      if (isEmpty) slices.note(key, "it is empty");
      if (isEmpty || outcome.status === 206) {
        if (!isCollapsed) fetch.abort();
        return isEmpty ? await this.answer(order, forward) : pass(resp, forward, isCollapsed ? false : undefined);
      }
    }
    if (outcome.kind === "unsliceable") {
      slices.note(key, outcome.reason);
      return await this.answer(order, forward);
    }
    const answered = await this.#answerWith(fetch, outcome, { isCollapsed, hasWaited: isCollapsed }, order, forward);
    return typeof answered === "boolean" ? answered : await this.answer(order, forward);
  }

  /** By the resource as a whole. Resolves with whether the request is answered, or left to the handlets behind. */
  async answer(first: FetchOrder, forward: ForwardReason): Promise<boolean> {
    const { fetches, pass } = this.#options;
    let order = first;
    let hasWaited = false;
    // Each round, a fetch has brought another variant than this request wants, or confirmed another response.
    for (let round = 0; round < maxRounds; round++) {
      const running = fetches.find(order);
      const fetch = running ?? fetches.begin(order);
      const isCollapsed = running !== undefined;
      hasWaited ||= isCollapsed;
      const answered = await this.#answerBy(fetch, { isCollapsed, hasWaited }, order, forward);
      if (typeof answered === "boolean") return answered;
      if (answered === "unconfirmed") order = { ...order, stored: undefined };
    }
    return pass(first.resp, forward, hasWaited ? false : undefined);
  }

  async #answerBy(fetch: Fetch, joined: Joined, order: FetchOrder, forward: ForwardReason): Promise<Answered> {
    using _client = fetch.join();
    if (!joined.isCollapsed) fetch.run();
    return await this.#answerWith(fetch, await fetch.outcome, joined, order, forward);
  }

  async #answerWith(
    fetch: Fetch,
    outcome: Outcome,
    { isCollapsed, hasWaited }: Joined,
    { req, resp, wishes }: FetchOrder,
    forward: ForwardReason,
  ): Promise<Answered> {
    const { answers, now, pass } = this.#options;
    const inVain = hasWaited ? false : undefined;
    const status: CacheStatus = { forward, isCollapsed: isCollapsed || inVain };
    switch (outcome.kind) {
      case "untaken":
        return pass(resp, forward, inVain);
      case "failed":
        sendStatusPage(resp, outcome.status);
        return true;
      case "unsliceable":
      case "unconfirmed":
        return "unconfirmed";
      case "confirmed":
        if (isCollapsed && outcome.isPrivate) return pass(resp, forward, inVain);
        if (!matchesVariant(outcome.wobject.head.variant, req.headers)) return "another";
        return await answers.send(
          req,
          resp,
          isCollapsed ? outcome.wobject : withFields(outcome.wobject, outcome.ownFields),
          { ...status, forwardStatus: 304 },
          now(),
        );
      case "filled":
        if (!matchesVariant(outcome.wobject.head.variant, req.headers)) return "another";
        // It may have been stored before a request that waits was there.
        if (decideReuse(outcome.wobject.head, wishes, now()) === "validate") return "another";
        return await answers.send(req, resp, outcome.wobject, { ...status, isCollapsed: true }, now());
      case "stale":
        if (!matchesVariant(outcome.wobject.head.variant, req.headers)) return "another";
        return await answers.send(req, resp, outcome.wobject, { ...status, ...staleIfError(outcome) }, now());
      case "shared":
        if (isCollapsed && outcome.isPrivate) return pass(resp, forward, inVain);
        if (!matchesVariant(outcome.head.variant, req.headers)) return "another";
        return await answers.sendArriving(
          req,
          resp,
          isCollapsed ? outcome : { ...outcome, fieldList: outcome.ownFields },
          { ...status, isStored: true },
        );
      case "private":
        if (isCollapsed) return pass(resp, forward, inVain);
        // Nobody else reads it.
        req.onAbort(() => fetch.abort());
        try {
          return await answers.sendArriving(req, resp, outcome, status);
        } finally {
          fetch.abort();
        }
    }
  }
}

/** How a request came to a fetch. */
interface Joined {
  /** The fetch is that of another request. */
  readonly isCollapsed: boolean;
  /** It has waited for that of another one: for this, or one before. */
  readonly hasWaited: boolean;
}

/** Whether a request was answered; or the fetch has brought another variant, or confirmed another response. */
type Answered = boolean | "another" | "unconfirmed";

/** Not a prop: a resource with more variants at once is served without waiting for others. */
const maxRounds = 10;

/** HEAD is not worth a fetch of the content. */
export function mustBeStored({ req, wishes }: FetchOrder): boolean {
  return req.method === "HEAD" || wishes.has("only-if-cached");
}
