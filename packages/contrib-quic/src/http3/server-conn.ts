// One connection of an HTTP/3 client: many requests at once, each on a QUIC stream of its own (RFC 9114).
//
//   open ── drain, GOAWAY, idleTimeout ──> no stream left ──> closed
//     │ a mistake of the client's: CONNECTION_CLOSE with its code ──^
//
//   QuicConn ─> PeerStreams: control, QPACK
//            └> RequestStreams: RequestStream ─> Http3Exchan ─> StreamOutput ─> QuicConn
//
// This is the life of the connection as a whole; that of its streams is in request-streams.ts.

import type { Duplex } from "node:stream";
import { varint } from "@hemi/common";
import type { Deadline } from "@hemi/common";
import { HTTPError, type GateConn, type Peer, type TlsFacts } from "@hemi/internal";
import type { QuicConn, QuicConnUser } from "../quic/conn.ts";
import type { Http3CodecServer } from "./codec-server.ts";
import { ControlFrames } from "./control-frames.ts";
import { errorCode, errorName, Http3ConnError, type Http3ErrorCode } from "./errors.ts";
import { frame, frameType, kindOfStream, streamKind } from "./frames.ts";
import { PeerStreams } from "./peer-streams.ts";
import { RequestStreams } from "./request-streams.ts";
import { settingId, settingsFrame, type PeerSettings } from "./settings.ts";
import { sessionSetting, uniStreamType } from "../webtransport/codes.ts";
import { ConnSessions } from "../webtransport/conn-sessions.ts";

export class Http3Conn extends RequestStreams implements GateConn, QuicConnUser {
  readonly #peerStreams: PeerStreams;
  readonly #idleDeadline: Deadline;
  /** When the client's SETTINGS must have come; later, when a drain must have been heard of. */
  readonly #answerDeadline: Deadline;
  /**
   * When clients are looked for that have given a response up, and what was delayed is sent. Made when there is either.
   */
  #stopDeadline: Deadline | undefined;
  #hasSettings = false;
  /** `announced`: the client has been told, and may not have heard yet. `final`: no stream begins any more. */
  #drain: "no" | "announced" | "final" = "no";
  #isServerDraining = false;
  /** Nothing is left to be served: closed when the client has all of it, or after `lingerTimeout`. */
  #isLeaving = false;
  #requests = 0;
  /** The streams that were answered last: what was sent on them may be on its way. */
  #answered: number[] = [];
  /** Above the streams that have begun. */
  #nextStream = 0;
  #isOver = false;
  /** Of WebTransport: made when there is something of it. */
  #sessions: ConnSessions | undefined;

  constructor(quic: QuicConn, peer: Peer, tls: TlsFacts | undefined, server: Http3CodecServer) {
    super(quic, peer, tls, server);
    const control = new ControlFrames("client", {
      settingsArrived: (settings) => this.#settingsArrived(settings),
      peerLeaves: () => this.#peerLeaves(),
      reprioritized: (id, priority) => this.reprioritize(id, priority),
      idleFrame: (size) => this.idleFrame(size),
    });
    this.#peerStreams = new PeerStreams(quic, {
      control: (bytes) => control.push(bytes),
      encoder: (bytes) => {
        this.decoder.instructed(bytes);
        this.insertsArrived();
      },
      decoder: (bytes) => this.encoder.acknowledged(bytes),
      other: (id, type, bytes, isEnd) => this.#otherStream(id, type, bytes, isEnd),
      unknown: () => this.idleFrame(0),
      push: () => {
        throw new Http3ConnError(errorCode.streamCreationError, "it began a push stream, which only a server may");
      },
    });
    this.#idleDeadline = server.makeDeadline(() => this.fail(errorCode.noError, "it was idle"));
    this.#answerDeadline = server.makeDeadline(() => this.#notAnswered());
    this.guarded(() => this.own.open(this.#settings()));
    this.#answerDeadline.set(server.settings.headTimeout);
    this.settle();
  }

  get isDraining(): boolean {
    return this.#isServerDraining;
  }

  /**
   * Serves what has begun and nothing more. What the client has asked for just now is served, too: it is told first
   * that there is an end, and only when it must have heard that, which stream was the last (RFC 9114 5.2).
   */
  drain(): void {
    if (this.#isServerDraining || this.#isOver) return;
    this.#isServerDraining = true;
    if (this.#drain === "no") {
      this.#drain = "announced";
      this.guarded(() => this.own.control(frame(frameType.goaway, maxStreamId)));
      this.#answerDeadline.set(this.server.settings.drainIdleTimeout);
    }
    for (const exchan of this.exchans.values()) exchan.serverDrains();
  }

  /** The server shuts down and waits no longer. */
  destroy(): void {
    this.leaveStreams("shutdown");
    this.quic.close(errorCode.noError, "");
  }

  // ---- what its transport tells ----

  advance(): void {
    if (this.#isOver) return;
    this.guarded(() => {
      for (const id of this.quic.begun()) {
        if (this.#isOver) return;
        this.requestReadable(id);
      }
      for (const id of this.quic.readable()) {
        if (this.#isOver) return;
        if (this.#sessions?.readable(id) === true) continue;
        const kind = kindOfStream(id);
        if (kind === streamKind.clientUni) this.#peerStreams.advance(id);
        else if (kind === streamKind.clientBidi) this.requestReadable(id);
      }
      this.flushOutputs();
      this.#sessions?.advance();
    });
    this.settle();
  }

  closed(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#end();
    this.server.closed(this);
  }

  // ---- what its streams tell ----

  protected takesStream(id: number): boolean {
    // Streams of QUIC begin in order, but may be seen in another.
    if (this.#drain !== "final") this.#nextStream = Math.max(this.#nextStream, id + 4);
    return id < this.#nextStream;
  }

  protected streamBegins(): void {
    this.#idleDeadline.clear();
    if (++this.#requests >= this.server.settings.maxRequestsPerConn) this.#drainFinally();
  }

  protected windowSpent(): void {
    this.#drainFinally();
  }

  protected streamAnswered(id: number): void {
    this.#answered.push(id);
    if (this.#answered.length > maxAnswered) this.#answered.shift();
  }

  guarded<T>(run: () => T): T | undefined {
    try {
      return run();
    } catch (error) {
      if (error instanceof Http3ConnError) this.fail(error.code, error.message);
      else {
        this.server.failed(this.peer, error);
        this.fail(errorCode.internalError, "");
      }
      return undefined;
    }
  }

  protected fail(code: Http3ErrorCode, reason: string): void {
    if (this.#isOver || this.quic.isClosed) return;
    if (code !== errorCode.noError && reason !== "")
      this.server.note(this.peer, `its connection was ended with ${errorName(code)}: ${reason}`);
    this.quic.close(code, "");
    this.#end();
  }

  idleTimeoutChanged(): void {
    if (this.#idleDeadline.isSet) this.#idleDeadline.set(this.server.settings.idleTimeout);
  }

  protected settle(): void {
    if (this.#isOver || this.quic.isClosed) return;
    const { settings } = this.server;
    if (this.openStreams > 0) this.#idleDeadline.clear();
    else if (this.#drain === "final") return this.#leave();
    else if (!this.#idleDeadline.isSet) this.#idleDeadline.set(settings.idleTimeout);
    if (this.openStreams === 0 && !this.own.hasDelayed) return this.#stopDeadline?.clear();
    this.#stopDeadline ??= this.server.makeDeadline(() => this.#lookForStops());
    if (!this.#stopDeadline.isSet) this.#stopDeadline.set(stopInterval);
  }

  #lookForStops(): void {
    this.guarded(() => {
      this.lookForStopped();
      this.#sessions?.lookForStops();
    });
    this.settle();
  }

  // ---- WebTransport ----

  assertMayTunnel(protocol: string | undefined): void {
    if (protocol !== "webtransport") return;
    if (!this.takesWebTransport) throw new HTTPError(501, "this server takes no WebTransport sessions");
    if (this.#webTransport().isFull)
      throw new HTTPError(429, "it has as many sessions as webTransportMaxSessions allows");
  }

  tunnelOpened(protocol: string | undefined, id: number, tunnel: Duplex): void {
    if (protocol === "webtransport") this.#webTransport().opened(id, tunnel);
  }

  protected sessionStreamArrived(id: number, sessionId: number, rest: Buffer, isEnd: boolean): void {
    this.#webTransport().bidiArrived(id, sessionId, rest, isEnd);
  }

  #otherStream(id: number, type: number, bytes: Buffer, isEnd: boolean): boolean {
    if (type !== uniStreamType || !this.takesWebTransport) return false;
    this.#webTransport().uniArrived(id, bytes, isEnd);
    return true;
  }

  #webTransport(): ConnSessions {
    return (this.#sessions ??= new ConnSessions({
      quic: this.quic,
      maxSessions: () => this.server.settings.webTransportMaxSessions,
      failed: (error) => this.server.failed(this.peer, error),
      refused: () => this.idleFrame(0),
    }));
  }

  // ---- what the control stream tells ----

  #settings(): Buffer {
    const { maxHeadSize, maxFields, qpackTableSize, qpackBlockedStreams, webTransportMaxSessions } =
      this.server.settings;
    return settingsFrame([
      ...(webTransportMaxSessions > 0 ? sessionSettings(webTransportMaxSessions) : []),
      [settingId.qpackMaxTableCapacity, qpackTableSize],
      [settingId.qpackBlockedStreams, qpackBlockedStreams],
      // It counts 32 bytes more for each field (RFC 9114 4.2.2).
      [settingId.maxFieldSectionSize, maxHeadSize + 32 * maxFields],
      [settingId.enableConnectProtocol, 1],
    ]);
  }

  #settingsArrived({ qpackMaxTableCapacity }: PeerSettings): void {
    this.#hasSettings = true;
    if (this.#drain === "no") this.#answerDeadline.clear();
    this.encoder.limitTable(qpackMaxTableCapacity);
  }

  #peerLeaves(): void {
    this.#drain = "final";
    this.settle();
  }

  // ---- the end ----

  /** No stream is left. A client that closes the connection itself has all of its answers. */
  #leave(): void {
    this.#idleDeadline.clear();
    this.#answered = this.#answered.filter((id) => !this.quic.isDelivered(id));
    if (this.#answered.length === 0) return this.fail(errorCode.noError, "");
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    this.#answerDeadline.set(this.server.settings.lingerTimeout);
  }

  #notAnswered(): void {
    if (this.#isLeaving) this.fail(errorCode.noError, "");
    else if (this.#drain === "announced") this.#drainFinally();
    else if (!this.#hasSettings)
      this.fail(errorCode.missingSettings, `it sent no SETTINGS within ${this.server.settings.headTimeout} ms`);
  }

  #drainFinally(): void {
    if (this.#drain === "final") return;
    this.#drain = "final";
    this.guarded(() => this.own.control(frame(frameType.goaway, varint(this.#nextStream))));
    this.settle();
  }

  #end(): void {
    this.leaveStreams();
    this.#sessions?.end();
    this.#idleDeadline.clear();
    this.#answerDeadline.clear();
    this.#stopDeadline?.clear();
  }
}

function sessionSettings(maxSessions: number): readonly (readonly [id: number, value: number])[] {
  return [
    [settingId.h3Datagram, 1],
    [settingId.h3DatagramOfDraft, 1],
    [sessionSetting.enable, 1],
    [sessionSetting.maxSessions, maxSessions],
    [sessionSetting.maxSessions13, maxSessions],
  ];
}

/** The largest id of a stream of requests, as a varint. */
const maxStreamId = Buffer.from("fffffffffffffffc", "hex");

/** In ms. No prop: that a client does not want a response any more is seen by looking, now and then. */
const stopInterval = 100;

/** What is acknowledged is asked of so many streams at the end. */
const maxAnswered = 16;
