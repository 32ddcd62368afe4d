// One request and its response on an HTTP/1 connection. When it has ended, the connection goes on to the next request;
// after a tunnel it is no longer HTTP, and closes, as it does when an exchan is aborted.

import { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import { quietly } from "@hemi/common";
import { clientGone, ExchanError } from "../http/exchan-error.ts";
import { isStatusWithContent, responseHasContent } from "../http/content-rule.ts";
import type { FileRegion, ResponseHead, TunnelHead } from "../http/exchan.ts";
import type { Fields } from "../http/fields.ts";
import { fileEnded } from "../http/file-region.ts";
import { fieldLines, hasDate, statusLine } from "../http/response-head.ts";
import { ServerExchan, type ExchanCarrier } from "../http/server-exchan.ts";
import type { Input } from "../net/input.ts";
import type { Output } from "../net/output.ts";
import type { Http1RequestHead } from "./head.ts";
import type { MessageContent } from "./message-content.ts";
import { RegionBlock } from "./region-blocks.ts";
import type { WholeResponses } from "./whole-responses.ts";

/** What an exchan needs of the connection that it is on. */
export interface Http1ExchanConn extends ExchanCarrier {
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

/**
 * How a response tells its client where the content ends: by `content-length`; by the chunked coding; by the end of the
 * connection, for HTTP/1.0 and unsized content; or not at all, because there is none.
 */
type Framing = "sized" | "chunked" | "until close" | "none";

export class Http1Exchan extends ServerExchan {
  readonly head: Http1RequestHead;
  readonly content: MessageContent;
  readonly #conn: Http1ExchanConn;
  #framing: Framing = "none";
  /** The last piece of content that was read, with what gives its memory back. */
  #lentPiece: Uint8Array | undefined;
  #lent: (() => void) | undefined;
  #keepAlive = false;
  #isTrusted = true;
  /** What had been sent on the connection when it became a tunnel, and when it ceased to be one. */
  #sentBefore = 0;
  #sentAfter: number | undefined;

  constructor(conn: Http1ExchanConn, head: Http1RequestHead, content: MessageContent) {
    super(conn);
    this.#conn = conn;
    this.head = head;
    this.content = content;
    this.isContinueOwed = head.expectsContinue && !content.done;
  }

  get trailers(): Fields {
    return this.content.trailers;
  }

  // ---- content in ----

  protected takePiece(): Uint8Array | undefined {
    const { input } = this.#conn;
    const start = input.at;
    const piece = this.content.next(input);
    this.#lent = input.lent(start);
    this.#lentPiece = piece;
    const { failure } = this.content;
    if (piece === undefined && failure !== undefined) {
      this.contentError = new ExchanError("HEMI_CONTENT_BROKEN", `the content of the request is broken: ${failure}`);
    }
    return piece;
  }

  lent(piece: Uint8Array): (() => void) | undefined {
    return piece === this.#lentPiece ? this.#lent : undefined;
  }

  protected get isContentRead(): boolean {
    return this.content.done;
  }

  protected wantContent(): void {
    this.#conn.wantContent();
  }

  protected dropContent(): void {
    this.content.discard(this.#conn.input);
  }

  /** There is more input. True if a waiting reader took some of it. */
  contentArrived(): boolean {
    if (!this.isReading) return false;
    const piece = this.takePiece();
    if (piece === undefined && !this.content.done && this.content.failure === undefined) return false;
    this.readerGets(piece);
    return true;
  }

  // ---- response out ----

  sendInterim(status: number, fieldList: readonly string[]): void {
    if (this.state !== "waiting" || this.head.version === "1.0") return;
    if (status === 100) this.isContinueOwed = false;
    this.#conn.output.writeText(statusLine(status) + fieldLines(fieldList) + "\r\n");
  }

  sendWhole(head: ResponseHead, content: string | Uint8Array | undefined, isLasting = false): void {
    if (this.state !== "waiting") return;
    this.state = "ended";
    this.leaveContent();
    this.#decideFraming(head.status, content?.length ?? 0);
    this.given = this.announced =
      typeof content === "string" ? this.#writeText(head, content) : this.#writeWhole(head, content, isLasting);
    this.complete();
    this.#conn.finished(this.#keepAlive);
  }

  /** Returns the size of the content. */
  #writeWhole(head: ResponseHead, content: Uint8Array | undefined, isLasting: boolean): number {
    const size = content?.length ?? 0;
    if (content === undefined || this.#framing === "none") this.#conn.output.writeText(this.#encodeHead(head, size));
    else this.#writeBytes(head, content, isLasting);
    return size;
  }

  #writeBytes(head: ResponseHead, content: Uint8Array, isLasting: boolean): void {
    const { output, wholeResponses, dateLine } = this.#conn;
    const mayBeKnown = isLasting && this.#isPlain(head);
    const known = mayBeKnown ? wholeResponses.find(head, content, dateLine) : undefined;
    if (known !== undefined) return output.writeBytes("", known, "");
    const text = this.#encodeHead(head, content.length);
    const whole = mayBeKnown ? wholeResponses.layOut(head, text, content) : undefined;
    if (whole === undefined) output.writeBytes(text, content, "");
    else output.writeBytes("", whole, "");
  }

  /** Returns the size of the content. */
  #writeText(head: ResponseHead, content: string): number {
    const { output, wholeResponses, dateLine } = this.#conn;
    const isPlain = this.#isPlain(head);
    const known = isPlain ? wholeResponses.texts.find(head, content, dateLine) : undefined;
    if (known !== undefined) {
      output.writeText(known);
      return content.length;
    }
    const size = Buffer.byteLength(content);
    const headText = this.#encodeHead(head, size);
    if (this.#framing === "none") output.writeText(headText);
    else if (size !== content.length) output.writeBytes(headText, Buffer.from(content), "");
    else {
      const text = headText + content;
      if (isPlain) wholeResponses.texts.keep(head, content, dateLine, text);
      output.writeText(text);
    }
    return size;
  }

  /**
   * Whether content follows a head that status, fields, date and size make up. Others say that the connection ends,
   * which costs more than to put them together.
   */
  #isPlain({ reason, upgrade }: ResponseHead): boolean {
    if (reason !== undefined || upgrade !== undefined) return false;
    return this.#framing !== "none" && this.#keepAlive && this.head.version !== "1.0";
  }

  sendHead(head: ResponseHead, size: number | undefined): void {
    if (this.state !== "waiting") return;
    this.state = "streaming";
    this.#decideFraming(head.status, size);
    this.#conn.output.writeText(this.#encodeHead(head, size));
    this.#conn.progressed();
  }

  sendContent(piece: string | Uint8Array, done?: () => void): boolean {
    if (this.state !== "streaming") return false;
    const size = typeof piece === "string" ? Buffer.byteLength(piece) : piece.length;
    if (size === 0) return true;
    this.give(size);
    if (!this.hasContent) return !this.isEnoughDropped;
    const isChunked = this.#framing === "chunked";
    const before = isChunked ? size.toString(16) + "\r\n" : "";
    const after = isChunked ? "\r\n" : "";
    const { output } = this.#conn;
    if (typeof piece !== "string") {
      if (done === undefined) output.writeBytes(before, piece, after);
      // A slow client must not keep a large block for a small part of it.
      else if (size * 4 < piece.buffer.byteLength) {
        output.writeBytes(before, new Uint8Array(piece), after);
        done();
      } else output.writeLent(before, piece, after, done);
    } else if (size === piece.length) output.writeText(before + piece + after);
    else output.writeBytes(before, Buffer.from(piece), after);
    this.#conn.progressed();
    return !output.isBlocked;
  }

  writable(): Promise<void> {
    // Nobody takes the content of an answer to HEAD: a source without end must stop some time. What is over is never
    // writable again, although its connection goes on.
    const isTakenByNobody = this.isOver || this.isEnoughDropped;
    return isTakenByNobody ? quietly(Promise.reject(clientGone())) : this.#conn.drained();
  }

  async sendRegion({ fd, offset, size }: FileRegion): Promise<void> {
    if (!this.hasContent) return;
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
      if (this.state !== "streaming") throw clientGone();
      if (read === 0) return 0;
      this.give(read);
      const [before, after] = this.#framing === "chunked" ? [read.toString(16) + "\r\n", "\r\n"] : ["", ""];
      isLent = false;
      this.#conn.output.writeLent(before, block.bytes.subarray(0, read), after, () => block.giveBack());
      this.#conn.progressed();
      return read;
    } finally {
      if (isLent) block.giveBack();
    }
  }

  endContent(trailerList: readonly string[]): void {
    if (this.state !== "streaming") return;
    this.assertAllGiven();
    if (this.#framing === "chunked") this.#conn.output.writeText("0\r\n" + fieldLines(trailerList) + "\r\n");
    this.state = "ended";
    this.leaveContent();
    this.complete();
    this.#conn.finished(this.#keepAlive);
  }

  tunnel({ protocol, fieldList }: TunnelHead, drained: () => void): Duplex {
    this.assertTunnel(protocol);
    this.state = "tunnelling";
    this.status = protocol === undefined ? 200 : 101;
    this.#framing = "until close";
    const switching = protocol === undefined ? "" : `connection: upgrade\r\nupgrade: ${protocol}\r\n`;
    this.#conn.output.writeText(
      statusLine(this.status) +
        (hasDate(fieldList) ? "" : this.#conn.dateLine) +
        fieldLines(fieldList) +
        switching +
        "\r\n",
    );
    const tunnel = this.#conn.leaveHTTP(drained);
    this.#sentBefore = this.#conn.bytesSent;
    return tunnel;
  }

  protected waitAnew(): void {
    this.#conn.progressed();
  }

  distrust(): void {
    this.#isTrusted = false;
  }

  // ---- early ends ----

  abort(): void {
    if (this.isOver) return;
    this.endsByAbort();
    this.#conn.breakOff(this.state === "streaming" && this.#framing === "until close");
    this.clientLeft();
  }

  /** The connection has broken off. */
  clientLeft(): void {
    if (this.isOver) return;
    this.#sentAfter = this.#conn.bytesSent;
    this.lose(clientGone());
  }

  protected get contentSent(): number {
    if (this.#sentBefore > 0) return (this.#sentAfter ?? this.#sentBefore) - this.#sentBefore;
    return this.hasContent ? this.given : 0;
  }

  protected get contentReceived(): number {
    return this.content.read;
  }

  protected gone(): ExchanError {
    return clientGone();
  }

  protected override watch(): void {
    this.#conn.watch();
  }

  /** Also decides on keep-alive. */
  #decideFraming(status: number, size: number | undefined): void {
    const { head, content } = this;
    const isHTTP10 = head.version === "1.0";
    this.status = status;
    this.hasContent = responseHasContent(head.method, status);
    if (!this.hasContent) this.#framing = "none";
    else if (size !== undefined) this.#framing = "sized";
    else this.#framing = isHTTP10 ? "until close" : "chunked";
    this.announced = size;
    this.#keepAlive =
      this.#isTrusted &&
      this.#conn.mayKeepAlive &&
      !head.wantsClose &&
      (!isHTTP10 || head.wantsKeepAlive) &&
      this.#framing !== "until close" &&
      // A client that waits for 100 may send its content or not: what comes next could be read in two ways.
      (!this.isContinueOwed || content.done) &&
      (this.state === "streaming" || content.isSoonOver);
  }

  #encodeHead({ status, reason, upgrade, fieldList }: ResponseHead, size: number | undefined): string {
    if (status === 205) size = 0;
    let text = statusLine(status, reason);
    if (!hasDate(fieldList)) text += this.#conn.dateLine;
    text += fieldLines(fieldList);
    // The length of a 304 would be that of the content which it does not have: nothing, or the truth (RFC 9110 8.6).
    if (size !== undefined && isStatusWithContent(status)) text += "content-length: " + size + "\r\n";
    else if (this.#framing === "chunked") text += "transfer-encoding: chunked\r\n";
    // The field stands for this connection only, and must be named as one that does (RFC 9110 7.8).
    if (upgrade !== undefined && this.head.version !== "1.0") text += `connection: upgrade\r\nupgrade: ${upgrade}\r\n`;
    if (!this.#keepAlive) text += "connection: close\r\n";
    else if (this.head.version === "1.0") text += "connection: keep-alive\r\n";
    return text + "\r\n";
  }
}

/**
 * In bytes: so much of a file goes in small blocks, since that is about what the buffers of both systems take at once
 * of a client that then takes nothing. No prop: it is a matter of what system calls cost, as the next one is.
 */
const minBeforeLarge = 4 * 1024 * 1024;
/** In bytes a ms: who takes a block slower than this gets small ones. */
const minRateOfLarge = 8 * 1024;
