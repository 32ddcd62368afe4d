// One request and its response on an HTTP/2 stream: the wire below Request and Response.
//
//   waiting ── sendHead ──> streaming ── endContent ──> leaving ── its last frame is out ──> ended
//      ├────── sendWhole ────────┼────────────────────────┘
//      ├────── tunnel ──> tunnelling ── both ends ──────────────────────────────────────────> ended
//      └────── abort, or the client gave it up ───────────────────────────────────────────> aborted
//
// The connection goes on in each case.

import type { Duplex } from "node:stream";
import { quietly } from "@hemi/common";
import { HemiError } from "../errors/hemi-error.ts";
import { hasNoContent } from "../http/response-head.ts";
import type { Peer } from "../net/peer.ts";
import type { TlsFacts } from "../net/tls/tls-facts.ts";
import type { EndReason } from "../http/end-reason.ts";
import { ExchanError } from "../http/exchan-error.ts";
import type { AbortListener, EndListener, ExchanWire, FileRegion, ResponseHead, TunnelHead } from "../http/exchan.ts";
import { noFields, type Fields } from "../http/fields.ts";
import { fileEnded } from "../http/file-region.ts";
import { errorCode, type Http2ErrorCode } from "./frames.ts";
import type { Priority } from "./priority.ts";
import type { ReceivedContent } from "./received-content.ts";
import { Http2Tunnel } from "./tunnel.ts";
import { RegionFrames } from "./region-frames.ts";
import type { Http2RequestHead } from "./request-head.ts";
import type { ResponseHeads } from "./response-heads.ts";
import type { Sender, SendingStream, SendQueue } from "./sender.ts";

/** What a stream waits for; each has its time in the settings. */
export type StreamWait = "handle" | "content" | "write";

/** What an exchan needs of the connection that it is on. */
export interface ExchanConn {
  readonly peer: Peer;
  readonly tls: TlsFacts | undefined;
  readonly sender: Sender<ResponseHeads>;
  /** The client takes less than it is sent, or nothing any more. */
  readonly isBlocked: boolean;
  /** Nothing reaches the client any more. */
  readonly isCut: boolean;
  readonly isDraining: boolean;
  /** Sends the head of a response; `date` is added where it lacks one. */
  sendHead(streamId: number, head: ResponseHead, size: number | undefined, isEnd: boolean): void;
  /** Another piece was sent, or another thing is waited for: its whole time begins anew. */
  waitFor(exchan: Http2Exchan, wait: StreamWait): void;
  /** So much of a stream's content is no longer kept for it. `isFast`: its reader had waited for it. */
  contentTaken(exchan: Http2Exchan, size: number, isFast: boolean): void;
  /** The response is complete. */
  finished(exchan: Http2Exchan): void;
  /** Nobody is served by this stream any more: tells the client so. */
  reset(exchan: Http2Exchan, code: Http2ErrorCode): void;
  /** A handlet is done with a request that its client had given up. */
  abandonedOver(exchan: Http2Exchan): void;
}

/** Settles the promise that `readContent` gave out. */
interface ContentReader {
  resolve(piece: Uint8Array | undefined): void;
  reject(error: Error): void;
}

type State = "waiting" | "streaming" | "tunnelling" | "leaving" | "ended" | "aborted";

export class Http2Exchan implements ExchanWire, SendingStream {
  readonly id: number;
  readonly head: Http2RequestHead;
  /** `undefined` for a request that ended with its head. */
  readonly content: ReceivedContent | undefined;
  /** Set by the connection if the head was long in coming. */
  headTime = 0;
  trailers: Fields = noFields;
  priority: Priority;
  sendWindow: number;
  queue: SendQueue | undefined;
  /** What the connection waits for on this stream, and until when, on the monotonic clock. */
  wait: StreamWait = "handle";
  waitsUntil = Infinity;
  /** How long the content was waited for, in ms, and since when it is. */
  contentWaited = 0;
  waitingSince = 0;
  readonly #conn: ExchanConn;
  #state: State = "waiting";
  #hasContent = true;
  /** What `content-length` announced. */
  #size: number | undefined;
  /** Content bytes that came from the handlet, and those that were put into the output. */
  #given = 0;
  #sent = 0;
  #isContinueOwed: boolean;
  #reader: ContentReader | undefined;
  #contentError: HemiError | undefined;
  /** When the response was given: had all content been read? */
  #wasContentRead = false;
  #writable: PromiseWithResolvers<void> | undefined;
  #abortListeners: AbortListener[] | undefined;
  /** The handlet took too long. */
  #isLate = false;
  #endListener: EndListener | undefined;
  #endReason: EndReason | undefined;
  /** Of the head that was sent; 0 before that. */
  #status = 0;
  #tunnel: Http2Tunnel | undefined;
  /** Who has the tunnel wants to be told when the server drains. */
  #tunnelDrained: (() => void) | undefined;
  /** The last frame of ours is out. */
  #isEndSent = false;

  constructor(
    conn: ExchanConn,
    id: number,
    head: Http2RequestHead,
    content: ReceivedContent | undefined,
    sendWindow: number,
  ) {
    this.#conn = conn;
    this.id = id;
    this.head = head;
    this.content = content;
    this.priority = head.priority;
    this.sendWindow = sendWindow;
    this.#isContinueOwed = head.expectsContinue && content !== undefined;
  }

  get peer(): Peer {
    return this.#conn.peer;
  }

  get tls(): TlsFacts | undefined {
    return this.#conn.tls;
  }

  get isReading(): boolean {
    return this.#reader !== undefined;
  }

  /** There are limits to the time that it takes. */
  get isTimed(): boolean {
    return this.#state !== "tunnelling";
  }

  /** The exchan is over, as far as its client sees. */
  get isOver(): boolean {
    return this.#state === "ended" || this.#state === "aborted";
  }

  // ---- content in ----

  readContent(): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    const { content } = this;
    if (this.#state === "leaving" || this.#state === "ended") {
      return this.#wasContentRead ? undefined : refused("the request has been answered: its content is no longer read");
    }
    const piece = content?.take();
    if (piece !== undefined) {
      this.#isContinueOwed = false;
      this.#conn.contentTaken(this, piece.length, false);
      return piece;
    }
    if (content === undefined || content.isWhole) return undefined;
    if (this.#state === "aborted") return quietly(Promise.reject(this.#contentError ?? gone()));
    if (this.#contentError !== undefined) return quietly(Promise.reject(this.#contentError));
    if (this.#reader !== undefined) return refused("the content is being read already");
    if (this.#isContinueOwed) this.sendInterim(100, []);
    return new Promise((resolve, reject) => {
      this.#reader = { resolve, reject };
      this.#waitFor("content");
    });
  }

  /** Content has come, the last of it if `isEnd`. */
  contentArrived(bytes: Buffer, start: number, end: number, isEnd: boolean): void {
    const { content } = this;
    if (content === undefined) return;
    const size = end - start;
    content.received += size;
    content.isWhole = isEnd;
    const reader = this.#reader;
    if (isEnd && this.#state === "tunnelling" && this.#isEndSent) queueMicrotask(() => this.endLeft());
    if (this.#state === "leaving") return this.#conn.contentTaken(this, size, false);
    if (reader === undefined) {
      if (size > 0) content.keep(bytes, start, end);
      return;
    }
    if (size === 0 && !isEnd) return;
    this.#reader = undefined;
    this.#waitFor("handle");
    if (size > 0) this.#conn.contentTaken(this, size, true);
    reader.resolve(size > 0 ? bytes.subarray(start, end) : undefined);
  }

  /** No more content will come: a waiting reader is told why, and who reads later. */
  contentFailed(error: HemiError): void {
    this.#contentError = error;
    const reader = this.#reader;
    this.#reader = undefined;
    if (reader === undefined) return;
    this.#waitFor("handle");
    reader.reject(error);
  }

  // ---- response out ----

  sendInterim(status: number, fieldList: readonly string[]): void {
    if (this.#state !== "waiting") return;
    if (status === 100) this.#isContinueOwed = false;
    const { sender } = this.#conn;
    sender.sendBlock(this.id, sender.heads.encodeInterim(status, fieldList), false);
  }

  sendWhole(head: ResponseHead, content: string | Uint8Array | undefined): void {
    if (this.#state !== "waiting") return this.#conn.abandonedOver(this);
    const size = content === undefined ? 0 : typeof content === "string" ? Buffer.byteLength(content) : content.length;
    this.#sendHead(head, size, size === 0);
    this.#state = "leaving";
    this.#leaveContent();
    this.#given = size;
    if (content === undefined || size === 0 || !this.#hasContent) return this.endLeft();
    const { sender } = this.#conn;
    if (typeof content !== "string") sender.sendContent(this, content, true);
    else if (!sender.sendLastText(this, content, size)) sender.sendContent(this, Buffer.from(content), true);
    if (!this.isOver) this.#waitFor("write");
  }

  sendHead(head: ResponseHead, size: number | undefined): void {
    if (this.#state !== "waiting") return this.#conn.abandonedOver(this);
    this.#state = "streaming";
    this.#sendHead(head, size, false);
    this.#waitFor("handle");
  }

  sendContent(piece: string | Uint8Array): boolean {
    if (this.#state !== "streaming" && this.#state !== "tunnelling") return false;
    const bytes = typeof piece === "string" ? Buffer.from(piece) : piece;
    if (bytes.length === 0) return true;
    this.#give(bytes.length);
    if (!this.#hasContent) return this.#given <= maxDropped;
    this.#conn.sender.sendContent(this, bytes, false);
    this.#waitFor("handle");
    return this.queue === undefined && !this.#conn.isBlocked;
  }

  writable(): Promise<void> {
    // Nobody takes the content of an answer to HEAD: a source without end must stop some time.
    const isTakenByNobody = !this.#hasContent && this.#given > maxDropped;
    if (this.#state === "aborted" || isTakenByNobody) return quietly(Promise.reject(gone()));
    if (this.queue === undefined && !this.#conn.isBlocked) return Promise.resolve();
    this.#waitFor("write");
    if (this.#writable === undefined) {
      this.#writable = Promise.withResolvers<void>();
      void quietly(this.#writable.promise);
    }
    return this.#writable.promise;
  }

  async sendRegion({ fd, offset, size }: FileRegion): Promise<void> {
    if (!this.#hasContent) return;
    const { sender } = this.#conn;
    for (let done = 0; done < size;) {
      if (this.#state !== "streaming") throw gone();
      const room = sender.takeRoom(this, size - done);
      if (this.queue !== undefined) this.#waitFor("write");
      const sent = await this.#sendBlock(fd, offset + done, await room);
      if (sent === 0) throw fileEnded(size - done);
      done += sent;
    }
  }

  /** Sends up to `room` bytes of a file, which were taken out of the windows. Settles with how many there were: 0 at its end. */
  async #sendBlock(fd: number, offset: number, room: number): Promise<number> {
    if (room === 0) throw gone();
    const { sender } = this.#conn;
    const block = RegionFrames.lend();
    let isLent = true;
    try {
      const read = await block.read(fd, offset, room);
      if (this.#state !== "streaming") throw gone();
      if (read === 0) return 0;
      this.#give(read);
      isLent = false;
      sender.sendRegion(this, block, read, room, () => block.giveBack());
      this.#waitFor("handle");
      return read;
    } finally {
      if (isLent) {
        block.giveBack();
        sender.giveRoomBack(this, room);
      }
    }
  }

  endContent(trailerList: readonly string[]): void {
    if (this.#state !== "streaming") return;
    if (this.#hasContent && this.#given < (this.#size ?? 0)) {
      this.#abortFor(`only ${this.#given} of the ${this.#size} bytes that were announced were sent`);
    }
    this.#state = "leaving";
    this.#leaveContent();
    if (!this.#hasContent) return this.endLeft();
    this.#conn.sender.end(this, trailerList);
    if (!this.isOver) this.#waitFor("write");
  }

  tunnel({ protocol, fieldList }: TunnelHead, drained: () => void): Duplex {
    const { head } = this;
    if (this.#state !== "waiting") throw new HemiError("HEMI_USAGE", "a request that is answered opens no tunnel");
    const isOffered = protocol === undefined ? head.method === "CONNECT" : head.upgrades.includes(protocol);
    if (!isOffered) throw new HemiError("HEMI_USAGE", `the client did not ask for ${protocol ?? "a tunnel"}`);
    this.#state = "tunnelling";
    this.#status = 200;
    this.waitsUntil = Infinity;
    this.#tunnelDrained = drained;
    this.#conn.sendHead(this.id, { status: 200, fieldList }, undefined, false);
    if (this.#conn.isDraining) queueMicrotask(drained);
    const tunnel = new Http2Tunnel({
      readContent: () => this.readContent(),
      sendContent: (piece) => this.sendContent(piece),
      writable: () => this.writable(),
      endContent: () => this.#conn.sender.end(this, []),
      cancel: () => {
        if (!this.isOver) this.#conn.reset(this, errorCode.cancel);
      },
    });
    this.#tunnel = tunnel;
    return tunnel;
  }

  /** Who has the tunnel, if it is one, is told. */
  serverDrains(): void {
    this.#tunnelDrained?.();
    this.#tunnelDrained = undefined;
  }

  distrust(): void {
    // Each request has a stream of its own: none can be hidden in another.
  }

  // ---- what its sender tells ----

  contentLeft(size: number): void {
    this.#sent += size;
    if (this.wait === "write" && this.waitsUntil !== Infinity) this.#waitFor("write");
  }

  queueEmptied(): void {
    this.unblocked();
  }

  endLeft(): void {
    if (this.isOver) return;
    this.#isEndSent = true;
    // The client may go on for as long as it likes.
    if (this.#state === "tunnelling" && this.content?.isWhole === false) return;
    this.#state = "ended";
    this.#tellEnded();
    this.#conn.finished(this);
  }

  /** More may be sent, if nothing of this stream waits. */
  unblocked(): void {
    if (this.queue !== undefined || this.#conn.isBlocked || this.#writable === undefined) return;
    const writable = this.#writable;
    this.#writable = undefined;
    this.#waitFor("handle");
    writable.resolve();
  }

  // ---- ends ----

  onEnd(listener: EndListener): void {
    if (this.isOver) return this.#tellEnded(listener);
    const earlier = this.#endListener;
    // Two are rare, and one costs no list.
    this.#endListener =
      earlier === undefined
        ? listener
        : (status, contentSent, reason) => {
            earlier(status, contentSent, reason);
            listener(status, contentSent, reason);
          };
  }

  /** Says why it is about to end, or to be answered as it will be. The first cause counts. */
  endsBecauseOf(reason: EndReason): void {
    this.#endReason ??= reason;
  }

  /** The handlet took too long: 503 if nothing was sent, else the answer is broken off. It is told by `onAbort` in both cases. */
  giveUp(): void {
    this.#isLate = true;
    this.endsBecauseOf("handleTimeout");
    if (this.#state !== "waiting") return this.abort();
    this.sendWhole({ status: 503, fieldList: [] }, undefined);
    this.#tellAborted();
  }

  abort(): void {
    if (this.#state === "aborted") return this.#conn.abandonedOver(this);
    if (this.#state === "leaving" || this.#state === "ended") return;
    // A handlet may hear of its client's leaving, and give up, before we do.
    if (!this.#conn.isCut) this.endsBecauseOf("aborted");
    this.#conn.reset(this, errorCode.internalError);
  }

  onAbort(listener: AbortListener): void {
    if (this.#state === "aborted" || this.#isLate) return listener(this.#abortReason());
    if (this.#state === "ended") return;
    (this.#abortListeners ??= []).push(listener);
  }

  /** The stream is reset, by whomever, or its connection has broken off. `why`: what a reader of its content is told. */
  broken(why: HemiError = gone()): void {
    if (this.isOver) return;
    const isTunnel = this.#state === "tunnelling";
    this.#state = isTunnel ? "ended" : "aborted";
    this.#contentError ??= why;
    this.#reader?.reject(this.#contentError);
    this.#reader = undefined;
    this.#writable?.reject(gone());
    this.#writable = undefined;
    if (!isTunnel) this.#tellAborted();
    this.#tellEnded();
    this.#tunnel?.destroy(why);
  }

  #tellEnded(listener = this.#endListener): void {
    if (listener === undefined) return;
    const isAnswered = this.#status !== 0;
    const reason =
      this.#endReason ?? (this.#state === "ended" ? "complete" : isAnswered ? "leftReading" : "leftWaiting");
    listener(isAnswered ? this.#status : undefined, this.#sent, reason);
  }

  #tellAborted(): void {
    const listeners = this.#abortListeners;
    this.#abortListeners = undefined;
    if (listeners === undefined) return;
    const reason = this.#abortReason();
    for (const listener of listeners) listener(reason);
  }

  #abortReason(): ExchanError {
    return this.#isLate ? new ExchanError("HEMI_TIMEOUT", "the request was not answered within handleTimeout") : gone();
  }

  /** The response is given: what is left of the content is nobody's. */
  #leaveContent(): void {
    const { content } = this;
    this.#wasContentRead = content === undefined || (content.isWhole && content.kept === 0);
    if (content === undefined || this.#wasContentRead) return;
    if (this.#reader !== undefined) {
      this.contentFailed(
        new HemiError("HEMI_CONTENT_READ", "the request was answered while its content was being read"),
      );
    }
    const { kept } = content;
    content.drop();
    if (kept > 0) this.#conn.contentTaken(this, kept, false);
  }

  #sendHead(head: ResponseHead, size: number | undefined, isEmpty: boolean): void {
    // A 2xx would read as an open tunnel (RFC 8441 5).
    const answer = this.head.isTunnel && head.status < 300 ? noTunnel : head;
    const { status } = answer;
    this.#status = status;
    // It has no content either, but says so (RFC 9110 15.3.6).
    if (status === 205) size = 0;
    this.#size = size;
    this.#hasContent = this.head.method !== "HEAD" && !hasNoContent(status) && status !== 205 && answer === head;
    this.#conn.sendHead(this.id, answer, answer === head ? size : 0, isEmpty || !this.#hasContent);
  }

  /** Limits in time of a tunnel are not ours. */
  #waitFor(wait: StreamWait): void {
    if (this.#state !== "tunnelling") this.#conn.waitFor(this, wait);
  }

  /** So much more content comes from the handlet. */
  #give(size: number): void {
    this.#given += size;
    if (this.#hasContent && this.#given > (this.#size ?? Infinity)) {
      this.#abortFor(`more content was sent than the ${this.#size} bytes that were announced`);
    }
  }

  #abortFor(reason: string): never {
    this.abort();
    throw new HemiError("HEMI_USAGE", reason);
  }
}

/**
 * So much content of an answer to HEAD, in bytes, is taken and dropped; more is stopped. No prop: nothing is kept of it, and nobody
 * sees a difference.
 */
const maxDropped = 256 * 1024;

const noTunnel: ResponseHead = { status: 501, fieldList: [] };

export function gone(): ExchanError {
  return new ExchanError("HEMI_PEER_GONE", "the client has given the request up");
}

function refused(reason: string): Promise<never> {
  return quietly(Promise.reject(new HemiError("HEMI_CONTENT_READ", reason)));
}
