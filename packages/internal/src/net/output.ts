// The output of a connection: text that is collected for few writes, bytes after it, and a promise for callers that
// wait until the client has read it.
//
// Small data is sent at the end of the turn of the event loop. So a head and its content, and the responses to
// pipelined requests, share one write. The writes of many connections follow each other, which costs a busy server 10 %
// less than a write after each request: its code and the peer's stay in the caches.

import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { quietly } from "@hemi/common";
import type { HemiError } from "../errors/hemi-error.ts";
import { DirectWriter } from "./direct-writer.ts";
import { flushAtEndOfTurn, type Due } from "./end-of-turn.ts";

export class Output implements Due {
  readonly #socket: Socket;
  readonly #writer: DirectWriter;
  readonly #gone: () => HemiError;
  readonly #maxWrite: number;
  /** Waits for the end of the turn; sent before the text. */
  #bytes: Uint8Array | undefined;
  /** Bytes 0 to 255, one per character. Waits for the end of the turn. */
  #text = "";
  isDue = false;
  #needsDrain = false;
  /** Shared by all waiting callers. */
  #drained: PromiseWithResolvers<void> | undefined;

  /**
   * `gone` makes the error for callers that wait when the peer is gone: HEMI_PEER_GONE. `maxWrite`: larger amounts of
   * bytes are passed to the socket in several pieces.
   */
  constructor(socket: Socket, gone: () => HemiError, maxWrite = Infinity) {
    this.#socket = socket;
    this.#writer = new DirectWriter(socket);
    this.#gone = gone;
    this.#maxWrite = maxWrite;
  }

  /** Whether the client reads more slowly than data is written, or not at all. */
  get isBlocked(): boolean {
    return this.#needsDrain || this.#socket.destroyed;
  }

  /** Whether nothing reaches the client any more. */
  get isCut(): boolean {
    return this.#socket.destroyed;
  }

  /** Whether a caller waits until the client has read the data. */
  get isAwaited(): boolean {
    return this.#drained !== undefined;
  }

  /** Text of bytes 0 to 255 only. */
  writeText(text: string): void {
    this.#text += text;
    if (this.#text.length > maxGathered) this.flush();
    else flushAtEndOfTurn(this);
  }

  /** Writes bytes between two texts. They must not be changed afterwards: they may be sent later, without a copy. */
  writeBytes(before: string, bytes: Uint8Array, after: string): void {
    if (bytes.length <= maxAsText) return this.writeText(before + latin1Of(bytes) + after);
    const head = this.#takeText(before);
    if (bytes.length > maxCopied) return this.#writeTogether(head, bytes, after);
    // One buffer is cheaper than several in one call, up to sizes where copying costs more.
    const whole = head === "" && after === "" ? bytes : joined(head, bytes, after);
    if (whole.length > maxWaiting) return this.#writeAll(whole);
    this.#bytes = whole;
    flushAtEndOfTurn(this);
  }

  /**
   * Writes borrowed bytes between two texts. They are never copied. `written` is called when they are no longer needed.
   */
  writeLent(before: string, bytes: Uint8Array, after: string, written: () => void): void {
    this.#writeTogether(this.#takeText(before), bytes, after, written);
  }

  /**
   * Settles when the peer has read the data; rejects with the error of a peer that is gone. A handlet may ignore the
   * promise: this is careless, but must not end the process when its client leaves.
   */
  drained(): Promise<void> {
    if (this.#socket.destroyed) return quietly(Promise.reject(this.#gone()));
    if (!this.isBlocked) return Promise.resolve();
    if (this.#drained === undefined) {
      this.#drained = Promise.withResolvers<void>();
      void quietly(this.#drained.promise);
    }
    return this.#drained.promise;
  }

  /** The socket's buffer is empty. */
  unblocked(): void {
    this.#needsDrain = false;
    const drained = this.#drained;
    this.#drained = undefined;
    drained?.resolve();
  }

  /** The socket has closed. */
  closed(): void {
    const drained = this.#drained;
    this.#drained = undefined;
    drained?.reject(this.#gone());
  }

  /** Sends waiting data. */
  flush(): void {
    const bytes = this.#bytes;
    const text = this.#text;
    this.#bytes = undefined;
    this.#text = "";
    if (bytes !== undefined) this.#writeTogether("", bytes, text);
    else if (text !== "") this.#noteWrite(this.#writer.write(text));
  }

  /** The text to send before the next bytes. */
  #takeText(before: string): string {
    if (this.#bytes !== undefined) this.flush();
    const text = this.#text + before;
    this.#text = "";
    return text;
  }

  #writeTogether(before: string, bytes: Uint8Array, after: string, written?: () => void): void {
    if (before === "" && after === "") return this.#writeAlone(bytes, written);
    this.#socket.cork();
    if (before !== "") this.#socket.write(before, "latin1");
    this.#writeAll(bytes, written);
    if (after !== "") this.#noteWrite(this.#socket.write(after, "latin1"));
    this.#socket.uncork();
  }

  #writeAlone(bytes: Uint8Array, written: (() => void) | undefined): void {
    if (written !== undefined || bytes.length > this.#maxWrite) this.#writeAll(bytes, written);
    else this.#noteWrite(this.#writer.writeBytes(bytes));
  }

  #writeAll(bytes: Uint8Array, written?: () => void): void {
    const size = this.#maxWrite;
    let at = 0;
    for (; bytes.length - at > size; at += size) this.#socket.write(bytes.subarray(at, at + size));
    this.#noteWrite(this.#socket.write(at === 0 ? bytes : bytes.subarray(at), written));
  }

  #noteWrite(isTaken: boolean): void {
    if (!isTaken) this.#needsDrain = true;
  }
}

function latin1Of(bytes: Uint8Array): string {
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return buffer.toString("latin1");
}

function joined(before: string, bytes: Uint8Array, after: string): Buffer {
  const whole = Buffer.allocUnsafe(before.length + bytes.length + after.length);
  whole.write(before, 0, "latin1");
  whole.set(bytes, before.length);
  whole.write(after, before.length + bytes.length, "latin1");
  return whole;
}

/** Text of this length is sent at once. Not a prop: it depends on the cost of a write, and is much more than a head. */
const maxGathered = 64 * 1024;
/**
 * Bytes up to this size are converted to text, which is joined with the text before and after. Not a prop: it depends
 * on the cost of this.
 */
const maxAsText = 512;
/** Bytes up to this size are copied between their texts. Not a prop: it depends on the cost of a copy. */
const maxCopied = 64 * 1024;
/**
 * Bytes up to this size wait for the end of the turn. Not a prop: for larger sizes, the other costs of a request matter
 * little, and slow clients would occupy more memory before they are detected as slow.
 */
const maxWaiting = 16 * 1024;
