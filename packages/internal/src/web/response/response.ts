// A response, as handlets make it.
//
//   open ──── send, sendJSON, redirect ────────────────────────────> done
//     ├────── echo, sendRegion, sendStream ──> streaming ── end ───> done
//     └────── tunnel ──────────────────────────────────────────────> done: no more HTTP
//
// The head is final when it leaves `open`: then the hooked revisers look at it, and put their filters on the content.

import { isAbsolute } from "node:path";
import type { Duplex } from "node:stream";
import { guarded, guardListeners, quietly } from "@hemi/common";
import { HemiError } from "../../errors/hemi-error.ts";
import type { Fcache } from "../../fixtures/fcache.ts";
import { Backlog, maxBacklog } from "./backlog.ts";
import { serializeCookie, type CookieOptions } from "../request/cookies.ts";
import { responseHasContent } from "../../http/content-rule.ts";
import type { EndListener, ExchanWire, FileRegion, ResponseHead } from "../../http/exchan.ts";
import { faultAt, isPeerGone } from "../dispatch/fault.ts";
import { checkFieldValue, FieldList } from "../../http/field-list.ts";
import { readRegion } from "../../http/file-region.ts";
import { FilterChain, type FilterHook, type PlacedFilter } from "../content/filter.ts";
import { HTTPError } from "../http-error.ts";
import type { ErrorPages } from "./error-pages.ts";
import { encodeLocation } from "./location.ts";
import { mediaTypeOf } from "./media-type.ts";
import type { Request } from "../request/request.ts";

/** What a response needs of the server that it is made in. */
export interface ResponseSurroundings {
  readonly fcache: Fcache;
  /** Is told when a reviser's filter fails, which the handlet may not look at. */
  noteFault(error: unknown, req: Request | undefined): void;
  /** Answers, or breaks the answer off, as for a handlet that has thrown this. */
  failed(error: unknown, req: Request, resp: Response): void;
}

/** Content that is the same each time, such as that of a file, as one may keep what one made of it. */
export interface KnownContent {
  /** No other content of this process has it. */
  readonly identity: number;
  /** In bytes. */
  readonly size: number;
  /** The media type, with its parameters. */
  readonly type: string;
  /** Its content-encoding, which a 304 does not tell; `undefined`: none. */
  readonly coding: string | undefined;
}

/** Hears of what is not sent as a whole. */
export interface HeadListener {
  /** The head has gone ahead of the content, or opens a tunnel. Called once at most. */
  headSent(): void;
}

/** The answer to a request: status, fields, and content that is sent whole or in pieces. */
export class Response implements ResponseHead {
  /** For the engine: the rule that has it just now. */
  rule: object | undefined;
  /** For the engine: what stands for its own pages; of the rule that had the request last. */
  errorPages: ErrorPages | undefined;
  /** For the engine: this is a page of its own, or what stands for one. */
  isStatusPage = false;
  readonly #wire: ExchanWire;
  /** For the engine: see `Fields`. */
  neverIndexed: ReadonlySet<string> | undefined;
  readonly #fields = new FieldList();
  #status = 200;
  #reason: string | undefined;
  #upgrade: string | undefined;
  #state: "open" | "streaming" | "done" = "open";
  /** In bytes. */
  #contentSize: number | undefined;
  #knownContent: KnownContent | undefined;
  #trailers: FieldList | undefined;
  #hooks: FilterHook[] | undefined;
  /** Those that have looked at the head. */
  #ranHooks: readonly FilterHook[] | undefined;
  #chain: FilterChain | undefined;
  /** The last step through the filters, while it runs. */
  #step: Promise<void> | undefined;
  #flushTimer: NodeJS.Timeout | undefined;
  #backlog: Backlog | undefined;
  #wasAborted = false;
  /** It has left HTTP: what is spoken now may go on for long. */
  #isTunnel = false;
  #headListener: HeadListener | undefined;
  readonly #surroundings: ResponseSurroundings;
  readonly #req: Request | undefined;

  /** For servers. `req` is what it answers; `undefined` for a request that was refused. */
  constructor(wire: ExchanWire, surroundings: ResponseSurroundings, req: Request | undefined) {
    this.#wire = wire;
    this.#surroundings = surroundings;
    this.#req = req;
  }

  /** For the engine: what it answers; `undefined` for a request that was refused. */
  get req(): Request | undefined {
    return this.#req;
  }

  /**
   * 200 to 999, though no more than 599 have a meaning (RFC 9110 15): what apps and nodes use among themselves passes. Default: 200. For 1xx there
   * is `interim`.
   */
  get status(): number {
    return this.#status;
  }

  set status(status: number) {
    this.#assertOpen();
    if (!Number.isInteger(status) || status < 200 || status > 999) {
      throw new HemiError("HEMI_USAGE", `the status of a response is a whole number from 200 to 999, not ${status}`);
    }
    this.#status = status;
    this.#reason = undefined;
  }

  /**
   * The reason phrase, if it is not that of the status. Setting `status` forgets it. HTTP/1 alone sends one, and clients are to pay no heed to it (RFC 9112
   * 4). Throws HEMI_HEAD_SENT, or HEMI_BAD_FIELD for what no field could hold either.
   */
  get reason(): string | undefined {
    return this.#reason;
  }

  set reason(reason: string | undefined) {
    this.#assertOpen();
    this.#reason = reason === undefined ? undefined : checkFieldValue("reason phrase", reason);
  }

  /**
   * The protocols that the client should ask for instead, as the field `upgrade` has them: a 426 must name them (RFC 9110 15.5.22). HTTP/1.1 alone
   * has that field. Throws HEMI_HEAD_SENT or HEMI_BAD_FIELD.
   */
  get upgrade(): string | undefined {
    return this.#upgrade;
  }

  set upgrade(protocols: string | undefined) {
    this.#assertOpen();
    this.#upgrade = protocols === undefined ? undefined : checkFieldValue("upgrade", protocols);
  }

  /** Whether status and fields can no longer be changed. */
  get isHeadSent(): boolean {
    return this.#state !== "open";
  }

  /** Whether nothing more can be sent. */
  get isDone(): boolean {
    return this.#state === "done";
  }

  /** For the engine: all of it has been handed to the client's connection, and nothing works on it any more. */
  get isOver(): boolean {
    return this.#state === "done" && this.#step === undefined && !this.#isTunnel;
  }

  /** Names in lower case and values in turn. */
  get fieldList(): readonly string[] {
    return this.#fields.list;
  }

  /** Takes the place of all fields of that name. Throws HEMI_HEAD_SENT or HEMI_BAD_FIELD. */
  setHeader(name: string, value: string | number): void {
    this.#assertOpen();
    this.#fields.set(name, value);
  }

  /** Stands beside those of that name. Throws HEMI_HEAD_SENT or HEMI_BAD_FIELD. */
  addHeader(name: string, value: string | number): void {
    this.#assertOpen();
    this.#fields.add(name, value);
  }

  /** Removes all fields of that name. Throws HEMI_HEAD_SENT. */
  removeHeader(name: string): void {
    this.#assertOpen();
    this.#fields.remove(name);
  }

  /** The first field of that name, as set so far. */
  header(name: string): string | undefined {
    return this.#fields.get(name);
  }

  /** Throws HEMI_HEAD_SENT, or HEMI_BAD_FIELD for what browsers would drop. */
  setCookie(name: string, value: string, options?: CookieOptions): void {
    this.addHeader("set-cookie", serializeCookie(name, value, options));
  }

  /**
   * How much content there is, in bytes, where that is known. Set before content is streamed, it announces so much: less or more of it breaks
   * the answer off, and throws HEMI_USAGE. Of content that is sent whole, revisers see the size.
   */
  get contentSize(): number | undefined {
    return this.#contentSize;
  }

  set contentSize(size: number | undefined) {
    this.#assertOpen();
    if (size !== undefined && (!Number.isSafeInteger(size) || size < 0)) {
      throw new HemiError("HEMI_USAGE", `contentSize is a number of bytes, not ${size}`);
    }
    this.#contentSize = size;
  }

  /** Head and content in one go. Text is sent as UTF-8, and as `text/plain` if no `content-type` is set. */
  send(content?: string | Uint8Array): void {
    this.#assertOpen();
    if (typeof content === "string" && !this.#fields.has("content-type")) {
      this.#fields.addTrusted("content-type", "text/plain; charset=utf-8");
    }
    if (this.#hooks !== undefined) {
      this.#contentSize = sizeOf(content);
      const filters = this.#runHooks();
      const instead = this.#insteadOfAll(filters);
      if (filters !== undefined && instead !== undefined) return this.#sendInstead(filters, instead);
      const chain = this.#chainOf(filters);
      if (chain !== undefined)
        return this.#sendThrough(chain, typeof content === "string" ? Buffer.from(content) : content);
    }
    this.#assertNoTunnel();
    this.#state = "done";
    this.#wire.sendWhole(this, content, this.#knownContent !== undefined);
  }

  /** What the only filter that there is has in place of the content. */
  #insteadOfAll(filters: readonly PlacedFilter[] | undefined): Uint8Array | undefined {
    if (filters?.length !== 1 || !this.#hasContent) return undefined;
    return filters[0]?.filter.instead;
  }

  /** As `#sendThrough`, where nothing has to go through the filters. */
  #sendInstead(filters: readonly PlacedFilter[], instead: Uint8Array): void {
    try {
      this.#assertNoTunnel();
      this.#state = "done";
      this.#wire.sendWhole(this, instead, true);
    } finally {
      for (const placed of filters) this.#close(placed);
    }
  }

  #close({ filter, path }: PlacedFilter): void {
    try {
      filter.close?.();
    } catch (error) {
      this.#surroundings.noteFault(faultAt(path, error), this.#req);
    }
  }

  /** Sends a whole content, or what stands in its place, through filters: at once if they all can. */
  #sendThrough(chain: FilterChain, content: Uint8Array = noBytes): void {
    const instead = chain.takeInstead();
    const whole = chain.passWhole(instead ?? content);
    if (chain.isPassed) {
      this.#assertNoTunnel();
      this.#chain = undefined;
      this.#state = "done";
      this.#wire.sendWhole(this, whole, whole === instead);
      return;
    }
    this.#beginStreaming();
    void this.#sendPiece(whole);
    this.#finish();
  }

  /** A value as `application/json`. Throws HEMI_USAGE for what JSON cannot hold. */
  sendJSON(value: unknown): void {
    const text: unknown = JSON.stringify(value);
    if (typeof text !== "string")
      throw new HemiError("HEMI_USAGE", `sendJSON takes a value that JSON can hold, not ${typeof value}`);
    if (!this.#fields.has("content-type")) this.#fields.addTrusted("content-type", "application/json");
    this.send(text);
  }

  /** Sends the client elsewhere. `location` may be relative; what may not stand in a URL is percent-encoded. */
  redirect(location: string, status: 301 | 302 | 303 | 307 | 308 = 302): void {
    this.status = status;
    this.setHeader("location", encodeLocation(location));
    this.send();
  }

  /** An answer before the answer, such as 103 with `link` fields. Clients that cannot take it get nothing. */
  interim(status: number, fields: Readonly<Record<string, string>> = {}): void {
    if (!Number.isInteger(status) || status < 100 || status > 199 || status === 101) {
      throw new HemiError(
        "HEMI_USAGE",
        `the status of an interim response is from 100 to 199 and not 101; this is ${status}`,
      );
    }
    this.#assertOpen();
    const list = new FieldList();
    for (const [name, value] of Object.entries(fields)) list.add(name, value);
    this.#wire.sendInterim(status, list.list);
  }

  /** Sends the head before there is any content, which `echo` may bring, or `end` if there is none. Does nothing once it is sent. */
  sendHead(): void {
    if (!this.#wasAborted) this.#beginStreaming();
  }

  /**
   * A piece of content; the first one sends the head. Await what it returns before the next one: the client may be slow. It
   * rejects with HEMI_PEER_GONE when the client has left. Bytes are not copied: leave them as they are.
   *
   * Of what is echoed without waiting 16 MiB are kept; more breaks the answer off, with HEMI_USAGE in the error log.
   */
  echo(piece: string | Uint8Array): void | Promise<void> {
    // Whoever does not wait may not have heard yet, and may be where nothing catches what we throw.
    if (this.#wasAborted) return this.#wire.writable();
    this.#beginStreaming();
    if (this.#backlog?.takes(piece) === false) return this.#overrun();
    const sent = this.#sendPiece(piece);
    if (sent !== undefined) (this.#backlog ??= new Backlog()).add(sent);
    return sent;
  }

  /**
   * A file, by its absolute path, with its media type by its name. Throws HTTPError: 404 if there is no such file, 403 if it
   * may not be read, 500 if the system cannot tell; HEMI_USAGE for a relative path. Whether the path may be served at all is the caller's to know.
   */
  sendFile(path: string): Promise<void> {
    return this.#watched(this.#sendFile(path));
  }

  async #sendFile(path: string): Promise<void> {
    if (!isAbsolute(path)) throw new HemiError("HEMI_USAGE", `sendFile takes an absolute path, not ${path}`);
    const { fcache } = this.#surroundings;
    const entry = fcache.peek(path) ?? (await fcache.open(path));
    if (entry.kind !== "file") {
      const status = entry.kind === "denied" ? 403 : entry.kind === "failed" ? 500 : 404;
      throw new HTTPError(status, `${path} is no file that can be read`);
    }
    if (!this.#fields.has("content-type")) {
      this.setHeader("content-type", mediaTypeOf(path) ?? "application/octet-stream");
    }
    if (entry.content !== undefined) return this.send(entry.content);
    entry.acquire();
    try {
      await this.#sendRegion({ fd: entry.fd, offset: 0, size: entry.size });
    } finally {
      entry.release();
    }
  }

  /** A stretch of an open file as content. The descriptor stays the caller's, and must stay open until this settles. */
  sendRegion(region: FileRegion): Promise<void> {
    return this.#watched(this.#sendRegion(region));
  }

  async #sendRegion(region: FileRegion): Promise<void> {
    if (this.#state === "open") {
      this.#contentSize ??= region.size;
      const chain = this.#placeFilters();
      const instead = chain?.takeInstead();
      if (chain !== undefined && instead !== undefined) return this.#sendThrough(chain, instead);
    }
    this.#beginStreaming();
    const chain = this.#chain;
    if (chain === undefined) await this.#wire.sendRegion(region);
    // A file is there as fast as the client takes it: nothing waits in a filter for want of more, and a flush would only cost size.
    else for await (const piece of readRegion(region)) await this.#through(() => chain.push(piece));
    this.end();
  }

  /** Streams a source to its end. What the source throws breaks the answer off, and is thrown here too. */
  sendStream(source: AsyncIterable<string | Uint8Array>): Promise<void> {
    return this.#watched(this.#sendStream(source));
  }

  async #sendStream(source: AsyncIterable<string | Uint8Array>): Promise<void> {
    this.#beginStreaming();
    try {
      // Where nobody takes the content, the source is told to stop before it begins.
      if (this.#wire.head.method === "HEAD") await source[Symbol.asyncIterator]().return?.();
      else for await (const piece of source) await this.#sendPiece(piece);
    } catch (error) {
      this.abort();
      throw error;
    }
    this.end();
  }

  /** For the engine: once this is answered, nothing more is read that came by the same way, where other requests could be hidden in it. */
  distrustClient(): void {
    this.#wire.distrust();
  }

  /**
   * Answers by leaving HTTP: what the client sends from here on, and is sent, goes through the stream that this returns, paused. `protocol`
   * is one of the request's `upgrades`, `undefined` for CONNECT. Fields that were set go out with the answer; its status is the
   * protocol's own matter. From here on all limits in time are the caller's. `drained` is called when the server drains, soon if it
   * does already: end the stream then. What it or a listener of the stream throws is in the log, and destroys the stream. Throws HEMI_USAGE where the request asks for nothing of the sort.
   */
  tunnel(protocol: string | undefined, drained: () => void): Duplex {
    this.#assertOpen();
    const handlet = this.#req?.handlet;
    const failed = (error: unknown): void => {
      this.#surroundings.noteFault(handlet === undefined ? error : faultAt(handlet.path, error), this.#req);
      tunnel.destroy();
    };
    const tunnel = this.#wire.tunnel({ protocol, fieldList: this.fieldList }, () => guarded(drained, failed));
    guardListeners(tunnel, { fail: failed });
    this.#state = "done";
    this.#isTunnel = true;
    this.#headListener?.headSent();
    return tunnel;
  }

  /** What was echoed so far should arrive, whatever revisers keep back. */
  flush(): void | Promise<void> {
    const chain = this.#chain;
    if (chain === undefined || this.#wasAborted) return;
    return this.#through(() => {
      // All that was pushed so far goes out now: the next piece begins to wait anew.
      clearTimeout(this.#flushTimer);
      this.#flushTimer = undefined;
      return chain.flush();
    });
  }

  /** A field behind the content; clients that cannot take it do not get it. Only for content that is streamed. */
  setTrailer(name: string, value: string | number): void {
    (this.#trailers ??= new FieldList()).set(name, value);
  }

  /** The end of content that was streamed. Without any: an answer of no content. */
  end(): void {
    if (this.#wasAborted) return;
    if (this.#state === "open" && this.#trailers === undefined && this.#contentSize === undefined) this.send();
    else {
      this.#beginStreaming();
      this.#finish();
    }
  }

  /** Gives the answer up: the client sees that it is broken off. */
  abort(): void {
    this.#wasAborted = true;
    this.#state = "done";
    this.#chain?.close();
    this.#wire.abort();
  }

  /**
   * For handlets that have returned `true` and fail later, where they cannot throw: it becomes of the request what would if they had thrown it. That is
   * the error's status, or 500 with a line in the log; an answer that has begun is broken off.
   */
  fail(error: unknown): void {
    const handlet = this.#req?.handlet;
    const fault = handlet === undefined ? error : faultAt(handlet.path, error);
    if (this.#req !== undefined) this.#surroundings.failed(fault, this.#req, this);
  }

  /**
   * For the engine: fields known to be right, names in lower case and values in turn. They take the place of those of their names. Nobody may
   * change the list afterwards.
   */
  setTrustedFields(list: readonly string[]): void {
    this.#assertOpen();
    this.#fields.setAllTrusted(list);
  }

  /**
   * For revisers that remember what they made of a head: the `fieldList` of an answer as they left it, in place of all fields. Nobody may change the
   * list afterwards: hand in a copy where another reviser may come behind. As long as nobody adds to it, `fieldList` is that very list.
   */
  replaceFields(list: readonly string[]): void {
    this.#assertOpen();
    this.#fields.replaceAll(list);
  }

  /**
   * What the content is known by, or that which a 304 or the answer to a HEAD stands for; for revisers. `undefined` where nobody said it, or a
   * reviser has changed the content. Whoever sets it is about to send this content and no other, by `send`, as the same bytes each time, which never change, or by `sendRegion`.
   */
  get knownContent(): KnownContent | undefined {
    return this.#knownContent;
  }

  set knownContent(known: KnownContent | undefined) {
    this.#assertOpen();
    this.#knownContent = known;
  }

  /** For the engine: this part looks at the head already. */
  isHookedBy(part: object): boolean {
    return this.#hooks?.some((hook) => hook.by === part) === true;
  }

  /** For the engine: one of these parts looks at the head, or did and may have a filter on the content. */
  isHookedByOneOf(parts: ReadonlySet<object>): boolean {
    return (this.#hooks ?? this.#ranHooks)?.some(({ by }) => parts.has(by)) === true;
  }

  /** For the engine: something that looks at the head when it is final. */
  addHook(hook: FilterHook): void {
    (this.#hooks ??= []).push(hook);
  }

  /** For the engine, for one listener. */
  onHead(listener: HeadListener): void {
    this.#headListener = listener;
  }

  /** For the engine: calls back when the response has ended, and says how. */
  onEnd(listener: EndListener): void {
    this.#wire.onEnd(listener);
  }

  /** For the engine: forgets status and fields of an answer that has not begun, to make another in its place. */
  reset(): void {
    this.#assertOpen();
    this.#status = 200;
    this.#reason = undefined;
    this.#upgrade = undefined;
    this.#fields.clear();
    this.neverIndexed = undefined;
    this.#contentSize = undefined;
    this.#knownContent = undefined;
    this.#chain = undefined;
    this.#trailers = undefined;
  }

  /** A handlet may leave the promise alone: its client's leaving must not end the process then, and what else fails is in the log. */
  #watched(sent: Promise<void>): Promise<void> {
    const handlet = this.#req?.handlet;
    sent.catch((error: unknown) => {
      if (isPeerGone(error) || error instanceof HTTPError) return;
      this.#surroundings.noteFault(handlet === undefined ? error : faultAt(handlet.path, error), this.#req);
    });
    return sent;
  }

  #assertOpen(): void {
    if (this.#state !== "open") throw new HemiError("HEMI_HEAD_SENT", "the head of the response has already been sent");
  }

  /** To who asked for a tunnel any 2xx says that it is open, and all that follows would be its bytes (RFC 9110 9.3.6). */
  #assertNoTunnel(): void {
    if (this.#wire.head.method !== "CONNECT" || this.#status > 299) return;
    throw new HemiError("HEMI_USAGE", `CONNECT was to be answered with ${this.#status}, which would open a tunnel`);
  }

  #beginStreaming(): void {
    if (this.#state === "streaming") return;
    this.#assertOpen();
    this.#placeFilters();
    this.#assertNoTunnel();
    if (this.#wire.head.method === "HEAD") {
      this.#chain?.close();
      this.#chain = undefined;
    }
    this.#state = "streaming";
    this.#wire.sendHead(this, this.#contentSize);
    this.#headListener?.headSent();
  }

  /** What a GET would have. */
  get #hasContent(): boolean {
    return responseHasContent("GET", this.#status);
  }

  #placeFilters(): FilterChain | undefined {
    return this.#chainOf(this.#runHooks());
  }

  /** Lets the hooks look at the head, once, those furthest from the wire first. The filters that they want on the content. */
  #runHooks(): readonly PlacedFilter[] | undefined {
    const hooks = this.#hooks;
    if (hooks === undefined) return undefined;
    this.#hooks = undefined;
    this.#ranHooks = hooks;
    const filters: PlacedFilter[] = [];
    try {
      for (const { rank, path, hook } of hooks.length === 1
        ? hooks
        : hooks.toSorted((a, b) => a.rank - b.rank).reverse()) {
        const filter = runHook(path, hook);
        if (filter === undefined) continue;
        filters.push({ rank, path, filter });
        // It is another content for those nearer to the wire, and how long it becomes is not known before its end.
        this.#knownContent = undefined;
        this.#contentSize = undefined;
      }
      this.#assertOpen();
    } catch (error) {
      for (const { filter } of filters) filter.close?.();
      throw error;
    }
    return filters;
  }

  /** Puts filters on the content, if it has any. */
  #chainOf(filters: readonly PlacedFilter[] | undefined): FilterChain | undefined {
    if (filters === undefined || filters.length === 0) return undefined;
    const chain = new FilterChain(
      filters,
      (piece) => (this.#wire.sendContent(piece) ? undefined : this.#wire.writable()),
      (fault) => this.#surroundings.noteFault(fault, this.#req),
    );
    if (!this.#hasContent) {
      chain.close();
      return undefined;
    }
    this.#wire.onEnd(() => {
      clearTimeout(this.#flushTimer);
      chain.close();
    });
    return (this.#chain = chain);
  }

  #sendPiece(piece: string | Uint8Array): void | Promise<void> {
    const chain = this.#chain;
    if (chain === undefined) return this.#wire.sendContent(piece) ? undefined : this.#wire.writable();
    return this.#through(async () => {
      this.#flushLater(chain);
      await chain.push(typeof piece === "string" ? Buffer.from(piece) : piece);
    });
  }

  /**
   * Calls `flush` some time after the first piece that is not flushed yet, if a filter wants that. Later pieces do not put it off: a
   * source that never pauses would be held back to its end.
   */
  #flushLater(chain: FilterChain): void {
    if (this.#flushTimer !== undefined || this.#state !== "streaming") return;
    const { flushAfter } = chain;
    if (flushAfter === undefined) return;
    this.#flushTimer = setTimeout(() => void this.flush(), flushAfter);
  }

  /** The handlet does not wait for its client. */
  #overrun(): Promise<void> {
    const reason = `more than ${maxBacklog} bytes were echoed while the client had not taken what came before: await echo()`;
    const error = new HemiError("HEMI_USAGE", reason);
    const handlet = this.#req?.handlet;
    const fault = handlet === undefined ? error : faultAt(handlet.path, error);
    this.#surroundings.noteFault(fault, this.#req);
    this.abort();
    return quietly(Promise.reject(fault));
  }

  #finish(): void {
    clearTimeout(this.#flushTimer);
    this.#state = "done";
    const chain = this.#chain;
    if (chain === undefined) this.#wire.endContent(this.#trailers?.list ?? []);
    else {
      void this.#through(async () => {
        await chain.end();
        this.#wire.endContent(this.#trailers?.list ?? []);
      });
    }
  }

  /** Runs a step through the filters after the one before it. A step that fails breaks the answer off. */
  #through(step: () => void | Promise<void>): Promise<void> {
    const run = (this.#step ?? Promise.resolve()).then(step);
    this.#step = run;
    run.catch((error: unknown) => {
      if (this.#wasAborted) return;
      if (!isPeerGone(error)) this.#surroundings.noteFault(error, this.#req);
      this.abort();
    });
    return run;
  }
}

function runHook(path: string, hook: FilterHook["hook"]): ReturnType<FilterHook["hook"]> {
  try {
    return hook();
  } catch (error) {
    throw faultAt(path, error);
  }
}

function sizeOf(content: string | Uint8Array | undefined): number {
  if (content === undefined) return 0;
  return typeof content === "string" ? Buffer.byteLength(content) : content.length;
}

const noBytes = new Uint8Array();
