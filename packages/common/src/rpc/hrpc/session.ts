// A session of hrpc (docs/hrpc.md): both ends of one connection, each of which may call the other.
//
//   carrier ── bytes ──> FrameReader ── frames ──> Session ──> streams: CalledStream (the peer calls), CallingStream (we)
//   carrier <── bytes ───────────────────────────── Session <── streams
//
//   open ── drain(), or GOAWAY of the peer ──> leaving: no new calls ── the last call is over ──> closed
//     └── a fault of the peer: GOAWAY with its code; the connection breaks ──────────────────────> closed

import { NotBegunError } from "../not-begun.ts";
import { RpcError } from "../rpc-error.ts";
import type { CalledStream } from "./called-stream.ts";
import { CallingStream, type HeadersTaker } from "./calling-stream.ts";
import { FrameReader } from "./frame-reader.ts";
import { frame, frameFlags, frameTypes, goAwayCodes, preface, ProtocolFault, type GoAwayCode } from "./frames.ts";
import { messageCost } from "./inbox.ts";
import {
  goAwayFrame,
  readCredit,
  readEnd,
  readGoAway,
  readHeaders,
  readSettings,
  refusalFrame,
  settingsFrame,
  type CallHead,
} from "./payloads.ts";
import type { SessionOptions } from "./session-options.ts";
import { SessionOutput } from "./session-output.ts";
import { StreamTable } from "./stream-table.ts";
import type { StreamSession } from "./stream.ts";

export class Session implements StreamSession {
  readonly output: SessionOutput;
  readonly credit: number;
  readonly #options: SessionOptions;
  readonly #reader: FrameReader;
  readonly #calling = new StreamTable<CallingStream>();
  #hasSettings = false;
  /** The next stream that we open. */
  #nextId: number;
  /** The last stream that the peer has opened. */
  #lastPeerId = 0;
  #isLeaving = false;
  #isClosed = false;
  #endReason = "";
  /** Whether frames of the peer are being read, so that `changed` is called once for all of them. */
  #isReading = false;
  #hasChanged = false;
  /** Called with each answer to a ping. */
  #ponged: (() => void) | undefined;

  /** Sends preface and settings at once. */
  constructor(options: SessionOptions) {
    const { role, settings, carrier, compression } = options;
    this.#options = options;
    this.output = new SessionOutput(carrier, compression);
    this.credit = settings.credit;
    this.#nextId = role === "client" ? 1 : 2;
    this.#reader = new FrameReader(settings.maxFrameSize, this.#gotFrame);
    this.output.write(preface);
    this.output.write(settingsFrame({ ...settings, codings: compression.codings }));
  }

  /** How many calls are open, in both directions. */
  get streamCount(): number {
    return this.#calling.size + (this.#options.callee?.streams.size ?? 0);
  }

  /** How many more calls the peer takes now. */
  get room(): number {
    if (this.#isLeaving || this.#nextId > maxStreamId) return 0;
    return Math.max(0, this.output.peer.maxStreams - this.#calling.size);
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
  call(head: CallHead, maxMessageSize: number, user: HeadersTaker): CallingStream {
    return this.open((id) => {
      this.output.call(id, head);
      return new CallingStream(id, this, maxMessageSize, user);
    });
  }

  /** Opens a stream, which `begin` makes after it has sent its CALL. Throws NotBegunError, and what `begin` throws. */
  open<Opened extends CallingStream>(begin: (id: number) => Opened): Opened {
    if (this.room === 0) throw new NotBegunError(this.#isLeaving ? leaving : tooMany);
    const stream = begin(this.#nextId);
    this.#nextId += 2;
    this.#calling.add(stream);
    return stream;
  }

  /** Asks for a sign of life. */
  ping(ponged: () => void): void {
    this.#ponged = ponged;
    this.output.write(frame(frameTypes.ping, 0, 0, new Uint8Array(pingSize)));
  }

  // ---- its end ----

  /** No new calls; the connection is closed when the last one is over. */
  drain(): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    this.output.write(goAwayFrame(this.#lastPeerId, goAwayCodes.none, ""));
    this.#closeIfDone();
  }

  /** Ends all calls, and the connection. */
  close(code: GoAwayCode, reason: string): void {
    if (this.#isClosed) return;
    this.#isLeaving = true;
    this.output.write(goAwayFrame(this.#lastPeerId, code, reason));
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
    this.#isReading = true;
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
    this.#isReading = false;
    if (this.#hasChanged) this.#changed();
  }

  #changed(): void {
    this.#hasChanged = this.#isReading;
    if (!this.#isReading) this.#options.changed?.();
  }

  readonly #gotFrame = (type: number, flags: number, id: number, payload: Uint8Array): void => {
    if (!this.#hasSettings && type !== frameTypes.settings) throw new ProtocolFault("the first frame is not SETTINGS");
    switch (type) {
      case frameTypes.message:
        return this.#streamOf(id)?.gotMessage(payload, flags);
      case frameTypes.call:
        return this.#gotCall(id, flags, payload);
      case frameTypes.end:
        return this.#gotEnd(id, flags, payload);
      case frameTypes.headers:
        return this.#callingOf(id)?.gotHeaders(readHeaders(payload));
      case frameTypes.close:
        return this.#calledOf(id)?.closed();
      case frameTypes.cancel:
        return this.#calledOf(id)?.gotCancel();
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
        this.#options.callee?.spend();
    }
  };

  #gotSettings(id: number, payload: Uint8Array): void {
    if (this.#hasSettings) throw new ProtocolFault("SETTINGS came twice");
    if (id !== 0) throw new ProtocolFault("SETTINGS has a stream");
    const former = this.output.peer.credit;
    this.output.peer = readSettings(payload);
    this.#hasSettings = true;
    const { credit } = this.output.peer;
    for (const stream of this.#calling) stream.creditRaised(credit - former);
    this.#changed();
  }

  #gotCall(id: number, flags: number, payload: Uint8Array): void {
    if (this.#isOurs(id) || id <= this.#lastPeerId)
      throw new ProtocolFault(`a call has the number ${id} after ${this.#lastPeerId}`);
    this.#lastPeerId = id;
    const { callee, settings } = this.#options;
    if (callee !== undefined && !this.#isLeaving && callee.streams.size < settings.maxStreams)
      return callee.take(id, this, flags, payload);
    this.#options.callee?.spend();
    const why = callee === undefined ? "calls are not taken here" : this.#isLeaving ? leaving : tooMany;
    this.output.write(refusalFrame(id, why));
  }

  #gotEnd(id: number, flags: number, payload: Uint8Array): void {
    const stream = this.#callingOf(id);
    if (stream === undefined) return;
    stream.gotEnd(readEnd(payload, flags));
  }

  #gotCredit(id: number, payload: Uint8Array): void {
    const amount = readCredit(payload);
    if (amount < messageCost) throw new ProtocolFault(`CREDIT is below ${messageCost}`);
    this.#streamOf(id)?.gotCredit(amount);
  }

  #gotPing(flags: number, payload: Uint8Array): void {
    if (payload.length !== pingSize) throw new ProtocolFault(`PING is not ${pingSize} bytes`);
    if ((flags & frameFlags.ack) !== 0) return this.#ponged?.();
    this.#options.callee?.spend();
    this.output.write(frame(frameTypes.ping, frameFlags.ack, 0, payload));
  }

  #gotGoAway(payload: Uint8Array): void {
    const { lastStreamId, reason } = readGoAway(payload);
    this.#isLeaving = true;
    const why = reason === "" ? leaving : `the peer gave the connection up: ${reason}`;
    for (const stream of this.#calling) if (stream.id > lastStreamId) stream.broken(new NotBegunError(why));
    this.#changed();
    this.#closeIfDone();
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
      throw new ProtocolFault(`a frame is for the stream ${id}, which was never opened`);
    return this.#calling.get(id);
  }

  #calledOf(id: number): CalledStream | undefined {
    if (this.#isOurs(id) || id > this.#lastPeerId)
      throw new ProtocolFault(`a frame is for the stream ${id}, which was never opened`);
    return this.#options.callee?.streams.get(id);
  }

  forget(id: number): void {
    if (!this.#calling.delete(id) && this.#options.callee?.streams.delete(id) !== true) return;
    if (this.#isClosed) return;
    this.#changed();
    this.#closeIfDone();
  }

  #closeIfDone(): void {
    if (this.#isLeaving && !this.#isClosed && this.streamCount === 0) this.#end(leaving);
  }

  #end(reason: string): void {
    this.#isClosed = true;
    this.#endReason = reason;
    this.#isLeaving = true;
    this.#reader.stop();
    this.output.stop();
    for (const stream of this.#calling) stream.broken(new RpcError("unavailable", reason));
    for (const stream of this.#options.callee?.streams ?? []) stream.canceled();
    this.#options.changed?.();
    this.#options.carrier.close();
  }
}

/** Of 32 bits. */
const maxStreamId = 0xffff_ffff - 2;
/** In bytes. */
const pingSize = 8;
const leaving = "the connection takes no more calls";
const tooMany = "too many calls are open on the connection";
