// One request to an HTTP/1 server, and its answer.
//
//   queued ──> dialing ──> head ──> content ──> over
//      │          │         └─ 101 ───────────> over: the connection is a tunnel, which the node counts until it is closed
//      └──────────┴─────────┴─────────┴───────> over: failed, or cancelled

import type { ConnUser } from "../backend/client-conn.ts";
import { BackendFailure, type FailureCode } from "../backend/failure.ts";
import type { NodeOwner, Outcome } from "../backend/backend.ts";
import type { Node } from "../backend/node.ts";
import type { Waiter } from "../backend/node-group.ts";
import type { NodeWish } from "../backend/node-wish.ts";
import type { AnswerTaker, BackendRequest, TunnelTaker, WebExchange } from "../backend/web-backend.ts";
import { noFields, type Fields } from "../web/fields.ts";
import { isIdempotent } from "../web/methods.ts";
import { readAnswerHead, type Http1AnswerHead } from "./answer-head.ts";
import type { Http1ClientConn, Http1Pool } from "./client-traits.ts";
import { RequestContent } from "./request-content.ts";
import { encodeRequestHead, trailerLines } from "./request-head.ts";
import { UpgradeWish } from "./upgrade-wish.ts";

/** An exchange that may leave HTTP. */
export interface TunnelWish {
  readonly protocol: string;
  readonly taker: TunnelTaker;
}

export class Http1ClientExchan implements WebExchange, Waiter<Http1Pool>, ConnUser {
  readonly wish: NodeWish;
  /** All of the request has been handed to the connection. */
  isRequestSent: boolean;
  /** The taker wants no more content for now. */
  isHeld = false;
  readonly #request: BackendRequest;
  readonly #taker: AnswerTaker;
  readonly #owner: NodeOwner<Http1Pool>;
  readonly #tunnelTaker: TunnelTaker | undefined;
  readonly #upgrade: UpgradeWish | undefined;
  #state: "queued" | "dialing" | "head" | "content" | "over" = "queued";
  #node: Node<Http1Pool> | undefined;
  #conn: Http1ClientConn | undefined;
  #isReused = false;
  /** Content that came before there was a connection to send it by. */
  #early: Uint8Array | undefined;
  #connecting: PromiseWithResolvers<void> | undefined;
  /** Of the request's content, in bytes. */
  #sent = 0;
  #head: Http1AnswerHead | undefined;
  #content: RequestContent | undefined;
  #interims = 0;
  /** An incomplete head is not read again before its input has this length: else each byte of a slow one would cost a reading. */
  #retryLength = 0;

  /** `tunnel`: its taker is this one, and it hears it if the node leaves HTTP. */
  constructor(
    request: BackendRequest,
    wish: NodeWish,
    taker: AnswerTaker,
    owner: NodeOwner<Http1Pool>,
    tunnel?: TunnelWish,
  ) {
    this.#request = request;
    this.wish = wish;
    this.#taker = taker;
    this.#owner = owner;
    this.#tunnelTaker = tunnel?.taker;
    this.#upgrade = tunnel === undefined ? undefined : new UpgradeWish(tunnel.protocol);
    this.isRequestSent = request.contentSize === 0;
  }

  get node(): string | undefined {
    return this.#node?.id;
  }

  get tag(): string | undefined {
    return this.#node?.tag;
  }

  // ---- towards the node ----

  entered(node: Node<Http1Pool>): void {
    this.#node = node;
    this.#state = "dialing";
    // One turn of the event loop shows whether the node has closed what we kept; a request that may not be made twice waits for that.
    if (node.pool.hasIdle && !isIdempotent(this.#request.method)) setImmediate(() => this.#take(node));
    else this.#take(node);
  }

  refused(failure: BackendFailure): void {
    this.#state = "over";
    this.#connecting?.resolve();
    this.#taker.failed(failure);
  }

  /** The connection stands. */
  connected(): void {
    const conn = this.#conn;
    if (conn === undefined) return;
    this.#state = "head";
    conn.output.writeText(encodeRequestHead(this.#request, this.#upgrade?.lines));
    const early = this.#early;
    this.#early = undefined;
    if (early !== undefined) this.#write(conn, early);
    // With content, the head waits for its first piece, for the rest of the turn at most: they share a packet.
    if (this.#request.contentSize === 0 || early !== undefined) conn.output.flush();
    this.#connecting?.resolve();
  }

  sendContent(piece: Uint8Array): boolean {
    if (this.#state === "over" || this.isRequestSent) return true;
    this.#sent += piece.length;
    if (this.#sent > (this.#request.contentSize ?? Infinity)) {
      this.#fail("HEMI_BACKEND_BROKEN", "the request has more content than it announced");
      return true;
    }
    const conn = this.#conn;
    if (conn === undefined || this.#state === "dialing") {
      this.#early = this.#early === undefined ? piece : Buffer.concat([this.#early, piece]);
      return false;
    }
    this.#write(conn, piece);
    conn.settle();
    return !conn.output.isBlocked;
  }

  writable(): Promise<void> {
    if (this.#state === "queued" || this.#state === "dialing") {
      this.#connecting ??= Promise.withResolvers<void>();
      return this.#connecting.promise;
    }
    // Why there is no use in sending more, the taker is told.
    return this.#conn === undefined ? Promise.resolve() : this.#conn.output.drained().catch(noop);
  }

  endContent(trailers: Fields): void {
    if (this.#state === "over" || this.isRequestSent) return;
    const { contentSize } = this.#request;
    if (contentSize !== undefined && this.#sent < contentSize) {
      return this.#fail("HEMI_BACKEND_BROKEN", "the request has less content than it announced");
    }
    const conn = this.#conn;
    if (conn === undefined || this.#state === "dialing") {
      void this.writable().then(() => this.endContent(trailers));
      return;
    }
    if (contentSize === undefined) conn.output.writeText("0\r\n" + trailerLines(trailers) + "\r\n");
    this.isRequestSent = true;
    conn.output.flush();
    conn.settle();
  }

  resume(): void {
    if (!this.isHeld) return;
    this.isHeld = false;
    this.#conn?.resume();
  }

  cancel(): void {
    if (this.#state === "over") return;
    const wasQueued = this.#state === "queued";
    if (wasQueued) this.#owner.forget(this);
    this.#leave(false, "unknown");
  }

  // ---- what the connection tells ----

  /** Reads the answer as far as the input goes. */
  advance(): void {
    while (this.#step());
  }

  /** The node has closed the connection. True: that is where the answer ends. */
  endedByClose(): boolean {
    const content = this.#content;
    if (this.#state !== "content" || content === undefined || !this.#endsByClose) return false;
    this.#leave(false, "good");
    this.#taker.ended(noFields);
    return true;
  }

  timedOut(reason: string): void {
    this.#fail("HEMI_TIMEOUT", reason);
  }

  /** The connection is gone. */
  broken(reason: string | undefined): void {
    if (this.#state === "dialing") {
      return this.#fail("HEMI_BACKEND_DIAL", `it cannot be connected to: ${reason ?? "it closed the connection"}`);
    }
    const what = this.#head === undefined ? "before its answer came" : "before its answer was complete";
    const isStale = this.#isReused && this.#head === undefined && this.#interims === 0;
    if (isStale) this.#node?.pool.dropIdle();
    this.#fail("HEMI_BACKEND_BROKEN", `the connection broke ${what}: ${reason ?? "it was closed"}`, isStale);
  }

  get #endsByClose(): boolean {
    const head = this.#head;
    return head !== undefined && !head.isChunked && head.contentSize === undefined;
  }

  #take(node: Node<Http1Pool>): void {
    if (this.#state === "over") return;
    const { pool } = node;
    const { from } = this.wish;
    const conn = (this.#conn = this.#upgrade === undefined ? pool.take(from) : pool.dialStream(from));
    this.#isReused = conn.requests > 0;
    conn.begin(this);
  }

  #write(conn: Http1ClientConn, piece: Uint8Array): void {
    if (this.#request.contentSize === undefined) {
      // An empty chunk would be the last one.
      if (piece.length > 0) conn.output.writeBytes(piece.length.toString(16) + "\r\n", piece, "\r\n");
    } else conn.output.writeBytes("", piece, "");
  }

  /** False when there is nothing more to do for now. */
  #step(): boolean {
    if (this.isHeld) return false;
    if (this.#state === "head") return this.#readHead();
    return this.#state === "content" && this.#readContent();
  }

  #readHead(): boolean {
    const conn = this.#conn;
    if (conn === undefined) return false;
    const { input } = conn;
    const available = input.bytes.length - input.at;
    if (available === 0) return false;
    const head = repeatedHead(conn, available) ?? this.#nextHead(conn, available);
    if (head === undefined) return false;
    if (typeof head === "string") {
      this.#fail("HEMI_BACKEND_BROKEN", head);
      return false;
    }
    if (head.status < 200) return this.#takeInterim(conn, head);
    this.#head = head;
    this.#state = "content";
    const size = head.isWithoutContent(this.#request.method)
      ? 0
      : head.isChunked
        ? undefined
        : (head.contentSize ?? Infinity);
    const content = (this.#content = new RequestContent(size, conn.traits.contentLimits));
    const first = this.#gather(conn, content);
    if (content.done && content.trailers.count === 0) {
      this.#finish(conn, head);
      this.#taker.answered(head, first ?? noBytes);
      return false;
    }
    this.#taker.answered(head, undefined);
    return this.#deliver(conn, content, first);
  }

  #nextHead(conn: Http1ClientConn, available: number): Http1AnswerHead | string | undefined {
    const { input, traits } = conn;
    const { bytes, at } = input;
    const mark = bytes.indexOf("\r\n\r\n", at, "latin1");
    if (mark < 0) {
      if (available < this.#retryLength) return undefined;
      this.#retryLength = Math.min(available * 2, traits.settings.maxHeadSize);
      const head = readAnswerHead(bytes, at, bytes.length, traits.settings);
      return typeof head === "string" ? head : undefined;
    }
    this.#retryLength = 0;
    const own = Buffer.from(bytes.subarray(at, mark + 4));
    const head = readAnswerHead(own, 0, own.length, traits.settings) ?? "its head is malformed";
    if (typeof head === "string") return head;
    input.at += head.end;
    conn.memory = head;
    return head;
  }

  #takeInterim(conn: Http1ClientConn, head: Http1AnswerHead): boolean {
    const { maxInterims } = conn.traits.settings;
    if (head.status === 101) this.#leaveHTTP(conn, head);
    else if (++this.#interims > maxInterims) {
      this.#fail("HEMI_BACKEND_BROKEN", `more than ${maxInterims} 1xx answers came, which is maxInterims`);
    }
    // A 100 is between us and the node; who waits for one at the other end gets it from us.
    else if (head.status !== 100) this.#taker.interim(head.status, head);
    return this.#state === "head";
  }

  #leaveHTTP(conn: Http1ClientConn, head: Http1AnswerHead): void {
    const taker = this.#tunnelTaker;
    const node = this.#node;
    const refusal =
      this.#upgrade === undefined
        ? "it switches protocols without having been asked to"
        : this.#upgrade.whyNotGranted(head);
    if (refusal !== undefined || taker === undefined || node === undefined) {
      return this.#fail("HEMI_BACKEND_BROKEN", refusal ?? "");
    }
    this.#state = "over";
    this.#conn = undefined;
    const stream = conn.leave();
    this.#owner.judge(node, "good");
    stream.once("close", () => this.#owner.depart(node));
    taker.switched(head, stream);
  }

  #readContent(): boolean {
    const conn = this.#conn;
    const content = this.#content;
    if (conn === undefined || content === undefined) return false;
    return this.#deliver(conn, content, this.#gather(conn, content));
  }

  /** All that the input holds of the content, in one piece: many small chunks are not passed on one by one. */
  #gather(conn: Http1ClientConn, content: RequestContent): Buffer | undefined {
    const first = content.next(conn.input);
    if (first === undefined) return undefined;
    let next = content.next(conn.input);
    if (next === undefined) return conn.own(first);
    const pieces = [first];
    for (; next !== undefined; next = content.next(conn.input)) pieces.push(next);
    return Buffer.concat(pieces);
  }

  #deliver(conn: Http1ClientConn, content: RequestContent, piece: Buffer | undefined): boolean {
    if (piece !== undefined && !this.#taker.content(piece)) this.isHeld = true;
    // The taker may have given it up.
    if (this.#state !== "content") return false;
    if (content.failure !== undefined) this.#fail("HEMI_BACKEND_BROKEN", `its content is broken: ${content.failure}`);
    else if (content.done) {
      this.isHeld = false;
      const { trailers } = content;
      if (this.#head !== undefined) this.#finish(conn, this.#head);
      this.#taker.ended(trailers);
    }
    return false;
  }

  // ---- the end ----

  /** The answer is complete. */
  #finish(conn: Http1ClientConn, head: Http1AnswerHead): void {
    const { status } = head;
    this.#leave(
      head.mayKeepAlive && this.isRequestSent && !conn.output.isBlocked,
      conn.traits.settings.failStatuses.includes(status) ? { failure: `it answered ${status}` } : "good",
    );
  }

  #leave(isReusable: boolean, outcome: Outcome): void {
    const conn = this.#conn;
    const node = this.#node;
    this.#state = "over";
    this.#conn = undefined;
    this.#early = undefined;
    this.#connecting?.resolve();
    if (isReusable) conn?.finished(aliveFor(this.#head));
    else conn?.destroy();
    if (node !== undefined) this.#owner.leave(node, outcome);
  }

  #fail(code: FailureCode, reason: string, isStale = false): void {
    if (this.#state === "over") return;
    const wasSent = this.#state === "head" || this.#state === "content";
    const failure = new BackendFailure(code, this.#node?.id ?? "", reason, { wasSent, isStale });
    // A kept connection that was closed says nothing against its node.
    this.#leave(false, isStale ? "unknown" : { failure: reason });
    this.#taker.failed(failure);
  }
}

const noBytes = Buffer.alloc(0);

function noop(): void {}

/** In ms, how long the node says that it keeps the connection for. */
function aliveFor(head: Http1AnswerHead | undefined): number | undefined {
  return head?.keepAliveTimeout === undefined ? undefined : head.keepAliveTimeout * 1000;
}

/** The last head, if it stands in the input again: answers that are alike are most, and what was read of one still holds. */
function repeatedHead({ memory: lastHead, input }: Http1ClientConn, available: number): Http1AnswerHead | undefined {
  if (lastHead === undefined) return undefined;
  const { bytes, at } = input;
  const size = lastHead.end;
  // Where two heads differ, they most often differ in their last bytes, or in a date.
  if (available < size || bytes[at + size - 5] !== lastHead.bytes[size - 5]) return undefined;
  if (bytes.compare(lastHead.bytes, 0, size, at, at + size) !== 0) return undefined;
  input.at += size;
  return lastHead;
}
