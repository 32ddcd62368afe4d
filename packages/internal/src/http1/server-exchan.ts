// One request and its response on an HTTP/1 connection: the wire below Request and Response.

import { HemiError } from "../errors/hemi-error.ts";
import type { Endpoint, ExchanWire, FileRegion, ResponseHead } from "../web/exchan.ts";
import type { Fields } from "../web/fields.ts";
import { readRegion } from "../web/file-region.ts";
import type { Http1RequestHead } from "./head.ts";
import type { Input, RequestContent } from "./request-content.ts";
import {
  chunkedFraming,
  fieldLines,
  hasNoContent,
  noFraming,
  statusLine,
  untilCloseFraming,
  type ResponseFraming,
} from "./response-head.ts";

/** What an exchan needs of the connection that it is on. */
export interface ExchanConn {
  readonly peer: Endpoint;
  readonly input: Input;
  /** `date: …` with its line end. */
  readonly dateLine: string;
  /** May the connection serve another request after this one? */
  readonly mayKeepAlive: boolean;
  /** Sends text of bytes 0 to 255 only. */
  writeText(text: string): void;
  /** Sends text, then bytes, in one write where it can be. */
  writeBytes(text: string, bytes: Uint8Array): void;
  /** The client takes less than it is sent. */
  readonly needsDrain: boolean;
  /** Settles when the client has taken what was sent. */
  drained(): Promise<void>;
  /** Content is wanted: `contentArrived` will be called when there is more input, or none to come. */
  wantContent(): void;
  /** Another piece or head is on its way to the client: the handlet is not late. */
  progressed(): void;
  /** The response is complete; `keepAlive` is what was promised to the client. */
  finished(keepAlive: boolean): void;
  /** Breaks the connection off at once. */
  destroy(): void;
}

/** Settles the promise that `readContent` gave out. */
interface ContentReader {
  resolve(piece: Uint8Array | undefined): void;
  reject(error: Error): void;
}

type Stage = "waiting" | "streaming" | "ended" | "aborted";

export class Http1Exchan implements ExchanWire {
  readonly head: Http1RequestHead;
  readonly #conn: ExchanConn;
  readonly content: RequestContent;
  #stage: Stage = "waiting";
  #framing: ResponseFraming = noFraming;
  #keepAlive = false;
  /** Content bytes sent, to hold against the size that was announced. */
  #sent = 0;
  #isContinueOwed: boolean;
  #reader: ContentReader | undefined;
  #abortListeners: (() => void)[] | undefined;

  constructor(conn: ExchanConn, head: Http1RequestHead, content: RequestContent) {
    this.#conn = conn;
    this.head = head;
    this.content = content;
    this.#isContinueOwed = head.expectsContinue && head.version !== "1.0" && !content.done;
  }

  get peer(): Endpoint {
    return this.#conn.peer;
  }

  get trailers(): Fields {
    return this.content.trailers;
  }

  /** Nothing of the final response has been sent. */
  get isUnanswered(): boolean {
    return this.#stage === "waiting";
  }

  /** Someone asked to be told when the client leaves. */
  get isWatched(): boolean {
    return this.#abortListeners !== undefined;
  }

  get isReading(): boolean {
    return this.#reader !== undefined;
  }

  // ---- content in ----

  readContent(): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    const piece = this.content.next(this.#conn.input);
    if (piece !== undefined || this.content.done) return piece;
    if (this.#stage === "aborted") return Promise.reject(gone());
    if (this.content.failure !== undefined) return Promise.reject(broken(this.content.failure));
    if (this.#reader !== undefined)
      return Promise.reject(new HemiError("HEMI_CONTENT_READ", "the content is being read already"));
    if (this.#isContinueOwed && this.#stage === "waiting") this.#conn.writeText("HTTP/1.1 100 Continue\r\n\r\n");
    this.#isContinueOwed = false;
    return new Promise((resolve, reject) => {
      this.#reader = { resolve, reject };
      this.#conn.wantContent();
    });
  }

  /** There is more input. True if a waiting reader took some of it. */
  contentArrived(): boolean {
    const reader = this.#reader;
    if (reader === undefined) return false;
    const piece = this.content.next(this.#conn.input);
    if (piece === undefined && !this.content.done && this.content.failure === undefined) return false;
    this.#reader = undefined;
    if (this.content.failure !== undefined) reader.reject(broken(this.content.failure));
    else reader.resolve(piece);
    return true;
  }

  /** No more content will come: a waiting reader is told why. */
  contentFailed(error: Error): void {
    const reader = this.#reader;
    this.#reader = undefined;
    reader?.reject(error);
  }

  // ---- response out ----

  sendInterim(status: number, fieldList: readonly string[]): void {
    if (this.#stage !== "waiting" || this.head.version === "1.0") return;
    if (status === 100) this.#isContinueOwed = false;
    this.#conn.writeText(statusLine(status) + fieldLines(fieldList) + "\r\n");
  }

  sendWhole(head: ResponseHead, content: string | Uint8Array | undefined): void {
    if (this.#stage !== "waiting") return;
    this.#stage = "ended";
    this.content.discard(this.#conn.input);
    const size = content === undefined ? 0 : typeof content === "string" ? Buffer.byteLength(content) : content.length;
    const headText = this.#encodeHead(head, size);
    if (size === 0 || this.head.method === "HEAD" || hasNoContent(head.status)) this.#conn.writeText(headText);
    else if (typeof content !== "string") this.#conn.writeBytes(headText, content ?? empty);
    else if (size === content.length) this.#conn.writeText(headText + content);
    else this.#conn.writeBytes(headText, Buffer.from(content));
    this.#conn.finished(this.#keepAlive);
  }

  sendHead(head: ResponseHead, size: number | undefined): void {
    if (this.#stage !== "waiting") return;
    this.#stage = "streaming";
    this.#conn.writeText(this.#encodeHead(head, size));
    // HEAD and the like: the content that follows is dropped.
    if (this.head.method === "HEAD" || hasNoContent(head.status)) this.#framing = noFraming;
    this.#conn.progressed();
  }

  sendContent(piece: string | Uint8Array): boolean {
    if (this.#stage !== "streaming") return true;
    const size = typeof piece === "string" ? Buffer.byteLength(piece) : piece.length;
    if (size === 0) return true;
    this.#sent += size;
    switch (this.#framing.type) {
      case "none":
        return true;
      case "sized":
        if (this.#sent > this.#framing.size) {
          this.#abortFor(`more content was sent than the ${this.#framing.size} bytes that were announced`);
        }
        this.#write("", piece, size, "");
        break;
      case "until close":
        this.#write("", piece, size, "");
        break;
      case "chunked":
        this.#write(size.toString(16) + "\r\n", piece, size, "\r\n");
        break;
    }
    this.#conn.progressed();
    return !this.#conn.needsDrain;
  }

  writable(): Promise<void> {
    if (this.#stage === "aborted") return Promise.reject(gone());
    return this.#conn.drained();
  }

  async sendRegion(region: FileRegion): Promise<void> {
    if (this.#framing.type === "none") return;
    for await (const piece of readRegion(region)) {
      if (this.#stage !== "streaming") throw gone();
      if (!this.sendContent(piece)) await this.writable();
    }
  }

  endContent(trailerList: readonly string[]): void {
    if (this.#stage !== "streaming") return;
    if (this.#framing.type === "sized" && this.#sent < this.#framing.size) {
      this.#abortFor(`only ${this.#sent} of the ${this.#framing.size} bytes that were announced were sent`);
    }
    if (this.#framing.type === "chunked") this.#conn.writeText("0\r\n" + fieldLines(trailerList) + "\r\n");
    this.#stage = "ended";
    this.content.discard(this.#conn.input);
    this.#conn.finished(this.#keepAlive);
  }

  abort(): void {
    if (this.#stage === "ended" || this.#stage === "aborted") return;
    this.#conn.destroy();
    this.clientLeft();
  }

  onAbort(listener: () => void): void {
    if (this.#stage === "aborted") listener();
    else (this.#abortListeners ??= []).push(listener);
  }

  /** The connection has broken off. */
  clientLeft(): void {
    if (this.#stage === "aborted") return;
    const wasOver = this.#stage === "ended";
    this.#stage = "aborted";
    this.contentFailed(gone());
    if (!wasOver) for (const listener of this.#abortListeners ?? []) listener();
  }

  #encodeHead(head: ResponseHead, size: number | undefined): string {
    const { status } = head;
    const isHTTP10 = this.head.version === "1.0";
    if (status < 200 || status === 204) this.#framing = noFraming;
    else if (size !== undefined) this.#framing = { type: "sized", size };
    else if (status === 304) this.#framing = noFraming;
    else this.#framing = isHTTP10 ? untilCloseFraming : chunkedFraming;

    this.#keepAlive =
      this.#conn.mayKeepAlive &&
      !this.head.wantsClose &&
      (!isHTTP10 || this.head.wantsKeepAlive) &&
      this.#framing.type !== "until close" &&
      // A client that waits for 100 may send its content or not: what comes next could be read in two ways.
      !this.#isContinueOwed &&
      (this.#stage !== "ended" || this.content.left <= maxDiscardedContent);

    let text = statusLine(status) + this.#conn.dateLine + fieldLines(head.fieldList);
    if (this.#framing.type === "sized") {
      // The length of a 304 is that of the content it does not have: nothing, or the truth (RFC 9110 8.6).
      if (status !== 304) text += "content-length: " + this.#framing.size + "\r\n";
    } else if (this.#framing.type === "chunked") text += "transfer-encoding: chunked\r\n";
    if (!this.#keepAlive) text += "connection: close\r\n";
    else if (isHTTP10) text += "connection: keep-alive\r\n";
    return text + "\r\n";
  }

  #write(before: string, piece: string | Uint8Array, size: number, after: string): void {
    if (typeof piece === "string" && size === piece.length) this.#conn.writeText(before + piece + after);
    else {
      this.#conn.writeBytes(before, typeof piece === "string" ? Buffer.from(piece) : piece);
      if (after !== "") this.#conn.writeText(after);
    }
  }

  #abortFor(reason: string): never {
    this.abort();
    throw new HemiError("HEMI_CONTENT_BROKEN", reason);
  }
}

/** Unread content up to this size is thrown away to keep the connection; with more, closing it is cheaper. */
const maxDiscardedContent = 64 * 1024;

const empty = new Uint8Array(0);

function gone(): HemiError {
  return new HemiError("HEMI_PEER_GONE", "the client has closed the connection");
}

function broken(reason: string): HemiError {
  return new HemiError("HEMI_CONTENT_BROKEN", `the content of the request is broken: ${reason}`);
}
