// A response, from the view of a handlet.
//
//  open ──── send, sendJSON, redirect ────────────────────────────> done
//    ├────── echo, sendRegion, sendStream ──> streaming ── end ───> done
//    └────── tunnel ──────────────────────────────────────────────> done: no more HTTP
//
// The head is final when the state `open` ends: the hooked revisers then inspect it, and install their content filters.

import { isAbsolute } from "node:path";
import type { Duplex } from "node:stream";
import { guarded, guardListeners, quietly } from "@hemi/common";
import { HemiError } from "../../errors/hemi-error.ts";
import type { EndReason } from "../../http/end-reason.ts";
import type { Fcache } from "../../fixtures/fcache.ts";
import { Backlog, maxBacklog } from "./backlog.ts";
import { serializeCookie, type CookieOptions } from "../request/cookies.ts";
import { responseHasContent } from "../../http/content-rule.ts";
import type { EndListener, ExchanCounter, ExchanWire, FileRegion, ResponseHead } from "../../http/exchan.ts";
import { faultAt, isPeerGone } from "../dispatch/fault.ts";
import type { RequestCounts } from "../dispatch/request-counts.ts";
import { checkFieldValue, FieldList } from "../../http/field-list.ts";
import { readRegion } from "../../http/file-region.ts";
import type { FilterChain, FilterHook, PlacedFilter } from "../content/filter.ts";
import { HTTPError } from "../http-error.ts";
import { timeSinceTick } from "../../metrics/turn.ts";
import type { ErrorPages } from "./error-pages.ts";
import { FilterPipe, type PipedResponse } from "./filter-pipe.ts";
import { encodeLocation } from "./location.ts";
import { mediaTypeOf } from "./media-type.ts";
import type { Request } from "../request/request.ts";

/** The services that a response needs from its server. */
export interface ResponseSurroundings {
  readonly fcache: Fcache;
  /** Reports an error of a reviser's filter, which the handlet may not see. */
  noteFault(error: unknown, req: Request | undefined): void;
  /** Sends the response for an error that a handlet has thrown, or aborts a started response. */
  failed(error: unknown, req: Request, resp: Response): void;
  /** Runs an exchan that a handlet has detached from another one; see `detach`. */
  serveDetached(req: Request, wire: ExchanWire, run: RunDetached): boolean | Promise<boolean>;
}

/** Handles a detached exchan, like `handle` of a rule. */
export type RunDetached = (req: Request, resp: Response) => boolean | Promise<boolean>;

/** Content that is the same each time, such as a file, so that transformed content can be cached. */
export interface KnownContent {
  /** Unique for this content in this process. */
  readonly identity: number;
  /** In bytes. */
  readonly size: number;
  /** The media type, with its parameters. */
  readonly type: string;
  /** Its content-encoding, which a 304 does not contain; `undefined`: none. */
  readonly coding: string | undefined;
}

/** A listener for responses that are not sent in one piece. */
export interface HeadListener {
  /** The head was sent before the content, or opens a tunnel. Called at most once. */
  headSent(): void;
  /** A node of a backend is being asked; each further one, too. */
  nodeAsked(): void;
  /** A node, by its address, has answered to the end, or failed; "" if none could be asked. */
  nodeDone(node: string): void;
}

/** The response to a request: status, fields, and content that is sent in one piece or several. */
export class Response implements ResponseHead, PipedResponse, ExchanCounter {
  /** For the engine: the current rule. */
  rule: { readonly path: string } | undefined;
  /** For the engine: what stands for its own pages; of the rule that had the request last, or of its webapp. */
  errorPages: ErrorPages | undefined;
  /** For the engine: this is a page of its own, or what stands for one. */
  isStatusPage = false;
  readonly #wire: ExchanWire;
  #handleTimeout: number | undefined;
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
  #pipe: FilterPipe | undefined;
  #backlog: Backlog | undefined;
  #wasAborted = false;
  /** It has become a tunnel, which may last for long. */
  #isTunnel = false;
  /** For the engine: it has become a WebSocket, or another tunnel. */
  lasting: "webSocket" | "tunnel" | undefined;
  /** Asks whoever has the tunnel to end it. Harmless twice. */
  #endTunnel: (() => void) | undefined;
  #headListener: HeadListener | undefined;
  /** Of the component that has the request; `undefined` for exchans that are not counted. */
  #counts: RequestCounts | undefined;
  #countedSince = 0;
  readonly #surroundings: ResponseSurroundings;
  readonly #req: Request | undefined;

  /** For servers. `req` is the request; `undefined` for a request that was refused. */
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
   * 200 to 999, although codes above 599 have no meaning (RFC 9110 15): codes that apps and nodes use among themselves
   * are passed on. Default: 200. For 1xx, use `interim`.
   */
  get status(): number {
    return this.#status;
  }

  set status(status: number) {
    this.assertOpen();
    if (!Number.isInteger(status) || status < 200 || status > 999) {
      throw new HemiError("HEMI_USAGE", `the status of a response is a whole number from 200 to 999, not ${status}`);
    }
    this.#status = status;
    this.#reason = undefined;
  }

  /**
   * The reason phrase, if it differs from that of the status. Setting `status` resets it. Only HTTP/1 sends it, and
   * clients should ignore it (RFC 9112 4). Throws HEMI_HEAD_SENT, or HEMI_BAD_FIELD for characters that a field value
   * may not contain.
   */
  get reason(): string | undefined {
    return this.#reason;
  }

  set reason(reason: string | undefined) {
    this.assertOpen();
    this.#reason = reason === undefined ? undefined : checkFieldValue("reason phrase", reason);
  }

  /**
   * The protocols that the client should request instead, in the form of the field `upgrade`: a 426 must name them (RFC
   * 9110 15.5.22). Only HTTP/1.1 has that field. Throws HEMI_HEAD_SENT or HEMI_BAD_FIELD.
   */
  get upgrade(): string | undefined {
    return this.#upgrade;
  }

  set upgrade(protocols: string | undefined) {
    this.assertOpen();
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

  /**
   * For the engine: whether everything has been passed to the client's connection, and no handlet works on it any more.
   */
  get isOver(): boolean {
    return this.#state === "done" && this.#pipe?.hasBegun !== true && !this.#isTunnel;
  }

  /** Lower-case names and values alternating. */
  get fieldList(): readonly string[] {
    return this.#fields.list;
  }

  /** Replaces all fields of this name. Throws HEMI_HEAD_SENT or HEMI_BAD_FIELD. */
  setHeader(name: string, value: string | number): void {
    this.assertOpen();
    this.#fields.set(name, value);
  }

  /** Adds a field to those of this name. Throws HEMI_HEAD_SENT or HEMI_BAD_FIELD. */
  addHeader(name: string, value: string | number): void {
    this.assertOpen();
    this.#fields.add(name, value);
  }

  /** Removes all fields of this name. Throws HEMI_HEAD_SENT. */
  removeHeader(name: string): void {
    this.assertOpen();
    this.#fields.remove(name);
  }

  /** The first field of this name, as set so far. */
  header(name: string): string | undefined {
    return this.#fields.get(name);
  }

  /** Throws HEMI_HEAD_SENT, or HEMI_BAD_FIELD for a cookie that browsers would drop. */
  setCookie(name: string, value: string, options?: CookieOptions): void {
    this.addHeader("set-cookie", serializeCookie(name, value, options));
  }

  /**
   * The size of the content in bytes, if it is known. Set it before content is streamed to announce the size: more or
   * less content then aborts the response, and throws HEMI_USAGE. For content in one piece, revisers see its size here.
   */
  get contentSize(): number | undefined {
    return this.#contentSize;
  }

  set contentSize(size: number | undefined) {
    this.assertOpen();
    if (size !== undefined && (!Number.isSafeInteger(size) || size < 0)) {
      throw new HemiError("HEMI_USAGE", `contentSize is a number of bytes, not ${size}`);
    }
    this.#contentSize = size;
  }

  /** Sends head and content at once. Text is sent as UTF-8, and as `text/plain` if no `content-type` is set. */
  send(content?: string | Uint8Array): void {
    this.assertOpen();
    if (typeof content === "string" && !this.#fields.has("content-type")) {
      this.#fields.addTrusted("content-type", "text/plain; charset=utf-8");
    }
    const pipe = this.#pipe;
    if (pipe?.isHooked === true) {
      this.#contentSize = sizeOf(content);
      const filters = pipe.runHooks();
      const instead = this.#insteadOfAll(filters);
      if (instead !== undefined) return this.#sendInstead(pipe, filters, instead);
      const chain = pipe.install(filters, this.#hasContent);
      if (chain !== undefined)
        return this.#sendThrough(chain, typeof content === "string" ? Buffer.from(content) : content);
    }
    this.#assertNoTunnel();
    this.#state = "done";
    this.#wire.sendWhole(this, content, this.#knownContent !== undefined);
  }

  /** The replacement of the content, if there is a single filter that has one. */
  #insteadOfAll(filters: readonly PlacedFilter[]): Uint8Array | undefined {
    if (filters.length !== 1 || !this.#hasContent) return undefined;
    return filters[0]?.filter.instead;
  }

  /** Like `#sendThrough`, if no content needs to pass the filters. */
  #sendInstead(pipe: FilterPipe, filters: readonly PlacedFilter[], instead: Uint8Array): void {
    try {
      this.#assertNoTunnel();
      this.#state = "done";
      this.#wire.sendWhole(this, instead, true);
    } finally {
      pipe.closeUnused(filters);
    }
  }

  /** Sends complete content, or its replacement, through filters: at once if all of them support it. */
  #sendThrough(chain: FilterChain, content: Uint8Array = noBytes): void {
    const instead = chain.takeInstead();
    const whole = chain.passWhole(instead ?? content);
    if (chain.isPassed) {
      this.#assertNoTunnel();
      this.#pipe?.drop();
      this.#state = "done";
      this.#wire.sendWhole(this, whole, whole === instead);
      return;
    }
    this.#beginStreaming();
    void this.#sendPiece(whole);
    this.#finish();
  }

  /** Sends a value as `application/json`. Throws HEMI_USAGE for a value that JSON cannot represent. */
  sendJSON(value: unknown): void {
    const text: unknown = JSON.stringify(value);
    if (typeof text !== "string")
      throw new HemiError("HEMI_USAGE", `sendJSON takes a value that JSON can hold, not ${typeof value}`);
    if (!this.#fields.has("content-type")) this.#fields.addTrusted("content-type", "application/json");
    this.send(text);
  }

  /** Redirects the client. `location` may be relative; characters that a URL may not contain are percent-encoded. */
  redirect(location: string, status: 301 | 302 | 303 | 307 | 308 = 302): void {
    this.status = status;
    this.setHeader("location", encodeLocation(location));
    this.send();
  }

  /** Sends an interim response, such as 103 with `link` fields. It is not sent to clients that do not support it. */
  interim(status: number, fields: Readonly<Record<string, string>> = {}): void {
    if (!Number.isInteger(status) || status < 100 || status > 199 || status === 101) {
      throw new HemiError(
        "HEMI_USAGE",
        `the status of an interim response is from 100 to 199 and not 101; this is ${status}`,
      );
    }
    this.assertOpen();
    const list = new FieldList();
    for (const [name, value] of Object.entries(fields)) list.add(name, value);
    this.#wire.sendInterim(status, list.list);
  }

  /**
   * Sends the head before there is any content, which `echo` may bring, or `end` if there is none. Does nothing once it
   * is sent.
   */
  sendHead(): void {
    if (!this.#wasAborted) this.#beginStreaming();
  }

  /**
   * Sends a piece of content; the first one sends the head. Await the result before the next piece: the client may be
   * slow. It rejects with HEMI_PEER_GONE when the client has disconnected. Bytes are not copied: do not change them.
   *
   * Without awaiting, at most 16 MiB are buffered. More aborts the response, with HEMI_USAGE in the error log.
   */
  echo(piece: string | Uint8Array): void | Promise<void> {
    // A caller that does not await may not know yet, and may have no handler for an exception.
    if (this.#wasAborted) return this.#wire.writable();
    this.#beginStreaming();
    if (this.#backlog?.takes(piece) === false) return this.#overrun();
    const sent = this.#sendPiece(piece);
    if (sent !== undefined) (this.#backlog ??= new Backlog()).add(sent);
    return sent;
  }

  /**
   * Sends a file by its absolute path, with the media type of its extension. Throws HTTPError: 404 if there is no such
   * file, 403 if it is not readable, 500 for an error of the system; HEMI_USAGE for a relative path. The caller must
   * check that the path may be served.
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

  /** Sends a range of an open file as content. The caller owns the descriptor, and keeps it open until this settles. */
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
    const pipe = this.#pipe;
    if (pipe?.isFlowing !== true) await this.#wire.sendRegion(region);
    // A file is read as fast as the client accepts it: filters need not wait for input, and a flush would only increase
    // the size.
    else for await (const piece of readRegion(region)) await pipe.pushSteady(piece);
    this.end();
  }

  /** Streams a source to its end. An error of the source aborts the response, and is also thrown here. */
  sendStream(source: AsyncIterable<string | Uint8Array>): Promise<void> {
    return this.#watched(this.#sendStream(source));
  }

  async #sendStream(source: AsyncIterable<string | Uint8Array>): Promise<void> {
    this.#beginStreaming();
    try {
      // If no content is sent, the source is stopped before it begins.
      if (this.#wire.head.method === "HEAD") await source[Symbol.asyncIterator]().return?.();
      else
        for await (const piece of source) {
          if (this.#wasAborted) await this.#wire.writable();
          await this.#sendPiece(piece);
        }
    } catch (error) {
      this.abort();
      throw error;
    }
    this.end();
  }

  /**
   * For the engine: in ms, how long the handlet has, in place of the server's `handleTimeout`; `undefined`: the
   * server's.
   */
  limitHandling(timeout: number | undefined): void {
    if (timeout === this.#handleTimeout) return;
    this.#handleTimeout = timeout;
    this.#wire.limitHandling(timeout);
  }

  /** For the engine: the request is counted, at first for these. */
  countFor(counts: RequestCounts): void {
    this.#counts = counts;
    this.#countedSince = counts.began();
    this.#wire.counter = this;
  }

  /** For the engine: the request, which is over, was sampled. */
  keepExemplar(traceId: string, duration: number, now: number): void {
    if (!this.#isTunnel) this.#counts?.keepExemplar(traceId, duration, now);
  }

  /** For the engine: how long its request has been there, in ms; 0 if it is not counted. */
  get age(): number {
    return this.#counts === undefined ? 0 : timeSinceTick(this.#countedSince);
  }

  /** For the engine: another component has the request from now on. Does nothing for an exchan that is not counted. */
  isOf(counts: RequestCounts | undefined): void {
    if (this.#counts !== undefined && counts !== undefined) this.#counts = counts;
  }

  /** For the engine. */
  exchanEnded(status: number | undefined, contentSent: number, reason: EndReason, received: number): void {
    const isAborted = reason !== "complete";
    this.#counts?.ended(this.#countedSince, status ?? 0, isAborted, this.#isTunnel, received, contentSent);
  }

  /**
   * For the engine: once this is answered, nothing more is read that came by the same way, where other requests could
   * be hidden in it.
   */
  distrustClient(): void {
    this.#wire.distrust();
  }

  /**
   * Answers by leaving HTTP: what the client sends from here on, and is sent, goes through the stream that this
   * returns, paused. `protocol` is one of the request's `upgrades`, `undefined` for CONNECT. Fields that were set go
   * out with the answer; its status is the protocol's own matter. From here on all limits in time are the caller's.
   * `drained` is called once when the server drains, soon if it does already, and some time after a reload that drops
   * the caller: end the stream then. What it or a listener of
   * the stream throws is in the log, and destroys the stream. Throws HEMI_USAGE where the request asks for nothing of
   * the sort.
   */
  tunnel(protocol: string | undefined, drained: () => void): Duplex {
    this.assertOpen();
    const handlet = this.#req?.handlet;
    const failed = (error: unknown): void => {
      this.noteFault(handlet === undefined ? error : faultAt(handlet.path, error));
      tunnel.destroy();
    };
    let isTold = false;
    const endTunnel = (): void => {
      if (isTold) return;
      isTold = true;
      guarded(drained, failed);
    };
    const tunnel = this.#wire.tunnel({ protocol, fieldList: this.fieldList }, endTunnel);
    this.#endTunnel = endTunnel;
    guardListeners(tunnel, { fail: failed });
    this.#state = "done";
    this.#isTunnel = true;
    this.lasting = protocol === "websocket" ? "webSocket" : "tunnel";
    this.#headListener?.headSent();
    return tunnel;
  }

  /** Sends everything that was echoed so far, even if revisers buffer it. */
  flush(): void | Promise<void> {
    if (!this.#wasAborted) return this.#pipe?.flush();
  }

  /** Adds a trailer field, for streamed content only. It is not sent to clients that do not support it. */
  setTrailer(name: string, value: string | number): void {
    (this.#trailers ??= new FieldList()).set(name, value);
  }

  /**
   * For revisers that put the trailers elsewhere: names and values in turn, of those that were set. There are none
   * afterwards.
   */
  takeTrailers(): readonly string[] {
    const list = this.#trailers?.list ?? [];
    this.#trailers = undefined;
    return list;
  }

  /** Ends streamed content. Without any content, the response is empty. */
  end(): void {
    if (this.#wasAborted) return;
    if (this.#state === "open" && this.#trailers === undefined && this.#contentSize === undefined) this.send();
    else {
      this.#beginStreaming();
      this.#finish();
    }
  }

  /**
   * For the engine: what serves it goes, and asks it to come to its end. Tunnels are told, as is the request; a stream
   * of events is ended here, so that its client connects anew (WHATWG HTML 9.2.3).
   */
  leave(): void {
    this.#req?.leave();
    this.#endTunnel?.();
    if (this.#state !== "streaming" || this.#contentSize !== undefined) return;
    if (!/^text\/event-stream\b/i.test(this.#fields.get("content-type") ?? "")) return;
    this.end();
    // For whoever goes on to send, the client has gone.
    this.#wasAborted = true;
    this.#wire.dismiss();
  }

  /** Aborts the response: the client sees that it is incomplete. */
  abort(): void {
    if (this.#wasAborted) return;
    this.#wasAborted = true;
    this.#state = "done";
    this.#pipe?.close();
    this.#wire.abort();
  }

  /**
   * For handlets that have returned `true` and fail later, when they cannot throw: has the same effect as throwing the
   * error. The response has the error's status, or 500 with a log line; a started response is aborted.
   */
  fail(error: unknown): void {
    const handlet = this.#req?.handlet;
    const fault = handlet === undefined ? error : faultAt(handlet.path, error);
    if (this.#req !== undefined) this.#surroundings.failed(fault, this.#req, this);
  }

  /**
   * For the engine: sets validated fields (lower-case names and values alternating). They replace fields of the same
   * names. The list must not be changed afterwards.
   */
  setTrustedFields(list: readonly string[]): void {
    this.assertOpen();
    this.#fields.setAllTrusted(list);
  }

  /**
   * For revisers that cache a transformed head: replaces all fields by the `fieldList` of an earlier response. The list
   * must not be changed afterwards: pass a copy if another reviser may follow. As long as no field is added,
   * `fieldList` is this list itself.
   */
  replaceFields(list: readonly string[]): void {
    this.assertOpen();
    this.#fields.replaceAll(list);
  }

  /**
   * The identity of the content, also for a 304 or the response to a HEAD; for revisers. `undefined` if it was not set,
   * or if a reviser has changed the content. After setting it, send exactly this content: with `send` and the same,
   * immutable bytes each time, or with `sendRegion`.
   */
  get knownContent(): KnownContent | undefined {
    return this.#knownContent;
  }

  set knownContent(known: KnownContent | undefined) {
    this.assertOpen();
    this.#knownContent = known;
  }

  /** For the engine: whether this part is already hooked. */
  isHookedBy(part: object): boolean {
    return this.#pipe?.isHookedBy(part) === true;
  }

  /** For the engine: whether one of these parts is hooked, or may have a filter on the content. */
  isHookedByOneOf(parts: ReadonlySet<object>): boolean {
    return this.#pipe?.isHookedByOneOf(parts) === true;
  }

  /** For the engine: adds a hook that inspects the final head. */
  addHook(hook: FilterHook): void {
    this.#pipe ??= new FilterPipe(this.#wire, this);
    this.#pipe.addHook(hook);
  }

  /**
   * For the engine: handles the same request on another wire, and goes on if this one ends: for the fetch of a cache.
   * Returns what `run` does; its errors are answered and logged like those of any exchan.
   */
  detach(wire: ExchanWire, run: RunDetached): boolean | Promise<boolean> {
    if (this.#req === undefined) return false;
    return this.#surroundings.serveDetached(this.#req.onWire(wire), wire, run);
  }

  /** For the engine: whether nothing more is sent because the response was aborted. */
  get wasAborted(): boolean {
    return this.#wasAborted;
  }

  /** For the engine: a reviser transforms the content: it is no longer known, nor its size before its end. */
  contentRevised(): void {
    this.#knownContent = undefined;
    this.#contentSize = undefined;
  }

  /** For the engine: reports an error that has no other caller. */
  noteFault(error: unknown): void {
    this.#surroundings.noteFault(error, this.#req);
  }

  /** For the engine; see `onHead`. */
  get headListener(): HeadListener | undefined {
    return this.#headListener;
  }

  /** For the engine; supports one listener. */
  onHead(listener: HeadListener): void {
    this.#headListener = listener;
  }

  /** For the engine: calls back with the end reason when the response has ended. */
  onEnd(listener: EndListener): void {
    this.#wire.onEnd(listener);
  }

  /** For the engine: discards status and fields of an unsent response, to build another one. */
  reset(): void {
    this.assertOpen();
    this.#status = 200;
    this.#reason = undefined;
    this.#upgrade = undefined;
    this.#fields.clear();
    this.neverIndexed = undefined;
    this.#contentSize = undefined;
    this.#knownContent = undefined;
    this.#pipe?.drop();
    this.#trailers = undefined;
  }

  /** A handlet may ignore the promise: a disconnected client must not end the process, and other errors are logged. */
  #watched(sent: Promise<void>): Promise<void> {
    const handlet = this.#req?.handlet;
    sent.catch((error: unknown) => {
      if (isPeerGone(error) || error instanceof HTTPError) return;
      this.noteFault(handlet === undefined ? error : faultAt(handlet.path, error));
    });
    return sent;
  }

  /** For the engine. Throws HEMI_HEAD_SENT if the head was sent. */
  assertOpen(): void {
    if (this.#state !== "open") throw new HemiError("HEMI_HEAD_SENT", "the head of the response has already been sent");
  }

  /**
   * For a tunnel request, any 2xx means that the tunnel is open, and all further bytes belong to it (RFC 9110 9.3.6).
   */
  #assertNoTunnel(): void {
    if (this.#wire.head.method !== "CONNECT" || this.#status > 299) return;
    throw new HemiError("HEMI_USAGE", `CONNECT was to be answered with ${this.#status}, which would open a tunnel`);
  }

  #beginStreaming(): void {
    if (this.#state === "streaming") return;
    this.assertOpen();
    this.#placeFilters();
    this.#assertNoTunnel();
    if (this.#wire.head.method === "HEAD") this.#pipe?.drop();
    this.#state = "streaming";
    this.#wire.sendHead(this, this.#contentSize);
    this.#headListener?.headSent();
  }

  /** What a GET would have. */
  get #hasContent(): boolean {
    return responseHasContent("GET", this.#status);
  }

  #placeFilters(): FilterChain | undefined {
    const pipe = this.#pipe;
    return pipe?.isHooked === true ? pipe.install(pipe.runHooks(), this.#hasContent) : undefined;
  }

  #sendPiece(piece: string | Uint8Array): void | Promise<void> {
    const pipe = this.#pipe;
    if (pipe?.isFlowing === true) return pipe.push(piece);
    return this.#wire.sendContent(piece) ? undefined : this.#wire.writable();
  }

  /** The handlet does not wait for its client. */
  #overrun(): Promise<void> {
    const reason = `more than ${maxBacklog} bytes were echoed while the client had not taken what came before: await echo()`;
    const error = new HemiError("HEMI_USAGE", reason);
    const handlet = this.#req?.handlet;
    const fault = handlet === undefined ? error : faultAt(handlet.path, error);
    this.noteFault(fault);
    this.abort();
    return quietly(Promise.reject(fault));
  }

  #finish(): void {
    this.#state = "done";
    const ended = (): void => this.#wire.endContent(this.#trailers?.list ?? []);
    const pipe = this.#pipe;
    if (pipe?.isFlowing === true) pipe.end(ended);
    else ended();
  }
}

function sizeOf(content: string | Uint8Array | undefined): number {
  if (content === undefined) return 0;
  return typeof content === "string" ? Buffer.byteLength(content) : content.length;
}

const noBytes = new Uint8Array();
