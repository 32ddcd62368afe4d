// A response, from the view of a handlet.
//
//  open ──── send, sendJSON, redirect ────────────────────────────> done
//    ├────── echo, sendRegion, sendStream ──> streaming ── end ───> done
//    └────── tunnel ──────────────────────────────────────────────> done: no more HTTP
//
// The head is final when the state `open` ends: the hooked revisers then inspect it, and install their content filters.

import { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import { quietly } from "@hemi/common";
import { HemiError } from "../../errors/hemi-error.ts";
import type { Fcache } from "../../fixtures/fcache.ts";
import { Backlog, maxBacklog } from "./backlog.ts";
import { responseHasContent } from "../../http/content-rule.ts";
import type { ExchanWire, FileRegion } from "../../http/exchan.ts";
import { faultOf, isPeerGone } from "../dispatch/fault.ts";
import { FieldList } from "../../http/field-list.ts";
import { readRegion } from "../../http/file-region.ts";
import type { FilterChain, PlacedFilter } from "../content/filter.ts";
import { HTTPError } from "../http-error.ts";
import { HeadDraft } from "./editable-head.ts";
import { soleReplacement, type FilterPipe } from "./filter-pipe.ts";
import { encodeLocation } from "./location.ts";
import type { Request } from "../request/request.ts";
import { sendFile } from "./send-file.ts";
import { openTunnel } from "./open-tunnel.ts";
import { TrackedResponse } from "./tracked-response.ts";

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

/** The response to a request: status, fields, and content that is sent in one piece or several. */
export class Response extends TrackedResponse {
  /** For `EditableHead`. */
  protected readonly draft = new HeadDraft();
  #state: "open" | "streaming" | "done" = "open";
  #backlog: Backlog | undefined;
  #wasAborted = false;
  /** Asks whoever has the tunnel to end it. Harmless twice. */
  #endTunnel: (() => void) | undefined;
  readonly #surroundings: ResponseSurroundings;

  /** For servers. `req` is the request; `undefined` for a request that was refused. */
  constructor(wire: ExchanWire, surroundings: ResponseSurroundings, req: Request | undefined) {
    super(wire, req);
    this.#surroundings = surroundings;
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
    return this.#state === "done" && this.pipe?.hasBegun !== true && this.lasting === undefined;
  }

  /**
   * Sends head and content at once. Text is sent as UTF-8, and as `text/plain` if no `content-type` is set. Without an
   * argument, the content is empty; but the response to HEAD then tells no length, unless `contentSize` is set.
   */
  send(content?: string | Uint8Array): void {
    this.assertOpen();
    if (content === undefined && this.wire.head.method === "HEAD" && this.#hasContent()) {
      // No length of 0 (RFC 9110 8.6): a handlet may have left out content that GET would have.
      this.#beginStreaming();
      return this.#finish();
    }
    if (typeof content === "string") this.useType("text/plain; charset=utf-8");
    const pipe = this.pipe;
    if (pipe?.isHooked === true) {
      this.noteSize(sizeOf(content));
      const filters = pipe.runHooks();
      const instead = this.#hasContent() ? soleReplacement(filters) : undefined;
      if (instead !== undefined) return this.#sendInstead(pipe, filters, instead);
      const chain = pipe.install(filters, this.#hasContent());
      if (chain !== undefined)
        return this.#sendThrough(chain, typeof content === "string" ? Buffer.from(content) : content);
    }
    this.#sendWhole(content, this.knownContent !== undefined);
  }

  /** `isLasting`: see `ExchanWire`. */
  #sendWhole(content: string | Uint8Array | undefined, isLasting: boolean): void {
    this.#assertNoTunnel();
    this.#state = "done";
    this.wire.sendWhole(this, content, isLasting);
    this.leaveToItsClient();
  }

  /** Like `#sendThrough`, if no content needs to pass the filters. */
  #sendInstead(pipe: FilterPipe, filters: readonly PlacedFilter[], instead: Uint8Array): void {
    try {
      this.#sendWhole(instead, true);
    } finally {
      pipe.closeUnused(filters);
    }
  }

  /** Sends complete content, or its replacement, through filters: at once if all of them support it. */
  #sendThrough(chain: FilterChain, content: Uint8Array = noBytes): void {
    const instead = chain.takeInstead();
    const whole = chain.passWhole(instead ?? content);
    if (chain.isPassed) {
      this.pipe?.drop();
      return this.#sendWhole(whole, whole === instead);
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
    this.useType("application/json");
    this.send(text);
  }

  /** Redirects the client. `location` may be relative; characters that a URL may not contain are percent-encoded. */
  redirect(location: string, status: 301 | 302 | 303 | 307 | 308 = 302): void {
    this.status = status;
    this.setHeader("location", encodeLocation(location));
    this.contentSize = 0;
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
    this.wire.sendInterim(status, list.list);
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
   *
   * `done` is called once if the bytes may be used for something else before they are garbage; revisers keep them.
   */
  echo(piece: string | Uint8Array, done?: () => void): void | Promise<void> {
    // A caller that does not await may not know yet, and may have no handler for an exception.
    if (this.#wasAborted) return this.wire.writable();
    this.#beginStreaming();
    if (this.#backlog?.takes(piece) === false) return this.#overrun();
    const sent = this.#sendPiece(piece, done);
    if (sent !== undefined) (this.#backlog ??= new Backlog()).add(sent);
    return sent;
  }

  /**
   * Sends a file by its absolute path, with the media type of its extension. Throws HTTPError: 404 if there is no such
   * file, 403 if it is not readable, 500 for an error of the system; HEMI_USAGE for a relative path. The caller must
   * check that the path may be served.
   */
  sendFile(path: string): Promise<void> {
    return this.#watched(sendFile(this, this.#surroundings.fcache, path));
  }

  /** Sends a range of an open file as content. The caller owns the descriptor, and keeps it open until this settles. */
  sendRegion(region: FileRegion): Promise<void> {
    return this.#watched(this.#sendRegion(region));
  }

  async #sendRegion(region: FileRegion): Promise<void> {
    if (this.#state === "open") {
      this.contentSize ??= region.size;
      const chain = this.#placeFilters();
      const instead = chain?.takeInstead();
      if (chain !== undefined && instead !== undefined) return this.#sendThrough(chain, instead);
    }
    this.#beginStreaming();
    const pipe = this.pipe;
    if (pipe?.isFlowing !== true) await this.wire.sendRegion(region);
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
      if (this.wire.head.method === "HEAD") await source[Symbol.asyncIterator]().return?.();
      else
        for await (const piece of source) {
          if (this.#wasAborted) await this.wire.writable();
          await this.#sendPiece(piece);
        }
    } catch (error) {
      this.abort();
      throw error;
    }
    this.end();
  }

  /**
   * Answers by leaving HTTP: what the client sends from here on, and is sent, goes through the stream that this
   * returns, paused. `protocol` is one of the request's `upgrades`, `undefined` for CONNECT. Fields that were set go
   * out with the answer; its status is the protocol's own matter. From here on all limits in time are the caller's.
   * `drained` is called once when the server drains, soon if it does already, and some time after a reload that drops
   * the caller: end the stream then. What it or a listener of the stream throws is in the log, and destroys the stream.
   * Throws HEMI_USAGE where the request asks for nothing of the sort.
   */
  tunnel(protocol: string | undefined, drained: () => void): Duplex {
    this.assertOpen();
    const handlet = this.req?.handlet;
    const failed = (error: unknown): void => this.noteFault(faultOf(handlet, error));
    const { tunnel, end } = openTunnel(this.wire, { protocol, fieldList: this.fieldList }, drained, failed);
    this.#endTunnel = end;
    this.#state = "done";
    this.tunnelOpened(protocol);
    return tunnel;
  }

  /** Sends everything that was echoed so far, even if revisers buffer it. */
  flush(): void | Promise<void> {
    if (!this.#wasAborted) return this.pipe?.flush();
  }

  /** Ends streamed content. Without any content, the response is empty. */
  end(): void {
    if (this.#wasAborted) return;
    if (this.#state === "open" && this.trailerList === undefined && this.contentSize === undefined) this.send();
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
    this.req?.leave();
    this.#endTunnel?.();
    if (this.#state !== "streaming" || this.contentSize !== undefined) return;
    if (!/^text\/event-stream\b/i.test(this.header("content-type") ?? "")) return;
    this.end();
    // For whoever goes on to send, the client has gone.
    this.#wasAborted = true;
    this.wire.dismiss();
  }

  /** Aborts the response: the client sees that it is incomplete. */
  abort(): void {
    if (this.#wasAborted) return;
    this.#wasAborted = true;
    this.#state = "done";
    this.pipe?.close();
    this.wire.abort();
  }

  /**
   * For handlets that have returned `true` and fail later, when they cannot throw: has the same effect as throwing the
   * error. The response has the error's status, or 500 with a log line; a started response is aborted.
   */
  fail(error: unknown): void {
    const { req } = this;
    if (req !== undefined) this.#surroundings.failed(faultOf(req.handlet, error), req, this);
  }

  /**
   * For the engine: handles the same request on another wire, and goes on if this one ends: for the fetch of a cache.
   * Returns what `run` does; its errors are answered and logged like those of any exchan.
   */
  detach(wire: ExchanWire, run: RunDetached): boolean | Promise<boolean> {
    if (this.req === undefined) return false;
    return this.#surroundings.serveDetached(this.req.onWire(wire), wire, run);
  }

  /** For the engine: whether nothing more is sent because the response was aborted. */
  get wasAborted(): boolean {
    return this.#wasAborted;
  }

  /** For the engine: reports an error that has no other caller. */
  noteFault(error: unknown): void {
    this.#surroundings.noteFault(error, this.req);
  }

  /** A handlet may ignore the promise: a disconnected client must not end the process, and other errors are logged. */
  #watched(sent: Promise<void>): Promise<void> {
    const handlet = this.req?.handlet;
    sent.catch((error: unknown) => {
      if (isPeerGone(error) || error instanceof HTTPError) return;
      this.noteFault(faultOf(handlet, error));
    });
    return sent;
  }

  override assertOpen(): void {
    if (this.#state !== "open") throw new HemiError("HEMI_HEAD_SENT", "the head of the response has already been sent");
  }

  /**
   * For a tunnel request, any 2xx means that the tunnel is open, and all further bytes belong to it (RFC 9110 9.3.6).
   */
  #assertNoTunnel(): void {
    if (this.wire.head.method !== "CONNECT" || this.status > 299) return;
    throw new HemiError("HEMI_USAGE", `CONNECT was to be answered with ${this.status}, which would open a tunnel`);
  }

  #beginStreaming(): void {
    if (this.#state === "streaming") return;
    this.assertOpen();
    this.#placeFilters();
    this.#assertNoTunnel();
    if (this.wire.head.method === "HEAD") this.pipe?.drop();
    this.#state = "streaming";
    this.wire.sendHead(this, this.contentSize);
    this.progressListener?.headSent();
  }

  /** What a GET would have. */
  #hasContent(): boolean {
    return responseHasContent("GET", this.status);
  }

  #placeFilters(): FilterChain | undefined {
    const pipe = this.pipe;
    return pipe?.isHooked === true ? pipe.install(pipe.runHooks(), this.#hasContent()) : undefined;
  }

  #sendPiece(piece: string | Uint8Array, done?: () => void): void | Promise<void> {
    const pipe = this.pipe;
    if (pipe?.isFlowing === true) return pipe.push(piece);
    return this.wire.sendContent(piece, done) ? undefined : this.wire.writable();
  }

  /** The handlet does not wait for its client. */
  #overrun(): Promise<void> {
    const reason = `more than ${maxBacklog} bytes were echoed that the client had not taken: await echo()`;
    const fault = faultOf(this.req?.handlet, new HemiError("HEMI_USAGE", reason));
    this.noteFault(fault);
    this.abort();
    return quietly(Promise.reject(fault));
  }

  #finish(): void {
    this.#state = "done";
    const ended = (): void => this.wire.endContent(this.trailerList ?? []);
    const pipe = this.pipe;
    if (pipe?.isFlowing === true) pipe.end(ended);
    else ended();
  }
}

function sizeOf(content: string | Uint8Array | undefined): number {
  if (content === undefined) return 0;
  return typeof content === "string" ? Buffer.byteLength(content) : content.length;
}

const noBytes = new Uint8Array();
