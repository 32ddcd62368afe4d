// HTTP/3 on a connection to a server, once its handshake is complete: our requests, each on a stream of its own, and
// what the server says on its control stream (RFC 9114).
//
//   QuicConn ─> PeerStreams: control, QPACK
//            └> RequestStream ─> Http3NodeExchan ─> StreamOutput ─> QuicConn

import type { Deadline } from "@hemi/common";
import {
  readResponseHead,
  readTrailers,
  StreamTimeouts,
  TokenBucket,
  type BackendRequest,
  type NodeWait,
} from "@hemi/internal";
import type { Http3NodeSettings } from "../http3-node-props.ts";
import type { QuicConn, QuicConnUser } from "../quic/conn.ts";
import { QpackDecoder } from "../qpack/decoder.ts";
import { QpackEncoder } from "../qpack/encoder.ts";
import { ControlFrames } from "./control-frames.ts";
import { errorCode, Http3ConnError, type Http3ErrorCode } from "./errors.ts";
import { FieldSections } from "./field-sections.ts";
import { contentOfIdleFrame, idleFramesOfRequest } from "./flood-limits.ts";
import { frame, frameType, kindOfStream, streamKind } from "./frames.ts";
import type { Http3NodeExchan, NodeStreamConn } from "./node-exchan.ts";
import { connWindowOf } from "./node-transport.ts";
import { LostWindow } from "./lost-window.ts";
import { OwnStreams } from "./own-streams.ts";
import { PeerStreams } from "./peer-streams.ts";
import { requestFields } from "./request-heads.ts";
import { RequestStream, type RequestStreamOwner } from "./request-stream.ts";
import { settingId, settingsFrame } from "./settings.ts";
import { StreamOutput } from "./stream-output.ts";

/** The connection that they are on. */
export interface NodeStreamsOwner {
  /** Live: read when used. */
  readonly settings: Http3NodeSettings;
  makeDeadline(onExpired: () => void): Deadline;
  /** In ms. */
  monotonic(): number;
  /** The server's SETTINGS have come: requests may begin. */
  opened(): void;
  /** A stream has ended, or the server allows more of them. */
  changed(): void;
  /** GOAWAY: the server takes no more requests. */
  nodeLeaves(): void;
  /** The connection should take no more requests. */
  leave(): void;
  /** The connection is about to be over, for this reason. */
  broke(reason: string): void;
}

export class NodeStreams implements QuicConnUser, RequestStreamOwner, NodeStreamConn {
  readonly quic: QuicConn;
  readonly reads = "responses";
  /** How often something was read. */
  readings = 0;
  /** Requests that were begun here. */
  requests = 0;
  /** The server takes extended CONNECT (RFC 9220). */
  #allowsConnectProtocol = false;
  readonly #owner: NodeStreamsOwner;
  readonly #own: OwnStreams;
  readonly #decoder: QpackDecoder;
  readonly #encoder: QpackEncoder;
  readonly #peerStreams: PeerStreams;
  readonly #sections: FieldSections;
  readonly #exchans = new Map<number, Http3NodeExchan>();
  /** Exchans that have more to send than is taken. */
  readonly #blockedOutputs = new Set<Http3NodeExchan>();
  readonly #timeouts: StreamTimeouts<NodeWait, Http3NodeExchan>;
  readonly #idleFrames: TokenBucket;
  readonly #lostWindow: LostWindow;
  /** There was no room for a stream when it was looked at last. */
  #isFull = false;

  constructor(quic: QuicConn, owner: NodeStreamsOwner) {
    const { settings } = owner;
    const monotonic = (): number => owner.monotonic();
    this.quic = quic;
    this.#owner = owner;
    this.#own = new OwnStreams(quic);
    this.#encoder = new QpackEncoder(this.#own.encoder);
    this.#decoder = new QpackDecoder({ maxCapacity: settings.qpackTableSize, send: this.#own.decoder });
    this.#idleFrames = new TokenBucket(settings.http3MaxIdleFrames, settings.http3FloodRecovery, monotonic);
    this.#lostWindow = new LostWindow({
      streamWindow: () => owner.settings.http3StreamWindow,
      connWindow: () => connWindowOf(owner.settings),
    });
    this.#sections = new FieldSections({
      decoder: this.#decoder,
      maxBlocked: () => owner.settings.qpackBlockedStreams,
      read: (stream, section) => this.#readSection(stream, section),
      unblocked: ({ id }) => this.#exchans.get(id)?.arrived(),
    });
    const control = new ControlFrames("server", {
      settingsArrived: ({ qpackMaxTableCapacity, allowsConnectProtocol }) => {
        this.#allowsConnectProtocol = allowsConnectProtocol;
        this.#encoder.limitTable(qpackMaxTableCapacity);
        owner.opened();
      },
      peerLeaves: (id) => this.#peerLeaves(id),
      reprioritized: () => undefined,
      idleFrame: (size) => this.idleFrame(size),
    });
    this.#peerStreams = new PeerStreams(quic, {
      control: (bytes) => control.push(bytes),
      encoder: (bytes) => {
        this.#decoder.instructed(bytes);
        this.#sections.insertsArrived();
      },
      decoder: (bytes) => this.#encoder.acknowledged(bytes),
      unknown: () => this.idleFrame(0),
      push: () => {
        throw new Http3ConnError(errorCode.idError, "it pushes, which we have not allowed");
      },
    });
    this.#timeouts = new StreamTimeouts({
      monotonic,
      makeDeadline: (onExpired) => owner.makeDeadline(onExpired),
      timeOf: (wait, { timeouts }) =>
        wait === "write"
          ? (timeouts?.writeTimeout ?? owner.settings.writeTimeout)
          : (timeouts?.readTimeout ?? owner.settings.readTimeout),
      streams: () => this.#exchans.values(),
      expired: (exchan) => exchan.timedOut(),
    });
    this.guarded(() => this.#own.open(this.#ownSettings()));
  }

  /** Streams that are open. */
  get count(): number {
    return this.#exchans.size;
  }

  get room(): number {
    return Math.min(this.#owner.settings.http3MaxStreams - this.#exchans.size, this.quic.bidiRoom);
  }

  get maxSection(): number {
    const { maxHeadSize, maxFields } = this.#owner.settings;
    return maxHeadSize + 8 * maxFields;
  }

  // ---- what its connection asks for ----

  /** Only where there is room. */
  begin(exchan: Http3NodeExchan): void {
    if (exchan.protocol !== undefined && !this.#allowsConnectProtocol) return exchan.tunnelRefused();
    const id = this.quic.openBidi();
    if (id === undefined) return exchan.unavailable("HEMI_BACKEND_BUSY", "it allows no more streams");
    this.requests++;
    this.#exchans.set(id, exchan);
    this.#idleFrames.earn(idleFramesOfRequest);
    exchan.granted(this, new RequestStream(id, this.#owner.monotonic(), this), new StreamOutput(this.quic, id));
    this.#isFull = this.room <= 0;
  }

  ping(): void {
    this.quic.ping();
  }

  /** No stream is left: tells the server that it is over. */
  close(): void {
    this.quic.close(errorCode.noError, "");
  }

  /** It is over. Gives those that were under way, which are told of it by whom this is asked for. */
  end(): readonly Http3NodeExchan[] {
    const exchans = [...this.#exchans.values()];
    this.#exchans.clear();
    this.#blockedOutputs.clear();
    this.#sections.clear();
    this.#timeouts.end();
    return exchans;
  }

  // ---- what its transport tells ----

  advance(): void {
    this.guarded(() => {
      for (const id of this.quic.readable()) {
        const kind = kindOfStream(id);
        if (kind === streamKind.serverUni) this.#peerStreams.advance(id);
        else if (kind === streamKind.clientBidi) this.#exchans.get(id)?.arrived();
        else throw new Http3ConnError(errorCode.streamCreationError, "it began a bidirectional stream");
        this.readings++;
      }
      this.#own.flush();
      for (const exchan of [...this.#blockedOutputs]) exchan.flush();
    });
    if (!this.#isFull || this.room <= 0) return;
    this.#isFull = false;
    this.#owner.changed();
  }

  closed(): void {
    // The connection is told by its transport, with the reason.
  }

  // ---- what its streams tell ----

  sectionArrived(stream: RequestStream): void {
    this.#sections.arrived(stream);
  }

  /** The node keeps fields in its table that are referred to until it hears of it (RFC 9204 2.2.2.2). */
  streamLeft(stream: RequestStream): void {
    this.#sections.forget(stream);
    this.#decoder.cancel(stream.id);
  }

  resetByPeer(stream: RequestStream, code: number): void {
    this.#decoder.cancel(stream.id);
    this.#exchans.get(stream.id)?.reset(code);
    if (this.#lostWindow.reset(stream)) this.#owner.leave();
  }

  idleFrame(size: number): void {
    if (!this.#idleFrames.spend(1 + size / contentOfIdleFrame))
      throw new Http3ConnError(errorCode.excessiveLoad, "it floods us with frames that bring nothing");
  }

  // ---- what the exchans ask for ----

  sendHead(exchan: Http3NodeExchan, output: StreamOutput, request: BackendRequest, isEnd: boolean): void {
    const { received } = request;
    const fields = requestFields(request, exchan.protocol);
    this.#sendSection(exchan, output, fields, isEnd, received.neverIndexed);
  }

  sendTrailers(exchan: Http3NodeExchan, output: StreamOutput, fieldList: readonly string[]): void {
    this.#sendSection(exchan, output, fieldList, true);
  }

  #sendSection(
    exchan: Http3NodeExchan,
    output: StreamOutput,
    fieldList: readonly string[],
    isEnd: boolean,
    neverIndexed?: ReadonlySet<string>,
  ): void {
    const bytes = frame(frameType.headers, this.#encoder.encode(exchan.id, fieldList, neverIndexed));
    output.write(bytes, bytes.length, isEnd);
    this.written(exchan, output);
  }

  written(exchan: Http3NodeExchan, output: StreamOutput): void {
    if (output.isBlocked) this.#blockedOutputs.add(exchan);
    else this.#blockedOutputs.delete(exchan);
    this.quic.flush();
  }

  waitFor(exchan: Http3NodeExchan, wait: NodeWait): void {
    this.#timeouts.waitFor(exchan, wait);
  }

  forget(exchan: Http3NodeExchan, stream: RequestStream, output: StreamOutput): void {
    if (!this.#exchans.delete(exchan.id)) return;
    this.#blockedOutputs.delete(exchan);
    this.#sections.forget(stream);
    exchan.waitsUntil = Infinity;
    if (!output.hasEnded) this.quic.reset(exchan.id, errorCode.requestCancelled);
    stream.leave(errorCode.requestCancelled);
    this.quic.flush();
    this.#owner.changed();
  }

  /** Runs what may find an error of the connection, which then ends. */
  guarded(run: () => void): void {
    try {
      run();
    } catch (error) {
      if (error instanceof Http3ConnError) this.#fail(error.code, error.message);
      else this.#fail(errorCode.internalError, `what it sent could not be handled: ${String(error)}`);
    }
  }

  #fail(code: Http3ErrorCode, reason: string): void {
    this.#owner.broke(reason);
    this.quic.close(code, "");
  }

  #ownSettings(): Buffer {
    const { maxHeadSize, maxFields, qpackTableSize, qpackBlockedStreams } = this.#owner.settings;
    return settingsFrame([
      [settingId.qpackMaxTableCapacity, qpackTableSize],
      [settingId.qpackBlockedStreams, qpackBlockedStreams],
      // It counts 32 bytes more for each field (RFC 9114 4.2.2).
      [settingId.maxFieldSectionSize, maxHeadSize + 32 * maxFields],
    ]);
  }

  #peerLeaves(firstUnseen: number): void {
    for (const exchan of [...this.#exchans.values()]) {
      if (exchan.id >= firstUnseen) exchan.passedOver("it closes the connection, and has not looked at the request");
    }
    this.#owner.nodeLeaves();
  }

  #readSection(stream: RequestStream, section: Buffer | "tooLarge"): void {
    const exchan = this.#exchans.get(stream.id);
    if (section === "tooLarge") {
      this.#decoder.cancel(stream.id);
      return exchan?.malformed("its head is larger than maxHeadSize and maxFields allow");
    }
    const block = this.#decoder.decode(stream.id, section, this.#owner.settings);
    if (stream.phase === "head") {
      const head = readResponseHead(block);
      if (typeof head === "string") return exchan?.malformed(head);
      if (head.status >= 200) stream.phase = "content";
      return exchan?.answered(head);
    }
    stream.phase = "trailers";
    const trailers = readTrailers(block);
    if (trailers === undefined) exchan?.malformed("its trailers are malformed");
    else stream.trailers = trailers;
  }
}
