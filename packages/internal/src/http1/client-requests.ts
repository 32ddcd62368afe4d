// The requests of an HTTP/1 client's connection: read from its input one after the other, and answered in order.
//
//            first byte           head complete           response complete
//   idle ───────────────> head ──────────────────> exchan ──────────────────> idle   (by way of `discard`, if content
//    │                      │ bad head: 400 …         │                              was left unread)
//    └──────────────────────┴─────────────────────────┴──────────────────────> over
//
// The connection that they come by says how long a phase may last, and what becomes of the socket when they are over.

import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { askNow, type Peer } from "../net/peer.ts";
import { handshakeRecord } from "../net/tls/client-hello.ts";
import type { TlsFacts } from "../net/tls/tls-facts.ts";
import { Input } from "../net/input.ts";
import { clientGone, ExchanError } from "../http/exchan-error.ts";
import { CR } from "../http/bytes.ts";
import { BadHead } from "./bad-head.ts";
import type { Http1RequestHead } from "./head.ts";
import { HeadReader } from "./head-reader.ts";
import { Output } from "../net/output.ts";
import { ContentRate } from "../http/content-rate.ts";
import { noContent, MessageContent } from "./message-content.ts";
import { statusLine } from "../http/response-head.ts";
import { Http1Exchan, type Http1ExchanConn } from "./server-exchan.ts";
import type { Http1CodecServer } from "./codec-server.ts";
import type { WholeResponses } from "./whole-responses.ts";

/** `over`: no request is read any more. */
type Phase = "idle" | "head" | "exchan" | "discard" | "over";

/** The requests by themselves. The connection that they come by hears of them by what is abstract here. */
export abstract class ClientRequests implements Http1ExchanConn {
  readonly peer: Peer;
  readonly tls: TlsFacts | undefined;
  readonly input = new Input();
  readonly output: Output;
  protected readonly socket: Socket;
  protected readonly server: Http1CodecServer;
  readonly #heads = new HeadReader(this.input);
  #phase: Phase = "idle";
  #exchan: Http1Exchan | undefined;
  /** Content that no handlet read, thrown away after the response so that the next head can be found. */
  #discarded: MessageContent | undefined;
  #count = 0;
  #isLast = false;
  #peerEnded = false;
  /** When the first byte of a head came whose last one did not come with it, in ms on the monotonic clock. */
  #headBeganAt = 0;
  #isAdvancing = false;
  /** The runtime has called with input, and nothing has been served since: see `serve` of the server. */
  #isFirst = false;
  /** Of the current request's content, once it was waited for. */
  #contentRate: ContentRate | undefined;

  constructor(socket: Socket, peer: Peer, tls: TlsFacts | undefined, server: Http1CodecServer) {
    this.socket = socket;
    this.tls = tls;
    this.server = server;
    this.peer = askNow(peer);
    this.output = new Output(socket, clientGone, tls?.maxWrite);
  }

  abstract leaveHTTP(drained: () => void): Duplex;
  abstract breakOff(isUnended: boolean): void;
  /** There was progress: what is waited for next has its whole time. */
  protected abstract moved(): void;
  /** What is waited for may be another thing. */
  protected abstract settle(): void;
  /** No request is served any more: the connection closes once all that was sent has arrived. Harmless twice. */
  protected abstract linger(): void;
  /** The client speaks a protocol that is served by someone else. */
  protected abstract handOver(): void;

  protected get phase(): Phase {
    return this.#phase;
  }

  /** The one that is being answered. */
  protected get exchan(): Http1Exchan | undefined {
    return this.#exchan;
  }

  /** This is the last exchan: the server drains, or the client was too slow for another one. */
  protected get isLast(): boolean {
    return this.#isLast;
  }

  /** The client has shut its side: what is in the input is all that will come. */
  protected get hasPeerEnded(): boolean {
    return this.#peerEnded;
  }

  get mayKeepAlive(): boolean {
    const mayComeMore = !this.#peerEnded || this.input.size > 0;
    return mayComeMore && !this.#isLast && this.#count < this.server.settings.maxRequestsPerConn;
  }

  get isCut(): boolean {
    return this.output.isCut;
  }

  get dateLine(): string {
    return this.server.dateLine;
  }

  get wholeResponses(): WholeResponses {
    return this.server.wholeResponses;
  }

  get bytesSent(): number {
    return this.socket.bytesWritten;
  }

  monotonic(): number {
    return this.server.monotonic();
  }

  // ---- what the connection tells ----

  /** Serves what has begun and nothing more. */
  protected serveNoMore(): void {
    this.#isLast = true;
  }

  /** Reads no request any more. */
  protected stopReading(): void {
    this.#phase = "over";
  }

  /** Nothing reaches the client any more. */
  protected clientLeft(): void {
    const exchan = this.#exchan;
    this.#exchan = undefined;
    exchan?.clientLeft();
  }

  /** `isShared`: the bytes are valid until it returns. */
  protected take(bytes: Buffer, isShared: boolean): void {
    this.input.add(bytes, isShared);
    // Who reads the content may keep it. A head that was read before need not be kept again.
    if (this.#phase === "exchan") this.input.own();
    // Only what is read directly comes by a call of the runtime itself; TLS may also decrypt while others write.
    this.#isFirst = isShared && this.tls === undefined && this.#exchan === undefined;
    this.advance();
    this.#isFirst = false;
    this.input.own();
  }

  /** The client has shut its side. */
  protected peerEnds(): void {
    this.#peerEnded = true;
    const exchan = this.#exchan;
    if (exchan === undefined) this.advance();
    // It may still read the answer; but where someone asked to hear of its leaving, it has left.
    else if (exchan.isWatched) this.socket.destroy();
    else if (exchan.isReading) exchan.contentFailed(endedEarly());
  }

  /** Answers a request that could not be read, and closes. */
  protected refuse(status: number, reason: string): void {
    this.server.requestRefused(this.peer, status, reason);
    this.output.writeText(`${statusLine(status)}${this.dateLine}content-length: 0\r\nconnection: close\r\n\r\n`);
    this.linger();
  }

  /** Waits no longer for content. */
  protected giveContentUp(reason: string): void {
    this.server.note(this.peer, reason);
    this.#isLast = true;
    if (this.#exchan === undefined) return this.linger();
    this.#exchan.endsBecauseOf("contentTimeout");
    this.#exchan.contentFailed(new ExchanError("HEMI_TIMEOUT", "the content of the request did not come in time"));
    if (!this.#isAdvancing) this.settle();
  }

  // ---- input ----

  /** Goes as far as the input allows. */
  protected advance(): void {
    // A response that is finished while we are in here is seen by the loop below.
    if (this.#isAdvancing) return;
    this.#isAdvancing = true;
    try {
      while (this.#step());
    } catch (error) {
      // Nothing below should throw; what does must not leave a connection that neither goes on nor ends.
      this.socket.destroy();
      this.server.failed(this.peer, error);
    } finally {
      this.#isAdvancing = false;
    }
    this.settle();
  }

  /** Does what the phase has to do with the input. False when there is nothing more to do for now. */
  #step(): boolean {
    switch (this.#phase) {
      case "idle":
      case "head":
        return this.#nextRequest();
      case "exchan":
        return this.#feedReader();
      case "discard":
        return this.#discardContent();
      case "over":
        return false;
    }
  }

  /** Reads the next head and has it served. */
  #nextRequest(): boolean {
    const { input } = this;
    if (input.size === 0) {
      if (this.#peerEnded) this.linger();
      return false;
    }
    // A client that sends requests and takes no answers waits for its turn.
    if (this.output.isBlocked) return false;
    const head = this.#heads.next(this.#peerEnded, this.server.settings);
    if (head === undefined) return this.#waitForHead();
    if (head instanceof BadHead) return this.#refuseHead(head);
    this.#beginExchan(head);
    return true;
  }

  #refuseHead({ status, reason }: BadHead): false {
    const { input } = this;
    if (input.bytes[input.at] === handshakeRecord) return this.#refuseTLS();
    // Only the first head may be none: behind a request, other bytes are a mistake or an attack.
    const isOther = this.#count === 0 && this.server.speaksOther(input.bytes.subarray(input.at));
    if (isOther === "perhaps") return this.#waitForHead();
    if (isOther) this.handOver();
    else this.refuse(status, reason);
    return false;
  }

  /** There is nothing to say that the client would understand. */
  #refuseTLS(): false {
    const isInside = this.tls !== undefined;
    this.server.note(this.peer, isInside ? "it speaks TLS inside TLS" : "it speaks TLS, and this port plain HTTP");
    this.socket.destroy();
    return false;
  }

  #waitForHead(): false {
    const { bytes, at, size } = this.input;
    // An empty line behind the last request does not yet begin another one.
    if (this.#phase !== "head" && (size > 2 || bytes[at] !== CR)) {
      this.#phase = "head";
      this.#headBeganAt = this.server.monotonic();
    }
    if (this.#peerEnded) {
      if (this.#phase === "head") this.server.note(this.peer, "it left in the middle of a head");
      this.linger();
    }
    return false;
  }

  #beginExchan(head: Http1RequestHead): void {
    this.#count++;
    this.#contentRate = undefined;
    this.moved();
    const wasWaitedFor = this.#phase === "head";
    this.#phase = "exchan";
    if (this.tls !== undefined) head.scheme = "https";
    const exchan = new Http1Exchan(
      this,
      head,
      head.contentSize === 0 ? noContent : new MessageContent(head.contentSize, this.server.settings),
    );
    if (wasWaitedFor) exchan.headTime = this.server.monotonic() - this.#headBeganAt;
    this.#exchan = exchan;
    const isFirst = this.#isFirst;
    this.#isFirst = false;
    this.server.serve(exchan, isFirst);
  }

  /** Gives input to who waits for content. */
  #feedReader(): false {
    const exchan = this.#exchan;
    if (exchan?.isReading !== true) return false;
    const { settings } = this.server;
    const came = exchan.content.read + this.input.size;
    const hasRate = exchan.contentTimeout === undefined;
    if (hasRate && this.#contentRate?.isTooSlow(came, this.server) === true) {
      this.giveContentUp(`its content came at less than ${settings.minContentRate} bytes a second`);
    } else if (exchan.contentArrived()) this.moved();
    return false;
  }

  #discardContent(): boolean {
    if (this.#discarded?.discard(this.input) === true) {
      this.#discarded = undefined;
      this.moved();
      this.#phase = "idle";
      if (this.#isLast) this.linger();
      return true;
    }
    if (this.#peerEnded) this.linger();
    return false;
  }

  // ---- what the exchan asks for ----

  wantContent(): void {
    if (this.#peerEnded) return this.#exchan?.contentFailed(endedEarly());
    (this.#contentRate ??= new ContentRate()).waitFrom(this.server);
    this.settle();
  }

  watch(): void {
    if (this.#peerEnded) this.socket.destroy();
  }

  drained(): Promise<void> {
    const drained = this.output.drained();
    this.settle();
    return drained;
  }

  progressed(): void {
    this.moved();
    if (!this.#isAdvancing) this.settle();
  }

  finished(keepAlive: boolean): void {
    const exchan = this.#exchan;
    if (exchan === undefined) return;
    const { content } = exchan;
    this.#exchan = undefined;
    this.moved();
    // What was promised with the head may have become impossible since.
    if (!keepAlive || this.#isLast || !content.isSoonOver) this.linger();
    else if (content.done) this.#phase = "idle";
    else {
      this.#discarded = content;
      this.#phase = "discard";
    }
    this.advance();
  }
}

function endedEarly(): ExchanError {
  return new ExchanError("HEMI_CONTENT_BROKEN", "the client ended the request before its content was complete");
}
