// One connection to an HTTP/2 server: many requests at once, each on a stream of its own.
//
//   dialing ── connected, the node's SETTINGS ──> open ── GOAWAY of either side, idle for aliveTimeout ──> leaving
//      │ dialTimeout                               │ a mistake of the node's: GOAWAY with its code         │
//      │                                           │ a PING without an answer               no stream left │
//      └───────────────────────────────────────────┴────────────────────> closed <─────────────────────────┘
//
//   socket ─> FrameCutter ─> NodeFrames ─> streams: Http2NodeExchan ─> Sender ─> FrameOutput ─> socket
//
// What one reading of the socket brings is handled in one go, and what is said to it is sent in one write.

import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { Dialled } from "../backend/dial.ts";
import type { FailureCode } from "../backend/failure.ts";
import { NodeConnTimeouts, type NodeConnTimeoutsOwner, type WaitedForConn } from "../http/node-conn-timeouts.ts";
import type { NodeWait } from "../http/stream-node-exchan.ts";
import type { PooledConn } from "../http/stream-pool.ts";
import type { BackendRequest } from "../http/web-backend.ts";
import { contentOfIdleFrame, idleFramesOfRequest } from "./allowance.ts";
import type { Http2NodeSettings } from "./node-props.ts";
import type { Http2NodeResponseHead } from "./node-response-head.ts";
import type { Http2NodeExchan, StreamConn } from "./node-exchan.ts";
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
import { NodeFrames, type NodeFrameTarget } from "./node-frames.ts";
import type { PeerSettings } from "./peer-settings.ts";
import { RequestHeads } from "./request-heads.ts";
import { StreamConnection } from "./stream-connection.ts";
import { StreamTimeouts } from "../http/stream-timeouts.ts";
import { WriteGuard } from "../net/write-guard.ts";

/** What a connection needs of the pool that it belongs to. */
export interface Http2NodeConnOwner extends NodeConnTimeoutsOwner {
  readonly settings: Http2NodeSettings;
  dial(): Dialled;
  /** It has room for a stream that it had not before, or has become idle, or leaves. */
  changed(conn: Http2NodeConn): void;
  /** It is gone. `code` and `reason` say why where it never stood. */
  closed(conn: Http2NodeConn, code: FailureCode, reason: string): void;
}

export class Http2NodeConn
  extends StreamConnection<Http2NodeExchan, RequestHeads>
  implements NodeFrameTarget, StreamConn, WaitedForConn, PooledConn<Http2NodeExchan>
{
  /** Requests that were begun here. */
  requests = 0;
  /** How often something was read. */
  readings = 0;
  /** The node takes extended CONNECT (RFC 8441). */
  allowsConnectProtocol = false;
  readonly #owner: Http2NodeConnOwner;
  readonly #socket: Socket;
  protected readonly cutter: FrameCutter;
  protected readonly frames: NodeFrames;
  readonly #streamTimeouts: StreamTimeouts<NodeWait, Http2NodeExchan>;
  readonly #timeouts: NodeConnTimeouts;
  /** Those that the present reading has brought something for. */
  #touched: Http2NodeExchan[] = [];
  #phase: "dialing" | "open" | "leaving" | "closed" = "dialing";
  #hasStood = false;
  #nextId = 1;
  /** Streams at once, as the node wants it. */
  #maxStreams = Infinity;
  /** Why it is about to be gone. */
  #failure: { readonly code: FailureCode; readonly reason: string } | undefined;

  constructor(owner: Http2NodeConnOwner) {
    const { settings } = owner;
    const { socket, connectEvent } = owner.dial();
    const monotonic = () => owner.monotonic();
    super(socket, { heads: new RequestHeads(), window: connWindow, limits: settings, monotonic });
    this.#owner = owner;
    this.#socket = socket;
    new WriteGuard(socket, (error) => this.#notTaken(error));
    this.frames = new NodeFrames(this, settings, this.idleFrames);
    this.cutter = new FrameCutter(defaultMaxFrameSize, this.frames.take, () =>
      // What any text would be, taken for a frame.
      this.fail(errorCode.frameSizeError, this.isDialing ? notHTTP2 : "a frame is larger than allowed"),
    );
    this.#streamTimeouts = new StreamTimeouts({
      monotonic: () => this.now,
      makeDeadline: (onExpired) => owner.makeDeadline(onExpired),
      timeOf: (wait, { timeouts }) =>
        wait === "write"
          ? (timeouts?.writeTimeout ?? settings.writeTimeout)
          : (timeouts?.readTimeout ?? settings.readTimeout),
      streams: () => this.streams.values(),
      expired: (exchan) => exchan.timedOut(),
    });
    this.#timeouts = new NodeConnTimeouts(this, owner);
    socket.on(connectEvent, () => this.#connected());
    socket.on("data", (chunk: Buffer) => this.#received(chunk));
    socket.on("drain", () => this.drained());
    // It cannot answer any more, even if it should still take what it is sent.
    socket.on("end", () => socket.destroy());
    socket.on("error", (error) => (this.#failure ??= { code: "HEMI_BACKEND_DIAL", reason: error.message }));
    socket.on("close", () => this.#closed());
  }

  /** It is not known yet what it can take. */
  get isDialing(): boolean {
    return this.#phase === "dialing";
  }

  /** The node has been seen to speak HTTP/2. */
  get hasStood(): boolean {
    return this.#hasStood;
  }

  /** It takes no other request. */
  get isLeaving(): boolean {
    return this.#phase === "leaving" || this.#socket.destroyed;
  }

  get isConnecting(): boolean {
    return this.#socket.connecting;
  }

  get isClosing(): boolean {
    return this.#socket.writableEnded;
  }

  get isIdle(): boolean {
    return this.#phase === "open" && this.streams.size === 0;
  }

  get streamCount(): number {
    return this.streams.size;
  }

  /** How many more requests it can take now. */
  get room(): number {
    if (this.#phase !== "open" || this.#socket.destroyed) return 0;
    return Math.min(this.#maxStreams, this.#owner.settings.http2MaxStreams) - this.streams.size;
  }

  // ---- what the pool and the exchans ask for ----

  /** Only where there is room. */
  begin(exchan: Http2NodeExchan): void {
    this.requests++;
    exchan.granted(this, this.#nextId, this.sendWindow);
    if (this.#nextId > maxStreamId) this.leave();
  }

  sendRequest(
    exchan: Http2NodeExchan,
    request: BackendRequest,
    { protocol, isEnd }: { readonly protocol: string | undefined; readonly isEnd: boolean },
  ): void {
    const { id } = exchan;
    this.#nextId = id + 2;
    this.frames.lastStreamId = id;
    this.streams.add(exchan);
    this.sender.sendBlock(id, this.sender.heads.encode(request, protocol), isEnd);
    this.idleFrames.earn(idleFramesOfRequest);
    if (this.streams.size === 1) this.#timeouts.settle();
  }

  waitFor(exchan: Http2NodeExchan, wait: NodeWait): void {
    this.#streamTimeouts.waitFor(exchan, wait);
  }

  /** So much of an answer's content has been taken: the node may send more. */
  contentTaken(exchan: Http2NodeExchan, size: number): void {
    if (this.streams.get(exchan.id) !== exchan) return;
    const isFast = !exchan.isHeld && exchan.content?.kept === 0;
    this.giveBackOn(exchan, size, isFast, this.#owner.settings.http2MaxStreamWindow);
  }

  /** Its stream is over on both sides. */
  forget(exchan: Http2NodeExchan): void {
    if (this.streams.get(exchan.id) !== exchan) return;
    this.frames.closedByPeer.add(exchan.id);
    this.#remove(exchan);
  }

  /** Its stream is not wanted any more. */
  cancel(exchan: Http2NodeExchan): void {
    if (this.streams.get(exchan.id) !== exchan) return;
    this.resetStream(exchan.id, errorCode.cancel);
    this.#remove(exchan);
  }

  /** Takes no request any more, and is closed as soon as none is left. */
  leave(): void {
    if (this.#phase !== "open") return;
    this.#phase = "leaving";
    this.#owner.changed(this);
    this.#closeIfOver();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  // ---- what its limits in time ask for ----

  sendPing(): void {
    this.sender.sendFrame(frameType.ping, 0, 0, areYouThere);
  }

  timedOut(reason: string): void {
    this.#break("HEMI_TIMEOUT", reason);
  }

  // ---- input ----

  #connected(): void {
    const socket = this.#socket;
    if (socket instanceof TLSSocket && socket.alpnProtocol !== "h2") {
      return this.#break("HEMI_BACKEND_DIAL", "it does not speak HTTP/2 by TLS: ALPN did not agree on h2");
    }
    const { http2StreamWindow, maxHeadSize, maxFields } = this.#owner.settings;
    this.output.write(preface);
    this.sender.sendSettings([
      [settingId.enablePush, 0],
      [settingId.initialWindowSize, http2StreamWindow],
      // It counts 32 bytes more for each field (RFC 9113 6.5.2).
      [settingId.maxHeaderListSize, maxHeadSize + 32 * maxFields],
    ]);
    this.sender.sendNumber(frameType.windowUpdate, 0, connWindow - defaultWindow);
    this.output.flush();
  }

  #received(chunk: Buffer): void {
    this.readings++;
    this.#timeouts.hasRead();
    this.advance(chunk);
    this.#closeIfOver();
  }

  protected override readingOver(): void {
    for (const exchan of this.#touched) exchan.readingOver();
    this.#touched.length = 0;
  }

  protected faulted(error: unknown): void {
    this.#break("HEMI_BACKEND_BROKEN", `what it sent could not be handled: ${String(error)}`);
  }

  // ---- what the frames ask for ----

  answered(exchan: Http2NodeExchan, head: Http2NodeResponseHead, isEnd: boolean): void {
    this.#touched.push(exchan);
    exchan.answered(head, isEnd, this.#owner.settings.http2StreamWindow);
  }

  contentArrived(
    exchan: Http2NodeExchan,
    bytes: Buffer,
    start: number,
    end: number,
    frameSize: number,
    isEnd: boolean,
  ): void {
    if (!this.takeFromWindow(frameSize)) return;
    // What is kept is bounded by the windows of the streams: that of the connection is given back at once, so that no
    // slow stream stops others.
    this.giveBack(frameSize);
    const { content } = exchan;
    if (content?.window.take(frameSize) !== true) {
      return this.failStream(exchan.id, errorCode.flowControlError, "it sends more content on a stream than it may");
    }
    this.idleFrames.earn((end - start) / contentOfIdleFrame);
    // Padding is nobody's.
    if (frameSize > end - start) this.contentTaken(exchan, frameSize - (end - start));
    this.#touched.push(exchan);
    exchan.contentArrived(bytes, start, end, isEnd);
  }

  peerEnded(): void {
    // Nothing is done for streams that are over.
  }

  override settingsChanged(settings: PeerSettings): void {
    const { maxConcurrentStreams, allowsConnectProtocol, allowsPush } = settings;
    if (allowsPush === true) return this.fail(errorCode.protocolError, "it says that we may push, and would itself");
    if (maxConcurrentStreams !== undefined) this.#maxStreams = maxConcurrentStreams;
    if (allowsConnectProtocol !== undefined) this.allowsConnectProtocol = allowsConnectProtocol;
    super.settingsChanged(settings);
    if (this.#phase === "dialing") {
      this.#phase = "open";
      this.#hasStood = true;
      this.#timeouts.settle();
    }
    this.#owner.changed(this);
  }

  settingsAcknowledged(): void {
    // Until then it sends no more than it might have sent before.
  }

  streamReset(exchan: Http2NodeExchan, code: number): void {
    this.frames.closedByPeer.add(exchan.id);
    this.#remove(exchan);
    exchan.reset(code);
  }

  peerLeaves(lastStreamId: number, code: number): void {
    const why = code === errorCode.noError ? "" : ` with ${errorName(code)}`;
    const isOpen = this.#phase === "open";
    if (this.requests === 0) return this.#break("HEMI_BACKEND_DIAL", `it closes the connection at once${why}`);
    if (isOpen) this.#phase = "leaving";
    for (const exchan of this.streams.values()) {
      if (exchan.id <= lastStreamId) continue;
      this.#remove(exchan);
      exchan.passedOver(`it closes the connection${why}, and has not looked at the request`);
    }
    if (isOpen) this.#owner.changed(this);
    this.#closeIfOver();
  }

  failStream(id: number, code: Http2ErrorCode, reason: string): void {
    const exchan = this.streams.get(id);
    this.resetStream(id, code);
    if (exchan === undefined) return;
    this.#remove(exchan);
    exchan.malformed(reason);
  }

  fail(code: Http2ErrorCode, reason: string): void {
    if (this.#phase === "closed") return;
    this.sender.sendGoaway(0, code);
    this.output.flush();
    this.#break("HEMI_BACKEND_BROKEN", reason);
  }

  // ---- the life of the connection ----

  protected override drained(): void {
    super.drained();
    for (const exchan of this.streams.values()) exchan.settle();
  }

  #remove(exchan: Http2NodeExchan): void {
    if (!this.streams.delete(exchan.id)) return;
    this.sender.forget(exchan);
    exchan.waitsUntil = Infinity;
    if (this.streams.size === 0 && this.#phase === "open") this.#timeouts.settle();
    this.#owner.changed(this);
    this.#closeIfOver();
  }

  #closeIfOver(): void {
    if (this.#phase !== "leaving" || this.streams.size > 0 || this.isAdvancing || this.#socket.writableEnded) return;
    this.sender.sendGoaway(0, errorCode.noError);
    this.output.flush();
    this.#socket.end(() => this.#socket.destroy());
    this.#timeouts.closes();
  }

  /** The node has reset the connection: what it sent before is read, and then the connection closes. */
  #notTaken({ message }: Error): void {
    this.#failure ??= { code: "HEMI_BACKEND_DIAL", reason: message };
    if (this.#phase !== "open") return;
    this.#phase = "leaving";
    this.#owner.changed(this);
    this.#closeIfOver();
  }

  #break(code: FailureCode, reason: string): void {
    this.#failure ??= { code, reason };
    this.cutter.stop();
    this.#socket.destroy();
  }

  #closed(): void {
    const { code, reason } = this.#failure ?? { code: "HEMI_BACKEND_DIAL", reason: "it closed the connection" };
    const exchans = this.streams.values();
    this.#phase = "closed";
    this.cutter.stop();
    this.#timeouts.end();
    this.#streamTimeouts.end();
    this.streams.clear();
    for (const exchan of exchans) this.sender.forget(exchan);
    const why = !this.#hasStood && code === "HEMI_BACKEND_DIAL" ? `it cannot be connected to: ${reason}` : reason;
    this.#owner.closed(this, code, why);
    for (const exchan of exchans) exchan.broken(code === "HEMI_TIMEOUT", this.#failure?.reason);
  }
}

/**
 * What a node may have under way on all streams together, in bytes. No prop: it is given back as soon as it is used,
 * and only has to be more than is under way.
 */
const connWindow = 4 * 1024 * 1024;
const notHTTP2 = "it does not speak HTTP/2: see http1Backend";
const areYouThere = Buffer.from("hemi?   ", "latin1");
