// One request and its response on an HTTP/3 stream. The connection goes on, whatever becomes of it.

import type { Duplex } from "node:stream";
import { quietly } from "@hemi/common";
import {
  ContentRate,
  ExchanError,
  readRegion,
  responseHasContent,
  ServerExchan,
  StreamTunnel,
  type ExchanCarrier,
  type Fields,
  type FileRegion,
  type HemiError,
  type MultiplexedRequestHead,
  type ResponseHead,
  type TunnelHead,
  type WaitingStream,
} from "@hemi/internal";
import type { QuicConn } from "../quic/conn.ts";
import { errorCode, type Http3ErrorCode } from "./errors.ts";
import { frame, frameType } from "./frames.ts";
import type { RequestStream } from "./request-stream.ts";
import type { ResponseHeads } from "./response-heads.ts";
import { StreamOutput } from "./stream-output.ts";

/** What a stream waits for; each has its time in the settings. */
export type StreamWait = "handle" | "content" | "write";

/** What an exchan needs of the connection that it is on. */
export interface Http3ExchanConn extends ExchanCarrier {
  readonly quic: QuicConn;
  readonly isDraining: boolean;
  readonly heads: ResponseHeads;
  /** Another piece was sent, or another thing is waited for: its whole time begins anew. */
  waitFor(exchan: Http3Exchan, wait: StreamWait): void;
  /** Limits in time are not the connection's any more. */
  waitNoMore(exchan: Http3Exchan): void;
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
  /** A handlet is done with a request that its client had given up. */
  abandonedOver(exchan: Http3Exchan): void;
  /** Throws HTTPError if a tunnel may not be opened now. */
  assertMayTunnel(protocol: string | undefined): void;
  /** A tunnel was opened by a stream. */
  tunnelOpened(protocol: string | undefined, id: number, tunnel: Duplex): void;
  /** Runs what may find an error of the connection, which then ends. */
  guarded<T>(run: () => T): T | undefined;
}

export class Http3Exchan extends ServerExchan implements WaitingStream<StreamWait> {
  readonly head: MultiplexedRequestHead;
  readonly request: RequestStream;
  readonly rate = new ContentRate();
  wait: StreamWait = "handle";
  waitsUntil = Infinity;
  progressBefore = 0;
  readonly #conn: Http3ExchanConn;
  readonly #output: StreamOutput;
  #writable: PromiseWithResolvers<void> | undefined;
  #tunnel: StreamTunnel | undefined;
  /** Who has the tunnel wants to be told when the server drains. */
  #tunnelDrained: (() => void) | undefined;

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

  /** There are limits to the time that it takes. */
  get isTimed(): boolean {
    return this.state !== "tunnelling";
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
    this.#waitFor("content");
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
    this.#waitFor("handle");
    this.readerGets(piece);
  }

  override contentFailed(error: HemiError): void {
    if (this.isReading) this.#waitFor("handle");
    super.contentFailed(error);
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

  sendHead(head: ResponseHead, size: number | undefined): void {
    if (this.state !== "waiting") return this.#conn.abandonedOver(this);
    this.state = "streaming";
    this.#write(frame(frameType.headers, this.#encodeHead(head, size)), Infinity, false);
    this.#waitFor("handle");
  }

  sendContent(piece: string | Uint8Array, done?: () => void): boolean {
    if (this.state !== "streaming" && this.state !== "tunnelling") return false;
    const bytes = typeof piece === "string" ? Buffer.from(piece) : piece;
    if (bytes.length === 0) return true;
    this.give(bytes.length);
    if (!this.hasContent) return !this.isEnoughDropped;
    this.#output.writeData(bytes);
    // QUIC has its own copy of what it takes. A piece that has to wait is left to the collector.
    if (!this.#output.isBlocked) done?.();
    this.#written();
    this.#waitFor("handle");
    return !this.#output.isBlocked;
  }

  writable(): Promise<void> {
    // Nobody takes the content of an answer to HEAD: a source without end must stop some time.
    if (this.isOver || this.isEnoughDropped) return quietly(Promise.reject(requestGivenUp()));
    if (!this.#output.isBlocked) return Promise.resolve();
    this.#waitFor("write");
    if (this.#writable === undefined) {
      this.#writable = Promise.withResolvers<void>();
      void quietly(this.#writable.promise);
    }
    return this.#writable.promise;
  }

  async sendRegion(region: FileRegion): Promise<void> {
    if (!this.hasContent) return;
    for await (const piece of readRegion(region)) {
      if (this.state !== "streaming") throw requestGivenUp();
      if (!this.sendContent(piece)) await this.writable();
    }
  }

  endContent(trailerList: readonly string[]): void {
    if (this.state !== "streaming") return;
    this.assertAllGiven();
    this.state = "leaving";
    this.leaveContent();
    const hasTrailers = trailerList.length > 0 && this.hasContent;
    if (hasTrailers) {
      this.#write(frame(frameType.headers, this.#conn.heads.encodeTrailers(this.id, trailerList)), Infinity, true);
    } else this.#end();
    this.#settleOutput();
  }

  tunnel({ protocol, fieldList }: TunnelHead, drained: () => void): Duplex {
    this.assertTunnel(protocol);
    this.#conn.assertMayTunnel(protocol);
    this.state = "tunnelling";
    this.status = 200;
    this.#conn.waitNoMore(this);
    this.#tunnelDrained = drained;
    const section = this.#conn.heads.encode(this.id, { status: 200, fieldList }, undefined);
    this.#write(frame(frameType.headers, section), Infinity, false);
    if (this.#conn.isDraining) queueMicrotask(drained);
    this.#tunnel = new StreamTunnel({
      readContent: () => this.readContent(),
      sendContent: (piece) => this.sendContent(piece),
      writable: () => this.writable(),
      endContent: () => {
        this.#end();
        this.#settleOutput();
      },
      cancel: () => {
        if (!this.isOver) this.#conn.reset(this, errorCode.requestCancelled);
      },
    });
    this.#conn.tunnelOpened(protocol, this.id, this.#tunnel);
    return this.#tunnel;
  }

  /** Who has the tunnel, if it is one, is told. */
  serverDrains(): void {
    this.#tunnelDrained?.();
    this.#tunnelDrained = undefined;
  }

  distrust(): void {
    // Each request has a stream of its own: none can be hidden in another.
  }

  /** Sends on what waits. Returns how many bytes were taken. */
  flush(): number {
    const taken = this.#output.flush();
    if (taken > 0 && this.wait === "write" && this.waitsUntil !== Infinity) this.#waitFor("write");
    this.#settleOutput();
    if (this.#output.isBlocked) return taken;
    const writable = this.#writable;
    this.#writable = undefined;
    if (writable !== undefined && !this.isOver) this.#waitFor("handle");
    // Also once it is over: who still waits to send more would wait for good.
    writable?.resolve();
    return taken;
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
    this.#output.drop();
    this.lose(why);
    this.#tunnel?.destroy(why);
  }

  protected gone(): ExchanError {
    return requestGivenUp();
  }

  protected waitAnew(): void {
    if (this.wait === "handle" && this.waitsUntil !== Infinity) this.#waitFor("handle");
  }

  /** The bytes are used again for the next one. */
  #encodeHead(head: ResponseHead, size: number | undefined): Buffer {
    // A 2xx would read as an open tunnel (RFC 9220 3).
    const answer = this.head.isTunnel && head.status < 300 ? noTunnel : head;
    const { status } = answer;
    this.status = status;
    // It has no content either, but says so (RFC 9110 15.3.6).
    if (status === 205) size = 0;
    this.announced = size;
    this.hasContent = answer === head && responseHasContent(this.head.method, status);
    return this.#conn.heads.encode(this.id, answer, answer === head ? size : 0);
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
      if (this.state === "leaving") this.#waitFor("write");
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

  /** Limits in time of a tunnel are not ours. */
  #waitFor(wait: StreamWait): void {
    if (this.state !== "tunnelling") this.#conn.waitFor(this, wait);
  }
}

const noTunnel: ResponseHead = { status: 501, fieldList: [] };
const nothing = Buffer.alloc(0);

export function requestGivenUp(): ExchanError {
  return new ExchanError("HEMI_PEER_GONE", "the client has given the request up");
}
