// What is sent on a stream and QUIC has not taken yet, in order.

import type { QuicConn } from "../quic/conn.ts";
import { frame, frameHead, frameType, maxFrameHead, writeFrameHead } from "./frames.ts";

/** Bytes that wait; the first `framing` of them are no content. */
interface Waiting {
  readonly bytes: Uint8Array;
  readonly framing: number;
}

export class StreamOutput {
  readonly #quic: QuicConn;
  readonly #id: number;
  #queue: Waiting[] = [];
  #isEnding = false;
  /** Content that QUIC has taken, in bytes. */
  contentTaken = 0;
  /** All of it was taken, the end too. */
  hasEnded = false;
  /** The peer takes no more. */
  isStopped = false;

  constructor(quic: QuicConn, streamId: number) {
    this.#quic = quic;
    this.#id = streamId;
  }

  /** Something waits until the client or the network takes more. */
  get isBlocked(): boolean {
    return this.#queue.length > 0 || (this.#isEnding && !this.hasEnded);
  }

  /** Sends bytes, of which the first `framing` are no content. `isEnd`: nothing follows them. */
  write(bytes: Uint8Array, framing: number, isEnd: boolean): void {
    this.#isEnding = isEnd;
    const waiting = { bytes, framing };
    if (this.#queue.length > 0) this.#queue.push(waiting);
    else if (this.#send(waiting, isEnd)) this.hasEnded = isEnd;
  }

  /**
   * Sends a whole message: a field section, and content of `size` bytes unless there is none. The bytes of the section
   * may be used again.
   */
  writeMessage(section: Uint8Array, content: string | Uint8Array, size: number): void {
    const isJoined = size <= maxJoined;
    const room = section.length + 2 * maxFrameHead + (isJoined ? size : 0);
    const bytes = room <= joined.length ? joined : Buffer.allocUnsafe(room);
    let at = writeFrameHead(frameType.headers, section.length, bytes, 0);
    bytes.set(section, at);
    at += section.length;
    if (size === 0) return this.#writeJoined(bytes, at, at, true);
    at = writeFrameHead(frameType.data, size, bytes, at);
    if (isJoined) return this.#writeJoined(bytes, putContent(content, bytes, at), at, true);
    this.#writeJoined(bytes, at, at, false);
    this.write(typeof content === "string" ? Buffer.from(content) : content, 0, true);
  }

  /** Sends content in a DATA frame. */
  writeData(content: Uint8Array): void {
    if (content.length > maxJoined) {
      const head = frameHead(frameType.data, content.length);
      this.write(head, head.length, false);
      return this.write(content, 0, false);
    }
    const at = writeFrameHead(frameType.data, content.length, joined, 0);
    this.#writeJoined(joined, putContent(content, joined, at), at, false);
  }

  /**
   * Ends a message, or a tunnel. An empty frame brings the end: by itself it could wait, or get lost (see
   * `QuicConn.end`).
   */
  endMessage(hasContent: boolean): void {
    const last = hasContent ? endOfContent : endWithoutContent;
    this.write(last, last.length, true);
  }

  /** Sends on what waits, as far as it is taken. Returns how many bytes that were. */
  flush(): number {
    let taken = 0;
    const queue = this.#queue;
    this.#queue = [];
    if (queue.length === 0 && this.#isEnding && !this.hasEnded) queue.push({ bytes: nothing, framing: 0 });
    for (const [i, waiting] of queue.entries()) {
      const isEnd = this.#isEnding && i === queue.length - 1;
      const before = waiting.bytes.length;
      const isTaken = this.#send(waiting, isEnd);
      taken += before - (this.#queue[0]?.bytes.length ?? 0);
      if (!isTaken) {
        this.#queue.push(...queue.slice(i + 1));
        return taken;
      }
      this.hasEnded = isEnd;
    }
    return taken;
  }

  /** Looks whether the peer takes no more, which nothing else tells while nothing is sent. */
  lookForStopped(): void {
    this.isStopped ||= !this.hasEnded && this.#quic.isStopped(this.#id);
  }

  /** Nothing more is sent. */
  drop(): void {
    this.#queue = [];
    this.#isEnding = false;
  }

  /** Sends bytes up to `end`, which are used again: what is not taken is copied. */
  #writeJoined(bytes: Buffer, end: number, framing: number, isEnd: boolean): void {
    const isFirst = this.#queue.length === 0;
    this.write(isFirst ? bytes.subarray(0, end) : Buffer.from(bytes.subarray(0, end)), framing, isEnd);
    const [rest] = this.#queue;
    if (isFirst && rest !== undefined) this.#queue = [{ bytes: Buffer.from(rest.bytes), framing: rest.framing }];
  }

  /** False: not all was taken, and the rest waits. */
  #send({ bytes, framing }: Waiting, isEnd: boolean): boolean {
    if (isEnd && bytes.length === 0) return this.#end();
    const taken = this.#quic.write(this.#id, bytes, isEnd);
    if (taken < 0) {
      this.isStopped = true;
      return false;
    }
    this.contentTaken += Math.max(0, taken - framing);
    if (taken === bytes.length) return true;
    this.#queue.push({ bytes: bytes.subarray(taken), framing: Math.max(0, framing - taken) });
    return false;
  }

  /** False: it has to wait. */
  #end(): boolean {
    const result = this.#quic.end(this.#id);
    if (result === "stopped") this.isStopped = true;
    else if (result === "blocked") this.#queue.push({ bytes: nothing, framing: 0 });
    return result === "ended";
  }
}

/** Copies content to `at`; returns where it ends. */
function putContent(content: string | Uint8Array, bytes: Buffer, at: number): number {
  if (typeof content === "string") return at + bytes.write(content, at);
  bytes.set(content, at);
  return at + content.length;
}

const nothing = Buffer.alloc(0);
const endOfContent = frame(frameType.data, nothing);
const endWithoutContent = frame(frameType.reserved, nothing);

/** Content up to this is copied behind its head, in bytes: one call of QUIC costs more. */
const maxJoined = 16 * 1024;
/** Where they are joined, with a head of the usual size. */
const joined = Buffer.allocUnsafeSlow(2 * maxJoined);
