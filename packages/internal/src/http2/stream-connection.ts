// What the HTTP/2 connections of both sides have in common: streams by their identifiers, flow control in both
// directions, and reading and writing in batches. What one reading of the socket brings is handled in one go, and what
// is said to it is sent in one write.
//
//   socket ─> FrameCutter ─> PeerFrames ─> streams ─> Sender ─> FrameOutput ─> socket

import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { TokenBucket, contentOfIdleFrame } from "./allowance.ts";
import type { FrameCutter } from "./frame-cutter.ts";
import { FrameOutput } from "./frame-output.ts";
import { defaultWindow, errorCode, frameFlag, frameType, maxWindow, type Http2ErrorCode } from "./frames.ts";
import type { HeaderBlocks } from "./header-blocks.ts";
import type { PeerFrames, ReceivingStream } from "./peer-frames.ts";
import type { PeerSettings } from "./peer-settings.ts";
import { Sender, type SendingStream } from "./sender.ts";
import { StreamTable } from "./stream-table.ts";
import { ReceiveWindow } from "./windows.ts";

export interface ConnectionStream extends SendingStream, ReceivingStream {
  /** The socket takes more: more may be sent, if nothing of this stream waits. */
  unblocked(): void;
}

/** All durations in ms. Looked at whenever they are used: live. */
export interface FloodLimits {
  readonly http2MaxIdleFrames: number;
  readonly http2FloodRecovery: number;
}

export interface StreamConnectionOptions<Heads> {
  readonly heads: Heads;
  /** What the other side may have under way on all streams together, in bytes. */
  readonly window: number;
  readonly limits: FloodLimits;
  /** In ms. */
  readonly monotonic: () => number;
  /** See `Sender`. */
  readonly maxBuffered?: () => number;
}

export abstract class StreamConnection<Stream extends ConnectionStream, Heads extends HeaderBlocks> {
  readonly sender: Sender<Heads>;
  protected readonly output: FrameOutput;
  /** What may come that brings neither messages nor content. */
  protected readonly idleFrames: TokenBucket;
  /** Those that are not over on both sides. */
  protected readonly streams = new StreamTable<Stream>();
  /** The initial window of streams that begin now, for what we send on them. */
  protected sendWindow = defaultWindow;
  /** What a reading has brought is being handled. */
  protected isAdvancing = false;
  protected abstract readonly frames: PeerFrames<Stream>;
  protected abstract readonly cutter: FrameCutter;
  readonly #window: ReceiveWindow;
  readonly #monotonic: () => number;
  /** When the clock was read for what is being handled. */
  #readingTime: number | undefined;
  #contentSentSeen = 0;
  #isPumpDue = false;

  constructor(socket: Socket, { heads, window, limits, monotonic, maxBuffered }: StreamConnectionOptions<Heads>) {
    this.output = new FrameOutput(socket);
    this.sender = new Sender(this.output, heads, maxBuffered);
    this.idleFrames = new TokenBucket(limits.http2MaxIdleFrames, limits.http2FloodRecovery, monotonic);
    this.#window = new ReceiveWindow(window);
    this.#monotonic = monotonic;
  }

  /** Ends the connection. */
  abstract fail(code: Http2ErrorCode, reason: string): void;
  /** Ends a stream that the other side has done something wrong on. */
  abstract failStream(id: number, code: Http2ErrorCode, reason: string): void;
  /** What was thrown while a reading was handled: a fault of ours. The connection must not go on. */
  protected abstract faulted(error: unknown): void;

  get isBlocked(): boolean {
    return this.output.isBlocked;
  }

  /** In ms, monotonic. All that one reading brings has the same time: to read the clock for each would cost more. */
  protected get now(): number {
    return this.isAdvancing ? (this.#readingTime ??= this.#monotonic()) : this.#monotonic();
  }

  stream(id: number): Stream | undefined {
    return this.streams.get(id);
  }

  // ---- reading and writing ----

  /** Handles what a reading has brought. */
  protected advance(chunk: Buffer): void {
    this.isAdvancing = true;
    this.#readingTime = undefined;
    try {
      this.read(chunk);
      if (this.#isPumpDue) this.#pump();
      this.readingOver();
    } catch (error) {
      // Nothing below should throw; what does must not leave a connection that neither goes on nor ends.
      this.faulted(error);
    } finally {
      this.isAdvancing = false;
    }
  }

  protected read(chunk: Buffer): void {
    this.cutter.push(chunk);
  }

  /** All that the reading has brought was handed to its streams. */
  protected readingOver(): void {
    // Most have nothing to do for it.
  }

  /** The socket has emptied. */
  protected drained(): void {
    this.output.unblocked();
    this.#pump();
    // What waited has filled it again: no stream may send more.
    if (this.isBlocked) return;
    for (const stream of this.streams.values()) stream.unblocked();
  }

  #pump(): void {
    this.#isPumpDue = false;
    this.sender.pump();
  }

  // ---- flow control ----

  windowWidened(stream: Stream | undefined, increment: number): void {
    this.idleFrames.earn((this.sender.contentSent - this.#contentSentSeen) / contentOfIdleFrame);
    this.#contentSentSeen = this.sender.contentSent;
    this.#isPumpDue = true;
    if (stream !== undefined) {
      if (!this.sender.widen(stream, increment))
        this.failStream(stream.id, errorCode.flowControlError, "it widens a window beyond 2^31 - 1");
      return;
    }
    this.sender.window += increment;
    if (this.sender.window > maxWindow)
      this.fail(errorCode.flowControlError, "it widens the connection's window beyond 2^31 - 1");
  }

  /**
   * Takes what has come out of the connection's window. False: it is more than was allowed, and the connection ends.
   */
  protected takeFromWindow(size: number): boolean {
    if (this.#window.take(size)) return true;
    this.fail(errorCode.flowControlError, "it sends more content on all streams than it may");
    return false;
  }

  /** The other side may send so much more on all streams together. */
  protected giveBack(size: number): void {
    const increment = this.#window.giveBack(size);
    if (increment > 0) this.sender.sendNumber(frameType.windowUpdate, 0, increment);
  }

  contentDropped(frameSize: number, _id: number): void {
    if (this.takeFromWindow(frameSize)) this.giveBack(frameSize);
  }

  /**
   * So much of a stream's content is no longer kept for it: the other side may send more. `isFast`: its reader is
   * faster than the other side may send, and its window grows, up to `maxWindow`.
   */
  protected giveBackOn({ id, content }: Stream, size: number, isFast: boolean, maxWindow: number): void {
    if (content === undefined || content.isWhole) return;
    const { window } = content;
    let increment = window.giveBack(size);
    if (increment === 0) return;
    if (isFast) increment += window.grow(Math.min(window.size * 2, maxWindow));
    this.sender.sendNumber(frameType.windowUpdate, id, increment);
  }

  // ---- frames of the connection ----

  /** Takes over what the other side wants, and acknowledges it. */
  settingsChanged({ headerTableSize, initialWindowSize }: PeerSettings): void {
    if (headerTableSize !== undefined) this.sender.heads.encoder.limitTable(headerTableSize);
    if (initialWindowSize !== undefined) {
      const difference = initialWindowSize - this.sendWindow;
      this.sendWindow = initialWindowSize;
      for (const stream of this.streams.values()) {
        if (!this.sender.widen(stream, difference))
          return this.fail(errorCode.flowControlError, "a change of its settings widens a window beyond 2^31 - 1");
      }
      this.#isPumpDue = true;
    }
    this.sender.sendFrame(frameType.settings, frameFlag.ack, 0, noBytes);
  }

  pinged(payload: Buffer, isAck: boolean): void {
    if (!isAck) this.sender.sendFrame(frameType.ping, frameFlag.ack, 0, payload);
  }

  protected resetStream(id: number, code: Http2ErrorCode): void {
    this.frames.closedByUs.add(id);
    this.sender.sendNumber(frameType.rstStream, id, code);
  }
}

const noBytes = Buffer.alloc(0);
