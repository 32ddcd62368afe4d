// What is sent on a stream and QUIC has not taken yet, in order.

import type { QuicConn } from "../quic/conn.ts";
import { frameHead, frameType } from "./frames.ts";

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

  /** Sends content in a DATA frame. */
  writeData(bytes: Uint8Array): void {
    const head = frameHead(frameType.data, bytes.length);
    if (bytes.length <= maxJoined) return this.write(Buffer.concat([head, bytes]), head.length, false);
    this.write(head, head.length, false);
    this.write(bytes, 0, false);
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

  /** Nothing more is sent. */
  drop(): void {
    this.#queue = [];
    this.#isEnding = false;
  }

  /** False: not all was taken, and the rest waits. */
  #send({ bytes, framing }: Waiting, isEnd: boolean): boolean {
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
}

const nothing = Buffer.alloc(0);

/** Content up to this is copied behind its head, in bytes: one call of QUIC costs more. */
export const maxJoined = 16 * 1024;
