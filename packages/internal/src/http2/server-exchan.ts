// One request and its response on an HTTP/2 stream. The connection goes on, whatever becomes of it.

import { Buffer } from "node:buffer";
import type { ContentRate } from "../http/content-rate.ts";
import type { FileRegion, ResponseHead } from "../http/exchan.ts";
import { noFields, type Fields } from "../http/fields.ts";
import { fileEnded } from "../http/file-region.ts";
import { requestGivenUp, StreamServerExchan, type StreamCarrier } from "../http/stream-server-exchan.ts";
import { errorCode, type Http2ErrorCode } from "./frames.ts";
import type { Priority } from "./priority.ts";
import type { ReceivedContent } from "./received-content.ts";
import { RegionFrames } from "./region-frames.ts";
import type { Http2RequestHead } from "./request-head.ts";
import type { ResponseHeads } from "./response-heads.ts";
import type { Sender, SendingStream } from "./sender.ts";
import type { SendQueue } from "./send-queue.ts";

/** What an exchan needs of the connection that it is on. */
export interface Http2ExchanConn extends StreamCarrier {
  readonly sender: Sender<ResponseHeads>;
  /** The client takes less than it is sent, or nothing any more. */
  readonly isBlocked: boolean;
  /** Sends the head of a response; `date` is added where it lacks one. */
  sendHead(streamId: number, head: ResponseHead, size: number | undefined, isEnd: boolean): void;
  /** The reader of its content waits, and some is here: `readingOver` is called when the reading has brought all. */
  contentIsDue(exchan: Http2Exchan): void;
  /** So much of a stream's content is no longer kept for it. `isFast`: its reader had waited for it. */
  contentTaken(exchan: Http2Exchan, size: number, isFast: boolean): void;
  /** The response is complete. */
  finished(exchan: Http2Exchan): void;
  /** Nobody is served by this stream any more: tells the client so. */
  reset(exchan: Http2Exchan, code: Http2ErrorCode): void;
}

export class Http2Exchan extends StreamServerExchan implements SendingStream {
  readonly id: number;
  readonly head: Http2RequestHead;
  /** `undefined` for a request that ended with its head. */
  readonly content: ReceivedContent | undefined;
  trailers: Fields = noFields;
  priority: Priority;
  sendWindow: number;
  queue: SendQueue | undefined;
  readonly #conn: Http2ExchanConn;
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

  /** Its response is a success: to a client, that is no reason to break its upload off. */
  get hasSucceeded(): boolean {
    return this.status < 300;
  }

  // ---- content in ----

  get contentRate(): ContentRate | undefined {
    return this.content?.rate;
  }

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
    this.waitFor("content");
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
    this.waitFor("handle");
    if (piece !== undefined) this.#conn.contentTaken(this, piece.length, true);
    this.readerGets(piece);
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
    this.#putHead(head, size, size === 0);
    this.state = "leaving";
    this.leaveContent();
    this.given = size;
    if (content === undefined || size === 0 || !this.hasContent) return this.endLeft();
    const { sender } = this.#conn;
    if (typeof content !== "string") sender.sendContent(this, content, true);
    else if (!sender.sendLastText(this, content, size)) sender.sendContent(this, Buffer.from(content), true);
    if (!this.isOver) this.waitFor("write");
  }

  protected writeHead(head: ResponseHead, size: number | undefined): void {
    this.#putHead(head, size, false);
  }

  #putHead(head: ResponseHead, size: number | undefined, isEmpty: boolean): void {
    const answer = this.prepareHead(head, size);
    this.#conn.sendHead(this.id, answer, this.announced, isEmpty || !this.hasContent);
  }

  get isBlocked(): boolean {
    return this.queue !== undefined || this.#conn.isBlocked;
  }

  protected writeContent(piece: Uint8Array): boolean {
    return this.#conn.sender.sendContent(this, piece, false);
  }

  async sendRegion({ fd, offset, size }: FileRegion): Promise<void> {
    if (!this.hasContent) return;
    const { sender } = this.#conn;
    for (let done = 0; done < size;) {
      if (this.state !== "streaming") throw requestGivenUp();
      const room = sender.takeRoom(this, size - done);
      if (this.queue !== undefined) this.waitFor("write");
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
      this.waitFor("handle");
      return read;
    } finally {
      if (isLent) {
        block.giveBack();
        sender.giveRoomBack(this, room);
      }
    }
  }

  protected writeEnd(trailerList: readonly string[]): void {
    if (!this.hasContent) return this.endLeft();
    this.#conn.sender.end(this, trailerList);
    if (!this.isOver) this.waitFor("write");
  }

  protected writeTunnelHead(fieldList: readonly string[]): void {
    this.#conn.sendHead(this.id, { status: 200, fieldList }, undefined, false);
  }

  protected endTunnel(): void {
    this.#conn.sender.end(this, []);
  }

  /** What the client said last may be read after both sides have ended: the exchan is over with that. */
  protected override readTunnel(): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    if (this.isOver && this.isContentRead) return undefined;
    const piece = super.readTunnel();
    if (this.#isEndSent && this.isContentRead) queueMicrotask(() => this.endLeft());
    return piece;
  }

  // ---- what its sender tells ----

  contentLeft(size: number, isLast: boolean): void {
    this.contentSent += size;
    if (!isLast) this.hasProgressed();
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
    this.resumeSending();
  }

  /** More may be sent, if nothing of this stream waits. */
  unblocked(): void {
    if (!this.isBlocked) this.resumeSending();
  }

  protected reset(why: "aborted" | "cancelled"): void {
    this.#conn.reset(this, why === "aborted" ? errorCode.internalError : errorCode.cancel);
  }
}

/** In bytes: a piece that a waiting reader gets at once, copied. */
const maxSmall = 4096;
