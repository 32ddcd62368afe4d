// Large resources, cached in slices: each slice is asked for by a range, and stored as a wobject of its own.
//
//   resource    ├── slice ──┼── slice ──┼── slice ──┼─ … ─┤
//   client               ├────────────────────┤              a range, or all of it
//   backend                 ├── slice ──┤                     only what is not stored
//
// All slices of one answer are of one response: they have one strong etag. When the resource changes while it is sent,
// the answer breaks off, and its slices are purged.

import { hash } from "node:crypto";
import { LRUCache } from "lru-cache";
import { ListedFields } from "../../http/fields.ts";
import { HemiError } from "../../errors/hemi-error.ts";
import type { ByteRange } from "../response/range.ts";
import type { OpenSource, Source } from "../response/source.ts";
import type { CacherPart } from "./cacher.ts";
import type { Fetch } from "./fetch.ts";
import type { FetchOrder, Outcome } from "./fetch-order.ts";
import type { Fetches } from "./fetches.ts";
import { Refusals } from "./refusals.ts";
import { staleIfError, type CacheStatus, type ForwardReason } from "./rules/cache-status.ts";
import { decideReuse } from "./rules/reuse.ts";
import { isSame, sliceKey, slicedResponse, withoutRange, type Slice, type SlicedResponse } from "./rules/slicing.ts";
import { matchesVariant } from "./rules/vary.ts";
import { withFields, type Wobject, type WobjectHead } from "./wobject.ts";

/** What slices need of their cache. */
export interface SlicesOptions {
  /** Of a slice, in bytes; `undefined`: nothing is sliced. */
  readonly size: () => number | undefined;
  readonly cacher: () => CacherPart;
  readonly fetches: Fetches;
  /** In milliseconds since the epoch. */
  readonly now: () => number;
  /** How long a resource that cannot be sliced is asked for as a whole, in milliseconds. */
  readonly passTime: () => number;
  /** Validates a stored slice in the background. */
  readonly revalidate: (order: FetchOrder) => void;
  /** Purges all slices of a URL. */
  readonly purge: (url: string) => void;
}

/** A slice for one client. It is kept until it is disposed. */
export interface ObtainedSlice extends Disposable {
  readonly kind: "slice";
  /** Its head has the status 206. */
  readonly wobject: Wobject;
  readonly response: SlicedResponse;
  /** Where it begins, in bytes. */
  readonly offset: number;
  /** How it was obtained; `undefined`: it was stored, and needed no request. */
  readonly status: CacheStatus | undefined;
  /** Parts of the slice. */
  readonly opened: OpenSource;
}

/** A slice that is stored, and what asks for it. */
export type StoredSlice = FetchOrder & { readonly slice: Slice; readonly stored: Wobject };

/** The answer to the request for a slice is not a slice. */
export interface NoSlice extends Disposable {
  readonly kind: "none";
  readonly outcome: Outcome;
  readonly fetch: Fetch;
  readonly isCollapsed: boolean;
}

export class Slices {
  readonly #options: SlicesOptions;
  /** Resources that are asked for as a whole. */
  readonly #unsliced = new Refusals();
  /** By resource, as a hash: where a client began that did not want the first slice. */
  readonly #begun = new LRUCache<string, number>({ max: maxBegun });

  constructor(options: SlicesOptions) {
    this.#options = options;
  }

  /** Whether a resource is asked for in slices. */
  areUsedFor(key: string): boolean {
    const { size, now } = this.#options;
    return size() !== undefined && !this.#unsliced.has(key, now());
  }

  /** A resource cannot be sliced. */
  note(key: string, reason: string): void {
    const { now, passTime } = this.#options;
    this.#unsliced.add(key, reason, { now: now(), time: passTime() });
  }

  /** The slice with this byte, if it is stored and needs no request. */
  async stored(asked: FetchOrder, byte: number): Promise<ObtainedSlice | undefined> {
    const order = this.#orderOf(asked, byte);
    const found = await this.#lookup(order, undefined);
    if (found === undefined || !this.mayReuse({ ...order, stored: found })) return undefined;
    return obtained(order.slice, found, undefined);
  }

  /** A stored slice, fresh or not: the first one, or that with which a client began. */
  async anyStored(asked: FetchOrder): Promise<StoredSlice | undefined> {
    for (const byte of new Set([0, this.#begun.get(hashOf(asked.key)) ?? 0])) {
      const order = this.#orderOf(asked, byte);
      const stored = await this.#lookup(order, undefined);
      if (stored !== undefined) return { ...order, stored };
    }
    return undefined;
  }

  /** The first stored slices, up to a limit, that the request selects. `size`: of the resource, in bytes. */
  async *storedOf(asked: FetchOrder, size: number): AsyncGenerator<StoredSlice, void, void> {
    const step = this.#options.size() ?? Infinity;
    for (let i = 0; i < maxListed && i * step < size; i++) {
      const order = this.#orderOf(asked, i * step);
      for (const stored of await this.#variants(order)) yield { ...order, stored };
    }
  }

  /** Whether a slice needs no request for its client; it may be validated in the background. */
  mayReuse(order: StoredSlice): boolean {
    const reuse = this.#reuseOf(order.stored, order);
    if (reuse === "revalidating") this.#options.revalidate(order);
    return reuse !== "validate";
  }

  /** The slice with this byte: `response` is that of the slices before it. */
  async obtain(
    asked: FetchOrder,
    byte: number,
    forward: ForwardReason,
    response?: SlicedResponse,
  ): Promise<ObtainedSlice | NoSlice> {
    let order = this.#orderOf(asked, byte);
    const { offset } = order.slice;
    if (response === undefined && offset > 0) this.#begun.set(hashOf(asked.key), offset);
    const found = await this.#lookup(order, response);
    if (found !== undefined) {
      const stored = { ...order, stored: found };
      if (this.mayReuse(stored)) return obtained(order.slice, found, undefined);
      order = stored;
    }
    for (let round = 0; ; round++) {
      const running = round < maxRounds ? this.#options.fetches.find(order) : undefined;
      const isCollapsed = running !== undefined;
      const fetch = running ?? this.#options.fetches.begin(order);
      const client = fetch.join();
      if (!isCollapsed) fetch.run();
      const outcome = await fetch.outcome;
      const status = {
        forward: found === undefined ? forward : "stale",
        isCollapsed: isCollapsed || undefined,
      } as const;
      const slice = sliceIn(order.slice, outcome, status, client);
      const isForAnother = isCollapsed && "isPrivate" in outcome && outcome.isPrivate;
      if (isForAnother) round = maxRounds;
      else if (slice !== undefined && this.#isFor(asked, slice, outcome)) return slice;
      if (outcome.kind !== "unconfirmed" && slice === undefined) {
        return { kind: "none", outcome, fetch, isCollapsed, [Symbol.dispose]: () => client[Symbol.dispose]() };
      }
      (slice ?? client)[Symbol.dispose]();
      order = { ...order, stored: undefined };
    }
  }

  /** The whole response that a slice is of: its other slices are obtained when they are read. */
  whole(asked: FetchOrder, first: ObtainedSlice): Wobject {
    const { head } = first.wobject;
    const read = (range: ByteRange) => this.#read(asked, first, range);
    const source: Source = {
      size: first.response.total,
      open: () => ({ read, [Symbol.dispose]: () => {} }),
    };
    return { head: headOfWhole(head), source };
  }

  async *#read(
    asked: FetchOrder,
    first: ObtainedSlice,
    { offset, size }: ByteRange,
  ): AsyncGenerator<Uint8Array, void, void> {
    const end = offset + size;
    for (let at = offset; at < end;) {
      const { slice } = this.#orderOf(asked, at);
      const range = { offset: at - slice.offset, size: Math.min(slice.offset + slice.size, end) - at };
      if (slice.offset === first.offset) yield* first.opened.read(range);
      else {
        using next = await this.#next(asked, first, at);
        yield* next.opened.read(range);
      }
      at += range.size;
    }
  }

  async #next(asked: FetchOrder, first: ObtainedSlice, byte: number): Promise<ObtainedSlice> {
    const next = await this.obtain(asked, byte, "uri-miss", first.response);
    if (next.kind === "slice" && isSame(next.response, first.response)) return next;
    next[Symbol.dispose]();
    const { url } = first.wobject.head;
    if (next.kind === "none") {
      if (next.outcome.kind === "private") next.fetch.abort();
      throw new HemiError("HEMI_BACKEND_BROKEN", `the slice of ${url} from byte ${byte} on did not come`);
    }
    this.#options.purge(url);
    throw new HemiError("HEMI_BACKEND_BROKEN", `${url} has changed while it was sent: its slices have two etags`);
  }

  /** `response`: a stored slice of another one is of no use. */
  async #lookup(order: FetchOrder, response: SlicedResponse | undefined): Promise<Wobject | undefined> {
    const found = await this.#variants(order);
    return found.find(({ head }) => response === undefined || isSame(sliceOf(head), response));
  }

  /** Slices that the request selects. */
  async #variants({ key, req }: FetchOrder): Promise<readonly Wobject[]> {
    const variants = await this.#options.cacher().lookup(key);
    return variants.filter(({ head }) => sliceOf(head) !== noResponse && matchesVariant(head.variant, req.headers));
  }

  #isFor(asked: FetchOrder, { wobject }: ObtainedSlice, { kind }: Outcome): boolean {
    if (!matchesVariant(wobject.head.variant, asked.req.headers)) return false;
    // It may have been stored before a request that waits was there.
    return kind !== "filled" || this.#reuseOf(wobject, asked) !== "validate";
  }

  #reuseOf({ head }: Wobject, { wishes }: FetchOrder): ReturnType<typeof decideReuse> {
    return decideReuse(head, wishes, this.#options.now());
  }

  #orderOf(asked: FetchOrder, byte: number): FetchOrder & { readonly slice: Slice } {
    const size = this.#options.size() ?? Infinity;
    const slice = { offset: byte - (byte % size), size, wholeKey: asked.key };
    return { ...asked, key: sliceKey(slice), slice, stored: undefined };
  }
}

function sliceIn(slice: Slice, outcome: Outcome, status: CacheStatus, client: Disposable): ObtainedSlice | undefined {
  switch (outcome.kind) {
    case "confirmed": {
      const { wobject, ownFields } = outcome;
      const own = status.isCollapsed === true ? wobject : withFields(wobject, ownFields);
      return obtained(slice, own, { ...status, forwardStatus: 304 }, client);
    }
    case "filled":
      return obtained(slice, outcome.wobject, { ...status, isCollapsed: true }, client);
    case "stale":
      return obtained(slice, outcome.wobject, { ...status, ...staleIfError(outcome) }, client);
    case "shared": {
      const { head, ownFields, content, size } = outcome;
      if (head.status !== 206) return undefined;
      const wobject = { head, source: content.asSource(size ?? 0) };
      const own = status.isCollapsed === true ? wobject : withFields(wobject, ownFields);
      return obtained(slice, own, { ...status, isStored: true }, client);
    }
    default:
      return undefined;
  }
}

function obtained(
  { offset }: Slice,
  wobject: Wobject,
  status: CacheStatus | undefined,
  client?: Disposable,
): ObtainedSlice {
  const opened = wobject.source.open();
  return {
    kind: "slice",
    wobject,
    offset,
    status,
    response: sliceOf(wobject.head),
    opened,
    [Symbol.dispose]() {
      opened[Symbol.dispose]();
      client?.[Symbol.dispose]();
    },
  };
}

/** The head of the response that a slice with this one is of. */
export function headOfWhole(head: WobjectHead): WobjectHead {
  return { ...head, status: 200, fieldList: withoutRange(head.fieldList) };
}

/** The response that a slice with this head is of. */
export function sliceOf({ fieldList }: WobjectHead): SlicedResponse {
  return slicedResponse(new ListedFields(fieldList)) ?? noResponse;
}

function hashOf(key: string): string {
  return hash("sha256", key, "base64url");
}

/** No stored slice is of it. */
const noResponse: SlicedResponse = { etag: "", total: 0 };

/** Not a prop: a slice with more variants at once is fetched without waiting for others. */
const maxRounds = 10;
/** Not a prop: if only slices in the middle of a forgotten resource are stored, its HEAD goes to the backend. */
const maxBegun = 10_000;
/** Not a prop: a HEAD of a client must not cause reads of any number of files. */
const maxListed = 100;
