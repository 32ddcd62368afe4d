// A session of hrpc (docs/hrpc.md): both ends of one connection, each of which may call the other.
//
//   carrier ── bytes ──> FrameReader ── frames ──> Session ──> streams: CalledStream (the peer calls), CallingStream (we)
//   carrier <── bytes ───────────────────────────── Session <── streams
//
//   open ── drain(), or GOAWAY of the peer ──> leaving: no new calls ── the last call is over ──> closed
//     └── a fault of the peer: GOAWAY with its code; the connection breaks ──────────────────────> closed

import { NotBegunError } from "../not-begun.ts";
import { Metadata } from "../metadata.ts";
import { RpcError } from "../rpc-error.ts";
import { FrameReader } from "./frame-reader.ts";
import {
  frame,
  frameFlags,
  frameHeadSize,
  frameTypes,
  goAwayCodes,
  preface,
  ProtocolFault,
  readUint32,
  type GoAwayCode,
} from "./frames.ts";
import { messageCost } from "./inbox.ts";
import type { MessageCompression } from "./message-coding.ts";
import {
  callFrame,
  endFrame,
  goAwayFrame,
  initialSettings,
  maxMetadata,
  plainEndFrame,
  readCall,
  readEnd,
  readGoAway,
  readHeaders,
  readSettings,
  settingsFrame,
  type CallEnd,
  type CallHead,
  type PeerSettings,
} from "./payloads.ts";
import { CalledStream, CallingStream, type StreamSession } from "./stream.ts";

/** What carries the bytes of a session: a socket, a WebSocket. */
export interface SessionCarrier {
  /** The peer reads more slowly than is written. */
  readonly isBlocked: boolean;
  /** Sends bytes, which are not changed afterwards. */
  write(bytes: Uint8Array): void;
  /** Settles when the peer has read, or is gone. */
  drained(): Promise<void>;
  /** Closes the connection when all that was written is sent. Further input is ignored. */
  close(): void;
}

/** A budget for frames that bring nothing. */
export interface FloodLimit {
  /** False: there were too many. */
  spend(amount: number): boolean;
  earn(amount: number): void;
}

export interface SessionOptions {
  /** A client opens streams with odd numbers, a server with even ones. */
  readonly role: "client" | "server";
  readonly carrier: SessionCarrier;
  /** What the peer may do. `codings` is that of `compression`. */
  readonly settings: Omit<PeerSettings, "codings">;
  readonly compression: MessageCompression;
  /** Of a message of a call of the peer, in bytes, by the path of the procedure. Needed with `serve` only. */
  readonly maxMessageSize?: (path: string) => number;
  /** Default: there is no limit, as for a client that trusts its server. */
  readonly flood?: FloodLimit;
  /** Serves a call of the peer. Without it, all are refused. */
  readonly serve?: (stream: CalledStream) => void;
  /** There are more or fewer streams, or the peer takes no more: somebody may wait for that. */
  readonly changed?: () => void;
  /** The peer has broken a rule. */
  readonly faulty?: (fault: ProtocolFault) => void;
  /** A fault of ours. The session is over. */
  readonly failed: (error: unknown) => void;
}

export class Session implements StreamSession {
  readonly compression: MessageCompression;
  readonly credit: number;
  readonly #options: SessionOptions;
  readonly #carrier: SessionCarrier;
  readonly #reader: FrameReader;
  readonly #calling = new Map<number, CallingStream>();
  readonly #called = new Map<number, CalledStream>();
  #peer: PeerSettings = initialSettings;
  #hasSettings = false;
  /** The next stream that we open. */
  #nextId: number;
  /** The last stream that the peer has opened. */
  #lastPeerId = 0;
  #isLeaving = false;
  #isClosed = false;
  #endReason = "";
  /** Called with each answer to a ping. */
  #ponged: (() => void) | undefined;

  /** Sends preface and settings at once. */
  constructor(options: SessionOptions) {
    const { role, carrier, settings, compression } = options;
    this.#options = options;
    this.#carrier = carrier;
    this.compression = compression;
    this.credit = settings.credit;
    this.#nextId = role === "client" ? 1 : 2;
    this.#reader = new FrameReader(settings.maxFrameSize, this.#gotFrame);
    carrier.write(preface);
    carrier.write(settingsFrame({ ...settings, codings: compression.codings }));
  }

  /** How many calls are open, in both directions. */
  get streamCount(): number {
    return this.#calling.size + this.#called.size;
  }

  /** How many more calls the peer takes now. */
  get room(): number {
    return this.#isLeaving || this.#nextId > maxStreamId ? 0 : Math.max(0, this.#peer.maxStreams - this.#calling.size);
  }

  /** No new calls, from either side. */
  get isLeaving(): boolean {
    return this.#isLeaving;
  }

  /** The connection has no further use. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Why it has no further use; "" while it has. */
  get endReason(): string {
    return this.#endReason;
  }

  /** The settings of the peer have come: it speaks hrpc. */
  get isEstablished(): boolean {
    return this.#hasSettings;
  }

  // ---- calls of ours ----

  /**
   * Begins a call. Throws NotBegunError if there is no room for it, and RpcError `resource_exhausted` if its metadata
   * is larger than a frame.
   */
  call(head: CallHead, maxMessageSize: number, headersCame: (headers: Metadata) => void): CallingStream {
    if (this.room === 0)
      throw new NotBegunError(this.#isLeaving ? leaving : "too many calls are open on the connection");
    const bytes = callFrame(this.#nextId, head);
    if (!this.#fits(bytes) || isTooMuch(head.metadata))
      throw new RpcError("resource_exhausted", "the metadata of the call is too large for a frame");
    const stream = new CallingStream(this.#nextId, this, maxMessageSize, headersCame);
    this.#nextId += 2;
    this.#calling.set(stream.id, stream);
    this.write(bytes);
    return stream;
  }

  /** Asks for a sign of life. */
  ping(ponged: () => void): void {
    this.#ponged = ponged;
    this.write(frame(frameTypes.ping, 0, 0, new Uint8Array(pingSize)));
  }

  // ---- its end ----

  /** No new calls; the connection is closed when the last one is over. */
  drain(): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    this.write(goAwayFrame(this.#lastPeerId, goAwayCodes.none, ""));
    this.#closeIfDone();
  }

  /** Ends all calls, and the connection. */
  close(code: GoAwayCode, reason: string): void {
    if (this.#isClosed) return;
    this.#isLeaving = true;
    this.write(goAwayFrame(this.#lastPeerId, code, reason));
    this.#end(reason === "" ? leaving : reason);
  }

  /** The connection is broken, or the peer has closed it. */
  broken(reason: string): void {
    if (!this.#isClosed) this.#end(reason);
  }

  // ---- input ----

  /** Bytes of the peer, which need not stay as they are. Never throws. */
  receive(bytes: Uint8Array): void {
    if (this.#isClosed) return;
    try {
      this.#reader.push(bytes);
    } catch (error) {
      if (error instanceof ProtocolFault) {
        this.#options.faulty?.(error);
        this.close(error.code, error.message);
      } else {
        this.#options.failed(error);
        this.close(goAwayCodes.internal, "");
      }
    }
  }

  readonly #gotFrame = (type: number, flags: number, id: number, payload: Uint8Array): void => {
    if (!this.#hasSettings && type !== frameTypes.settings) throw broken("the first frame is not SETTINGS");
    switch (type) {
      case frameTypes.message:
        return this.#streamOf(id)?.gotMessage(payload, flags);
      case frameTypes.call:
        return this.#gotCall(id, payload);
      case frameTypes.end:
        return this.#gotEnd(id, flags, payload);
      case frameTypes.headers:
        return this.#callingOf(id)?.gotHeaders(readHeaders(payload));
      case frameTypes.close:
        return this.#calledOf(id)?.closed();
      case frameTypes.cancel:
        return this.#gotCancel(id);
      case frameTypes.credit:
        return this.#gotCredit(id, payload);
      case frameTypes.settings:
        return this.#gotSettings(id, payload);
      case frameTypes.ping:
        return this.#gotPing(flags, payload);
      case frameTypes.goAway:
        return this.#gotGoAway(payload);
      default:
        // Of a later version.
        this.#spend(1);
    }
  };

  #gotSettings(id: number, payload: Uint8Array): void {
    if (this.#hasSettings) throw broken("SETTINGS came twice");
    if (id !== 0) throw broken("SETTINGS has a stream");
    const former = this.#peer;
    this.#peer = readSettings(payload);
    this.#hasSettings = true;
    for (const stream of this.#calling.values()) stream.gotCredit(this.#peer.credit - former.credit);
    this.#options.changed?.();
  }

  #gotCall(id: number, payload: Uint8Array): void {
    if (this.#isOurs(id) || id <= this.#lastPeerId)
      throw broken(`a call has the number ${id} after ${this.#lastPeerId}`);
    this.#lastPeerId = id;
    const head = readCall(payload);
    const { serve, settings, maxMessageSize } = this.#options;
    const stream = new CalledStream(id, this, maxMessageSize?.(head.path) ?? settings.credit, head);
    if (serve === undefined || this.#isLeaving || this.#called.size >= settings.maxStreams) {
      this.#spend(1);
      const why =
        serve === undefined ? "calls are not taken here" : this.#isLeaving ? leaving : "too many calls are open";
      return this.writeEnd(id, { error: new RpcError("unavailable", why), trailers: new Metadata() }, false);
    }
    this.#called.set(id, stream);
    serve(stream);
  }

  #gotEnd(id: number, flags: number, payload: Uint8Array): void {
    const stream = this.#callingOf(id);
    if (stream === undefined) return;
    const end = readEnd(payload);
    const isRefused = end.error !== undefined && (flags & frameFlags.notBegun) !== 0;
    stream.gotEnd(isRefused ? { ...end, error: new NotBegunError(end.error.message, end.error.code) } : end);
  }

  #gotCancel(id: number): void {
    const stream = this.#calledOf(id);
    if (stream === undefined) return;
    // Calls that begin and are canceled cost us much more than the peer.
    this.#spend(1);
    stream.canceled();
  }

  #gotCredit(id: number, payload: Uint8Array): void {
    if (payload.length !== 4) throw broken("CREDIT is not a number of 4 bytes");
    const amount = readUint32(payload, 0);
    if (amount < messageCost) throw broken(`CREDIT is below ${messageCost}`);
    this.#streamOf(id)?.gotCredit(amount);
  }

  #gotPing(flags: number, payload: Uint8Array): void {
    if (payload.length !== pingSize) throw broken(`PING is not ${pingSize} bytes`);
    if ((flags & frameFlags.ack) !== 0) return this.#ponged?.();
    this.#spend(1);
    this.write(frame(frameTypes.ping, frameFlags.ack, 0, payload));
  }

  #gotGoAway(payload: Uint8Array): void {
    const { lastStreamId, reason } = readGoAway(payload);
    this.#isLeaving = true;
    const why = reason === "" ? leaving : `the peer gave the connection up: ${reason}`;
    for (const [id, stream] of this.#calling) if (id > lastStreamId) stream.broken(new NotBegunError(why));
    this.#options.changed?.();
    this.#closeIfDone();
  }

  #spend(amount: number): void {
    if (this.#options.flood?.spend(amount) !== false) return;
    throw new ProtocolFault(goAwayCodes.flood, "too many frames bring nothing");
  }

  #isOurs(id: number): boolean {
    return id === 0 || id % 2 === this.#nextId % 2;
  }

  /** `undefined`: it is over. Throws ProtocolFault for one that has never been. */
  #streamOf(id: number): CallingStream | CalledStream | undefined {
    return this.#isOurs(id) ? this.#callingOf(id) : this.#calledOf(id);
  }

  #callingOf(id: number): CallingStream | undefined {
    if (id === 0 || !this.#isOurs(id) || id >= this.#nextId)
      throw broken(`a frame is for the stream ${id}, which we have not opened`);
    return this.#calling.get(id);
  }

  #calledOf(id: number): CalledStream | undefined {
    if (this.#isOurs(id) || id > this.#lastPeerId)
      throw broken(`a frame is for the stream ${id}, which was not opened`);
    return this.#called.get(id);
  }

  // ---- output: for its streams ----

  get maxFrameSize(): number {
    return this.#peer.maxFrameSize;
  }

  get peerCodings(): number {
    return this.#peer.codings;
  }

  get peerCredit(): number {
    return this.#peer.credit;
  }

  get isBlocked(): boolean {
    return this.#carrier.isBlocked;
  }

  drained(): Promise<void> {
    return this.#carrier.drained();
  }

  write(bytes: Uint8Array): void {
    if (!this.#isClosed) this.#carrier.write(bytes);
  }

  writeWhole(bytes: Uint8Array): boolean {
    const fits = this.#fits(bytes);
    if (fits) this.write(bytes);
    return fits;
  }

  writeEnd(id: number, end: CallEnd, isBegun: boolean): void {
    if (isBegun) this.#options.flood?.earn(1);
    if (end.error === undefined && end.trailers.isEmpty) return this.write(plainEndFrame(id));
    if (!isTooMuch(end.trailers) && this.writeWhole(endFrame(id, end, isBegun))) return;
    const { code, message } = end.error ?? new RpcError("internal", "the trailers are too large for a frame");
    this.write(endFrame(id, { error: new RpcError(code, message.slice(0, 1000)), trailers: new Metadata() }, isBegun));
  }

  forget(id: number): void {
    if (!this.#calling.delete(id) && !this.#called.delete(id)) return;
    if (this.#isClosed) return;
    this.#options.changed?.();
    this.#closeIfDone();
  }

  #fits(bytes: Uint8Array): boolean {
    return bytes.length - frameHeadSize <= this.#peer.maxFrameSize;
  }

  #closeIfDone(): void {
    if (this.#isLeaving && !this.#isClosed && this.streamCount === 0) this.#end(leaving);
  }

  #end(reason: string): void {
    this.#isClosed = true;
    this.#endReason = reason;
    this.#isLeaving = true;
    this.#reader.stop();
    for (const stream of [...this.#calling.values()]) stream.broken(new RpcError("unavailable", reason));
    for (const stream of [...this.#called.values()]) stream.canceled();
    this.#options.changed?.();
    this.#carrier.close();
  }
}

/** Of 32 bits. */
const maxStreamId = 0xffff_ffff - 2;
/** In bytes. */
const pingSize = 8;
const leaving = "the connection takes no more calls";

/** Whether the peer would refuse metadata for its number. */
function isTooMuch({ list }: Metadata): boolean {
  return list.length > 2 * maxMetadata;
}

function broken(message: string): ProtocolFault {
  return new ProtocolFault(goAwayCodes.protocol, message);
}
