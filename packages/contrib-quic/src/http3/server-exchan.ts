// One request and its response on an HTTP/3 stream. The connection goes on, whatever becomes of it.

import type { Duplex } from "node:stream";
import {
  ContentRate,
  readRegion,
  requestGivenUp,
  StreamServerExchan,
  type Fields,
  type FileRegion,
  type HemiError,
  type MultiplexedRequestHead,
  type ResponseHead,
  type StreamCarrier,
  type TunnelHead,
} from "@hemi/internal";
import type { QuicConn } from "../quic/conn.ts";
import { errorCode, type Http3ErrorCode } from "./errors.ts";
import { frame, frameType } from "./frames.ts";
import type { RequestStream } from "./request-stream.ts";
import type { ResponseHeads } from "./response-heads.ts";
import { StreamOutput } from "./stream-output.ts";

/** What an exchan needs of the connection that it is on. */
export interface Http3ExchanConn extends StreamCarrier {
  readonly quic: QuicConn;
  readonly heads: ResponseHeads;
  /** Content has come for a reader that waits. True: it came too slowly, and the reader was told. */
  isTooSlow(exchan: Http3Exchan): boolean;
  /** Not all that was sent has been taken: `flush` is to be called when more may be. */
  outputBlocked(exchan: Http3Exchan): void;
  /** The response is complete. */
  finished(exchan: Http3Exchan): void;
  /** Nobody is served by this stream any more: tells the client so. */
  reset(exchan: Http3Exchan, code: Http3ErrorCode): void;
  /** The request is not what it has to be: its stream is reset. */
  failStream(exchan: Http3Exchan, code: Http3ErrorCode, reason: string): void;
  /** Throws HTTPError if a tunnel may not be opened now. */
  assertMayTunnel(protocol: string | undefined): void;
  /** A tunnel was opened by a stream. */
  tunnelOpened(protocol: string | undefined, id: number, tunnel: Duplex): void;
  /** Runs what may find an error of the connection, which then ends. */
  guarded<T>(run: () => T): T | undefined;
}

export class Http3Exchan extends StreamServerExchan {
  readonly head: MultiplexedRequestHead;
  readonly request: RequestStream;
  readonly contentRate = new ContentRate();
  readonly #conn: Http3ExchanConn;
  readonly #output: StreamOutput;

  constructor(conn: Http3ExchanConn, head: MultiplexedRequestHead, request: RequestStream) {
    super(conn);
    this.#conn = conn;
    this.head = head;
    this.request = request;
    this.#output = new StreamOutput(conn.quic, request.id);
    this.isContinueOwed = head.expectsContinue && !request.isWhole;
  }

  get id(): number {
    return this.request.id;
  }

  get trailers(): Fields {
    return this.request.trailers;
  }

  // ---- content in ----

  protected get contentReceived(): number {
    return this.request.received;
  }

  protected takePiece(): Buffer | undefined {
    const piece = this.#conn.guarded(() => this.request.takePiece());
    const { received, isWhole } = this.request;
    const announced = this.head.isTunnel ? undefined : this.head.contentSize;
    if (announced !== undefined && (received > announced || (isWhole && received < announced))) {
      this.#conn.failStream(this, errorCode.messageError, "its content is not as long as its content-length says");
      return undefined;
    }
    if (isWhole && this.state === "tunnelling") queueMicrotask(() => this.#settleOutput());
    return piece;
  }

  protected get isContentRead(): boolean {
    return this.request.isWhole && this.contentError === undefined;
  }

  protected wantContent(): void {
    this.waitFor("content");
  }

  protected dropContent(): void {
    this.request.leave(errorCode.noError);
  }

  /** Something of the request has come. */
  inputArrived(): void {
    const { quic } = this.#conn;
    if (!this.isReading) {
      // What a handlet has not asked for stays where it is, but it should hear of a client that has left.
      if (this.request.isLeft) return;
      if (quic.isAtEnd(this.id)) this.#conn.guarded(() => this.request.peekEnd());
      else this.request.isBehind = true;
      return;
    }
    const piece = this.takePiece();
    if (this.isOver) return;
    if (piece === undefined && !this.request.isWhole) return;
    if (piece !== undefined && this.isTimed && this.#conn.isTooSlow(this)) return;
    this.waitFor("handle");
    this.readerGets(piece);
  }

  // ---- response out ----

  protected get contentSent(): number {
    return this.#output.contentTaken;
  }

  /** A write was not taken as a whole. */
  get isBlocked(): boolean {
    return this.#output.isBlocked;
  }

  /** The client takes no more of the response. */
  get isStopped(): boolean {
    return this.#output.isStopped || (!this.isOver && this.#conn.quic.isStopped(this.id));
  }

  sendInterim(status: number, fieldList: readonly string[]): void {
    if (this.state !== "waiting") return;
    if (status === 100) this.isContinueOwed = false;
    this.#write(frame(frameType.headers, this.#conn.heads.encodeInterim(this.id, status, fieldList)), Infinity, false);
  }

  sendWhole(head: ResponseHead, content: string | Uint8Array | undefined): void {
    if (this.state !== "waiting") return this.#conn.abandonedOver(this);
    const bytes = content ?? nothing;
    const size = typeof bytes === "string" ? Buffer.byteLength(bytes) : bytes.length;
    const section = this.#encodeHead(head, size);
    this.state = "leaving";
    this.leaveContent();
    this.given = size;
    this.#output.writeMessage(section, bytes, this.hasContent ? size : 0);
    this.#written();
    this.#settleOutput();
  }

  protected writeHead(head: ResponseHead, size: number | undefined): void {
    this.#write(frame(frameType.headers, this.#encodeHead(head, size)), Infinity, false);
  }

  protected writeContent(piece: Uint8Array): boolean {
    this.#output.writeData(piece);
    // QUIC has its own copy of what it takes. A piece that has to wait is left to the collector.
    const isTaken = !this.#output.isBlocked;
    this.#written();
    return isTaken;
  }

  async sendRegion(region: FileRegion): Promise<void> {
    if (!this.hasContent) return;
    for await (const piece of readRegion(region)) {
      if (this.state !== "streaming") throw requestGivenUp();
      if (!this.sendContent(piece)) await this.writable();
    }
  }

  protected writeEnd(trailerList: readonly string[]): void {
    const hasTrailers = trailerList.length > 0 && this.hasContent;
    if (hasTrailers) {
      this.#write(frame(frameType.headers, this.#conn.heads.encodeTrailers(this.id, trailerList)), Infinity, true);
    } else this.#end();
    this.#settleOutput();
  }

  protected override assertTunnel(protocol: string | undefined): void {
    super.assertTunnel(protocol);
    this.#conn.assertMayTunnel(protocol);
  }

  override tunnel(head: TunnelHead, drained: () => void): Duplex {
    const tunnel = super.tunnel(head, drained);
    this.#conn.tunnelOpened(head.protocol, this.id, tunnel);
    return tunnel;
  }

  protected writeTunnelHead(fieldList: readonly string[]): void {
    const section = this.#conn.heads.encode(this.id, { status: 200, fieldList }, undefined);
    this.#write(frame(frameType.headers, section), Infinity, false);
  }

  protected endTunnel(): void {
    this.#end();
    this.#settleOutput();
  }

  /** Sends on what waits. Returns how many bytes were taken. */
  flush(): number {
    const taken = this.#output.flush();
    if (taken > 0) this.hasProgressed();
    this.#settleOutput();
    if (!this.#output.isBlocked) this.resumeSending();
    return taken;
  }

  // ---- ends ----

  protected reset(why: "aborted" | "cancelled"): void {
    this.#conn.reset(this, why === "aborted" ? errorCode.internalError : errorCode.requestCancelled);
  }

  override broken(why?: HemiError): void {
    if (!this.isOver) this.#output.drop();
    super.broken(why);
  }

  /** The bytes are used again for the next one. */
  #encodeHead(head: ResponseHead, size: number | undefined): Buffer {
    const answer = this.prepareHead(head, size);
    return this.#conn.heads.encode(this.id, answer, this.announced);
  }

  #write(bytes: Uint8Array, framing: number, isEnd: boolean): void {
    this.#output.write(bytes, Math.min(framing, bytes.length), isEnd);
    this.#written();
  }

  #end(): void {
    this.#output.endMessage(this.hasContent);
    this.#written();
  }

  #written(): void {
    if (this.#output.isBlocked) this.#conn.outputBlocked(this);
    this.#conn.quic.flush();
  }

  /** Ends the exchan when all of its response is on its way. */
  #settleOutput(): void {
    if (this.isOver) return;
    if (!this.#output.hasEnded) {
      if (this.state === "leaving") this.waitFor("write");
      return;
    }
    if (this.state === "tunnelling") {
      // The client of a tunnel may go on for as long as it likes.
      if (!this.request.isWhole) return;
      // Whoever reads the tunnel may ask only later, and is told its end then.
      this.leaveContent();
    }
    this.complete();
    this.#conn.finished(this);
  }
}

const nothing = Buffer.alloc(0);
