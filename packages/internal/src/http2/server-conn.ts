// One connection of an HTTP/2 client: many requests at once, each on a stream of its own.
//
//   preface ── the client's 24 bytes ──> open ── drain, GOAWAY of either side, idleTimeout ──> no stream left
//      │ headTimeout                      │ a mistake of the client's: GOAWAY with its code      │
//      └──────────────────────────────────┴──────────────────────────────────────────────────────┴──> linger ──> closed
//
//   socket ─> FrameCutter ─> ClientFrames ─> streams: Http2Exchan ─> Sender ─> FrameOutput ─> socket
//
// What one reading of the socket brings is handled in one go, and the answers to it are sent in one write. This is the
// life of the connection as a whole; that of its streams is in client-streams.ts.

import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import type { Deadline } from "@hemi/common";
import type { GateConn } from "../front/gate.ts";
import { ConnTimeouts, type Wait } from "../http/conn-timeouts.ts";
import { resumeReading } from "../net/direct-reading.ts";
import type { Peer } from "../net/peer.ts";
import { useSocket, type SocketUser } from "../net/socket-user.ts";
import type { TlsFacts } from "../net/tls/tls-facts.ts";
import { LingeringClose } from "../http/lingering-close.ts";
import { ClientFrames } from "./client-frames.ts";
import { ClientStreams } from "./client-streams.ts";
import { ConnAge } from "./conn-age.ts";
import type { Http2CodecServer } from "./codec-server.ts";
import { FrameCutter } from "./frame-cutter.ts";
import { Keepalive } from "./keepalive.ts";
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
import type { Http2Exchan } from "./server-exchan.ts";

type Phase = "preface" | "open" | "linger" | "closed";

export class Http2Conn extends ClientStreams implements GateConn, SocketUser {
  /** Of its gate. */
  place = -1;
  readonly #socket: Socket;
  protected readonly cutter: FrameCutter;
  protected readonly frames: ClientFrames;
  readonly #timeouts: ConnTimeouts;
  /** When the settings must have been acknowledged; later, when a drain must have been heard of. */
  readonly #answerDeadline: Deadline;
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
  #closing: LingeringClose | undefined;
  readonly #age: ConnAge | undefined;
  /** While streams run. */
  #keepalive: Keepalive | undefined;

  /** `tls` is what the handshake of a TLS socket has established. */
  constructor(socket: Socket, peer: Peer, tls: TlsFacts | undefined, server: Http2CodecServer) {
    super(socket, peer, tls, server);
    this.#socket = socket;
    this.frames = new ClientFrames(this, server, this.idleFrames);
    const tooLarge = (): void => this.fail(errorCode.frameSizeError, "a frame is larger than allowed");
    this.cutter = new FrameCutter(defaultMaxFrameSize, this.frames.take, tooLarge, true);
    this.#timeouts = new ConnTimeouts(socket, server, this);
    this.#answerDeadline = server.makeDeadline(() => this.#notAnswered());
    useSocket(socket, this);
    this.#age = ConnAge.of(server, { isOld: () => this.#announceEnd(), isTooOld: () => this.#tooOld() });
    this.#introduce();
    this.settle();
    // Who had the socket before has paused it.
    resumeReading(socket);
  }

  get isDraining(): boolean {
    return this.#isServerDraining;
  }

  /**
   * Serves what has begun and nothing more. What the client has asked for just now is served, too: it is told first
   * that there is an end, and only when it must have heard that, which stream was the last (RFC 9113 6.8).
   */
  drain(): void {
    if (this.#isServerDraining || this.#phase === "linger" || this.#phase === "closed") return;
    this.#isServerDraining = true;
    this.#announceEnd();
    for (const exchan of this.streams.values()) exchan.serverDrains();
  }

  #announceEnd(): void {
    if (this.#drain !== "no" || this.#phase === "linger" || this.#phase === "closed") return;
    this.#drain = "announced";
    this.sender.sendGoaway(maxStreamId, errorCode.noError);
    this.sender.sendFrame(frameType.ping, 0, 0, drainPing);
    this.#answerDeadline.set(this.server.settings.drainIdleTimeout);
  }

  #tooOld(): void {
    this.server.note(this.peer, `its streams went on for ${this.server.settings.http2ConnAgeGrace} ms after GOAWAY`);
    this.destroy();
  }

  /** The server shuts down and waits no longer. */
  destroy(): void {
    for (const exchan of this.streams.values()) exchan.endsBecauseOf("shutdown");
    this.#socket.destroy();
  }

  // ---- input ----

  socketReceived(chunk: Buffer): void {
    if (this.#closing !== undefined) return this.#closing.received();
    if (this.#keepalive !== undefined) this.#keepalive.isHeard = true;
    this.advance(chunk);
    this.settle();
  }

  protected override read(chunk: Buffer): void {
    const frames = this.#phase === "preface" ? this.#readPreface(chunk) : chunk;
    if (frames !== undefined) this.cutter.push(frames);
  }

  protected faulted(error: unknown): void {
    this.#socket.destroy();
    this.server.failed(this.peer, error);
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

  socketEnded(): void {
    this.#peerEnded = true;
    if (this.#closing === undefined) this.#linger();
    else this.#closing.peerEnded();
  }

  // ---- what its streams ask for ----

  /** Beyond the last one: the client has been told that it is not looked at (RFC 9113 6.8). */
  protected get takesStreams(): boolean {
    return this.#drain !== "final";
  }

  protected streamBegins(exchan: Http2Exchan): void {
    this.#timeouts.hasMoved = true;
    if (this.#headBeganAt > 0) {
      exchan.headTime = this.server.monotonic() - this.#headBeganAt;
      this.#headBeganAt = 0;
    }
    if (++this.#requests >= this.server.settings.maxRequestsPerConn) this.#drainFinally();
  }

  protected streamAnswered(): void {
    this.#timeouts.hasMoved = true;
  }

  // ---- what the frames ask for ----

  settingsAcknowledged(): void {
    this.#areSettingsAcknowledged = true;
    if (this.#drain === "no") this.#answerDeadline.clear();
  }

  override pinged(payload: Buffer, isAck: boolean): void {
    if (isAck && this.#drain === "announced" && payload.equals(drainPing)) this.#drainFinally();
    else super.pinged(payload, isAck);
  }

  peerLeaves(): void {
    this.#drain = "final";
  }

  fail(code: Http2ErrorCode, reason: string): void {
    if (this.#phase === "linger" || this.#phase === "closed") return;
    if (code !== errorCode.noError)
      this.server.note(this.peer, `its connection was ended with ${errorName(code)}: ${reason}`);
    this.sender.sendGoaway(this.frames.lastStreamId, code);
    this.#linger();
  }

  // ---- output ----

  /** Our settings, which are the first that we send. */
  #introduce(): void {
    const { settings } = this.server;
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

  socketDrained(): void {
    // Whoever takes what it is sent lives. What it would answer to may wait behind much that is under way to it.
    if (this.#keepalive !== undefined) this.#keepalive.isHeard = true;
    this.drained();
    this.settle();
  }

  // ---- the end ----

  #drainFinally(): void {
    if (this.#drain === "final") return;
    this.#drain = "final";
    this.#answerDeadline.clear();
    this.sender.sendGoaway(this.frames.lastStreamId, errorCode.noError);
    if (!this.isAdvancing) this.settle();
  }

  #linger(): void {
    if (this.#phase === "linger" || this.#phase === "closed") return;
    this.#phase = "linger";
    this.cutter.stop();
    this.#answerDeadline.clear();
    this.leaveStreams();
    this.output.flush();
    this.#closing = new LingeringClose(this.#socket, this.server, this.#timeouts, this.#peerEnded);
  }

  socketClosed(): void {
    this.#phase = "closed";
    this.cutter.stop();
    this.#timeouts.end();
    this.#answerDeadline.clear();
    this.#age?.end();
    this.#keepalive?.end();
    this.streamsClosed();
    this.server.closed(this);
  }

  // ---- waiting ----

  idleTimeoutChanged(): void {
    this.#timeouts.idleTimeoutChanged();
  }

  /** Reads on or holds, and sets the deadline of what is waited for now. */
  protected settle(): void {
    const isWithinHead =
      this.frames.isWithinBlock || (this.cutter.isWithinFrame && this.cutter.partialDataStream === 0);
    switch (this.#phase) {
      case "preface":
        this.#timeouts.waitFor("head");
        break;
      case "open": {
        if (this.#drain === "final" && this.areStreamsOver) return this.#linger();
        const isHeld = this.output.isBlocked && this.output.backlog > this.server.settings.http2MaxBufferedOutput;
        this.#hold(isHeld);
        if (!isWithinHead) this.#headBeganAt = 0;
        else if (this.#headBeganAt === 0) this.#headBeganAt = this.server.monotonic();
        if (isHeld) this.#timeouts.waitFor("write");
        else if (isWithinHead) this.#timeouts.waitFor("head");
        else if (this.streams.size === 0) this.#timeouts.waitFor("idle");
        else {
          this.#timeouts.end();
          this.notePartialContent();
          this.#keepAlive();
        }
        break;
      }
      case "linger":
      case "closed":
    }
  }

  /** Streams run: whoever is silent meanwhile is asked for a sign of life. */
  #keepAlive(): void {
    if (this.#keepalive !== undefined || this.server.settings.http2PingInterval === 0) return;
    this.#keepalive = new Keepalive(this.server, {
      ping: () => {
        if (this.streams.size > 0) return this.#ping();
        this.#keepalive?.end();
        this.#keepalive = undefined;
      },
      isDead: () => {
        this.server.note(this.peer, `it gave no sign of life for ${this.server.settings.http2PingTimeout} ms`);
        this.#socket.destroy();
      },
    });
  }

  #ping(): void {
    this.sender.sendFrame(frameType.ping, 0, 0, alivePing);
    if (!this.isAdvancing) this.settle();
  }

  #hold(isHeld: boolean): void {
    if (isHeld === this.#isHeld) return;
    this.#isHeld = isHeld;
    if (isHeld) this.#socket.pause();
    else resumeReading(this.#socket);
  }

  timedOut(wait: Wait | undefined): void {
    const { settings } = this.server;
    switch (wait) {
      case "idle":
      case "drainIdle":
        this.fail(errorCode.noError, "it was idle");
        break;
      case "head":
        this.fail(errorCode.enhanceYourCalm, `its head was not complete after ${settings.headTimeout} ms`);
        break;
      case "write":
        this.server.note(this.peer, `it took nothing of its answers for ${settings.writeTimeout} ms`);
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

  #notAnswered(): void {
    if (this.#drain === "announced") this.#drainFinally();
    else if (!this.#areSettingsAcknowledged) {
      const { http2SettingsTimeout } = this.server.settings;
      this.fail(errorCode.settingsTimeout, `it did not acknowledge our settings within ${http2SettingsTimeout} ms`);
    }
  }
}

const drainPing = Buffer.from("goodbye!", "latin1");
const alivePing = Buffer.from("anybody?", "latin1");
