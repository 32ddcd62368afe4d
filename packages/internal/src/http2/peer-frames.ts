// What the frames of the other side mean (RFC 9113 section 6), be it a client or a node, and what is wrong with those
// that are wrong.
//
// A frame is looked at here as far as can be without knowing what is done with its stream; what it asks for is done by
// the connection.

import { Buffer } from "node:buffer";
import { contentOfIdleFrame, type TokenBucket } from "./allowance.ts";
import { ClosedStreams } from "./closed-streams.ts";
import { defaultMaxFrameSize, errorCode, frameFlag, frameType, readUint31, type Http2ErrorCode } from "./frames.ts";
import type { HeadLimits } from "../http/head-limits.ts";
import { HpackDecoder, type DecodedBlock } from "./hpack/decoder.ts";
import { readSettings, settingSize, type PeerSettings } from "./peer-settings.ts";
import type { ReceivedContent } from "./received-content.ts";
import { readTrailers } from "./message-fields.ts";
import type { Fields } from "../http/fields.ts";

/** A stream, as who reads its frames sees it. */
export interface ReceivingStream {
  /** `undefined` where none is to come. */
  readonly content: ReceivedContent | undefined;
  trailers: Fields;
}

/** What a connection does when the other side's frames ask for it. */
export interface FrameTarget<Stream extends ReceivingStream> {
  /** Those that are not over on both sides. */
  stream(id: number): Stream | undefined;
  /** DATA has come, of which the payload takes up `frameSize` of the windows, and `start` to `end` are content. */
  contentArrived(stream: Stream, bytes: Buffer, start: number, end: number, frameSize: number, isEnd: boolean): void;
  /** DATA of a stream that is over has come. */
  contentDropped(frameSize: number, id: number): void;
  /** The other side has ended or reset a stream that is over: it sends nothing more on it. */
  peerEnded(id: number): void;
  settingsChanged(settings: PeerSettings): void;
  settingsAcknowledged(): void;
  pinged(payload: Buffer, isAck: boolean): void;
  /** The other side takes more on a stream, or on the connection if there is none. */
  windowWidened(stream: Stream | undefined, increment: number): void;
  streamReset(stream: Stream, code: number): void;
  /** The other side begins no stream any more, and looks at none of ours beyond `lastStreamId`. */
  peerLeaves(lastStreamId: number, code: number): void;
  /** Ends a stream that the other side has done something wrong on. */
  failStream(id: number, code: Http2ErrorCode, reason: string): void;
  /** Ends the connection. */
  fail(code: Http2ErrorCode, reason: string): void;
}

/** Looked at whenever they are used: live. */
export interface FrameLimits extends HeadLimits {
  readonly http2MaxContinuations: number;
  readonly http2MaxStreams: number;
}

export abstract class PeerFrames<Stream extends ReceivingStream> {
  /** The highest stream that has begun. */
  lastStreamId = 0;
  readonly closedByUs: ClosedStreams;
  readonly closedByPeer: ClosedStreams;
  protected readonly decoder = new HpackDecoder();
  readonly #target: FrameTarget<Stream>;
  readonly #limits: FrameLimits;
  readonly #idleFrames: TokenBucket;
  #hasSettings = false;
  /** The stream whose header block goes on in CONTINUATION frames; 0 if there is none. */
  #blockStreamId = 0;
  #blockEnds = false;
  #blockPieces: Buffer[] = [];
  #blockSize = 0;

  constructor(target: FrameTarget<Stream>, limits: FrameLimits, idleFrames: TokenBucket) {
    this.#target = target;
    this.#limits = limits;
    const maxStreams = () => limits.http2MaxStreams;
    this.closedByUs = new ClosedStreams(maxStreams);
    this.closedByPeer = new ClosedStreams(maxStreams);
    this.#idleFrames = idleFrames;
  }

  /** A whole header block that neither begins a request nor, as trailers, ends a message. */
  protected abstract headCame(bytes: Buffer, start: number, end: number, id: number, isEnd: boolean): void;
  /** Whether a header block of this stream is one for `headCame`. */
  protected abstract isHead(stream: Stream | undefined, id: number): boolean;
  protected abstract priorityUpdated(bytes: Buffer, start: number, end: number): void;

  /** A head has begun, and is not complete. */
  get isWithinBlock(): boolean {
    return this.#blockStreamId !== 0;
  }

  readonly take = (bytes: Buffer, start: number, end: number, type: number, flags: number, id: number): void => {
    const size = end - start;
    if (this.#blockStreamId !== 0 && (type !== frameType.continuation || id !== this.#blockStreamId))
      return this.#fail(errorCode.protocolError, "another frame stands in the midst of a head");
    if (!this.#hasSettings && type !== frameType.settings)
      return this.#fail(errorCode.protocolError, "its first frame is not SETTINGS");
    switch (type) {
      case frameType.data:
        return this.#data(bytes, start, end, flags, id);
      case frameType.headers:
        return this.#headers(bytes, start, end, flags, id);
      case frameType.priority:
        if (id === 0) return this.#onNoStream("PRIORITY");
        // What it would say is no longer in use (RFC 9113 5.3), but what it may not say is looked at.
        if (size !== 5)
          return this.#target.failStream(id, errorCode.frameSizeError, "a PRIORITY frame has not 5 bytes");
        if (readUint31(bytes, start) === id)
          return this.#fail(errorCode.protocolError, "a stream is said to depend on itself");
        return this.#idle();
      case frameType.rstStream:
        return this.#rstStream(bytes, start, size, id);
      case frameType.settings:
        return this.#settings(bytes, start, end, flags, id);
      case frameType.pushPromise:
        return this.#fail(errorCode.protocolError, "it pushes, and may not");
      case frameType.ping:
        if (id !== 0) return this.#onStream("PING");
        if (size !== 8) return this.#fail(errorCode.frameSizeError, "a PING frame has not 8 bytes");
        this.#target.pinged(bytes.subarray(start, end), (flags & frameFlag.ack) !== 0);
        return this.#idle();
      case frameType.goaway:
        if (id !== 0) return this.#onStream("GOAWAY");
        if (size < 8) return this.#fail(errorCode.frameSizeError, "a GOAWAY frame has less than 8 bytes");
        this.#target.peerLeaves(readUint31(bytes, start), bytes.readUInt32BE(start + 4));
        return this.#idle();
      case frameType.windowUpdate:
        return this.#windowUpdate(bytes, start, size, id);
      case frameType.continuation:
        return this.#continuation(bytes, start, end, flags);
      case frameType.priorityUpdate:
        return this.#priorityUpdate(bytes, start, end, id);
      default:
        // RFC 9113 4.1: what is not known is passed over.
        return this.#idle();
    }
  };

  #data(bytes: Buffer, start: number, end: number, flags: number, id: number): void {
    if (id === 0) return this.#onNoStream("DATA");
    const frameSize = end - start;
    let contentEnd = end;
    if ((flags & frameFlag.padded) !== 0) {
      if (frameSize === 0) return this.#tooShort("DATA");
      const padding = bytes[start] ?? 0;
      if (padding >= frameSize) return this.#fail(errorCode.protocolError, "padding fills up a frame");
      start++;
      contentEnd -= padding;
    }
    const isEnd = (flags & frameFlag.endStream) !== 0;
    if (start === contentEnd && !isEnd) this.#idle();
    const stream = this.#target.stream(id);
    if (stream === undefined) {
      if (!this.closedByUs.has(id)) return this.#notOpen(id, "DATA");
      // What was on its way comes in frames of some size; empty ones have been counted.
      if (start !== contentEnd && frameSize < contentOfIdleFrame) this.#idle();
      if (isEnd) this.#target.peerEnded(id);
      return this.#target.contentDropped(frameSize, id);
    }
    if (stream.content === undefined || stream.content.isWhole) {
      this.#target.contentDropped(frameSize, id);
      return this.#target.failStream(id, errorCode.streamClosed, "content came behind its end");
    }
    this.#target.contentArrived(stream, bytes, start, contentEnd, frameSize, isEnd);
  }

  #headers(bytes: Buffer, start: number, end: number, flags: number, id: number): void {
    if (id === 0) return this.#onNoStream("HEADERS");
    if ((id & 1) === 0) return this.#fail(errorCode.protocolError, "a stream has an even number");
    if ((flags & (frameFlag.padded | frameFlag.priority)) !== 0) {
      let padding = 0;
      if ((flags & frameFlag.padded) !== 0) padding = bytes[start++] ?? 0;
      let dependency = 0;
      if ((flags & frameFlag.priority) !== 0) {
        dependency = readUint31(bytes, start);
        start += 5;
      }
      if (start > end) return this.#tooShort("HEADERS");
      end -= padding;
      if (start > end) return this.#fail(errorCode.protocolError, "padding fills up a frame");
      if (dependency === id) return this.#fail(errorCode.protocolError, "a stream is said to depend on itself");
    }
    const isEnd = (flags & frameFlag.endStream) !== 0;
    if ((flags & frameFlag.endHeaders) !== 0) return this.#block(bytes, start, end, id, isEnd);
    this.#blockStreamId = id;
    this.#blockEnds = isEnd;
    this.#keepPiece(bytes, start, end);
  }

  #continuation(bytes: Buffer, start: number, end: number, flags: number): void {
    const id = this.#blockStreamId;
    if (id === 0) return this.#fail(errorCode.protocolError, "a CONTINUATION frame continues nothing");
    // CVE-2024-27316: frames without end, which all have to be kept or decoded.
    if (this.#blockPieces.length > this.#limits.http2MaxContinuations)
      return this.#fail(errorCode.enhanceYourCalm, "its head goes on in more frames than allowed");
    if (!this.#keepPiece(bytes, start, end) || (flags & frameFlag.endHeaders) === 0) return;
    const block = Buffer.concat(this.#blockPieces);
    this.#blockStreamId = 0;
    this.#blockPieces = [];
    this.#blockSize = 0;
    this.#block(block, 0, block.length, id, this.#blockEnds);
  }

  /** The piece is copied: it would keep all that was read with it. False: the head has become too large. */
  #keepPiece(bytes: Buffer, start: number, end: number): boolean {
    this.#blockSize += end - start;
    // A little more is decoded, so that its request can be answered with 431.
    if (this.#blockSize > this.#limits.maxHeadSize + defaultMaxFrameSize) {
      this.#fail(errorCode.enhanceYourCalm, "its head is larger than allowed before it is decoded");
      return false;
    }
    this.#blockPieces.push(Buffer.from(bytes.subarray(start, end)));
    return true;
  }

  /** A whole header block: a head, or trailers. */
  #block(bytes: Buffer, start: number, end: number, id: number, isEnd: boolean): void {
    const stream = this.#target.stream(id);
    if (this.isHead(stream, id)) return this.headCame(bytes, start, end, id, isEnd);
    if (stream === undefined && !this.closedByUs.has(id)) {
      if (id > this.lastStreamId) return this.#notOpen(id, "a head");
      return this.closedByPeer.has(id)
        ? this.#fail(errorCode.streamClosed, "a head came on a stream that has ended")
        : this.#fail(errorCode.protocolError, "a stream has a lower number than the one before it");
    }
    // Also for nobody: the table changes with it.
    const block = this.decode(bytes, start, end);
    if (block === undefined) return;
    if (stream === undefined) {
      if (isEnd) this.#target.peerEnded(id);
      return this.#idle();
    }
    const { content } = stream;
    if (content === undefined || content.isWhole)
      return this.#target.failStream(id, errorCode.streamClosed, "a head came behind the end of its message");
    const trailers = isEnd ? readTrailers(block) : undefined;
    if (trailers === undefined)
      return this.#target.failStream(id, errorCode.protocolError, "its trailers are malformed, or not the end");
    stream.trailers = trailers;
    this.#target.contentArrived(stream, bytes, end, end, 0, true);
  }

  /** `undefined`: it is broken, and so is the connection. */
  protected decode(bytes: Buffer, start: number, end: number): DecodedBlock | undefined {
    const block = this.decoder.decode(bytes, start, end, this.#limits);
    if (block === undefined) this.#fail(errorCode.compressionError, "a head could not be decoded");
    return block;
  }

  #rstStream(bytes: Buffer, start: number, size: number, id: number): void {
    if (id === 0) return this.#onNoStream("RST_STREAM");
    if (size !== 4) return this.#fail(errorCode.frameSizeError, "a RST_STREAM frame has not 4 bytes");
    const stream = this.#target.stream(id);
    if (stream !== undefined) return this.#target.streamReset(stream, bytes.readUInt32BE(start));
    if (id > this.lastStreamId) return this.#notOpen(id, "RST_STREAM");
    this.#target.peerEnded(id);
    this.#idle();
  }

  #settings(bytes: Buffer, start: number, end: number, flags: number, id: number): void {
    const size = end - start;
    if (id !== 0) return this.#onStream("SETTINGS");
    if ((flags & frameFlag.ack) !== 0) {
      if (size !== 0) return this.#fail(errorCode.frameSizeError, "an acknowledgement of SETTINGS holds some");
      if (!this.#hasSettings) return this.#fail(errorCode.protocolError, "its first frame is not SETTINGS");
      this.#target.settingsAcknowledged();
      return this.#idle();
    }
    if (size % settingSize !== 0)
      return this.#fail(errorCode.frameSizeError, "a SETTINGS frame holds part of a setting");
    const settings = readSettings(bytes, start, end);
    if ("code" in settings) return this.#fail(settings.code, settings.reason);
    const isFirst = !this.#hasSettings;
    this.#hasSettings = true;
    this.#target.settingsChanged(settings);
    if (!isFirst) this.#idle(1 + Math.floor(size / 60));
  }

  #windowUpdate(bytes: Buffer, start: number, size: number, id: number): void {
    if (size !== 4) return this.#fail(errorCode.frameSizeError, "a WINDOW_UPDATE frame has not 4 bytes");
    const increment = readUint31(bytes, start);
    if (id === 0) {
      if (increment === 0) return this.#fail(errorCode.protocolError, "the connection's window is widened by nothing");
      this.#target.windowWidened(undefined, increment);
    } else {
      const stream = this.#target.stream(id);
      if (stream === undefined) {
        if (id > this.lastStreamId) return this.#notOpen(id, "WINDOW_UPDATE");
      } else if (increment === 0) {
        this.#target.failStream(id, errorCode.protocolError, "a window is widened by nothing");
      } else this.#target.windowWidened(stream, increment);
    }
    this.#idle();
  }

  #priorityUpdate(bytes: Buffer, start: number, end: number, id: number): void {
    if (id !== 0) return this.#onStream("PRIORITY_UPDATE");
    if (end - start < 4) return this.#fail(errorCode.frameSizeError, "a PRIORITY_UPDATE frame has less than 4 bytes");
    this.priorityUpdated(bytes, start, end);
    this.#idle();
  }

  /** A frame that brings neither a request nor content. */
  #idle(cost = 1): void {
    if (!this.#idleFrames.spend(cost))
      this.#fail(errorCode.enhanceYourCalm, "it floods us with frames that bring nothing");
  }

  #notOpen(id: number, what: string): void {
    if (id > this.lastStreamId) this.#fail(errorCode.protocolError, `${what} came on a stream that has not begun`);
    else this.#fail(errorCode.streamClosed, `${what} came on a stream that has ended`);
  }

  /** RFC 9113 4.2. */
  #tooShort(what: string): void {
    this.#fail(errorCode.frameSizeError, `a ${what} frame is too short for what its flags announce`);
  }

  #onNoStream(what: string): void {
    this.#fail(errorCode.protocolError, `${what} came on no stream`);
  }

  #onStream(what: string): void {
    this.#fail(errorCode.protocolError, `${what} came on a stream`);
  }

  #fail(code: Http2ErrorCode, reason: string): void {
    this.#target.fail(code, reason);
  }
}
