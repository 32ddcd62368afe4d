// One connection of an HTTP/2 client: many requests at once, each on a stream of its own.
//
//   preface ── the client's 24 bytes ──> open ── drain, GOAWAY of either side, idleTimeout ──> no stream left ──> linger ──> closed
//      │ headTimeout                      │ a mistake of the client's: GOAWAY with its code                        ^
//      └──────────────────────────────────┴───────────────────────────────────────────────────────────────────────┘
//
//   socket ─> FrameCutter ─> ClientFrames ─> streams: Http2Exchan ─> Sender ─> FrameOutput ─> socket
//
// What one reading of the socket brings is handled in one go, and the answers to it are sent in one write.

import type { Socket } from "node:net";
import type { Deadline } from "@hemi/common";
import type { GateConn } from "../front/gate.ts";
import { ConnTimeouts, type Wait } from "../http/conn-timeouts.ts";
import type { Peer } from "../net/peer.ts";
import type { TlsFacts } from "../net/tls/tls-facts.ts";
import { ExchanError } from "../http/exchan-error.ts";
import type { ResponseHead } from "../http/exchan.ts";
import { TokenBucket, contentOfIdleFrame, idleFramesOfRequest } from "./allowance.ts";
import { ClientFrames, type ClientFrameTarget } from "./client-frames.ts";
import { EarlyAnswers } from "./early-answers.ts";
import { FrameCutter } from "./frame-cutter.ts";
import {
  defaultMaxFrameSize,
  defaultWindow,
  errorCode,
  errorName,
  frameType,
  maxStreamId,
  preface,
  settingId,
  type Http2ErrorCode,
} from "./frames.ts";
import { ReceivedContent } from "./received-content.ts";
import type { BadRequest, Http2RequestHead } from "./request-head.ts";
import { ResponseHeads } from "./response-heads.ts";
import { Http2Exchan, gone, type Http2ExchanConn, type StreamWait } from "./server-exchan.ts";
import type { Http2CodecServer } from "./codec-server.ts";
import { StreamConnection } from "./stream-connection.ts";
import { StreamTimeouts } from "./stream-timeouts.ts";

type Phase = "preface" | "open" | "linger" | "closed";

export class Http2Conn
  extends StreamConnection<Http2Exchan, ResponseHeads>
  implements Http2ExchanConn, ClientFrameTarget, GateConn
{
  readonly peer: Peer;
  readonly tls: TlsFacts | undefined;
  readonly #socket: Socket;
  readonly #server: Http2CodecServer;
  protected readonly cutter: FrameCutter;
  protected readonly frames: ClientFrames;
  readonly #patience: ConnTimeouts;
  readonly #streamPatience: StreamTimeouts<StreamWait, Http2Exchan>;
  /** When the settings must have been acknowledged; later, when a drain must have been heard of. */
  readonly #answerDeadline: Deadline;
  readonly #resets: TokenBucket;
  /** Streams that their client has given up while a handlet works on them: they count as open ones do, else there could be any number. */
  #abandoned: Set<Http2Exchan> | undefined;
  /** Made for the first stream that it is needed for. */
  #earlyAnswers: EarlyAnswers | undefined;
  #phase: Phase = "preface";
  #prefaceRead = 0;
  #areSettingsAcknowledged = false;
  #isHeld = false;
  /** `announced`: the client has been told, and may not have heard yet. `final`: no stream begins any more. */
  #drain: "no" | "announced" | "final" = "no";
  /** Not so where the client alone leaves, or has asked for as much as it may. */
  #isServerDraining = false;
  #peerEnded = false;
  #requests = 0;
  /** When a head began that did not come in one reading, in ms on the monotonic clock; 0 if there is none. */
  #headBeganAt = 0;
  #lingersUntil = 0;

  /** `tls` is what the handshake of a TLS socket has established. */
  constructor(socket: Socket, peer: Peer, tls: TlsFacts | undefined, server: Http2CodecServer) {
    const { settings } = server;
    const monotonic = (): number => server.monotonic();
    super(socket, {
      heads: new ResponseHeads(),
      window: settings.http2ConnWindow,
      limits: settings,
      monotonic,
      maxBuffered: () => settings.http2MaxBufferedOutput,
    });
    this.tls = tls;
    this.#socket = socket;
    this.#server = server;
    this.peer = peer;
    this.#resets = new TokenBucket(settings.http2MaxResets, settings.http2FloodRecovery, monotonic);
    this.frames = new ClientFrames(this, server, this.idleFrames);
    this.cutter = new FrameCutter(defaultMaxFrameSize, this.frames.take, () =>
      this.fail(errorCode.frameSizeError, "a frame is larger than allowed"),
    );
    this.#patience = new ConnTimeouts(socket, server, (wait) => this.#expired(wait));
    this.#streamPatience = new StreamTimeouts({
      monotonic,
      makeDeadline: (onExpired) => server.makeDeadline(onExpired),
      timeOf: (wait, { handleTimeout }) =>
        wait === "handle" && handleTimeout !== undefined ? handleTimeout : server.settings[timeouts[wait]],
      progress: () => this.output.taken,
      streams: () => [...this.streams.values(), ...(this.#abandoned ?? [])],
      expired: (exchan, wait) => this.#streamExpired(exchan, wait),
    });
    this.#answerDeadline = server.makeDeadline(() => this.#notAnswered());
    socket.on("data", (chunk: Buffer) => this.#received(chunk));
    socket.on("end", () => this.#ended());
    socket.on("drain", () => this.#nowDrained());
    // What went wrong with a socket is of no use: its "close" follows.
    socket.on("error", noop);
    socket.on("close", () => this.#closed());
    this.#introduce();
    this.#settle();
    // Who had the socket before has paused it.
    socket.resume();
  }

  get isDraining(): boolean {
    return this.#isServerDraining;
  }

  get isCut(): boolean {
    return this.output.isCut;
  }

  /**
   * Serves what has begun and nothing more. What the client has asked for just now is served, too: it is told first that there is an end,
   * and only when it must have heard that, which stream was the last (RFC 9113 6.8).
   */
  drain(): void {
    if (this.#isServerDraining || this.#phase === "linger" || this.#phase === "closed") return;
    this.#isServerDraining = true;
    if (this.#drain === "no") {
      this.#drain = "announced";
      this.sender.sendGoaway(maxStreamId, errorCode.noError);
      this.sender.sendFrame(frameType.ping, 0, 0, drainPing);
      this.#answerDeadline.set(this.#server.settings.drainIdleTimeout);
    }
    for (const exchan of this.streams.values()) exchan.serverDrains();
  }

  /** The server shuts down and waits no longer. */
  destroy(): void {
    for (const exchan of this.streams.values()) exchan.endsBecauseOf("shutdown");
    this.#socket.destroy();
  }

  // ---- input ----

  #received(chunk: Buffer): void {
    if (this.#phase === "linger") {
      if (this.#server.monotonic() > this.#lingersUntil) return void this.#socket.destroy();
      this.#patience.hasMoved = true;
      return this.#patience.waitFor("linger");
    }
    this.advance(chunk);
    this.#settle();
  }

  protected override read(chunk: Buffer): void {
    const frames = this.#phase === "preface" ? this.#readPreface(chunk) : chunk;
    if (frames !== undefined) this.cutter.push(frames);
  }

  protected faulted(error: unknown): void {
    this.#socket.destroy();
    this.#server.failed(this.peer, error);
  }

  /** Gives what stands behind the preface. */
  #readPreface(chunk: Buffer): Buffer | undefined {
    const size = Math.min(chunk.length, preface.length - this.#prefaceRead);
    if (chunk.compare(preface, this.#prefaceRead, this.#prefaceRead + size, 0, size) !== 0) {
      this.fail(errorCode.protocolError, "it does not begin with the preface of HTTP/2");
      return undefined;
    }
    this.#prefaceRead += size;
    if (this.#prefaceRead < preface.length) return undefined;
    this.#phase = "open";
    return chunk.subarray(size);
  }

  #ended(): void {
    this.#peerEnded = true;
    if (this.#phase !== "linger") this.#linger();
    else if (this.#socket.writableFinished) this.#socket.destroy();
  }

  // ---- what the frames ask for ----

  requested(id: number, head: Http2RequestHead, isEnded: boolean): void {
    const { settings } = this.#server;
    // Beyond the last one: the client has been told that it is not looked at (RFC 9113 6.8).
    if (this.#drain === "final") return this.#refuseStream(id);
    const streams = this.streams.size + (this.#abandoned?.size ?? 0) + (this.#earlyAnswers?.size ?? 0);
    if (streams >= settings.http2MaxStreams) {
      this.#refuseStream(id);
      return this.#spendReset();
    }
    this.#patience.hasMoved = true;
    this.idleFrames.earn(idleFramesOfRequest);
    const content = isEnded ? undefined : new ReceivedContent(settings.http2StreamWindow);
    const exchan = new Http2Exchan(this, id, head, content, this.sendWindow);
    if (this.#headBeganAt > 0) {
      exchan.headTime = this.#server.monotonic() - this.#headBeganAt;
      this.#headBeganAt = 0;
    }
    if (++this.#requests >= settings.maxRequestsPerConn) this.#drainFinally();
    this.#server.serve(exchan);
    if (exchan.isOver) return;
    this.streams.set(id, exchan);
    if (exchan.waitsUntil === Infinity && exchan.isTimed) this.waitFor(exchan, "handle");
  }

  refused(id: number, bad: BadRequest, isEnded: boolean): void {
    const { status, reason } = bad;
    if (status === undefined) return this.failStream(id, errorCode.protocolError, reason);
    this.#server.note(this.peer, `its request was refused with ${status}: ${reason}`);
    this.sendHead(id, { status, fieldList: [] }, 0, true);
    if (isEnded) this.frames.closedByPeer.add(id);
    else this.#answeredEarly(id);
    // Each has a line in the log, and counts as no request.
    this.#spendReset();
  }

  contentArrived(
    exchan: Http2Exchan,
    bytes: Buffer,
    start: number,
    end: number,
    frameSize: number,
    isEnd: boolean,
  ): void {
    const { content, head } = exchan;
    if (content === undefined) return;
    if (!this.takeFromWindow(frameSize)) return;
    const size = end - start;
    if (!content.window.take(frameSize)) {
      this.giveBack(frameSize);
      return this.failStream(exchan.id, errorCode.flowControlError, "it sends more content on a stream than it may");
    }
    const received = content.received + size;
    const announced = head.isTunnel ? undefined : head.contentSize;
    if (announced !== undefined && (received > announced || (isEnd && received < announced))) {
      this.giveBack(frameSize);
      return this.failStream(
        exchan.id,
        errorCode.protocolError,
        "its content is not as long as its content-length says",
      );
    }
    // Padding is nobody's.
    if (frameSize > size) this.contentTaken(exchan, frameSize - size, false);
    this.idleFrames.earn(size / contentOfIdleFrame);
    if (exchan.isReading && exchan.isTimed && !isEnd && this.#isTooSlow(exchan, content, received)) return;
    exchan.contentArrived(bytes, start, end, isEnd);
  }

  peerEnded(id: number): void {
    this.#earlyAnswers?.delete(id);
  }

  settingsAcknowledged(): void {
    this.#areSettingsAcknowledged = true;
    if (this.#drain === "no") this.#answerDeadline.clear();
  }

  override pinged(payload: Buffer, isAck: boolean): void {
    if (!isAck) super.pinged(payload, false);
    else if (this.#drain === "announced" && payload.equals(drainPing)) this.#drainFinally();
    else if (payload.equals(answeredPing)) this.#earlyAnswers?.acknowledged();
  }

  streamReset(exchan: Http2Exchan): void {
    this.frames.closedByPeer.add(exchan.id);
    this.#abandon(exchan);
    // CVE-2023-44487: streams that are begun only to be given up.
    this.#spendReset();
  }

  reprioritized(exchan: Http2Exchan): void {
    this.sender.reprioritize(exchan);
  }

  peerLeaves(): void {
    this.#drain = "final";
  }

  failStream(id: number, code: Http2ErrorCode, reason: string): void {
    this.#server.note(this.peer, `its stream ${id} was reset with ${errorName(code)}: ${reason}`);
    const exchan = this.streams.get(id);
    this.resetStream(id, code);
    if (exchan !== undefined)
      this.#abandon(exchan, new ExchanError("HEMI_CONTENT_BROKEN", `the request is broken: ${reason}`));
    // CVE-2025-8671: streams that are begun only to have them reset by us.
    this.#spendReset();
  }

  fail(code: Http2ErrorCode, reason: string): void {
    if (this.#phase === "linger" || this.#phase === "closed") return;
    if (code !== errorCode.noError)
      this.#server.note(this.peer, `its connection was ended with ${errorName(code)}: ${reason}`);
    this.sender.sendGoaway(this.frames.lastStreamId, code);
    this.#linger();
  }

  // ---- what the exchans ask for ----

  sendHead(streamId: number, head: ResponseHead, size: number | undefined, isEnd: boolean): void {
    const block = this.sender.heads.encode(head, this.#server.date, size);
    this.sender.sendBlock(streamId, block, isEnd);
  }

  waitFor(exchan: Http2Exchan, wait: StreamWait): void {
    if (wait === "content" && exchan.wait !== "content") exchan.content?.rate.waitFrom(this.#server.monotonic());
    this.#streamPatience.waitFor(exchan, wait);
  }

  waitNoMore(exchan: Http2Exchan): void {
    this.#streamPatience.waitNoMore(exchan);
  }

  contentTaken(exchan: Http2Exchan, size: number, isFast: boolean): void {
    this.giveBack(size);
    this.giveBackOn(exchan, size, isFast, this.#server.settings.http2MaxStreamWindow);
  }

  finished(exchan: Http2Exchan): void {
    const { id, content } = exchan;
    this.streams.delete(id);
    this.#resets.earn(1);
    if (content?.isWhole === false) this.#answeredEarly(id);
    else this.frames.closedByPeer.add(id);
    this.#patience.hasMoved = true;
    if (this.streams.size === 0 && !this.isAdvancing) this.#settle();
  }

  reset(exchan: Http2Exchan, code: Http2ErrorCode): void {
    this.resetStream(exchan.id, code);
    this.#remove(exchan);
  }

  abandonedOver(exchan: Http2Exchan): void {
    this.#abandoned?.delete(exchan);
  }

  // ---- streams that end early ----

  /** Its client, or what its client did, ended the stream; its handlet may work on. */
  #abandon(exchan: Http2Exchan, why = gone()): void {
    const abandoned = (this.#abandoned ??= new Set());
    abandoned.add(exchan);
    this.#remove(exchan, why);
    if (abandoned.has(exchan)) this.waitFor(exchan, "handle");
  }

  #remove(exchan: Http2Exchan, why?: ExchanError): void {
    this.streams.delete(exchan.id);
    this.sender.forget(exchan);
    const kept = exchan.content?.kept ?? 0;
    exchan.content?.drop();
    if (kept > 0) this.giveBack(kept);
    exchan.broken(why);
    if (this.streams.size === 0 && !this.isAdvancing) this.#settle();
  }

  #refuseStream(id: number): void {
    this.resetStream(id, errorCode.refusedStream);
  }

  /** The answer is complete, and nobody wants the rest of the request. */
  #answeredEarly(id: number): void {
    // What still comes on it is passed over.
    this.frames.closedByUs.add(id);
    this.#earlyAnswers ??= new EarlyAnswers({
      makeDeadline: (onExpired) => this.#server.makeDeadline(onExpired),
      timeout: () => this.#server.settings.lingerTimeout,
      ping: () => this.sender.sendFrame(frameType.ping, 0, 0, answeredPing),
      reset: (id) => this.#resetAnswered(id),
    });
    this.#earlyAnswers.add(id);
  }

  #resetAnswered(id: number): void {
    this.resetStream(id, errorCode.noError);
    if (!this.isAdvancing) this.#settle();
  }

  #spendReset(): void {
    if (!this.#resets.spend()) this.fail(errorCode.enhanceYourCalm, "it floods us with streams that are reset");
  }

  /** Content has come for a reader that waits: at the rate that it must? */
  #isTooSlow(exchan: Http2Exchan, { rate }: ReceivedContent, received: number): boolean {
    const { settings } = this.#server;
    if (!rate.isTooSlow(received, this.#server.monotonic(), settings)) return false;
    this.#giveContentUp(exchan, `its content came at less than ${settings.minContentRate} bytes a second`);
    return true;
  }

  #giveContentUp(exchan: Http2Exchan, reason: string): void {
    this.#server.note(this.peer, reason);
    exchan.endsBecauseOf("contentTimeout");
    exchan.contentFailed(new ExchanError("HEMI_TIMEOUT", "the content of the request did not come in time"));
  }

  // ---- output ----

  /** Our settings, which are the first that we send. */
  #introduce(): void {
    const { settings } = this.#server;
    const values: readonly (readonly [id: number, value: number])[] = [
      [settingId.maxConcurrentStreams, settings.http2MaxStreams],
      [settingId.initialWindowSize, settings.http2StreamWindow],
      // It counts 32 bytes more for each field (RFC 9113 6.5.2).
      [settingId.maxHeaderListSize, settings.maxHeadSize + 32 * settings.maxFields],
      [settingId.enableConnectProtocol, 1],
      [settingId.noRFC7540Priorities, 1],
    ];
    this.sender.sendSettings(values);
    this.sender.sendNumber(frameType.windowUpdate, 0, settings.http2ConnWindow - defaultWindow);
    this.#answerDeadline.set(settings.http2SettingsTimeout);
  }

  #nowDrained(): void {
    this.drained();
    this.#settle();
  }

  // ---- the end ----

  #drainFinally(): void {
    if (this.#drain === "final") return;
    this.#drain = "final";
    this.#answerDeadline.clear();
    this.sender.sendGoaway(this.frames.lastStreamId, errorCode.noError);
    if (!this.isAdvancing) this.#settle();
  }

  #linger(): void {
    if (this.#phase === "linger" || this.#phase === "closed") return;
    this.#phase = "linger";
    this.cutter.stop();
    this.#leaveStreams();
    this.output.flush();
    // What the client sends meanwhile must not count as progress of what it is sent.
    this.#hold(true);
    this.#patience.waitFor("write");
    this.#socket.end(() => {
      if (this.#phase === "closed") return;
      if (this.#peerEnded) return this.#socket.destroy();
      this.#lingersUntil = this.#server.monotonic() + this.#server.settings.maxLingerTime;
      this.#hold(false);
      this.#patience.waitFor("linger");
    });
  }

  #closed(): void {
    this.#phase = "closed";
    this.cutter.stop();
    this.#patience.end();
    this.#leaveStreams();
    this.#abandoned?.clear();
    this.#streamPatience.end();
    this.#server.closed(this);
  }

  #leaveStreams(): void {
    this.#answerDeadline.clear();
    this.#earlyAnswers?.end();
    const exchans = [...this.streams.values()];
    this.streams.clear();
    for (const exchan of exchans) {
      this.sender.forget(exchan);
      exchan.broken();
    }
  }

  // ---- waiting ----

  /** Reads on or holds, and sets the deadline of what is waited for now. */
  #settle(): void {
    const isWithinHead =
      this.frames.isWithinBlock || (this.cutter.isWithinFrame && this.cutter.partialDataStream === 0);
    switch (this.#phase) {
      case "preface":
        this.#patience.waitFor("head");
        break;
      case "open": {
        if (this.#drain === "final" && this.streams.size + (this.#earlyAnswers?.size ?? 0) === 0) return this.#linger();
        const isHeld = this.output.isBlocked && this.output.backlog > this.#server.settings.http2MaxBufferedOutput;
        this.#hold(isHeld);
        if (!isWithinHead) this.#headBeganAt = 0;
        else if (this.#headBeganAt === 0) this.#headBeganAt = this.#server.monotonic();
        if (isHeld) this.#patience.waitFor("write");
        else if (isWithinHead) this.#patience.waitFor("head");
        else if (this.streams.size === 0) this.#patience.waitFor("idle");
        else {
          this.#patience.end();
          this.#notePartialContent();
        }
        break;
      }
      case "linger":
      case "closed":
    }
  }

  /** A frame of content may be long in coming: what has come of it is progress, too. */
  #notePartialContent(): void {
    const exchan = this.streams.get(this.cutter.partialDataStream);
    if (exchan?.isReading !== true || !exchan.isTimed || exchan.content === undefined) return;
    const { content } = exchan;
    if (!this.#isTooSlow(exchan, content, content.received + this.cutter.partialSize)) this.waitFor(exchan, "content");
  }

  #hold(isHeld: boolean): void {
    if (isHeld === this.#isHeld) return;
    this.#isHeld = isHeld;
    if (isHeld) this.#socket.pause();
    else this.#socket.resume();
  }

  #expired(wait: Wait | undefined): void {
    const { settings } = this.#server;
    switch (wait) {
      case "idle":
      case "drainIdle":
        this.fail(errorCode.noError, "it was idle");
        break;
      case "head":
        this.fail(errorCode.enhanceYourCalm, `its head was not complete after ${settings.headTimeout} ms`);
        break;
      case "write":
        this.#server.note(this.peer, `it took nothing of its answers for ${settings.writeTimeout} ms`);
        for (const exchan of this.streams.values()) exchan.endsBecauseOf("writeTimeout");
        this.#socket.destroy();
        break;
      case "content":
      case "handle":
      case "linger":
      case undefined:
        this.#socket.destroy();
    }
  }

  #streamExpired(exchan: Http2Exchan, wait: StreamWait): void {
    const { settings } = this.#server;
    if (this.#abandoned?.delete(exchan) === true) return;
    switch (wait) {
      case "content":
        this.#giveContentUp(exchan, `no content came for ${settings.contentTimeout} ms`);
        break;
      case "handle":
        this.#server.note(
          this.peer,
          `its request was not answered within ${exchan.handleTimeout ?? settings.handleTimeout} ms`,
        );
        exchan.giveUp();
        break;
      case "write":
        // What waits for the socket, and not for a window, may be on its way to a client that is only slow.
        if (exchan.sendWindow > 0 && this.output.taken > exchan.progressBefore) return this.waitFor(exchan, "write");
        this.#server.note(this.peer, `it took nothing of its answer for ${settings.writeTimeout} ms`);
        exchan.endsBecauseOf("writeTimeout");
        this.reset(exchan, errorCode.cancel);
    }
  }

  #notAnswered(): void {
    if (this.#drain === "announced") this.#drainFinally();
    else if (!this.#areSettingsAcknowledged) {
      const { http2SettingsTimeout } = this.#server.settings;
      this.fail(errorCode.settingsTimeout, `it did not acknowledge our settings within ${http2SettingsTimeout} ms`);
    }
  }
}

const drainPing = Buffer.from("goodbye!", "latin1");
const answeredPing = Buffer.from("answered", "latin1");

/** By what a stream waits for: the setting that limits it. */
const timeouts = { handle: "handleTimeout", content: "contentTimeout", write: "writeTimeout" } as const;

function noop(): void {}
