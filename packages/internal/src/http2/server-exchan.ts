// One request and its response on an HTTP/2 stream. The connection goes on, whatever becomes of it.

import { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import { quietly } from "@hemi/common";
import { ExchanError } from "../http/exchan-error.ts";
import type { HemiError } from "../errors/hemi-error.ts";
import { responseHasContent } from "../http/content-rule.ts";
import type { FileRegion, ResponseHead, TunnelHead } from "../http/exchan.ts";
import { noFields, type Fields } from "../http/fields.ts";
import { fileEnded } from "../http/file-region.ts";
import { ServerExchan, type ExchanCarrier } from "../http/server-exchan.ts";
import { errorCode, type Http2ErrorCode } from "./frames.ts";
import type { Priority } from "./priority.ts";
import type { ReceivedContent } from "./received-content.ts";
import { RegionFrames } from "./region-frames.ts";
import type { Http2RequestHead } from "./request-head.ts";
import type { ResponseHeads } from "./response-heads.ts";
import type { Sender, SendingStream } from "./sender.ts";
import type { SendQueue } from "./send-queue.ts";
import type { WaitingStream } from "./stream-timeouts.ts";
import { StreamTunnel } from "../http/stream-tunnel.ts";

/** What a stream waits for; each has its time in the settings. */
export type StreamWait = "handle" | "content" | "write";

/** What an exchan needs of the connection that it is on. */
export interface Http2ExchanConn extends ExchanCarrier {
  readonly sender: Sender<ResponseHeads>;
  /** The client takes less than it is sent, or nothing any more. */
  readonly isBlocked: boolean;
  readonly isDraining: boolean;
  /** Sends the head of a response; `date` is added where it lacks one. */
  sendHead(streamId: number, head: ResponseHead, size: number | undefined, isEnd: boolean): void;
  /** Another piece was sent, or another thing is waited for: its whole time begins anew. */
  waitFor(exchan: Http2Exchan, wait: StreamWait): void;
  /** Limits in time are not the connection's any more. */
  waitNoMore(exchan: Http2Exchan): void;
  /** The reader of its content waits, and some is here: `readingOver` is called when the reading has brought all. */
  contentIsDue(exchan: Http2Exchan): void;
  /** So much of a stream's content is no longer kept for it. `isFast`: its reader had waited for it. */
  contentTaken(exchan: Http2Exchan, size: number, isFast: boolean): void;
  /** The response is complete. */
  finished(exchan: Http2Exchan): void;
  /** Nobody is served by this stream any more: tells the client so. */
  reset(exchan: Http2Exchan, code: Http2ErrorCode): void;
  /** A handlet is done with a request that its client had given up. */
  abandonedOver(exchan: Http2Exchan): void;
}

export class Http2Exchan extends ServerExchan implements SendingStream, WaitingStream<StreamWait> {
  readonly id: number;
  readonly head: Http2RequestHead;
  /** `undefined` for a request that ended with its head. */
  readonly content: ReceivedContent | undefined;
  trailers: Fields = noFields;
  priority: Priority;
  sendWindow: number;
  queue: SendQueue | undefined;
  wait: StreamWait = "handle";
  waitsUntil = Infinity;
  progressBefore = 0;
  readonly #conn: Http2ExchanConn;
  #writable: PromiseWithResolvers<void> | undefined;
  #tunnel: StreamTunnel | undefined;
  /** Who has the tunnel wants to be told when the server drains. */
  #tunnelDrained: (() => void) | undefined;
  /** The last frame of ours is out. */
  #isEndSent = false;
  protected contentSent = 0;

  constructor(
    conn: Http2ExchanConn,
    id: number,
    head: Http2RequestHead,
    content: ReceivedContent | undefined,
    sendWindow: number,
  ) {
    super(conn);
    this.#conn = conn;
    this.id = id;
    this.head = head;
    this.content = content;
    this.priority = head.priority;
    this.sendWindow = sendWindow;
    this.isContinueOwed = head.expectsContinue && content !== undefined;
  }

  /** There are limits to the time that it takes. */
  get isTimed(): boolean {
    return this.state !== "tunnelling";
  }

  /** Its response is a success: to a client, that is no reason to break its upload off. */
  get hasSucceeded(): boolean {
    return this.status < 300;
  }

  // ---- content in ----

  protected get contentReceived(): number {
    return this.content?.received ?? 0;
  }

  protected takePiece(): Uint8Array | undefined {
    const piece = this.content?.take();
    if (piece !== undefined) this.#conn.contentTaken(this, piece.length, false);
    return piece;
  }

  lent(piece: Uint8Array): (() => void) | undefined {
    return this.content?.lent(piece);
  }

  protected get isContentRead(): boolean {
    const { content } = this;
    return content === undefined || (content.isWhole && content.kept === 0);
  }

  protected wantContent(): void {
    this.#waitFor("content");
  }

  protected dropContent(): void {
    const kept = this.content?.kept ?? 0;
    this.content?.drop();
    if (kept > 0) this.#conn.contentTaken(this, kept, false);
  }

  /** Content has come, the last of it if `isEnd`. Its bytes are valid until this returns. */
  contentArrived(bytes: Buffer, start: number, end: number, isEnd: boolean): void {
    const { content } = this;
    if (content === undefined) return;
    const size = end - start;
    content.received += size;
    content.isWhole = isEnd;
    if (isEnd && this.state === "tunnelling" && this.#isEndSent) queueMicrotask(() => this.endLeft());
    if (this.state === "leaving") return this.#conn.contentTaken(this, size, false);
    if (!this.isReading) {
      if (size > 0) content.keep(bytes, start, end);
      return;
    }
    if (size === 0 && !isEnd) return;
    if (content.kept > 0 || size > maxSmall) {
      content.keep(bytes, start, end);
      return this.#conn.contentIsDue(this);
    }
    this.#readerGets(size === 0 ? undefined : Buffer.from(bytes.subarray(start, end)));
  }

  /** What one reading has brought is here: a reader who waits gets it in pieces that are as large as they can be. */
  readingOver(): void {
    if (!this.isReading) return;
    const piece = this.content?.take();
    if (piece !== undefined || this.isContentRead) this.#readerGets(piece);
  }

  #readerGets(piece: Buffer | undefined): void {
    this.#waitFor("handle");
    if (piece !== undefined) this.#conn.contentTaken(this, piece.length, true);
    this.readerGets(piece);
  }

  override contentFailed(error: HemiError): void {
    if (this.isReading) this.#waitFor("handle");
    super.contentFailed(error);
  }

  // ---- response out ----

  sendInterim(status: number, fieldList: readonly string[]): void {
    if (this.state !== "waiting") return;
    if (status === 100) this.isContinueOwed = false;
    const { sender } = this.#conn;
    sender.sendBlock(this.id, sender.heads.encodeInterim(status, fieldList), false);
  }

  sendWhole(head: ResponseHead, content: string | Uint8Array | undefined): void {
    if (this.state !== "waiting") return this.#conn.abandonedOver(this);
    const size = content === undefined ? 0 : typeof content === "string" ? Buffer.byteLength(content) : content.length;
    this.#sendHead(head, size, size === 0);
    this.state = "leaving";
    this.leaveContent();
    this.given = size;
    if (content === undefined || size === 0 || !this.hasContent) return this.endLeft();
    const { sender } = this.#conn;
    if (typeof content !== "string") sender.sendContent(this, content, true);
    else if (!sender.sendLastText(this, content, size)) sender.sendContent(this, Buffer.from(content), true);
    if (!this.isOver) this.#waitFor("write");
  }

  sendHead(head: ResponseHead, size: number | undefined): void {
    if (this.state !== "waiting") return this.#conn.abandonedOver(this);
    this.state = "streaming";
    this.#sendHead(head, size, false);
    this.#waitFor("handle");
  }

  sendContent(piece: string | Uint8Array, done?: () => void): boolean {
    if (this.state !== "streaming" && this.state !== "tunnelling") return false;
    const bytes = typeof piece === "string" ? Buffer.from(piece) : piece;
    if (bytes.length === 0) return true;
    this.give(bytes.length);
    if (!this.hasContent) return !this.isEnoughDropped;
    if (this.#conn.sender.sendContent(this, bytes, false)) done?.();
    this.#waitFor("handle");
    return this.queue === undefined && !this.#conn.isBlocked;
  }

  writable(): Promise<void> {
    // Nobody takes the content of an answer to HEAD: a source without end must stop some time.
    if (this.isOver || this.isEnoughDropped) return quietly(Promise.reject(requestGivenUp()));
    if (this.queue === undefined && !this.#conn.isBlocked) return Promise.resolve();
    this.#waitFor("write");
    if (this.#writable === undefined) {
      this.#writable = Promise.withResolvers<void>();
      void quietly(this.#writable.promise);
    }
    return this.#writable.promise;
  }

  async sendRegion({ fd, offset, size }: FileRegion): Promise<void> {
    if (!this.hasContent) return;
    const { sender } = this.#conn;
    for (let done = 0; done < size;) {
      if (this.state !== "streaming") throw requestGivenUp();
      const room = sender.takeRoom(this, size - done);
      if (this.queue !== undefined) this.#waitFor("write");
      const sent = await this.#sendBlock(fd, offset + done, await room);
      if (sent === 0) throw fileEnded(size - done);
      done += sent;
    }
  }

  /**
   * Sends up to `room` bytes of a file, which were taken out of the windows. Settles with how many there were: 0 at its
   * end.
   */
  async #sendBlock(fd: number, offset: number, room: number): Promise<number> {
    if (room === 0) throw requestGivenUp();
    const { sender } = this.#conn;
    const block = RegionFrames.lend();
    let isLent = true;
    try {
      const read = await block.read(fd, offset, room);
      if (this.state !== "streaming") throw requestGivenUp();
      if (read === 0) return 0;
      this.give(read);
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
    if (this.state !== "streaming") return;
    this.assertAllGiven();
    this.state = "leaving";
    this.leaveContent();
    if (!this.hasContent) return this.endLeft();
    this.#conn.sender.end(this, trailerList);
    if (!this.isOver) this.#waitFor("write");
  }

  tunnel({ protocol, fieldList }: TunnelHead, drained: () => void): Duplex {
    this.assertTunnel(protocol);
    this.state = "tunnelling";
    this.status = 200;
    this.#conn.waitNoMore(this);
    this.#tunnelDrained = drained;
    this.#conn.sendHead(this.id, { status: 200, fieldList }, undefined, false);
    if (this.#conn.isDraining) queueMicrotask(drained);
    const tunnel = new StreamTunnel({
      readContent: () => this.#readTunnel(),
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

  /** What the client said last may be read after both sides have ended: the exchan is over with that. */
  #readTunnel(): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    if (this.isOver && this.isContentRead) return undefined;
    const piece = this.readContent();
    if (this.#isEndSent && this.isContentRead) queueMicrotask(() => this.endLeft());
    return piece;
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

  contentLeft(size: number, isLast: boolean): void {
    this.contentSent += size;
    if (!isLast && this.wait === "write" && this.waitsUntil !== Infinity) this.#waitFor("write");
  }

  queueEmptied(): void {
    this.unblocked();
  }

  endLeft(): void {
    if (this.isOver) return;
    this.#isEndSent = true;
    // The client may go on for as long as it likes, and what it has said waits for its reader.
    if (this.state === "tunnelling" && !this.isContentRead) return;
    this.complete();
    this.#conn.finished(this);
    // Who still waits to send more would wait for good.
    this.#writable?.resolve();
    this.#writable = undefined;
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

  abort(): void {
    if (this.state === "aborted") return this.#conn.abandonedOver(this);
    if (this.state === "leaving" || this.state === "ended") return;
    this.endsByAbort();
    this.#conn.reset(this, errorCode.internalError);
  }

  /**
   * The stream is reset, by whomever, or its connection has broken off. `why`: what a reader of its content is told.
   */
  broken(why: HemiError = requestGivenUp()): void {
    if (this.isOver) return;
    const writable = this.#writable;
    this.#writable = undefined;
    writable?.reject(requestGivenUp());
    this.lose(why);
    this.#tunnel?.destroy(why);
  }

  protected gone(): ExchanError {
    return requestGivenUp();
  }

  #sendHead(head: ResponseHead, size: number | undefined, isEmpty: boolean): void {
    // A 2xx would read as an open tunnel (RFC 8441 5).
    const answer = this.head.isTunnel && head.status < 300 ? noTunnel : head;
    const { status } = answer;
    this.status = status;
    // It has no content either, but says so (RFC 9110 15.3.6).
    if (status === 205) size = 0;
    this.announced = size;
    this.hasContent = answer === head && responseHasContent(this.head.method, status);
    this.#conn.sendHead(this.id, answer, answer === head ? size : 0, isEmpty || !this.hasContent);
  }

  protected waitAnew(): void {
    if (this.wait === "handle" && this.waitsUntil !== Infinity) this.#waitFor("handle");
  }

  /** Limits in time of a tunnel are not ours. */
  #waitFor(wait: StreamWait): void {
    if (this.state !== "tunnelling") this.#conn.waitFor(this, wait);
  }
}

/** In bytes: a piece that a waiting reader gets at once, copied. */
const maxSmall = 4096;
const noTunnel: ResponseHead = { status: 501, fieldList: [] };

export function requestGivenUp(): ExchanError {
  return new ExchanError("HEMI_PEER_GONE", "the client has given the request up");
}
