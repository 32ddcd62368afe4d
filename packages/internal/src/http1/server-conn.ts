// One connection of an HTTP/1 client: reads requests from a socket one after the other, and writes the responses in
// order.
//
//            first byte           head complete           response complete
//   idle ───────────────> head ──────────────────> exchan ──────────────────> idle   (kept; by way of `discard`,
//    │ idleTimeout          │ headTimeout: 408        │ contentTimeout: 408     │      if content was left unread)
//    │                      │ bad head: 400 …         │ handleTimeout: 503      │
//    v                      v                         v writeTimeout            v
//  closed <───────────── linger <─────────────────────┴─────────────────────────┘
//                        (our side is shut, theirs is read and dropped for a while,
//                         so that a reset does not destroy the answer on its way)

import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { readAsStream, readDirectly, resumeReading } from "../net/direct-reading.ts";
import { askNow, type Peer } from "../net/peer.ts";
import { handshakeRecord } from "../net/tls/client-hello.ts";
import type { TlsFacts } from "../net/tls/tls-facts.ts";
import { Input } from "../net/input.ts";
import { clientGone, ExchanError } from "../http/exchan-error.ts";
import { CR } from "../http/bytes.ts";
import { BadHead, type Http1RequestHead } from "./head.ts";
import { HeadReader } from "./head-reader.ts";
import { Output } from "../net/output.ts";
import { ContentRate } from "../http/content-rate.ts";
import { ConnTimeouts, type Wait } from "../http/conn-timeouts.ts";
import { LingeringClose } from "../http/lingering-close.ts";
import { noContent, MessageContent } from "./message-content.ts";
import { statusLine } from "../http/response-head.ts";
import type { GateConn } from "../front/gate.ts";
import { Http1Exchan, type Http1ExchanConn } from "./server-exchan.ts";
import type { Http1CodecServer } from "./codec-server.ts";
import type { WholeResponses } from "./whole-responses.ts";

/** `tunnel`: the socket is in the hands of who left HTTP on it. */
type Phase = "idle" | "head" | "exchan" | "discard" | "tunnel" | "linger" | "closed";

export class Http1Conn implements Http1ExchanConn, GateConn {
  readonly peer: Peer;
  /** Of its gate. */
  place = -1;
  readonly tls: TlsFacts | undefined;
  readonly input = new Input();
  readonly output: Output;
  readonly #socket: Socket;
  readonly #server: Http1CodecServer;
  readonly #heads = new HeadReader(this.input);
  readonly #timeouts: ConnTimeouts;
  #phase: Phase = "idle";
  #isHeld = false;
  #exchan: Http1Exchan | undefined;
  /** Content that no handlet read, thrown away after the response so that the next head can be found. */
  #discarded: MessageContent | undefined;
  #requests = 0;
  /** This is the last exchan: the server drains, or the client was too slow for another one. */
  #isLast = false;
  /** The client has shut its side: what is in the input is all that will come. */
  #peerEnded = false;
  /** When the first byte of a head came whose last one did not come with it, in ms on the monotonic clock. */
  #headBeganAt = 0;
  #isAdvancing = false;
  /** Of the current request's content, once it was waited for. */
  #contentRate: ContentRate | undefined;
  #closing: LingeringClose | undefined;
  /** Who has the tunnel wants to be told when the server drains. */
  #tunnelDrained: (() => void) | undefined;

  /** `tls` is what the handshake of a TLS socket has established. */
  constructor(socket: Socket, peer: Peer, tls: TlsFacts | undefined, server: Http1CodecServer) {
    this.#socket = socket;
    this.tls = tls;
    this.#server = server;
    this.peer = askNow(peer);
    this.output = new Output(socket, clientGone, tls?.maxWrite);
    this.#timeouts = new ConnTimeouts(socket, server, (wait) => this.#expired(wait));
    readDirectly(socket, this.#receivedShared, this.#received);
    socket.on("end", this.#ended);
    socket.on("drain", this.#drainedNow);
    // What went wrong with a socket is of no use: its "close" follows.
    socket.on("error", noop);
    socket.on("close", this.#closed);
    this.#settle();
  }

  get mayKeepAlive(): boolean {
    const mayComeMore = !this.#peerEnded || this.input.size > 0;
    return mayComeMore && !this.#isLast && this.#requests < this.#server.settings.maxRequestsPerConn;
  }

  get isCut(): boolean {
    return this.output.isCut;
  }

  get dateLine(): string {
    return this.#server.dateLine;
  }

  get wholeResponses(): WholeResponses {
    return this.#server.wholeResponses;
  }

  monotonic(): number {
    return this.#server.monotonic();
  }

  /**
   * Serves what has begun and nothing more. An idle client may have sent a request just now: it gets a moment, and one
   * more answer.
   */
  drain(): void {
    this.#isLast = true;
    if (this.#phase === "idle") this.#settle();
    this.#tunnelDrained?.();
  }

  /** The server shuts down and waits no longer. */
  destroy(): void {
    this.#exchan?.endsBecauseOf("shutdown");
    this.#socket.destroy();
  }

  // ---- input ----

  readonly #received = (chunk: Buffer): void => this.#take(chunk, false);
  readonly #receivedShared = (bytes: Buffer): void => this.#take(bytes, true);

  #take(bytes: Buffer, isShared: boolean): void {
    if (this.#closing !== undefined) return this.#closing.received();
    this.input.add(bytes, isShared);
    // Who reads the content may keep it. A head that was read before need not be kept again.
    if (this.#phase === "exchan") this.input.own();
    this.#advance();
    this.input.own();
  }

  readonly #ended = (): void => {
    this.#peerEnded = true;
    const exchan = this.#exchan;
    if (this.#closing !== undefined) this.#closing.peerEnded();
    else if (exchan === undefined) this.#advance();
    // It may still read the answer; but where someone asked to hear of its leaving, it has left.
    else if (exchan.isWatched) this.#socket.destroy();
    else if (exchan.isReading) exchan.contentFailed(endedEarly());
  };

  /** Goes as far as the input allows. */
  #advance(): void {
    // A response that is finished while we are in here is seen by the loop below.
    if (this.#isAdvancing) return;
    this.#isAdvancing = true;
    try {
      while (this.#step());
    } catch (error) {
      // Nothing below should throw; what does must not leave a connection that neither goes on nor ends.
      this.#socket.destroy();
      this.#server.failed(this.peer, error);
    } finally {
      this.#isAdvancing = false;
    }
    this.#settle();
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
      case "tunnel":
      case "linger":
      case "closed":
        return false;
    }
  }

  /** Reads the next head and has it served. */
  #nextRequest(): boolean {
    const { input } = this;
    if (input.size === 0) {
      if (this.#peerEnded) this.#linger();
      return false;
    }
    // A client that sends requests and takes no answers waits for its turn.
    if (this.output.isBlocked) return false;
    const head = this.#heads.next(this.#peerEnded, this.#server.settings);
    if (head === undefined) return this.#waitForHead();
    if (head instanceof BadHead) {
      if (input.bytes[input.at] === handshakeRecord) return this.#refuseTLS();
      // Only the first head may be none: behind a request, other bytes are a mistake or an attack.
      const isOther = this.#requests === 0 && this.#server.speaksOther(input.bytes.subarray(input.at));
      if (isOther === "perhaps") return this.#waitForHead();
      if (isOther) return this.#handOver();
      this.#refuse(head.status, head.reason);
      return false;
    }
    this.#beginExchan(head);
    return true;
  }

  /** Someone else speaks the client's protocol. */
  #handOver(): false {
    const socket = this.#socket;
    this.#leaveSocket();
    this.#phase = "closed";
    socket.off("error", noop).off("close", this.#closed);
    this.#server.handOver(this, socket);
    return false;
  }

  #waitForHead(): false {
    const { bytes, at, size } = this.input;
    // An empty line behind the last request does not yet begin another one.
    if (this.#phase !== "head" && (size > 2 || bytes[at] !== CR)) {
      this.#phase = "head";
      this.#headBeganAt = this.#server.monotonic();
    }
    if (this.#peerEnded) {
      if (this.#phase === "head") this.#server.note(this.peer, "it left in the middle of a head");
      this.#linger();
    }
    return false;
  }

  #beginExchan(head: Http1RequestHead): void {
    this.#requests++;
    this.#contentRate = undefined;
    this.#timeouts.hasMoved = true;
    const wasWaitedFor = this.#phase === "head";
    this.#phase = "exchan";
    if (this.tls !== undefined) head.scheme = "https";
    const exchan = new Http1Exchan(
      this,
      head,
      head.contentSize === 0 ? noContent : new MessageContent(head.contentSize, this.#server.settings),
    );
    if (wasWaitedFor) exchan.headTime = this.#server.monotonic() - this.#headBeganAt;
    this.#exchan = exchan;
    this.#server.serve(exchan);
  }

  /** Gives input to who waits for content. */
  #feedReader(): false {
    const exchan = this.#exchan;
    if (exchan?.isReading !== true) return false;
    const { settings } = this.#server;
    const came = exchan.content.read + this.input.size;
    const hasRate = exchan.contentTimeout === undefined;
    if (hasRate && this.#contentRate?.isTooSlow(came, this.#server.monotonic(), settings) === true) {
      this.#giveContentUp(`its content came at less than ${settings.minContentRate} bytes a second`);
    } else if (exchan.contentArrived()) this.#timeouts.hasMoved = true;
    return false;
  }

  #discardContent(): boolean {
    if (this.#discarded?.discard(this.input) === true) {
      this.#discarded = undefined;
      this.#timeouts.hasMoved = true;
      this.#phase = "idle";
      if (this.#isLast) this.#linger();
      return true;
    }
    if (this.#peerEnded) this.#linger();
    return false;
  }

  // ---- what the exchan asks for ----

  wantContent(): void {
    if (this.#peerEnded) return this.#exchan?.contentFailed(endedEarly());
    (this.#contentRate ??= new ContentRate()).waitFrom(this.#server.monotonic());
    this.#settle();
  }

  watch(): void {
    if (this.#peerEnded) this.#socket.destroy();
  }

  drained(): Promise<void> {
    const drained = this.output.drained();
    this.#settle();
    return drained;
  }

  progressed(): void {
    this.#timeouts.hasMoved = true;
    if (!this.#isAdvancing) this.#settle();
  }

  finished(keepAlive: boolean): void {
    const exchan = this.#exchan;
    if (exchan === undefined) return;
    const { content } = exchan;
    this.#exchan = undefined;
    this.#timeouts.hasMoved = true;
    // What was promised with the head may have become impossible since.
    if (!keepAlive || this.#isLast || !content.isSoonOver) this.#linger();
    else if (content.done) this.#phase = "idle";
    else {
      this.#discarded = content;
      this.#phase = "discard";
    }
    this.#advance();
  }

  get bytesSent(): number {
    return this.#socket.bytesWritten;
  }

  leaveHTTP(drained: () => void): Duplex {
    this.output.flush();
    this.#phase = "tunnel";
    // What came behind the head is of the protocol that was asked for.
    this.#leaveSocket();
    this.#tunnelDrained = drained;
    if (this.#isLast) queueMicrotask(drained);
    return this.#socket;
  }

  /** Leaves the socket, paused, to who reads it from here on, with what has not been read. */
  #leaveSocket(): void {
    const socket = this.#socket;
    this.#timeouts.end();
    this.#hold(true);
    readAsStream(socket, this.#received);
    socket.off("end", this.#ended).off("drain", this.#drainedNow);
    const rest = this.input.take();
    if (rest.length > 0) socket.unshift(rest);
  }

  breakOff(isUnended: boolean): void {
    this.output.flush();
    // UNIX sockets know no reset.
    if (isUnended && this.peer.port !== 0) {
      if (this.tls === undefined) this.#socket.resetAndDestroy();
      else this.tls.reset();
    } else this.#socket.destroy();
  }

  // ---- output and the end ----

  readonly #drainedNow = (): void => {
    this.output.unblocked();
    this.#advance();
  };

  /** Answers a request that could not be read, and closes. */
  #refuse(status: number, reason: string): void {
    this.#server.requestRefused(this.peer, status, reason);
    this.output.writeText(`${statusLine(status)}${this.dateLine}content-length: 0\r\nconnection: close\r\n\r\n`);
    this.#linger();
  }

  /** There is nothing to say that the client would understand. */
  #refuseTLS(): false {
    const isInside = this.tls !== undefined;
    this.#server.note(this.peer, isInside ? "it speaks TLS inside TLS" : "it speaks TLS, and this port plain HTTP");
    this.#socket.destroy();
    return false;
  }

  #linger(): void {
    if (this.#phase === "linger" || this.#phase === "closed") return;
    this.#phase = "linger";
    this.input.clear();
    this.output.flush();
    this.#closing = new LingeringClose(this.#socket, this.#server, this.#timeouts, this.#peerEnded);
  }

  readonly #closed = (): void => {
    this.#phase = "closed";
    this.#timeouts.end();
    const exchan = this.#exchan;
    this.#exchan = undefined;
    exchan?.clientLeft();
    this.output.closed();
    this.#server.closed(this);
  };

  // ---- waiting ----

  /** Reads on or holds, and sets the deadline of what is waited for now. */
  #settle(): void {
    const { output, input } = this;
    const exchan = this.#exchan;
    switch (this.#phase) {
      case "idle":
      case "head":
        this.#hold(output.isBlocked);
        if (output.isBlocked) this.#timeouts.waitFor("write");
        else this.#timeouts.waitFor(this.#phase === "idle" && this.#isLast ? "drainIdle" : this.#phase);
        break;
      case "exchan":
        if (exchan?.isReading === true) {
          this.#hold(false);
          this.#timeouts.waitFor("content", exchan.contentTimeout);
        } else {
          this.#hold(output.isAwaited || input.size >= this.#server.settings.maxBufferedInput);
          this.#timeouts.waitFor(output.isAwaited ? "write" : "handle", exchan?.handleTimeout);
        }
        break;
      case "discard":
        this.#hold(false);
        this.#timeouts.waitFor("content");
        break;
      case "tunnel":
      case "linger":
      case "closed":
    }
  }

  #hold(isHeld: boolean): void {
    if (isHeld === this.#isHeld) return;
    this.#isHeld = isHeld;
    if (isHeld) this.#socket.pause();
    else resumeReading(this.#socket);
  }

  #expired(wait: Wait | undefined): void {
    const { settings } = this.#server;
    switch (wait) {
      case "idle":
      case "drainIdle":
        this.#linger();
        break;
      case "head":
        this.#refuse(408, `its head was not complete after ${settings.headTimeout} ms`);
        break;
      case "content":
        this.#giveContentUp(`no content came for ${this.#exchan?.contentTimeout ?? settings.contentTimeout} ms`);
        break;
      case "handle":
        this.#server.note(
          this.peer,
          `its request was not answered within ${this.#exchan?.handleTimeout ?? settings.handleTimeout} ms`,
        );
        this.#isLast = true;
        this.#exchan?.giveUp();
        break;
      case "write":
        this.#server.note(this.peer, `it took nothing of its answer for ${settings.writeTimeout} ms`);
        this.#exchan?.endsBecauseOf("writeTimeout");
        this.#socket.destroy();
        break;
      case "linger":
      case undefined:
        this.#socket.destroy();
    }
  }

  #giveContentUp(reason: string): void {
    this.#server.note(this.peer, reason);
    this.#isLast = true;
    if (this.#exchan === undefined) return this.#linger();
    this.#exchan.endsBecauseOf("contentTimeout");
    this.#exchan.contentFailed(new ExchanError("HEMI_TIMEOUT", "the content of the request did not come in time"));
    if (!this.#isAdvancing) this.#settle();
  }
}

function noop(): void {}

function endedEarly(): ExchanError {
  return new ExchanError("HEMI_CONTENT_BROKEN", "the client ended the request before its content was complete");
}
