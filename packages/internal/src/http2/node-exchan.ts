// One request to an HTTP/2 server, and its answer, on a stream of a connection that others share.
//
// What one reading brings of an answer is gathered, so that a small one is given to its taker whole.

import { Buffer } from "node:buffer";
import { StreamNodeExchan, type NodeWait, type StreamSource } from "../http/stream-node-exchan.ts";
import type { BackendRequest } from "../http/web-backend.ts";
import { notInTrailers } from "../http/field-names.ts";
import { noFields, type Fields } from "../http/fields.ts";
import type { Http2NodeResponseHead } from "./node-response-head.ts";
import type { Http2NodeSettings } from "./node-props.ts";
import { Http2NodeTunnel, type TunnelConn } from "./node-tunnel.ts";
import { errorCode, errorName } from "./frames.ts";
import type { Priority } from "./priority.ts";
import { ReceivedContent } from "./received-content.ts";
import { passedFields } from "./request-heads.ts";
import type { SendingStream } from "./sender.ts";
import type { SendQueue } from "./send-queue.ts";

/** Where connections come from: a pool of a node's. */
export interface ConnSource extends StreamSource {
  readonly settings: Http2NodeSettings;
  /** `granted` follows, or `unavailable`. */
  take(exchan: Http2NodeExchan): void;
  /** Neither has to follow any more. */
  forget(exchan: Http2NodeExchan): void;
}

/** What an exchan needs of the connection that its stream is on. */
export interface StreamConn extends TunnelConn<Http2NodeExchan> {
  /** Requests that were begun here. */
  readonly requests: number;
  /** How often something was read. */
  readonly readings: number;
  /** The node takes extended CONNECT (RFC 8441). */
  readonly allowsConnectProtocol: boolean;
  /** Begins its stream. */
  sendRequest(
    exchan: Http2NodeExchan,
    request: BackendRequest,
    how: { readonly protocol: string | undefined; readonly isEnd: boolean },
  ): void;
  /** Something was sent, or another thing is waited for: its whole time begins anew. */
  waitFor(exchan: Http2NodeExchan, wait: NodeWait): void;
  /** Its stream is over on both sides. */
  forget(exchan: Http2NodeExchan): void;
}

export class Http2NodeExchan extends StreamNodeExchan<ConnSource> implements SendingStream {
  /** 0 until there is a stream. */
  id = 0;
  /** Requests share the connection: none of them is of use to its node only when it is whole. */
  readonly priority: Priority = shared;
  sendWindow = 0;
  queue: SendQueue | undefined;
  /** Of the answer; `undefined` where none is to come, or is not to come yet. */
  content: ReceivedContent | undefined;
  trailers: Fields = noFields;
  #conn: StreamConn | undefined;
  /** What the connection had received when the request was sent by it, where it had served others before; else -1. */
  #receivedBefore = -1;
  /** Of the answer's content, what this reading has brought. */
  #pieces: Buffer[] = [];
  #writable: PromiseWithResolvers<void> | undefined;
  /** Once the node has left HTTP. */
  #tunnel: Http2NodeTunnel<Http2NodeExchan> | undefined;
  /** The last frame of ours is out. */
  #isEndSent = false;

  /** The next header block of its stream is a head. */
  get awaitsHead(): boolean {
    return this.head === undefined;
  }

  // ---- towards the node ----

  protected takeConn(source: ConnSource): void {
    source.take(this);
  }

  /** There is a stream for it. */
  granted(conn: StreamConn, id: number, sendWindow: number): void {
    const protocol = this.tunnelRequest?.protocol;
    if (protocol !== undefined && !conn.allowsConnectProtocol) {
      return this.fail("HEMI_BACKEND_BROKEN", "it takes no tunnels over HTTP/2 (SETTINGS_ENABLE_CONNECT_PROTOCOL)", {
        isUnseen: true,
      });
    }
    this.id = id;
    this.sendWindow = sendWindow;
    this.#conn = conn;
    if (conn.requests > 1) this.#receivedBefore = conn.readings;
    this.#isEndSent = this.isRequestSent && protocol === undefined;
    conn.sendRequest(this, this.request, { protocol, isEnd: this.#isEndSent });
    this.opened();
    this.settle();
  }

  protected writeContent(piece: Uint8Array): boolean {
    const conn = this.#conn;
    if (conn === undefined || piece.length === 0) return true;
    conn.sender.sendContent(this, piece, false);
    this.settle();
    return this.queue === undefined && !conn.isBlocked;
  }

  override drained(): Promise<void> {
    if (this.queue === undefined && this.#conn?.isBlocked !== true) return Promise.resolve();
    this.#writable ??= Promise.withResolvers<void>();
    return this.#writable.promise;
  }

  protected writeEnd(trailers: Fields): void {
    const { count } = trailers;
    this.#conn?.sender.end(this, count === 0 ? none : passedFields(trailers, notInTrailers));
    this.settle();
  }

  protected resumed(): void {
    const { content } = this;
    if (content === undefined) return;
    for (let piece = content.take(); piece !== undefined; piece = content.take()) {
      this.#give(piece);
      if (this.isHeld || this.state !== "content") break;
    }
    if (this.state === "content" && !this.isHeld && content.isWhole) this.#complete();
    else this.settle();
  }

  // ---- what the connection tells ----

  /** A head has come. */
  answered(head: Http2NodeResponseHead, isEnd: boolean, windowSize: number): void {
    if (head.status < 200) return this.takeInterim(head, isEnd);
    if (this.tunnelRequest !== undefined && head.status < 300) return this.#leaveHTTP(head, isEnd, windowSize);
    this.head = head;
    this.content = new ReceivedContent(windowSize);
    if (isEnd) this.contentArrived(noBytes, 0, 0, true);
  }

  /** Content has come, the last of it if `isEnd`. Its bytes are nobody else's. */
  contentArrived(bytes: Buffer, start: number, end: number, isEnd: boolean): void {
    const { content } = this;
    if (content === undefined) return;
    content.received += end - start;
    content.isWhole = isEnd;
    // The node is done with it, whenever the client takes the rest.
    if (isEnd && this.#isEndSent) this.#conn?.forget(this);
    if (this.#tunnel !== undefined) return this.#tunnel.contentArrived(bytes.subarray(start, end), isEnd);
    if (this.head === undefined) return;
    if (this.isLengthWrong(content.received, isEnd)) {
      return this.fail("HEMI_BACKEND_BROKEN", "its content is not as long as it said");
    }
    if (end > start) {
      if (this.isHeld) content.keep(bytes, start, end);
      else this.#pieces.push(bytes.subarray(start, end));
    }
    if (isEnd && !this.isHeld) this.#complete();
  }

  /** All that one reading has brought is here. */
  readingOver(): void {
    if (this.state === "over") return;
    this.giveHead();
    this.#givePieces();
    this.settle();
  }

  /** The node gives the stream up. */
  reset(code: number): void {
    if (this.#isAnswered()) return;
    this.#tunnel?.broken(new Error(`the node has reset its stream with ${errorName(code)}`));
    if (code === errorCode.refusedStream) {
      return this.fail("HEMI_BACKEND_BROKEN", "it refused the stream, unseen", { isUnseen: this.awaitsHead });
    }
    const hint = code === errorCode.http11Required ? ": it wants HTTP/1 for this; see http1Backend" : "";
    this.fail("HEMI_BACKEND_BROKEN", `it reset the stream with ${errorName(code)}${hint}`);
  }

  /** The node has said that it did not look at the request. */
  passedOver(reason: string): void {
    this.#tunnel?.broken(new Error(reason));
    this.fail("HEMI_BACKEND_BROKEN", reason, { isUnseen: this.awaitsHead });
  }

  /** The connection is gone. `isSilent`: the node does not even answer a PING. */
  broken(isSilent: boolean, reason: string | undefined): void {
    const isStale = this.#receivedBefore === this.#conn?.readings && this.head === undefined;
    this.#conn = undefined;
    if (this.#isAnswered()) return;
    this.#tunnel?.broken(new Error(reason ?? "the connection to the node was closed"));
    if (isSilent) this.fail("HEMI_TIMEOUT", reason ?? "");
    else this.lostConn(reason, isStale);
  }

  /** What the node sent is wrong, and its stream has been reset for it. */
  malformed(reason: string): void {
    this.#tunnel?.broken(new Error(reason));
    this.fail("HEMI_BACKEND_BROKEN", reason);
  }

  /** The client has a limit of its own where it is the one who is waited for. */
  settle(): void {
    const conn = this.#conn;
    if (conn === undefined || this.#tunnel !== undefined) return;
    if (this.queue !== undefined || (conn.isBlocked && !this.isRequestSent)) conn.waitFor(this, "write");
    else if (this.isHeld || !this.isRequestSent) this.waitsUntil = Infinity;
    else conn.waitFor(this, "read");
  }

  // ---- what its sender tells ----

  contentLeft(): void {
    if (this.wait === "write") this.settle();
  }

  queueEmptied(): void {
    this.unblocked();
    this.settle();
  }

  endLeft(): void {
    this.#isEndSent = true;
    if (this.content?.isWhole === true) this.#conn?.forget(this);
  }

  /** More may be sent, if nothing of this stream waits. */
  unblocked(): void {
    if (this.queue !== undefined || this.#conn?.isBlocked === true) return;
    this.#writable?.resolve();
    this.#writable = undefined;
  }

  // ---- the answer ----

  /** All of it has come, and waits for the taker: only the rest of the request is not wanted (RFC 9113 8.1). */
  #isAnswered(): boolean {
    if (this.content?.isWhole !== true || this.state === "over") return false;
    this.isRequestSent = true;
    this.#writable?.resolve();
    this.#writable = undefined;
    return true;
  }

  #givePieces(): void {
    const pieces = this.#pieces;
    if (pieces.length === 0) return;
    this.#pieces = [];
    for (const piece of pieces) {
      // The taker may have given it up.
      if (this.state !== "content") return;
      if (this.isHeld) this.content?.keep(piece, 0, piece.length);
      else this.#give(piece);
    }
  }

  #give(piece: Buffer): void {
    if (!this.taker.content(piece)) this.isHeld = true;
    if (this.state === "content") this.#conn?.contentTaken(this, piece.length);
  }

  /** All of it has come. */
  #complete(): void {
    if (!this.isHeadGiven && this.trailers.count === 0) {
      const whole = this.#pieces.length === 1 ? this.#pieces[0] : Buffer.concat(this.#pieces);
      return this.giveWhole(whole ?? noBytes);
    }
    this.giveHead();
    this.#givePieces();
    // The rest waits until the taker wants it.
    if (this.state !== "content" || this.isHeld) return;
    this.giveEnd(this.trailers);
  }

  #leaveHTTP(head: Http2NodeResponseHead, isEnd: boolean, windowSize: number): void {
    const taker = this.tunnelRequest?.taker;
    const conn = this.#conn;
    if (taker === undefined || conn === undefined) return;
    this.head = head;
    this.content = new ReceivedContent(windowSize);
    this.content.isWhole = isEnd;
    this.waitsUntil = Infinity;
    this.#tunnel = new Http2NodeTunnel<Http2NodeExchan>(this, conn, this.content);
    const { stream } = this.#tunnel;
    this.becameTunnel(stream);
    taker.switched(head, stream);
  }

  // ---- the end ----

  protected release(): void {
    const conn = this.#conn;
    this.#pieces = [];
    this.#writable?.resolve();
    this.#writable = undefined;
    if (conn === undefined) this.source?.forget(this);
    // Whatever is still to come, either way, is nobody's.
    else conn.cancel(this);
    this.#conn = undefined;
  }
}

const shared: Priority = { urgency: 3, isIncremental: true };
const noBytes = Buffer.alloc(0);
const none: readonly string[] = [];
