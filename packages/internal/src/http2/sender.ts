// Sends the frames of messages: at once as far as flow control allows it and the socket takes it, the rest when they
// do, by priority.

import { Buffer } from "node:buffer";
import {
  defaultMaxFrameSize,
  defaultWindow,
  frameFlag,
  frameHeaderSize,
  frameType,
  maxWindow,
  writeFrameHeader,
  type Http2ErrorCode,
} from "./frames.ts";
import type { HeaderBlocks } from "./header-blocks.ts";
import type { FrameOutput } from "./frame-output.ts";
import type { Priority } from "./priority.ts";
import { regionOfBlock, type RegionFrames } from "./region-frames.ts";
import { Scheduler } from "./scheduler.ts";
import { SendQueue } from "./send-queue.ts";

/** A stream, as who sends its frames sees it. */
export interface SendingStream {
  readonly id: number;
  readonly priority: Priority;
  /** What the other side still takes on it, in bytes; a change of settings can make it negative. */
  sendWindow: number;
  queue: SendQueue | undefined;
  /** So much of its content was put into the output; `endLeft` follows at once if it was the last. */
  contentLeft(size: number, isLast: boolean): void;
  /** Nothing of it waits any more. */
  queueEmptied(): void;
  /** Its last frame was put into the output. */
  endLeft(): void;
}

export class Sender<Heads extends HeaderBlocks> {
  readonly heads: Heads;
  /** What the other side still takes on all streams together, in bytes. */
  window = defaultWindow;
  /** In bytes, on all streams so far. */
  contentSent = 0;
  readonly #output: FrameOutput;
  readonly #scheduler = new Scheduler<SendingStream>();
  /** In bytes, live. */
  readonly #maxBuffered: () => number;
  /** Of files, what is being read just now, in bytes: the windows are without it already. */
  #reading = 0;
  /** Streams whose turn to read came when enough was being read. */
  #heldBack: SendingStream[] = [];

  /**
   * `maxBuffered`: no more of files is read ahead than makes up so many bytes with the output that waits, or one block.
   */
  constructor(output: FrameOutput, heads: Heads, maxBuffered = () => 0) {
    this.#output = output;
    this.heads = heads;
    this.#maxBuffered = maxBuffered;
  }

  /** A head, or trailers, which are the end. */
  sendBlock(streamId: number, block: Uint8Array, isEnd: boolean): void {
    const output = this.#output;
    const { length } = block;
    const endStream = isEnd ? frameFlag.endStream : 0;
    if (length <= maxShortBlock) {
      output.reserve(frameHeaderSize + length);
      const { bytes } = output;
      let at = writeFrameHeader(
        bytes,
        output.at,
        length,
        frameType.headers,
        frameFlag.endHeaders | endStream,
        streamId,
      );
      for (let i = 0; i < length; i++) bytes[at++] = block[i] ?? 0;
      output.at = at;
      return;
    }
    for (let start = 0; start < length;) {
      const end = Math.min(length, start + defaultMaxFrameSize);
      const type = start === 0 ? frameType.headers : frameType.continuation;
      const flags = (start === 0 ? endStream : 0) | (end === length ? frameFlag.endHeaders : 0);
      this.#frameHeader(end - start, type, flags, streamId);
      output.write(block, start, end);
      start = end;
    }
  }

  /** A short frame of the connection's own. */
  sendFrame(type: number, flags: number, streamId: number, payload: Uint8Array): void {
    this.#frameHeader(payload.length, type, flags, streamId);
    this.#output.write(payload);
  }

  /** What this side wants the other to keep to: pairs of identifiers and values. */
  sendSettings(values: readonly (readonly [id: number, value: number])[]): void {
    const payload = Buffer.alloc(values.length * 6);
    for (const [i, [id, value]] of values.entries()) payload.writeUInt32BE(value, payload.writeUInt16BE(id, i * 6));
    this.sendFrame(frameType.settings, 0, 0, payload);
  }

  sendGoaway(lastStreamId: number, code: Http2ErrorCode): void {
    const payload = Buffer.alloc(8);
    payload.writeUInt32BE(code, payload.writeUInt32BE(lastStreamId));
    this.sendFrame(frameType.goaway, 0, 0, payload);
  }

  /** A frame whose payload is one number of four bytes: WINDOW_UPDATE, RST_STREAM. */
  sendNumber(type: number, streamId: number, number: number): void {
    const output = this.#output;
    output.reserve(frameHeaderSize + 4);
    output.at = output.bytes.writeUInt32BE(number, writeFrameHeader(output.bytes, output.at, 4, type, 0, streamId));
  }

  /** Content that ends a stream nothing of which waits. False: it cannot be sent in one frame now. */
  sendLastText(stream: SendingStream, text: string, size: number): boolean {
    if (size > maxShortText || size > stream.sendWindow || size > this.window || !this.#isFree(stream)) return false;
    const output = this.#output;
    output.reserve(frameHeaderSize + size);
    const { bytes } = output;
    let at = writeFrameHeader(bytes, output.at, size, frameType.data, frameFlag.endStream, stream.id);
    if (size <= maxShortBlock && text.length === size) for (let i = 0; i < size; i++) bytes[at++] = text.charCodeAt(i);
    else at += bytes.write(text, at, "utf8");
    output.at = at;
    this.#contentLeft(stream, size, true);
    stream.endLeft();
    return true;
  }

  /** Content. What cannot be sent yet is kept, and must not be changed. Returns whether nothing of it is. */
  sendContent(stream: SendingStream, piece: Uint8Array, isEnd: boolean): boolean {
    const sent = this.#isFree(stream) ? this.#sendFrames(stream, piece, isEnd) : 0;
    if (sent === piece.length) {
      if (isEnd && sent === 0) this.end(stream, noTrailers);
      return true;
    }
    const queue = (stream.queue ??= new SendQueue());
    queue.add(sent === 0 ? piece : piece.subarray(sent));
    queue.isEnded = isEnd;
    this.#schedule(stream, queue);
    return false;
  }

  /**
   * Takes room for up to `size` bytes of a file out of the windows, when it is the stream's turn: only what can be sent
   * at once is to be read. Settles with how many bytes that are, and `sendRegion` or `giveRoomBack` must follow; 0: the
   * stream is over.
   */
  takeRoom(stream: SendingStream, size: number): Promise<number> {
    const queue = (stream.queue ??= new SendQueue());
    const region = (queue.region = Promise.withResolvers<number>());
    queue.regionSize = size;
    this.#schedule(stream, queue);
    this.pump();
    return region.promise;
  }

  /** What was read into a block for the `room` that was taken; nobody may change the block until `sent` is called. */
  sendRegion(stream: SendingStream, block: RegionFrames, size: number, room: number, sent: () => void): void {
    this.#output.hand(block.frames(size, stream.id), sent);
    this.contentSent += size;
    stream.contentLeft(size, false);
    this.#readingOver(stream, room, room - size);
  }

  /** Nothing of a file is sent for the room that was taken. */
  giveRoomBack(stream: SendingStream, room: number): void {
    this.#readingOver(stream, room, room);
  }

  #readingOver(stream: SendingStream, room: number, unused: number): void {
    this.#reading -= room;
    this.window += unused;
    stream.sendWindow += unused;
    const heldBack = this.#heldBack;
    this.#heldBack = [];
    for (const held of heldBack) if (held.queue !== undefined) this.#schedule(held, held.queue);
    this.pump();
  }

  /** The end of content that was sent before. */
  end(stream: SendingStream, trailerList: readonly string[]): void {
    const { queue } = stream;
    if (queue === undefined) return this.#sendEnd(stream, trailerList);
    queue.isEnded = true;
    queue.trailerList = trailerList;
  }

  /** Sends what waits, as far as it goes. */
  pump(): void {
    const output = this.#output;
    while (this.window > 0 && !output.isBlocked) {
      const stream = this.#scheduler.next();
      if (stream === undefined) return;
      const { queue } = stream;
      const piece = queue?.first;
      if (queue === undefined || stream.sendWindow <= 0) {
        this.#unschedule(stream);
        continue;
      }
      if (piece === undefined) {
        this.#giveRoom(stream, queue);
        continue;
      }
      const size = Math.min(piece.length - queue.offset, stream.sendWindow, this.window, defaultMaxFrameSize);
      const isWhole = queue.offset + size === piece.length;
      const isLast = isWhole && queue.isEnded && queue.length === 1 && queue.trailerList.length === 0;
      this.#sendFrame(stream, piece, queue.offset, size, isLast);
      queue.size -= size;
      if (!isWhole) queue.offset += size;
      else {
        queue.shift();
        if (queue.length === 0 && queue.region === undefined) this.#queueEmptied(stream, queue, isLast);
      }
    }
  }

  /** It is the stream's turn to read of its file. */
  #giveRoom(stream: SendingStream, queue: SendQueue): void {
    const size = Math.min(queue.regionSize, regionOfBlock, stream.sendWindow, this.window);
    this.#unschedule(stream);
    if (this.#reading > 0 && this.#reading + this.#output.backlog + size > this.#maxBuffered()) {
      this.#heldBack.push(stream);
      return;
    }
    if (queue.isEnded) {
      queue.region?.resolve(0);
      return this.#queueEmptied(stream, queue, false);
    }
    stream.queue = undefined;
    this.#reading += size;
    this.window -= size;
    stream.sendWindow -= size;
    queue.region?.resolve(size);
  }

  /** The other side takes more on a stream. False: more than there is. */
  widen(stream: SendingStream, amount: number): boolean {
    stream.sendWindow += amount;
    if (stream.sendWindow > maxWindow) return false;
    if (stream.queue !== undefined) this.#schedule(stream, stream.queue);
    return true;
  }

  /** Nothing more of the stream is sent. */
  forget(stream: SendingStream): void {
    if (stream.queue === undefined) return;
    this.#unschedule(stream);
    stream.queue.region?.resolve(0);
    stream.queue.drop();
    stream.queue = undefined;
  }

  /** The stream's priority has changed. */
  reprioritize(stream: SendingStream): void {
    if (stream.queue?.isScheduled !== true) return;
    this.#scheduler.remove(stream);
    this.#scheduler.add(stream, stream.priority);
  }

  /** Nobody's turn comes before this stream's. */
  #isFree(stream: SendingStream): boolean {
    return stream.queue === undefined && this.#scheduler.isEmpty && !this.#output.isBlocked;
  }

  /** Frames of a piece, as many as go now. Returns how much of the piece was sent. */
  #sendFrames(stream: SendingStream, piece: Uint8Array, isEnd: boolean): number {
    let at = 0;
    while (at < piece.length && !this.#output.isBlocked) {
      const size = Math.min(piece.length - at, stream.sendWindow, this.window, defaultMaxFrameSize);
      if (size <= 0) break;
      this.#sendFrame(stream, piece, at, size, isEnd && at + size === piece.length);
      at += size;
    }
    return at;
  }

  #sendFrame(stream: SendingStream, piece: Uint8Array, at: number, size: number, isLast: boolean): void {
    this.#frameHeader(size, frameType.data, isLast ? frameFlag.endStream : 0, stream.id);
    this.#output.write(piece, at, at + size);
    this.#contentLeft(stream, size, isLast);
    if (isLast) stream.endLeft();
  }

  #contentLeft(stream: SendingStream, size: number, isLast: boolean): void {
    this.window -= size;
    this.contentSent += size;
    stream.sendWindow -= size;
    stream.contentLeft(size, isLast);
  }

  #queueEmptied(stream: SendingStream, queue: SendQueue, isEndSent: boolean): void {
    this.#unschedule(stream);
    stream.queue = undefined;
    if (isEndSent) return;
    if (queue.isEnded) this.#sendEnd(stream, queue.trailerList);
    else stream.queueEmptied();
  }

  #sendEnd(stream: SendingStream, trailerList: readonly string[]): void {
    if (trailerList.length === 0) this.#frameHeader(0, frameType.data, frameFlag.endStream, stream.id);
    else this.sendBlock(stream.id, this.heads.encodeTrailers(trailerList), true);
    stream.endLeft();
  }

  #frameHeader(payloadSize: number, type: number, flags: number, streamId: number): void {
    const output = this.#output;
    output.reserve(frameHeaderSize);
    output.at = writeFrameHeader(output.bytes, output.at, payloadSize, type, flags, streamId);
  }

  #schedule(stream: SendingStream, queue: SendQueue): void {
    if (queue.isScheduled || stream.sendWindow <= 0 || (queue.size === 0 && queue.region === undefined)) return;
    queue.isScheduled = true;
    this.#scheduler.add(stream, stream.priority);
  }

  #unschedule(stream: SendingStream): void {
    if (stream.queue?.isScheduled !== true) return;
    stream.queue.isScheduled = false;
    this.#scheduler.remove(stream);
  }
}

const noTrailers: readonly string[] = [];
/** Copied byte by byte: for so few that costs less than a call of the platform. */
const maxShortBlock = 256;
/** One frame takes it, however small the client wants them. */
const maxShortText = defaultMaxFrameSize;
