// Streams whose request was refused by its head: the short response that says so, until QUIC has taken all of it.

import type { Deadline } from "@hemi/common";
import type { QuicConn } from "../quic/conn.ts";
import { errorCode } from "./errors.ts";
import { StreamOutput } from "./stream-output.ts";

export interface RefusedStreamsOptions {
  readonly quic: QuicConn;
  readonly makeDeadline: (onExpired: () => void) => Deadline;
  /** In ms. */
  readonly monotonic: () => number;
  /** How long a client may take nothing, in ms. Read when used: live. */
  readonly writeTimeout: () => number;
  /** Some were given up. */
  readonly expired: () => void;
}

interface Refused {
  readonly output: StreamOutput;
  readonly since: number;
}

export class RefusedStreams {
  readonly #options: RefusedStreamsOptions;
  /** Those that the client has not taken in full. */
  readonly #waiting = new Map<number, Refused>();
  readonly #deadline: Deadline;

  constructor(options: RefusedStreamsOptions) {
    this.#options = options;
    this.#deadline = options.makeDeadline(() => this.#expire());
  }

  /** How many wait to be sent. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Answers a stream with these bytes, and ends it. */
  add(streamId: number, bytes: Buffer): void {
    const { quic, monotonic, writeTimeout } = this.#options;
    const output = new StreamOutput(quic, streamId);
    output.write(bytes, bytes.length, true);
    if (output.hasEnded || output.isStopped) return;
    this.#waiting.set(streamId, { output, since: monotonic() });
    if (!this.#deadline.isSet) this.#deadline.set(writeTimeout());
  }

  /** Sends on what waits. */
  flush(): void {
    for (const [id, { output }] of this.#waiting) {
      output.flush();
      if (output.hasEnded || output.isStopped) this.#waiting.delete(id);
    }
    if (this.#waiting.size === 0) this.#deadline.clear();
  }

  /** The connection is over. */
  clear(): void {
    this.#waiting.clear();
    this.#deadline.clear();
  }

  #expire(): void {
    const { quic, monotonic, writeTimeout, expired } = this.#options;
    const now = monotonic();
    let next = Infinity;
    for (const [id, { since }] of this.#waiting) {
      const left = since + writeTimeout() - now;
      if (left > 0) {
        next = Math.min(next, left);
        continue;
      }
      this.#waiting.delete(id);
      quic.reset(id, errorCode.requestCancelled);
    }
    if (next !== Infinity) this.#deadline.set(next);
    quic.flush();
    expired();
  }
}
