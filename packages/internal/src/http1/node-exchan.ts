// One request to an HTTP/1 server, and its answer.

import { Buffer } from "node:buffer";
import type { ConnUser } from "../backend/node-conn.ts";
import { contentMayFollow } from "../http/content-rule.ts";
import { NodeExchan, forNode } from "../http/node-exchan.ts";
import type { NodeOwner } from "../backend/backend.ts";
import type { Node } from "../backend/node.ts";
import type { SelectionHint } from "../backend/selection-hint.ts";
import type {
  ResponseHandler,
  BackendRequest,
  NodeTimeouts,
  TunnelHandler,
  TunnelRequest,
} from "../http/web-backend.ts";
import { noFields, type Fields } from "../http/fields.ts";
import { isIdempotent } from "../http/methods.ts";
import { readHttp1ResponseHead, type Http1NodeResponseHead } from "./node-response-head.ts";
import type { Http1NodeConn, Http1Pool } from "./node-traits.ts";
import { isSameBytes } from "../http/bytes.ts";
import { joinedCopy } from "../net/input.ts";
import { MessageContent } from "./message-content.ts";
import { encodeRequestHead, trailerLines } from "./request-head.ts";
import { UpgradeRequest } from "./upgrade-request.ts";

export class Http1NodeExchan extends NodeExchan<Http1Pool> implements ConnUser {
  #request: BackendRequest;
  readonly #tunnelTaker: TunnelHandler | undefined;
  readonly #upgrade: UpgradeRequest | undefined;
  #pool: Http1Pool | undefined;
  #conn: Http1NodeConn | undefined;
  #isReused = false;
  #head: Http1NodeResponseHead | undefined;
  #content: MessageContent | undefined;
  #interims = 0;
  /**
   * An incomplete head is not read again before its input has this length: else each byte of a slow one would cost a
   * reading.
   */
  #retryLength = 0;

  /** `tunnel`: its taker is this one, and it hears it if the node leaves HTTP. */
  constructor(
    request: BackendRequest,
    wish: SelectionHint,
    taker: ResponseHandler,
    owner: NodeOwner<Http1Pool>,
    tunnel?: TunnelRequest,
  ) {
    super(request.contentSize, wish, taker, owner);
    this.#request = request;
    this.#tunnelTaker = tunnel?.taker;
    this.#upgrade = tunnel === undefined ? undefined : new UpgradeRequest(tunnel.protocol);
    this.isRequestSent = request.contentSize === 0;
  }

  // ---- towards the node ----

  get timeouts(): NodeTimeouts | undefined {
    return this.#request.timeouts;
  }

  protected dial(node: Node<Http1Pool>): void {
    const { pool } = node;
    this.#request = forNode(this.#request, node);
    // One turn of the event loop shows whether the node has closed what we kept. What may not be made twice waits for
    // that, and what cannot: content is passed on as it comes.
    const { method, contentSize } = this.#request;
    if (pool.hasIdle && (contentSize !== 0 || !isIdempotent(method))) setImmediate(() => this.#take(pool));
    else this.#take(pool);
  }

  /** The connection stands. */
  connected(): void {
    const conn = this.#conn;
    if (conn === undefined) return;
    conn.output.writeText(encodeRequestHead(this.#request, this.#upgrade?.lines));
    this.opened();
  }

  protected writeContent(piece: Uint8Array, done?: () => void): boolean {
    const conn = this.#conn;
    if (conn === undefined) return true;
    const isChunked = this.#request.contentSize === undefined;
    const [before, after] = isChunked ? [piece.length.toString(16) + "\r\n", "\r\n"] : ["", ""];
    // An empty chunk would be the last one.
    if (isChunked && piece.length === 0) return true;
    if (done === undefined) conn.output.writeBytes(before, piece, after);
    else conn.output.writeLent(before, piece, after, done);
    conn.settle();
    return !conn.output.isBlocked;
  }

  protected async drained(): Promise<void> {
    await this.#conn?.output.drained().catch(noop);
  }

  protected writeEnd(trailers: Fields): void {
    const conn = this.#conn;
    if (conn === undefined) return;
    if (this.#request.contentSize === undefined) conn.output.writeText("0\r\n" + trailerLines(trailers) + "\r\n");
    conn.settle();
  }

  protected resumed(): void {
    this.#conn?.resume();
  }

  // ---- what the connection tells ----

  /** Reads the answer as far as the input goes. */
  advance(): void {
    while (this.#step());
  }

  /** The node has closed the connection. True: that is where the answer ends. */
  endedByClose(): boolean {
    const content = this.#content;
    if (this.state !== "content" || content === undefined || !this.#endsByClose()) return false;
    this.leave(false, "good");
    this.taker.ended(noFields);
    return true;
  }

  timedOut(reason: string): void {
    this.fail("HEMI_TIMEOUT", reason);
  }

  /** The connection is gone. */
  broken(reason: string | undefined): void {
    const isStale = this.#isReused && this.#head === undefined && this.#interims === 0;
    if (isStale) this.#pool?.dropIdle();
    this.lostConn(reason, isStale);
  }

  #endsByClose(): boolean {
    const head = this.#head;
    return head !== undefined && !head.isChunked && head.contentSize === undefined;
  }

  #take(pool: Http1Pool): void {
    if (this.state === "over") return;
    const { from } = this.wish;
    const conn = this.#upgrade === undefined ? pool.take(from) : pool.dialStream(from);
    this.#pool = pool;
    this.#conn = conn;
    this.#isReused = conn.requests > 0;
    conn.begin(this);
  }

  /** False when there is nothing more to do for now. */
  #step(): boolean {
    if (this.isHeld) return false;
    if (this.state === "head") return this.#readHead();
    return this.state === "content" && this.#readContent();
  }

  #readHead(): boolean {
    const conn = this.#conn;
    if (conn === undefined) return false;
    const { input } = conn;
    const available = input.size;
    if (available === 0) return false;
    const head = repeatedHead(conn, available) ?? this.#nextHead(conn, available);
    if (head === undefined) return false;
    if (typeof head === "string") {
      this.fail("HEMI_BACKEND_BROKEN", head);
      return false;
    }
    if (head.status < 200) return this.#takeInterim(conn, head);
    this.#head = head;
    this.state = "content";
    const size = contentMayFollow(this.#request.method, head.status) ? sizeOf(head) : 0;
    if (size !== undefined && size <= input.size) {
      // All of it is there, as most often.
      const whole = input.takeWhole(size);
      this.#finish(conn, head);
      this.taker.answered(head, whole);
      return false;
    }
    const content = (this.#content = new MessageContent(size, conn.traits.contentLimits, true));
    const first = this.#gather(conn, content);
    if (content.done && content.trailers.count === 0) {
      this.#finish(conn, head);
      this.taker.answered(head, first ?? noBytes);
      return false;
    }
    this.taker.answered(head, undefined);
    return this.#deliver(conn, content, first);
  }

  #nextHead(conn: Http1NodeConn, available: number): Http1NodeResponseHead | string | undefined {
    const { input, traits } = conn;
    const { bytes, at } = input;
    const mark = bytes.indexOf("\r\n\r\n", at, "latin1");
    if (mark < 0) {
      if (available < this.#retryLength) return undefined;
      this.#retryLength = Math.min(available * 2, traits.settings.maxHeadSize);
      const head = readHttp1ResponseHead(bytes, at, bytes.length, traits.settings);
      return typeof head === "string" ? head : undefined;
    }
    this.#retryLength = 0;
    const own = Buffer.from(bytes.subarray(at, mark + 4));
    const head = readHttp1ResponseHead(own, 0, own.length, traits.settings) ?? "its head is malformed";
    if (typeof head === "string") return head;
    input.at += head.end;
    conn.memory = head;
    return head;
  }

  #takeInterim(conn: Http1NodeConn, head: Http1NodeResponseHead): boolean {
    const { maxInterims } = conn.traits.settings;
    if (head.status === 101) this.#leaveHTTP(conn, head);
    else if (++this.#interims > maxInterims) {
      this.fail("HEMI_BACKEND_BROKEN", `more than ${maxInterims} 1xx answers came, which is maxInterims`);
    }
    // A 100 is between us and the node; who waits for one at the other end gets it from us.
    else if (head.status !== 100) this.taker.interim(head.status, head);
    return this.state === "head";
  }

  #leaveHTTP(conn: Http1NodeConn, head: Http1NodeResponseHead): void {
    const taker = this.#tunnelTaker;
    const refusal =
      this.#upgrade === undefined
        ? "it switches protocols without having been asked to"
        : this.#upgrade.whyNotGranted(head);
    if (refusal !== undefined || taker === undefined) return this.fail("HEMI_BACKEND_BROKEN", refusal ?? "");
    this.#conn = undefined;
    const stream = conn.leave();
    this.becameTunnel(stream);
    taker.switched(head, stream);
  }

  #readContent(): boolean {
    const conn = this.#conn;
    const content = this.#content;
    if (conn === undefined || content === undefined) return false;
    const start = conn.input.at;
    const piece = this.#gather(conn, content);
    return this.#deliver(conn, content, piece, conn.input.lent(start));
  }

  /** All that the input holds of the content, in one piece: many small chunks are not passed on one by one. */
  #gather(conn: Http1NodeConn, content: MessageContent): Buffer | undefined {
    const first = content.next(conn.input);
    if (first === undefined) return undefined;
    let next = content.next(conn.input);
    if (next === undefined) return content.done ? conn.input.ownedWhole(first) : conn.input.owned(first);
    const pieces = [first];
    for (; next !== undefined; next = content.next(conn.input)) pieces.push(next);
    return content.done ? Buffer.concat(pieces) : joinedCopy(pieces);
  }

  #deliver(conn: Http1NodeConn, content: MessageContent, piece: Buffer | undefined, done?: () => void): boolean {
    if (piece !== undefined && !this.taker.content(piece, done)) this.isHeld = true;
    // The taker may have given it up.
    if (this.state !== "content") return false;
    if (content.failure !== undefined) this.fail("HEMI_BACKEND_BROKEN", `its content is broken: ${content.failure}`);
    else if (content.done) {
      this.isHeld = false;
      const { trailers } = content;
      if (this.#head !== undefined) this.#finish(conn, this.#head);
      this.taker.ended(trailers);
    }
    return false;
  }

  // ---- the end ----

  /** The answer is complete. */
  #finish(conn: Http1NodeConn, head: Http1NodeResponseHead): void {
    const isReusable = head.mayKeepAlive && this.isRequestSent && !conn.output.isBlocked;
    this.finish(head.status, conn.traits.settings.failStatuses, isReusable);
  }

  protected release(isReusable: boolean): void {
    const conn = this.#conn;
    this.#conn = undefined;
    if (isReusable) conn?.finished(aliveFor(this.#head));
    else conn?.destroy();
  }
}

const noBytes = Buffer.alloc(0);

function noop(): void {}

/** Of content, in bytes: `undefined` in chunks, `Infinity` up to the end of the connection. */
function sizeOf({ isChunked, contentSize }: Http1NodeResponseHead): number | undefined {
  return isChunked ? undefined : (contentSize ?? Infinity);
}

/** In ms, how long the node says that it keeps the connection for. */
function aliveFor(head: Http1NodeResponseHead | undefined): number | undefined {
  return head?.keepAliveTimeout === undefined ? undefined : head.keepAliveTimeout * 1000;
}

/**
 * The last head, if it stands in the input again: answers that are alike are most, and what was read of one still
 * holds.
 */
function repeatedHead(
  { memory: lastHead, input }: Http1NodeConn,
  available: number,
): Http1NodeResponseHead | undefined {
  if (lastHead === undefined) return undefined;
  const { bytes, at } = input;
  const size = lastHead.end;
  // Where two heads differ, they most often differ in their last bytes, or in a date.
  if (available < size || bytes[at + size - 5] !== lastHead.bytes[size - 5]) return undefined;
  if (!isSameBytes(bytes, at, lastHead.bytes, 0, size)) return undefined;
  input.at += size;
  return lastHead;
}
