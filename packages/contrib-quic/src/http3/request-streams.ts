// The streams of an HTTP/3 client's connection: how many there may be, what each is waited for, and how they end.
//
//   head ── decoded ──> served ── answered ─────────────────────────────────────> closed
//    │ blocked by QPACK   │ reset by the client, a mistake ──> abandoned ── handlet done ──> closed
//    └ one too many, or after the last one: H3_REQUEST_REJECTED
//
// To its client an abandoned stream is closed. It counts as an open one here for as long as a handlet works on it: else
// a client could have any number of handlets work at once (CVE-2023-44487 of HTTP/2).

import type { Duplex } from "node:stream";
import {
  BadRequest,
  ExchanError,
  ExchanTimeouts,
  readRequestHead,
  readTrailers,
  requestGivenUp,
  type MultiplexedRequestHead,
  type Peer,
  type Priority,
  type StreamWait,
  type TlsFacts,
} from "@hemi/internal";
import type { QuicConn } from "../quic/conn.ts";
import { QpackDecoder } from "../qpack/decoder.ts";
import { QpackEncoder } from "../qpack/encoder.ts";
import type { Http3CodecServer } from "./codec-server.ts";
import { markAsEarly, refusedAsEarly } from "./early-data.ts";
import { errorCode, errorName, type Http3ErrorCode } from "./errors.ts";
import { FieldSections } from "./field-sections.ts";
import { FloodLimits } from "./flood-limits.ts";
import { frame, frameType } from "./frames.ts";
import { LostWindow } from "./lost-window.ts";
import { OwnStreams } from "./own-streams.ts";
import { PendingHeads } from "./pending-heads.ts";
import { RefusedStreams } from "./refused-streams.ts";
import { RequestStream, type RequestStreamOwner } from "./request-stream.ts";
import { ResponseHeads } from "./response-heads.ts";
import { Http3Exchan, type Http3ExchanConn } from "./server-exchan.ts";

/** The streams by themselves. The connection that they are on hears of them by what is abstract here. */
export abstract class RequestStreams implements Http3ExchanConn, RequestStreamOwner {
  readonly quic: QuicConn;
  readonly peer: Peer;
  readonly tls: TlsFacts | undefined;
  readonly reads = "requests";
  readonly heads: ResponseHeads;
  protected readonly server: Http3CodecServer;
  protected readonly own: OwnStreams;
  protected readonly decoder: QpackDecoder;
  protected readonly encoder: QpackEncoder;
  protected readonly exchans = new Map<number, Http3Exchan>();
  readonly #sections: FieldSections;
  readonly #floods: FloodLimits;
  // What most connections never need is made when it is needed: an idle connection should take little memory.
  #heads: PendingHeads | undefined;
  #refused: RefusedStreams | undefined;
  /** Exchans that have more to send than is taken. */
  #blockedOutputs: Set<Http3Exchan> | undefined;
  /** Streams that their client has given up while a handlet works on them. */
  #abandoned: Set<Http3Exchan> | undefined;
  #timeouts: ExchanTimeouts<Http3Exchan> | undefined;
  #lostWindow: LostWindow | undefined;
  /** Output that QUIC has taken after it had to wait, in bytes. */
  #progress = 0;

  constructor(quic: QuicConn, peer: Peer, tls: TlsFacts | undefined, server: Http3CodecServer) {
    const { settings } = server;
    this.quic = quic;
    this.peer = peer;
    this.tls = tls;
    this.server = server;
    this.own = new OwnStreams(quic);
    this.encoder = new QpackEncoder(this.own.encoder);
    this.heads = new ResponseHeads(this.encoder, () => server.date);
    this.decoder = new QpackDecoder({
      maxCapacity: settings.qpackTableSize,
      send: this.own.decoder,
      acknowledge: this.own.acknowledgment,
    });
    this.#sections = new FieldSections({
      decoder: this.decoder,
      maxBlocked: () => server.settings.qpackBlockedStreams,
      read: (stream, section) => this.#readSection(stream, section),
      unblocked: ({ id }) => this.exchans.get(id)?.inputArrived(),
    });
    this.#floods = new FloodLimits(server);
  }

  abstract get isDraining(): boolean;
  /** Requests may begin on this stream. */
  protected abstract takesStream(id: number): boolean;
  /** A request is about to be served. */
  protected abstract streamBegins(): void;
  /** A response is complete. */
  protected abstract streamAnswered(id: number): void;
  /** What is waited for may be another thing: a stream has begun or ended. */
  protected abstract settle(): void;
  /** A stream of a WebTransport session has come, from behind the ID of its session on. */
  protected abstract sessionStreamArrived(id: number, sessionId: number, rest: Buffer, isEnd: boolean): void;
  abstract assertMayTunnel(protocol: string | undefined): void;
  abstract tunnelOpened(protocol: string | undefined, id: number, tunnel: Duplex): void;
  /** Resets have used the window of the connection up: the client should make another one. */
  protected abstract windowSpent(): void;
  /** Ends the connection. */
  protected abstract fail(code: Http3ErrorCode, reason: string): void;
  abstract guarded<T>(run: () => T): T | undefined;

  get isCut(): boolean {
    return this.quic.isClosed;
  }

  get maxSection(): number {
    const { maxHeadSize, maxFields } = this.server.settings;
    return maxHeadSize + 8 * maxFields;
  }

  /** How many streams are open to the client. */
  protected get openStreams(): number {
    return this.exchans.size + (this.#heads?.size ?? 0) + (this.#refused?.size ?? 0);
  }

  // ---- streams ----

  /** A stream of a request has something to read. */
  protected requestReadable(id: number): void {
    const exchan = this.exchans.get(id);
    if (exchan !== undefined) return exchan.inputArrived();
    const pending = this.#heads?.find(id);
    const stream = pending ?? this.#begin(id);
    if (stream === undefined) return;
    stream.readHead();
    // What was readable was read, and ended, on behalf of another stream of this turn.
    if (!stream.hasCome) return this.#removeHead(stream);
    if (stream.isHeadMissing) return this.#failHead(stream, errorCode.requestIncomplete, "it ended without a head");
    if (pending === undefined && stream.isAtHead) this.#pendingHeads().add(stream);
  }

  #pendingHeads(): PendingHeads {
    return (this.#heads ??= new PendingHeads(this.server, (stream) => this.#headExpired(stream)));
  }

  #begin(id: number): RequestStream | undefined {
    const isFull = this.openStreams + (this.#abandoned?.size ?? 0) >= this.server.settings.http3MaxStreams;
    if (isFull || !this.takesStream(id)) {
      this.quic.reset(id, errorCode.requestRejected);
      this.quic.stop(id, errorCode.requestRejected);
      this.decoder.cancel(id);
      this.quic.flush();
      if (isFull) this.#spendReset();
      return undefined;
    }
    return new RequestStream(id, this.server.monotonic(), this);
  }

  sectionArrived(stream: RequestStream): void {
    this.#sections.arrived(stream);
  }

  /** Instructions of the client's encoder have come. */
  protected insertsArrived(): void {
    this.#sections.insertsArrived();
  }

  #readSection(stream: RequestStream, section: Buffer | "tooLarge"): void {
    if (stream.phase === "head") return this.#readHead(stream, section);
    stream.phase = "trailers";
    const block = section === "tooLarge" ? undefined : this.decoder.decode(stream.id, section, this.server.settings);
    const trailers = block && readTrailers(block);
    const exchan = this.exchans.get(stream.id);
    if (trailers !== undefined) stream.trailers = trailers;
    else if (exchan !== undefined) this.failStream(exchan, errorCode.messageError, "its trailers are malformed");
  }

  #readHead(stream: RequestStream, section: Buffer | "tooLarge"): void {
    const { settings } = this.server;
    stream.phase = "content";
    if (section === "tooLarge") this.decoder.cancel(stream.id);
    const block =
      section === "tooLarge"
        ? { list: [], isTooLarge: true, fault: undefined }
        : this.decoder.decode(stream.id, section, settings);
    const isEnded = stream.endsWithHead();
    if (stream.isLeft) return;
    const { maxTargetSize, rawUTF8InTargets } = settings;
    const isEarly = this.quic.isInEarlyData;
    if (isEarly) markAsEarly(block.list);
    const head = readRequestHead(block, isEnded, { maxTargetSize, rawUTF8InTargets, isTLS: true, version: "3" });
    if (head instanceof BadRequest) return this.#refuse(stream, head);
    const early = isEarly ? refusedAsEarly(head.method) : undefined;
    if (early !== undefined) return this.#refuse(stream, early);
    this.#serve(stream, head);
  }

  #serve(stream: RequestStream, head: MultiplexedRequestHead): void {
    this.#removeHead(stream);
    this.#floods.served();
    const exchan = new Http3Exchan(this, head, stream);
    exchan.headTime = this.server.monotonic() - stream.beganAt;
    const { urgency, isIncremental } = head.priority;
    this.quic.prioritize(stream.id, urgency, isIncremental);
    this.exchans.set(stream.id, exchan);
    this.streamBegins();
    this.server.serve(exchan);
    if (!exchan.isOver && exchan.waitsUntil === Infinity && exchan.isTimed) this.waitFor(exchan, "handle");
  }

  #refuse(stream: RequestStream, { status, reason }: BadRequest): void {
    if (status === undefined) return this.#failHead(stream, errorCode.messageError, reason);
    this.#removeHead(stream);
    this.server.requestRefused(this.peer, status, reason);
    const head = this.heads.encode(stream.id, { status, fieldList: [] }, 0);
    this.#refused ??= new RefusedStreams(this.server, this.quic, () => this.settle());
    this.#refused.add(stream.id, frame(frameType.headers, head));
    this.streamAnswered(stream.id);
    stream.leave(errorCode.noError);
    this.quic.flush();
    // Each has a line in the log, and counts as no request.
    this.#spendReset();
  }

  #failHead(stream: RequestStream, code: Http3ErrorCode, reason: string): void {
    this.#removeHead(stream);
    this.server.note(this.peer, `its stream ${stream.id} was reset with ${errorName(code)}: ${reason}`);
    this.quic.reset(stream.id, code);
    stream.leave(code);
    this.quic.flush();
    this.#spendReset();
  }

  #headExpired(stream: RequestStream): void {
    const { headTimeout } = this.server.settings;
    this.#failHead(stream, errorCode.requestIncomplete, `its head was not complete after ${headTimeout} ms`);
    this.settle();
  }

  #removeHead(stream: RequestStream): void {
    this.#heads?.delete(stream);
    this.#sections.forget(stream);
  }

  resetByPeer(stream: RequestStream): void {
    const exchan = this.exchans.get(stream.id);
    this.decoder.cancel(stream.id);
    this.#spendReset();
    this.#lostWindow ??= new LostWindow({
      streamWindow: () => this.server.settings.http3StreamWindow,
      connWindow: () => this.server.settings.http3ConnWindow,
    });
    if (this.#lostWindow.reset(stream)) this.windowSpent();
    this.quic.reset(stream.id, errorCode.requestCancelled);
    if (exchan === undefined) return this.#removeHead(stream);
    this.#abandon(exchan);
  }

  /** The client keeps fields in its table that are referred to until it hears of it (RFC 9204 2.2.2.2). */
  streamLeft(stream: RequestStream): void {
    this.#sections.forget(stream);
    this.decoder.cancel(stream.id);
  }

  /** Whether streams may belong to WebTransport sessions. */
  get takesWebTransport(): boolean {
    return this.server.settings.webTransportMaxSessions > 0;
  }

  belongsToSession(stream: RequestStream, sessionId: number, rest: Buffer, isEnd: boolean): void {
    this.#removeHead(stream);
    this.sessionStreamArrived(stream.id, sessionId, rest, isEnd);
  }

  idleFrame(size: number): void {
    this.#floods.idleFrame(size);
  }

  protected reprioritize(id: number, { urgency, isIncremental }: Priority): void {
    if (this.exchans.has(id)) this.quic.prioritize(id, urgency, isIncremental);
  }

  /** More may be sent. */
  protected flushOutputs(): void {
    // More sections are likely to come that have to be acknowledged; `lookForStopped` comes in any case.
    this.own.flush(true);
    this.#refused?.flush();
    if (this.#blockedOutputs === undefined) return;
    for (const exchan of [...this.#blockedOutputs]) {
      this.#progress += exchan.flush();
      if (!exchan.isBlocked || exchan.isOver) this.#blockedOutputs.delete(exchan);
      if (exchan.isStopped) this.#stopped(exchan);
    }
  }

  /** Looks for clients that have given a response up, or stopped a stream of ours: nothing else tells. */
  protected lookForStopped(): void {
    this.own.flush();
    this.own.lookForStopped();
    for (const exchan of [...this.exchans.values()]) if (exchan.isStopped) this.#stopped(exchan);
  }

  #stopped(exchan: Http3Exchan): void {
    if (exchan.isOver) return;
    exchan.request.leave(errorCode.requestCancelled);
    this.#spendReset();
    this.#abandon(exchan);
  }

  // ---- what the exchans ask for ----

  waitFor(exchan: Http3Exchan, wait: StreamWait): void {
    this.#exchanTimeouts().waitFor(exchan, wait);
  }

  waitNoMore(exchan: Http3Exchan): void {
    this.#timeouts?.waitNoMore(exchan);
  }

  isTooSlow(exchan: Http3Exchan): boolean {
    return this.#exchanTimeouts().isTooSlow(exchan, exchan.request.received);
  }

  #exchanTimeouts(): ExchanTimeouts<Http3Exchan> {
    return (this.#timeouts ??= new ExchanTimeouts(this.server, {
      peer: this.peer,
      exchans: () => [...this.exchans.values(), ...(this.#abandoned ?? [])],
      progress: () => this.#progress,
      forgetAbandoned: (exchan) => this.#abandoned?.delete(exchan) === true,
      cancel: (exchan) => this.reset(exchan, errorCode.requestCancelled),
    }));
  }

  outputBlocked(exchan: Http3Exchan): void {
    this.#blockedOutputs ??= new Set();
    this.#blockedOutputs.add(exchan);
  }

  finished(exchan: Http3Exchan): void {
    this.#floods.answered();
    exchan.request.leave(errorCode.noError);
    this.streamAnswered(exchan.id);
    this.#forget(exchan);
  }

  reset(exchan: Http3Exchan, code: Http3ErrorCode): void {
    this.quic.reset(exchan.id, code);
    exchan.request.leave(code);
    this.quic.flush();
    this.#forget(exchan);
    exchan.broken();
  }

  failStream(exchan: Http3Exchan, code: Http3ErrorCode, reason: string): void {
    if (exchan.isOver) return;
    this.server.note(this.peer, `its stream ${exchan.id} was reset with ${errorName(code)}: ${reason}`);
    this.quic.reset(exchan.id, code);
    exchan.request.leave(code);
    this.quic.flush();
    this.#abandon(exchan, new ExchanError("HEMI_CONTENT_BROKEN", `the request is broken: ${reason}`));
    this.#spendReset();
  }

  abandonedOver(exchan: Http3Exchan): void {
    this.#abandoned?.delete(exchan);
  }

  /** Its client, or what its client did, ended the stream; its handlet may work on. */
  #abandon(exchan: Http3Exchan, why = requestGivenUp()): void {
    this.#forget(exchan);
    this.#abandoned ??= new Set();
    this.#abandoned.add(exchan);
    exchan.broken(why);
    if (this.#abandoned.has(exchan)) this.waitFor(exchan, "handle");
  }

  #forget(exchan: Http3Exchan): void {
    this.exchans.delete(exchan.id);
    this.#blockedOutputs?.delete(exchan);
    this.#sections.forget(exchan.request);
    this.settle();
  }

  #spendReset(): void {
    if (!this.#floods.endedEarly()) this.fail(errorCode.excessiveLoad, "it floods us with streams that are reset");
  }

  // ---- the end ----

  /** The connection serves no stream any more. `reason`: why responses end, if that is ours. */
  protected leaveStreams(reason?: "shutdown"): void {
    const exchans = [...this.exchans.values()];
    this.exchans.clear();
    this.#heads?.clear();
    this.#refused?.clear();
    this.#sections.clear();
    this.#blockedOutputs?.clear();
    for (const exchan of exchans) {
      if (reason !== undefined) exchan.endsBecauseOf(reason);
      exchan.broken();
    }
    this.#abandoned?.clear();
    this.#timeouts?.end();
  }
}
