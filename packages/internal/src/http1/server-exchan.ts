// One request and its response on an HTTP/1 connection: the wire below Request and Response.
//
//   waiting ── sendHead ──> streaming ── endContent ──> ended
//      ├────── sendWhole ────────┼────────────────────> ended      the conn goes on to the next request
//      ├────── tunnel ──> tunnelling ── both ends ────> ended      the conn is no longer HTTP, and closes
//      └────── abort, or the client left ─────────────> aborted    the conn closes

import type { Duplex } from "node:stream";
import { quietly } from "@hemi/common";
import { HemiError } from "../errors/hemi-error.ts";
import type { EndReason } from "../http/end-reason.ts";
import type { Peer } from "../net/peer.ts";
import type { TlsFacts } from "../net/tls/tls-facts.ts";
import type { Input } from "../net/input.ts";
import { clientGone, ExchanError } from "../http/exchan-error.ts";
import type { AbortListener, EndListener, ExchanWire, FileRegion, ResponseHead, TunnelHead } from "../http/exchan.ts";
import type { Fields } from "../http/fields.ts";
import { fileEnded } from "../http/file-region.ts";
import type { Http1RequestHead } from "./head.ts";
import type { Output } from "../net/output.ts";
import { RegionBlock } from "./region-blocks.ts";
import type { MessageContent } from "./message-content.ts";
import { fieldLines, hasDate, hasNoContent, statusLine, type ResponseFraming } from "../http/response-head.ts";
import type { WholeResponses } from "./whole-responses.ts";

/** What an exchan needs of the connection that it is on. */
export interface ExchanConn {
  readonly peer: Peer;
  readonly tls: TlsFacts | undefined;
  readonly input: Input;
  readonly output: Output;
  /** `date: …` with its line end. */
  readonly dateLine: string;
  readonly wholeResponses: WholeResponses;
  /** In ms. */
  monotonic(): number;
  /** May the connection serve another request after this one? */
  readonly mayKeepAlive: boolean;
  /** Settles when the client has taken what was sent; rejects with HEMI_PEER_GONE. */
  drained(): Promise<void>;
  /** A reader waits: `contentArrived` or `contentFailed` will be called. */
  wantContent(): void;
  /** Someone wants to be told when the client leaves. */
  watch(): void;
  /** Another piece or head is on its way to the client: the handlet is not late. */
  progressed(): void;
  /** The response is complete; `keepAlive` is what was promised to the client. */
  finished(keepAlive: boolean): void;
  /** Bytes that the client was sent on this connection, all in all. */
  readonly bytesSent: number;
  /** HTTP is over on this connection: hands its stream out, paused, with what has come of it already. */
  leaveHTTP(drained: () => void): Duplex;
  /** Breaks the connection off at once. `isUnended`: only a reset tells the client that this is no regular end. */
  breakOff(isUnended: boolean): void;
}

/** Settles the promise that `readContent` gave out. */
interface ContentReader {
  resolve(piece: Uint8Array | undefined): void;
  reject(error: Error): void;
}

type State = "waiting" | "streaming" | "tunnelling" | "ended" | "aborted";

export class Http1Exchan implements ExchanWire {
  readonly head: Http1RequestHead;
  readonly content: MessageContent;
  /** Set by the connection if the head was long in coming. */
  headTime = 0;
  readonly #conn: ExchanConn;
  #state: State = "waiting";
  #framing: ResponseFraming = "none";
  /** What `content-length` announced. */
  #size = 0;
  /** Content bytes sent, or dropped where the response has none. */
  #sent = 0;
  #keepAlive = false;
  #isTrusted = true;
  #isContinueOwed: boolean;
  #reader: ContentReader | undefined;
  /** Why no more content will come. */
  #contentError: HemiError | undefined;
  /** When the response was complete: had all content been read? */
  #wasContentRead = false;
  #abortListeners: AbortListener[] | undefined;
  /** The handlet took too long. */
  #isLate = false;
  #endListener: EndListener | undefined;
  /** Why it ends as it does, if it is neither complete nor left by its client. */
  #endReason: EndReason | undefined;
  /** Of the head that was sent; 0 before that. */
  #status = 0;
  /** What had been sent on the connection when it became a tunnel. */
  #sentBefore = 0;

  constructor(conn: ExchanConn, head: Http1RequestHead, content: MessageContent) {
    this.#conn = conn;
    this.head = head;
    this.content = content;
    this.#isContinueOwed = head.expectsContinue && !content.done;
  }

  get peer(): Peer {
    return this.#conn.peer;
  }

  get tls(): TlsFacts | undefined {
    return this.#conn.tls;
  }

  get trailers(): Fields {
    return this.content.trailers;
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
    if (this.#state === "ended") {
      return this.#wasContentRead ? undefined : refused("the request has been answered: its content is no longer read");
    }
    const piece = this.content.next(this.#conn.input);
    if (piece !== undefined) {
      this.#isContinueOwed = false;
      return piece;
    }
    if (this.content.done) return undefined;
    if (this.#state === "aborted") return quietly(Promise.reject(clientGone()));
    if (this.content.failure !== undefined) return quietly(Promise.reject(broken(this.content.failure)));
    if (this.#contentError !== undefined) return quietly(Promise.reject(this.#contentError));
    if (this.#reader !== undefined) return refused("the content is being read already");
    if (this.#isContinueOwed && this.#state === "waiting") this.#conn.output.writeText("HTTP/1.1 100 Continue\r\n\r\n");
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

  /** No more content will come than what is in the input: a waiting reader is told why, and who reads later. */
  contentFailed(error: HemiError): void {
    this.#contentError = error;
    const reader = this.#reader;
    this.#reader = undefined;
    reader?.reject(error);
  }

  // ---- response out ----

  sendInterim(status: number, fieldList: readonly string[]): void {
    if (this.#state !== "waiting" || this.head.version === "1.0") return;
    if (status === 100) this.#isContinueOwed = false;
    this.#conn.output.writeText(statusLine(status) + fieldLines(fieldList) + "\r\n");
  }

  sendWhole(head: ResponseHead, content: string | Uint8Array | undefined, isLasting = false): void {
    if (this.#state !== "waiting") return;
    const { output } = this.#conn;
    this.#state = "ended";
    this.#leaveContent();
    const size = content === undefined ? 0 : typeof content === "string" ? Buffer.byteLength(content) : content.length;
    this.#decideFraming(head.status, size);
    if (content === undefined || this.#framing === "none") output.writeText(this.#encodeHead(head, size));
    else if (typeof content !== "string") this.#writeWhole(head, content, isLasting);
    else if (size === content.length) output.writeText(this.#encodeHead(head, size) + content);
    else output.writeBytes(this.#encodeHead(head, size), Buffer.from(content), "");
    this.#sent = size;
    this.#tellEnded();
    this.#conn.finished(this.#keepAlive);
  }

  #writeWhole(head: ResponseHead, content: Uint8Array, isLasting: boolean): void {
    const { output, wholeResponses, dateLine } = this.#conn;
    // Other heads say that the connection ends, which costs more than the copy.
    const isPlain = head.reason === undefined && head.upgrade === undefined;
    const mayBeKnown = isLasting && isPlain && this.#keepAlive && this.head.version !== "1.0";
    const known = mayBeKnown ? wholeResponses.find(head, content, dateLine) : undefined;
    if (known !== undefined) return output.writeBytes("", known, "");
    const text = this.#encodeHead(head, content.length);
    const whole = mayBeKnown ? wholeResponses.layOut(head, text, content) : undefined;
    if (whole === undefined) output.writeBytes(text, content, "");
    else output.writeBytes("", whole, "");
  }

  sendHead(head: ResponseHead, size: number | undefined): void {
    if (this.#state !== "waiting") return;
    this.#state = "streaming";
    this.#decideFraming(head.status, size);
    this.#conn.output.writeText(this.#encodeHead(head, size));
    this.#conn.progressed();
  }

  sendContent(piece: string | Uint8Array): boolean {
    if (this.#state !== "streaming") return false;
    const size = typeof piece === "string" ? Buffer.byteLength(piece) : piece.length;
    if (size === 0) return true;
    this.#countSent(size);
    if (this.#framing === "none") return this.#sent <= maxDropped;
    const isChunked = this.#framing === "chunked";
    const before = isChunked ? size.toString(16) + "\r\n" : "";
    const after = isChunked ? "\r\n" : "";
    if (typeof piece !== "string") this.#conn.output.writeBytes(before, piece, after);
    else if (size === piece.length) this.#conn.output.writeText(before + piece + after);
    else this.#conn.output.writeBytes(before, Buffer.from(piece), after);
    this.#conn.progressed();
    return !this.#conn.output.isBlocked;
  }

  writable(): Promise<void> {
    // Nobody takes the content of an answer to HEAD: a source without end must stop some time.
    const isTakenByNobody = this.#state === "aborted" || (this.#framing === "none" && this.#sent > maxDropped);
    return isTakenByNobody ? quietly(Promise.reject(clientGone())) : this.#conn.drained();
  }

  async sendRegion({ fd, offset, size }: FileRegion): Promise<void> {
    if (this.#framing === "none") return;
    let mayBeLarge = false;
    for (let done = 0; done < size;) {
      const sent = await this.#sendBlock(RegionBlock.lend(mayBeLarge), fd, offset + done, size - done);
      if (sent === 0) throw fileEnded(size - done);
      done += sent;
      mayBeLarge = sent >= (await this.#waitUntilTaken()) * minRateOfLarge && done >= minBeforeLarge;
    }
  }

  /** Settles when the client has taken what was sent, with how long that took, in ms. */
  async #waitUntilTaken(): Promise<number> {
    if (!this.#conn.output.isBlocked) return 0;
    const since = this.#conn.monotonic();
    await this.writable();
    return this.#conn.monotonic() - since;
  }

  /** Sends what a block takes of a file, up to `size` bytes. Settles with how many bytes there were. */
  async #sendBlock(block: RegionBlock, fd: number, offset: number, size: number): Promise<number> {
    let isLent = true;
    try {
      const read = await block.read(fd, offset, size);
      if (this.#state !== "streaming") throw clientGone();
      if (read === 0) return 0;
      this.#countSent(read);
      const [before, after] = this.#framing === "chunked" ? [read.toString(16) + "\r\n", "\r\n"] : ["", ""];
      isLent = false;
      this.#conn.output.writeLent(before, block.bytes.subarray(0, read), after, () => block.giveBack());
      this.#conn.progressed();
      return read;
    } finally {
      if (isLent) block.giveBack();
    }
  }

  /** So much more content is sent. Breaks the answer off, and throws, if that is more than was announced. */
  #countSent(size: number): void {
    if (this.#framing === "sized" && this.#sent + size > this.#size) {
      this.#abortFor(`more content was sent than the ${this.#size} bytes that were announced`);
    }
    this.#sent += size;
  }

  endContent(trailerList: readonly string[]): void {
    if (this.#state !== "streaming") return;
    if (this.#framing === "sized" && this.#sent < this.#size) {
      this.#abortFor(`only ${this.#sent} of the ${this.#size} bytes that were announced were sent`);
    }
    if (this.#framing === "chunked") this.#conn.output.writeText("0\r\n" + fieldLines(trailerList) + "\r\n");
    this.#state = "ended";
    this.#leaveContent();
    this.#tellEnded();
    this.#conn.finished(this.#keepAlive);
  }

  tunnel({ protocol, fieldList }: TunnelHead, drained: () => void): Duplex {
    const { head } = this;
    if (this.#state !== "waiting") throw new HemiError("HEMI_USAGE", "a request that is answered opens no tunnel");
    const isOffered = protocol === undefined ? head.method === "CONNECT" : head.upgrades.includes(protocol);
    if (!isOffered) throw new HemiError("HEMI_USAGE", `the client did not ask for ${protocol ?? "a tunnel"}`);
    this.#state = "tunnelling";
    this.#status = protocol === undefined ? 200 : 101;
    this.#framing = "until close";
    const switching = protocol === undefined ? "" : `connection: upgrade\r\nupgrade: ${protocol}\r\n`;
    this.#conn.output.writeText(
      statusLine(this.#status) +
        (hasDate(fieldList) ? "" : this.#conn.dateLine) +
        fieldLines(fieldList) +
        switching +
        "\r\n",
    );
    const tunnel = this.#conn.leaveHTTP(drained);
    this.#sentBefore = this.#conn.bytesSent;
    return tunnel;
  }

  onEnd(listener: EndListener): void {
    if (this.#state === "ended" || this.#state === "aborted") return this.#tellEnded(listener);
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

  distrust(): void {
    this.#isTrusted = false;
  }

  // ---- early ends ----

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
    if (this.#state === "ended" || this.#state === "aborted") return;
    // A handlet may hear of its client's leaving, and give up, before we do.
    if (!this.#conn.output.isCut) this.endsBecauseOf("aborted");
    this.#conn.breakOff(this.#state === "streaming" && this.#framing === "until close");
    this.clientLeft();
  }

  onAbort(listener: AbortListener): void {
    if (this.#state === "aborted" || this.#isLate) return listener(this.#abortReason());
    // The connection is at another exchan by now, which nobody asked to watch over.
    if (this.#state === "ended") return;
    (this.#abortListeners ??= []).push(listener);
    this.#conn.watch();
  }

  /** The connection has broken off. */
  clientLeft(): void {
    if (this.#state === "ended" || this.#state === "aborted") return;
    if (this.#state === "tunnelling") {
      this.#state = "ended";
      this.#sent = this.#conn.bytesSent - this.#sentBefore;
      return this.#tellEnded();
    }
    this.#state = "aborted";
    if (this.#reader !== undefined) this.contentFailed(clientGone());
    this.#tellAborted();
    this.#tellEnded();
  }

  #tellEnded(listener = this.#endListener): void {
    if (listener === undefined) return;
    const isAnswered = this.#status !== 0;
    const reason =
      this.#endReason ?? (this.#state === "ended" ? "complete" : isAnswered ? "leftReading" : "leftWaiting");
    listener(isAnswered ? this.#status : undefined, this.#framing === "none" ? 0 : this.#sent, reason);
  }

  #tellAborted(): void {
    const listeners = this.#abortListeners;
    this.#abortListeners = undefined;
    if (listeners === undefined) return;
    const reason = this.#abortReason();
    for (const listener of listeners) listener(reason);
  }

  #abortReason(): ExchanError {
    return this.#isLate
      ? new ExchanError("HEMI_TIMEOUT", "the request was not answered within handleTimeout")
      : clientGone();
  }

  /** The response is complete: what is left of the content is nobody's. */
  #leaveContent(): void {
    const { content } = this;
    this.#wasContentRead = content.done;
    if (content.done) return;
    if (this.#reader !== undefined) {
      this.contentFailed(
        new HemiError("HEMI_CONTENT_READ", "the request was answered while its content was being read"),
      );
    }
    content.discard(this.#conn.input);
  }

  /** Also decides on keep-alive. */
  #decideFraming(status: number, size: number | undefined): void {
    const { head, content } = this;
    const isHTTP10 = head.version === "1.0";
    this.#status = status;
    if (head.method === "HEAD" || hasNoContent(status) || status === 205) this.#framing = "none";
    else if (size !== undefined) this.#framing = "sized";
    else this.#framing = isHTTP10 ? "until close" : "chunked";
    // A 205 has no content either, but says so (RFC 9110 15.3.6).
    this.#size = status === 205 ? 0 : (size ?? 0);

    this.#keepAlive =
      this.#isTrusted &&
      this.#conn.mayKeepAlive &&
      !head.wantsClose &&
      (!isHTTP10 || head.wantsKeepAlive) &&
      this.#framing !== "until close" &&
      // A client that waits for 100 may send its content or not: what comes next could be read in two ways.
      (!this.#isContinueOwed || content.done) &&
      (this.#state === "streaming" || content.isSoonOver);
  }

  #encodeHead({ status, reason, upgrade, fieldList }: ResponseHead, size: number | undefined): string {
    if (status === 205) size = 0;
    let text = statusLine(status, reason);
    if (!hasDate(fieldList)) text += this.#conn.dateLine;
    text += fieldLines(fieldList);
    // The length of a 304 would be that of the content which it does not have: nothing, or the truth (RFC 9110 8.6).
    if (size !== undefined && !hasNoContent(status)) text += "content-length: " + size + "\r\n";
    else if (this.#framing === "chunked") text += "transfer-encoding: chunked\r\n";
    // The field stands for this connection only, and must be named as one that does (RFC 9110 7.8).
    if (upgrade !== undefined && this.head.version !== "1.0") text += `connection: upgrade\r\nupgrade: ${upgrade}\r\n`;
    if (!this.#keepAlive) text += "connection: close\r\n";
    else if (this.head.version === "1.0") text += "connection: keep-alive\r\n";
    return text + "\r\n";
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

/**
 * In bytes: so much of a file goes in small blocks, since that is about what the buffers of both systems take at once of a client that then
 * takes nothing. No prop: it is a matter of what system calls cost, as the next one is.
 */
const minBeforeLarge = 4 * 1024 * 1024;
/** In bytes a ms: who takes a block slower than this gets small ones. */
const minRateOfLarge = 8 * 1024;

function refused(reason: string): Promise<never> {
  return quietly(Promise.reject(new HemiError("HEMI_CONTENT_READ", reason)));
}

function broken(reason: string): ExchanError {
  return new ExchanError("HEMI_CONTENT_BROKEN", `the content of the request is broken: ${reason}`);
}
