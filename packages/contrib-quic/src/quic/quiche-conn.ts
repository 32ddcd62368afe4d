// A connection over the native library: bytes of datagrams in, bytes of datagrams out.
//
//   received(datagram) ─┐                            ┌─> user.advance()
//   its timer ──────────┴─> dirty ── end of turn ────┼─> send(datagram) …
//   flush() ────────────────^                        └─> its timer; closed
//
// All that comes in one turn of the event loop is answered together. Nothing that the library throws leaves this file.

import { TokenBucket } from "@hemi/internal";
import type { QuicConn, QuicConnUser, QuicPiece, QuicReset } from "./conn.ts";
import { shutdown, type HostPort, type NativeConn, type PacketPath } from "./native.ts";
import { PacketBurst, type PacketSender } from "./packet-burst.ts";
import { StreamIds } from "./stream-ids.ts";

/** Who has the connection, and its socket. */
export interface QuicheConnOwner {
  /** Sends a datagram. Returns whether its bytes may be used again at once. */
  send(datagram: Buffer, to: HostPort): boolean;
  /** `endOfTurn` is to be called when the event loop has read what there is. */
  isDirty(conn: QuicheConn): void;
  /** The handshake is complete, or early data is here: gives who uses the connection from here on. */
  established(conn: QuicheConn): QuicConnUser;
  /** The connection is over, and its ids mean nothing any more. */
  gone(conn: QuicheConn): void;
  /** The library, or who uses the connection, has thrown. */
  failed(conn: QuicheConn, error: unknown): void;
  /** Bytes that bring nothing, and how soon (in ms) they are allowed again: more end the connection. */
  readonly overhead: { readonly max: number; readonly recovery: number };
  /** The code that a flood of them ends the connection with. */
  readonly floodCode: number;
}

export class QuicheConn implements QuicConn, PacketSender {
  readonly native: NativeConn;
  readonly #owner: QuicheConnOwner;
  readonly #overhead: TokenBucket;
  readonly #streams: StreamIds;
  #user: QuicConnUser | undefined;
  #timer: NodeJS.Timeout | undefined;
  #timerDue = Infinity;
  /** Its user is being called: what that changes is sent afterwards. */
  #isAdvancing = false;
  /** What has come may be a replay, when that was looked at last. */
  #isEarly = true;
  #isClosed = false;
  /** Its user has been told that it is over. */
  #isOver = false;
  #isGone = false;

  constructor(native: NativeConn, isServer: boolean, owner: QuicheConnOwner) {
    const { max, recovery } = owner.overhead;
    this.native = native;
    this.#owner = owner;
    this.#overhead = new TokenBucket(max, recovery, () => performance.now());
    this.#streams = new StreamIds(native, isServer);
  }

  /** Its handshake was complete at some time. */
  get isEstablished(): boolean {
    return this.#user !== undefined;
  }

  // ---- datagrams ----

  /** A datagram has come. Its bytes are changed. */
  received(datagram: Buffer, path: PacketPath): void {
    if (this.#isGone) return;
    // CVE-2024-1765, CVE-2023-6193 and others of the kind: frames that cost memory and bring nothing.
    if (!this.#overhead.spend(datagram.length)) this.#close(this.#owner.floodCode, flood);
    try {
      this.native.recv(datagram, path);
    } catch {
      // It has closed the connection for what it refuses, or it is no packet of it.
      this.#isClosed ||= this.native.localError() !== null;
    }
    this.#owner.isDirty(this);
  }

  /** What has come in this turn is read, and what was written is sent. */
  endOfTurn(): void {
    this.makePackets();
    QuicheConn.sendPackets();
  }

  /** The same, but packets wait for `sendPackets`, which is called for all connections of a turn. */
  makePackets(): void {
    if (this.#isGone) return;
    try {
      this.#isClosed ||= this.native.isDraining() || this.native.isClosed();
      this.#advance();
      if (!this.#makeAll()) this.#owner.isDirty(this);
      this.#setTimer();
      if (!this.#isClosed) return;
      // Its owner may close the socket as soon as it hears that it is over.
      QuicheConn.sendPackets();
      if (this.native.isDraining() || this.native.isClosed()) this.#end();
      if (this.native.isClosed()) this.#go();
    } catch (error) {
      // Nobody else would catch it, and the process would end.
      this.#owner.failed(this, error);
      this.abandon();
    }
  }

  /** Sends the packets of all connections that have been made. */
  static sendPackets(): void {
    burst.send();
  }

  sendPacket(packet: Buffer, to: HostPort): boolean {
    if (this.#isGone) return true;
    try {
      return this.#owner.send(packet, to);
    } catch (error) {
      this.#owner.failed(this, error);
      this.abandon();
      return false;
    }
  }

  /** Forgets the connection: nothing is sent any more, not even that it is over. */
  abandon(): void {
    this.#end();
    this.#go();
  }

  #advance(): void {
    if (this.#isOver) return;
    this.#isAdvancing = true;
    try {
      if (this.#user === undefined && (this.native.isEstablished() || this.native.isInEarlyData()))
        this.#user = this.#owner.established(this);
      if (!this.#isClosed) this.#user?.advance();
    } catch (error) {
      this.#owner.failed(this, error);
      this.close(this.#owner.floodCode, "");
    } finally {
      this.#isAdvancing = false;
    }
  }

  /** False: there is more to send than one turn should take. */
  #makeAll(): boolean {
    for (let packets = 0; packets < maxPackets; packets++) {
      const sent = this.#nextPacket();
      if (sent === null) return true;
      const [size, { to }] = sent;
      // What acknowledges it is no overhead.
      this.#overhead.earn(sizeOfAcknowledgment);
      burst.add(size, this, to);
    }
    return false;
  }

  #nextPacket(): ReturnType<NativeConn["send"]> {
    try {
      return this.native.send(burst.room);
    } catch {
      return null;
    }
  }

  #setTimer(): void {
    const ms = this.#isGone ? null : this.native.timeout();
    const due = ms === null ? Infinity : performance.now() + ms;
    // A timer that is too early looks again: moving it for each packet would cost more.
    if (due >= this.#timerDue) return;
    clearTimeout(this.#timer);
    this.#timerDue = due;
    this.#timer = setTimeout(() => this.#timeIsUp(), Math.max(0, due - performance.now()));
  }

  #timeIsUp(): void {
    this.#timerDue = Infinity;
    const left = this.#attempt(() => this.native.timeout()) ?? 0;
    if (left <= 0) this.#attempt(() => this.native.onTimeout());
    this.endOfTurn();
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    try {
      this.#user?.closed();
    } catch (error) {
      this.#owner.failed(this, error);
    }
  }

  #go(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    clearTimeout(this.#timer);
    this.#owner.gone(this);
  }

  // ---- for who uses it ----

  get isClosed(): boolean {
    return this.#isClosed || this.#isOver;
  }

  get isInEarlyData(): boolean {
    // Once it is over, it stays so: each request asks.
    this.#isEarly &&= this.native.isInEarlyData();
    return this.#isEarly;
  }

  begun(): readonly number[] {
    return this.isClosed ? none : this.#streams.begun();
  }

  readable(): readonly number[] {
    return this.isClosed ? none : this.#streams.readable();
  }

  isAtEnd(streamId: number): boolean {
    return this.#attempt(() => this.native.streamFinished(streamId)) ?? false;
  }

  read(streamId: number, most = scratch.length): QuicPiece | QuicReset | undefined {
    try {
      const got = this.native.streamRecv(streamId, roomFor(most));
      if (got === null) return undefined;
      const [size, isEnd] = got;
      this.#overhead.earn(size + sizeOfHeaders);
      // The peer has to hear that it may send more: it may be waiting for nothing else.
      if (!this.#isAdvancing) this.flush();
      return { bytes: copyOf(scratch, size), isEnd };
    } catch (error) {
      const code = codeIn(error, "StreamReset");
      return code === undefined ? undefined : { resetBy: code };
    }
  }

  write(streamId: number, bytes: Uint8Array, isEnd: boolean): number {
    if (this.isClosed) return -1;
    try {
      return this.native.streamSend(streamId, bytes, isEnd) ?? 0;
    } catch {
      // Stopped by the peer, or gone.
      return -1;
    }
  }

  end(streamId: number): "ended" | "blocked" | "stopped" {
    if (this.isClosed) return "stopped";
    // The library forgets a stream when all of its bytes are acknowledged, and an end that was not sent by then with
    // it. So an end is written when there is room for its packet, which is made before anything else is received.
    const capacity = this.#capacityOf(streamId) ?? this.#capacityOfNew(streamId);
    if (capacity === undefined) return "stopped";
    if (capacity === 0) return "blocked";
    if (this.#attempt(() => this.native.streamSend(streamId, nothing, true)) === undefined) return "stopped";
    if (!this.#makeAll()) this.#owner.isDirty(this);
    return "ended";
  }

  isStopped(streamId: number): boolean {
    // A stream that the peer has stopped, and that has come in full, is soon forgotten: then it is unknown.
    return this.#capacityOf(streamId) === undefined;
  }

  isDelivered(streamId: number): boolean {
    return this.#capacityOf(streamId) === undefined;
  }

  openUni(): number | undefined {
    return this.isClosed ? undefined : this.#streams.openUni();
  }

  get bidiRoom(): number {
    return this.isClosed ? 0 : (this.#attempt(() => this.native.peerStreamsLeftBidi()) ?? 0);
  }

  openBidi(): number | undefined {
    return this.bidiRoom > 0 ? this.#streams.openBidi() : undefined;
  }

  reset(streamId: number, code: number): void {
    this.#attempt(() => this.native.streamShutdown(streamId, shutdown.write, code));
  }

  stop(streamId: number, code: number): void {
    // What has come counts in the window of the connection until it is read: the library does not see to that.
    let piece = this.read(streamId);
    while (piece !== undefined && "bytes" in piece && !piece.isEnd) piece = this.read(streamId);
    this.#attempt(() => this.native.streamShutdown(streamId, shutdown.read, code));
  }

  prioritize(streamId: number, urgency: number, isIncremental: boolean): void {
    this.#attempt(() => this.native.streamPriority(streamId, urgency, isIncremental));
  }

  ping(): void {
    this.#attempt(() => this.native.sendAckEliciting());
    this.flush();
  }

  receiveDatagram(): Buffer | undefined {
    const size = this.#attempt(() => this.native.dgramRecv(scratch));
    if (size === undefined || size === null) return undefined;
    this.#overhead.earn(size + sizeOfHeaders);
    return copyOf(scratch, size);
  }

  sendDatagram(bytes: Uint8Array): boolean {
    if (this.isClosed || bytes.length > this.maxDatagramSize) return false;
    return this.#attempt(() => this.native.dgramSend(bytes) !== null) ?? false;
  }

  get maxDatagramSize(): number {
    return this.#attempt(() => this.native.dgramMaxWritableLen()) ?? 0;
  }

  close(code: number, reason: string): void {
    this.#close(code, Buffer.from(reason));
    this.flush();
  }

  flush(): void {
    if (!this.#isAdvancing) this.#owner.isDirty(this);
  }

  #close(code: number, reason: Buffer): void {
    this.#isClosed = true;
    this.#attempt(() => this.native.close(true, code, reason));
  }

  /** How many bytes a stream takes. `undefined`: it has been stopped, or is not known: not yet, or not any more. */
  #capacityOf(streamId: number): number | undefined {
    return this.#attempt(() => this.native.streamCapacity(streamId));
  }

  /** The same, of a stream that we have opened and sent nothing on: the library knows it only from now on. */
  #capacityOfNew(streamId: number): number | undefined {
    this.#attempt(() => this.native.streamSend(streamId, nothing, false));
    return this.#capacityOf(streamId);
  }

  /** `undefined`: the library refuses it. */
  #attempt<T>(run: () => T): T | undefined {
    try {
      return run();
    } catch {
      return undefined;
    }
  }
}

/** The number in an error such as `StreamReset(268)`. */
function codeIn(error: unknown, name: string): number | undefined {
  const found = error instanceof Error ? /^(\w+)\((\d+)\)/.exec(error.message) : null;
  return found?.[1] === name ? Number(found[2]) : undefined;
}

/** In bytes: what every network takes with the headers of IPv6 and UDP, and what browsers send. */
export const maxDatagram = 1350;

/**
 * Packets of one connection in one turn of the event loop: as many datagrams as Node.js reads of a socket in one. More
 * overflow the buffer of a receiver that is as busy as we are, and what is lost comes late.
 */
const maxPackets = 32;

/** In bytes, roughly. */
const sizeOfAcknowledgment = 100;
/** Of packets and frames around a piece of a stream, in bytes, roughly. */
const sizeOfHeaders = 100;

/** The first bytes of a buffer that is used again. */
function copyOf(bytes: Buffer, size: number): Buffer {
  const copy = Buffer.allocUnsafe(size);
  bytes.copy(copy, 0, 0, size);
  return copy;
}

/** Where up to `most` bytes of a stream are read. */
function roomFor(most: number): Buffer {
  if (most >= scratch.length) return scratch;
  if (most !== room.length) room = scratch.subarray(0, most);
  return room;
}

/** Of all connections of the process. Some more than those of one connection: others have a part in most turns. */
const burst = new PacketBurst(maxDatagram, 2 * maxPackets);
const flood = Buffer.from("it floods us with frames that bring nothing");
/** Where streams are read. */
const scratch = Buffer.allocUnsafeSlow(64 * 1024);
/** The part of it that was read into last. */
let room = scratch;

const none: readonly number[] = [];
const nothing = Buffer.alloc(0);
