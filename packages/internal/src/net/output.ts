// What a connection sends: text gathered to few writes, bytes behind it, and a promise for who waits until the client took it.
//
// Text is sent at the end of the turn of the event loop in which it was written: a head and the content behind it, and the answers to
// pipelined requests, share a write, whoever wrote them.

import type { Socket } from "node:net";
import { quietly } from "@hemi/common";
import { ExchanError } from "../web/exchan-error.ts";

export class Output {
  readonly #socket: Socket;
  readonly #maxWrite: number;
  /** Bytes 0 to 255, one a character: waits for the end of the turn. */
  #text = "";
  #isFlushDue = false;
  #needsDrain = false;
  /** Shared by all who wait. */
  #drained: PromiseWithResolvers<void> | undefined;

  /** `maxWrite`: bytes of more than this size are handed to the socket in several pieces. */
  constructor(socket: Socket, maxWrite = Infinity) {
    this.#socket = socket;
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
    else if (!this.#isFlushDue) {
      this.#isFlushDue = true;
      flushAtEndOfTurn(this);
    }
  }

  /** Bytes between two texts. They are not copied where they are many: nobody may change them afterwards. */
  writeBytes(before: string, bytes: Uint8Array, after: string): void {
    const head = this.#text + before;
    this.#text = "";
    if (head === "" && after === "") this.#writeAll(bytes);
    else if (bytes.length <= maxCopied) {
      // One buffer costs less than several in one call, up to sizes where copying does.
      const whole = Buffer.allocUnsafe(head.length + bytes.length + after.length);
      whole.write(head, 0, "latin1");
      whole.set(bytes, head.length);
      whole.write(after, head.length + bytes.length, "latin1");
      this.#noteWrite(this.#socket.write(whole));
    } else {
      this.#socket.cork();
      if (head !== "") this.#socket.write(head, "latin1");
      this.#writeAll(bytes);
      if (after !== "") this.#socket.write(after, "latin1");
      this.#socket.uncork();
    }
  }

  /** Bytes that are lent, between two texts. They are never copied; `written` is called when nobody needs them any more. */
  writeLent(before: string, bytes: Uint8Array, after: string, written: () => void): void {
    const head = this.#text + before;
    this.#text = "";
    const isAlone = head === "" && after === "";
    if (!isAlone) this.#socket.cork();
    if (head !== "") this.#socket.write(head, "latin1");
    this.#writeAll(bytes, written);
    if (after !== "") this.#socket.write(after, "latin1");
    if (!isAlone) this.#socket.uncork();
  }

  /**
   * Settles when the client has taken what was sent; rejects with HEMI_PEER_GONE. It may be left alone: a handlet that does not look
   * at it is careless, but when its client leaves, that must not end the process.
   */
  drained(): Promise<void> {
    if (this.#socket.destroyed) return quietly(Promise.reject(gone()));
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
    drained?.reject(gone());
  }

  /** Sends what has been gathered. */
  flush(): void {
    this.#isFlushDue = false;
    const text = this.#text;
    if (text === "") return;
    this.#text = "";
    this.#noteWrite(this.#socket.write(text, "latin1"));
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

export function gone(): ExchanError {
  return new ExchanError("HEMI_PEER_GONE", "the client has closed the connection");
}

/** Those that have something to send at the end of this turn of the event loop. */
let due: Output[] = [];

function flushAtEndOfTurn(output: Output): void {
  if (due.push(output) === 1) setImmediate(flushAll);
}

function flushAll(): void {
  const outputs = due;
  due = [];
  for (const output of outputs) output.flush();
}

/** Text is sent at this length, whatever comes. No prop: it is a matter of what a write costs, and much more than a head. */
const maxGathered = 64 * 1024;
/** Bytes up to this size are copied between their texts. No prop: it is a matter of what a copy costs. */
const maxCopied = 64 * 1024;
