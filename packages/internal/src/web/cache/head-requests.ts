// HEAD that nothing stored may answer: the handlets behind are asked as by a fetch, and their answer tells whether the
// stored responses to GET are still current (RFC 9111 section 4.3.5).

import { ListedFields } from "../../http/fields.ts";
import type { Response } from "../response/response.ts";
import { sendStatusPage } from "../response/status-page.ts";
import type { Answers, ArrivingContent } from "./answers.ts";
import type { WobjectWriter } from "./cacher.ts";
import type { FetchOptions, FetchOrder } from "./fetch-order.ts";
import { FetchWire } from "./fetch-wire.ts";
import { staleIfError, type ForwardReason } from "./rules/cache-status.ts";
import { mayReplaceFailure, whyNotReused } from "./rules/reuse.ts";
import { isFailure } from "./rules/statuses.ts";
import { agrees } from "./rules/validating.ts";
import { headOfWhole, sliceOf, type Slices, type StoredSlice } from "./slices.ts";
import type { Wobject } from "./wobject.ts";

/** What they need of their cache. */
export interface HeadRequestsOptions extends FetchOptions {
  readonly answers: Answers;
  readonly slices: Slices;
  /** Leaves a request to the handlets behind. */
  readonly pass: (resp: Response, forward: ForwardReason) => false;
  /** For a request of a resource of which nothing is stored. */
  readonly withoutFetch: (order: FetchOrder, forward: ForwardReason) => boolean;
  /** The fetches of this URL that are under way are not for requests from now on. */
  readonly leaveFetches: (url: string) => void;
  /** Makes all that is stored of this URL stale. Never rejects. */
  readonly outdate: (url: string) => Promise<void>;
}

/** A stored response, or a slice of one, and what asks for it. */
type StoredOrder = FetchOrder & { readonly stored: Wobject };

/** Stored responses with which an answer is compared: `size` is that of the resource, in bytes. */
type Selectable = (size: number) => Iterable<StoredOrder> | AsyncIterable<StoredOrder>;

type HeadOutcome =
  | {
      readonly kind: "came";
      readonly status: number;
      readonly fieldList: readonly string[];
      /** In bytes; `undefined`: it was not announced. */
      readonly size: number | undefined;
    }
  | { readonly kind: "untaken" }
  | { readonly kind: "failed"; readonly status: 502 | 504 };

type CameHead = Extract<HeadOutcome, { kind: "came" }>;

/** Of one cache. */
export class HeadRequests {
  readonly #options: HeadRequestsOptions;

  constructor(options: HeadRequestsOptions) {
    this.#options = options;
  }

  /**
   * Answers with what the handlets behind say. `selectable`: all stored responses that could have answered, with that
   * of the order. Resolves with whether the request is answered, or left to the handlets behind.
   */
  async answer(order: StoredOrder, selectable: readonly Wobject[], forward: ForwardReason): Promise<boolean> {
    return await this.#answer(order, () => selectable.map((stored) => ({ ...order, stored })), forward);
  }

  /** Answers for a resource that is cached in slices: with a stored slice, unless it must be validated. */
  async answerSliced(order: FetchOrder, forward: ForwardReason): Promise<boolean> {
    const { answers, slices, now, pass, withoutFetch } = this.#options;
    const { req, resp, wishes } = order;
    const slice = await slices.anyStored(order);
    if (slice === undefined) return withoutFetch(order, forward);
    const whole = wholeOf(slice);
    if (answers.refuses(req, whole)) return pass(resp, "request");
    if (slices.mayReuse(slice)) return await answers.sendHit(req, resp, whole, now());
    const reason = whyNotReused(whole.head, wishes, now());
    if (wishes.has("only-if-cached")) return withoutFetch(order, reason);
    const stored = { ...order, stored: whole };
    return await this.#answer(stored, (size) => slices.storedOf(order, Math.max(size, whole.source.size)), reason);
  }

  async #answer(order: StoredOrder, selectable: Selectable, forward: ForwardReason): Promise<boolean> {
    const { answers, cacher, now, pass } = this.#options;
    const { key, req, resp, stored, wishes } = order;
    const requestTime = now();
    // Not to store anything: a purge from here on holds for the update.
    const purges = cacher().begin(key);
    try {
      const outcome = await this.#ask(order);
      if (outcome.kind === "untaken") return pass(resp, forward);
      const hasFailed = outcome.kind === "failed" || isFailure(outcome.status);
      if (hasFailed && mayReplaceFailure(stored.head, wishes, now())) {
        const { status } = outcome.kind === "failed" ? { status: undefined } : outcome;
        return await answers.send(req, resp, stored, { forward, ...staleIfError({ status }) }, now());
      }
      if (outcome.kind === "failed") {
        sendStatusPage(resp, outcome.status);
        return true;
      }
      if (outcome.status === 200) {
        for await (const one of selectable(outcome.size ?? 0)) {
          await this.#compare(one, outcome, requestTime, purges);
        }
      }
      return await answers.sendArriving(req, resp, { ...outcome, content: noContent }, { forward });
    } finally {
      purges.abort();
    }
  }

  /** By a wire of its own, as fetches do: fields by which a client could plant another response are not passed on. */
  #ask({ req, resp, rule }: FetchOrder): Promise<HeadOutcome> {
    const { hidden, timeout } = this.#options;
    const { promise, resolve } = Promise.withResolvers<HeadOutcome>();
    const wire = new FetchWire(
      req,
      { method: "HEAD", fields: [], hidden: hidden(req), timeout: timeout() },
      {
        headCame: (status, fieldList, size) => resolve({ kind: "came", status, fieldList, size }),
        contentCame: () => true,
        room: () => Promise.resolve(),
        ended: () => {},
        broken: ({ code }) => resolve({ kind: "failed", status: code === "HEMI_TIMEOUT" ? 504 : 502 }),
      },
    );
    const notTaken = (): void => {
      resolve({ kind: "untaken" });
      wire.abort();
    };
    req.onAbort(() => wire.abort());
    const taken = resp.detach(wire, (inner, innerResp) => rule.handleBehind(req, inner, innerResp));
    if (taken === false) notTaken();
    else if (taken !== true) void taken.then((taken) => taken || notTaken());
    return promise;
  }

  /** Updates a stored response, or makes it stale if the answer is that of another one. */
  async #compare(
    order: StoredOrder,
    { fieldList, size }: CameHead,
    requestTime: number,
    purges: WobjectWriter,
  ): Promise<void> {
    const { cacher, judge, endsReuse, leaveFetches, outdate } = this.#options;
    const { stored, slice } = order;
    const { head } = stored;
    const wholeSize = slice === undefined ? stored.source.size : sliceOf(head).total;
    // What was stored or validated since is newer than the answer.
    if (head.storedAt > requestTime || purges.isPurged?.(head) === true) return;
    if (!agrees({ fields: new ListedFields(fieldList), size }, { fieldList: head.fieldList, size: wholeSize })) {
      // Known already: a fetch that has begun since then is to be stored.
      if (head.isOutdated) return;
      // Other slices are of the same response, also those that nobody has looked up.
      if (slice !== undefined) return await outdate(head.url);
      leaveFetches(head.url);
      cacher().freshen(stored, { ...head, isOutdated: true });
      return;
    }
    // It has the fields of a 304 (section 3.2).
    const storable = judge(order, requestTime, 304, fieldList);
    if (storable !== undefined) cacher().freshen(stored, storable.head);
    else if (endsReuse(stored, fieldList)) {
      if (slice !== undefined) return await outdate(head.url);
      cacher().freshen(stored, { ...head, noCache: true });
    }
  }
}

/** The response that a slice is of, for answers without content. */
function wholeOf({ stored: { head } }: StoredSlice): Wobject {
  return { head: headOfWhole(head), source: noContent.asSource(sliceOf(head).total) };
}

const noContent: ArrivingContent = {
  whole: undefined,
  asSource: (size) => ({ size, open: () => ({ read: nothing, [Symbol.dispose]: () => {} }) }),
  read: nothing,
};

async function* nothing(): AsyncGenerator<Uint8Array, void, void> {}
