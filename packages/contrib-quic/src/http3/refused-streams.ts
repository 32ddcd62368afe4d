// Streams whose request was refused by its head: the short response that says so, until QUIC has taken all of it.

import type { Deadline } from "@hemi/common";
import type { QuicConn } from "../quic/conn.ts";
import type { Http3CodecServer } from "./codec-server.ts";
import { errorCode } from "./errors.ts";
import { StreamOutput } from "./stream-output.ts";

interface Refused {
  readonly output: StreamOutput;
  readonly since: number;
}

export class RefusedStreams {
  readonly #server: Http3CodecServer;
  readonly #quic: QuicConn;
  readonly #expired: () => void;
  /** Those that the client has not taken in full. */
  readonly #waiting = new Map<number, Refused>();
  readonly #deadline: Deadline;

  /** `expired`: a client has taken nothing for `writeTimeout`, and some were given up. */
  constructor(server: Http3CodecServer, quic: QuicConn, expired: () => void) {
    this.#server = server;
    this.#quic = quic;
    this.#expired = expired;
    this.#deadline = server.makeDeadline(() => this.#expire());
  }

  /** How many wait to be sent. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Answers a stream with these bytes, and ends it. */
  add(streamId: number, bytes: Buffer): void {
    const output = new StreamOutput(this.#quic, streamId);
    output.write(bytes, bytes.length, true);
    if (output.hasEnded || output.isStopped) return;
    this.#waiting.set(streamId, { output, since: this.#server.monotonic() });
    if (!this.#deadline.isSet) this.#deadline.set(this.#server.settings.writeTimeout);
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
    const { writeTimeout } = this.#server.settings;
    const now = this.#server.monotonic();
    let next = Infinity;
    for (const [id, { since }] of this.#waiting) {
      const left = since + writeTimeout - now;
      if (left > 0) {
        next = Math.min(next, left);
        continue;
      }
      this.#waiting.delete(id);
      this.#quic.reset(id, errorCode.requestCancelled);
    }
    if (next !== Infinity) this.#deadline.set(next);
    this.#quic.flush();
    this.#expired();
  }
}
