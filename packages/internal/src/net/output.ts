// What a connection sends: text gathered to few writes, bytes behind it, and a promise for who waits until the client took it.
//
// What is small is sent at the end of the turn of the event loop in which it was written. So a head and the content behind it, and the
// answers to pipelined requests, share a write, whoever wrote them; and the writes of many connections come one behind the other, which
// costs a busy server a tenth less than a write after each request: its code, and the peer's, stay at work.

import type { Socket } from "node:net";
import { quietly } from "@hemi/common";
import type { HemiError } from "../errors/hemi-error.ts";
import { flushAtEndOfTurn, type Due } from "./end-of-turn.ts";

export class Output implements Due {
  readonly #socket: Socket;
  readonly #gone: () => HemiError;
  readonly #maxWrite: number;
  /** Waits for the end of the turn, before the text. */
  #bytes: Uint8Array | undefined;
  /** Bytes 0 to 255, one a character: waits for the end of the turn. */
  #text = "";
  isDue = false;
  #needsDrain = false;
  /** Shared by all who wait. */
  #drained: PromiseWithResolvers<void> | undefined;

  /** `gone` makes the error for who waits when the peer is gone: HEMI_PEER_GONE. `maxWrite`: bytes of more than this size are handed to the socket in several pieces. */
  constructor(socket: Socket, gone: () => HemiError, maxWrite = Infinity) {
    this.#socket = socket;
    this.#gone = gone;
    this.#maxWrite = maxWrite;
  }

  /** The client takes less than it is sent, or nothing any more. */
  get isBlocked(): boolean {
    return this.#needsDrain || this.#socket.destroyed;
  }

  /** Nothing reaches the client any more. */
  get isCut(): boolean {
    return this.#socket.destroyed;
  }

  /** Someone waits until the client has taken what was sent. */
  get isAwaited(): boolean {
    return this.#drained !== undefined;
  }

  /** Text of bytes 0 to 255 only. */
  writeText(text: string): void {
    this.#text += text;
    if (this.#text.length > maxGathered) this.flush();
    else flushAtEndOfTurn(this);
  }

  /** Bytes between two texts. Nobody may change them afterwards: they may be sent later, and without a copy. */
  writeBytes(before: string, bytes: Uint8Array, after: string): void {
    if (bytes.length <= maxAsText) return this.writeText(before + latin1Of(bytes) + after);
    const head = this.#takeText(before);
    if (bytes.length > maxCopied) return this.#writeTogether(head, bytes, after);
    // One buffer costs less than several in one call, up to sizes where copying does.
    const whole = head === "" && after === "" ? bytes : joined(head, bytes, after);
    if (whole.length > maxWaiting) return this.#writeAll(whole);
    this.#bytes = whole;
    flushAtEndOfTurn(this);
  }

  /** Bytes that are lent, between two texts. They are never copied; `written` is called when nobody needs them any more. */
  writeLent(before: string, bytes: Uint8Array, after: string, written: () => void): void {
    this.#writeTogether(this.#takeText(before), bytes, after, written);
  }

  /**
   * Settles when the peer has taken what was sent; rejects with the error for a peer that is gone. It may be left alone: a handlet that does not look
   * at it is careless, but when its client leaves, that must not end the process.
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

  /** The socket has emptied. */
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

  /** Sends what waits. */
  flush(): void {
    const bytes = this.#bytes;
    const text = this.#text;
    this.#bytes = undefined;
    this.#text = "";
    if (bytes !== undefined) this.#writeTogether("", bytes, text);
    else if (text !== "") this.#noteWrite(this.#socket.write(text, "latin1"));
  }

  /** What is to stand before bytes that come now. */
  #takeText(before: string): string {
    if (this.#bytes !== undefined) this.flush();
    const text = this.#text + before;
    this.#text = "";
    return text;
  }

  #writeTogether(before: string, bytes: Uint8Array, after: string, written?: () => void): void {
    if (before === "" && after === "") return this.#writeAll(bytes, written);
    this.#socket.cork();
    if (before !== "") this.#socket.write(before, "latin1");
    this.#writeAll(bytes, written);
    if (after !== "") this.#noteWrite(this.#socket.write(after, "latin1"));
    this.#socket.uncork();
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

/** Text is sent at this length, whatever comes. No prop: it is a matter of what a write costs, and much more than a head. */
const maxGathered = 64 * 1024;
/** Bytes up to this size become text, which is joined with what is written before and after. No prop: it is a matter of what that costs. */
const maxAsText = 512;
/** Bytes up to this size are copied between their texts. No prop: it is a matter of what a copy costs. */
const maxCopied = 64 * 1024;
/**
 * Bytes up to this size wait for the end of the turn. No prop: with more of them, what else a request costs matters little, and slow
 * clients would keep more in memory before anybody saw that they are slow.
 */
const maxWaiting = 16 * 1024;
