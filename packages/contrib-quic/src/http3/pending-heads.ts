// Streams of requests whose head has not come in full, or waits for QPACK: each for headTimeout at most, kept by one
// deadline.

import type { Deadline } from "@hemi/common";
import type { Http3CodecServer } from "./codec-server.ts";
import type { RequestStream } from "./request-stream.ts";

export class PendingHeads {
  readonly #server: Http3CodecServer;
  readonly #expired: (stream: RequestStream) => void;
  readonly #streams = new Map<number, RequestStream>();
  readonly #deadline: Deadline;

  /** `expired`: the head of a stream has not come in time. It is removed by whom this tells. */
  constructor(server: Http3CodecServer, expired: (stream: RequestStream) => void) {
    this.#server = server;
    this.#expired = expired;
    this.#deadline = server.makeDeadline(() => this.#expire());
  }

  get size(): number {
    return this.#streams.size;
  }

  find(id: number): RequestStream | undefined {
    return this.#streams.get(id);
  }

  add(stream: RequestStream): void {
    this.#streams.set(stream.id, stream);
    if (!this.#deadline.isSet) this.#deadline.set(this.#server.settings.headTimeout);
  }

  delete(stream: RequestStream): void {
    this.#streams.delete(stream.id);
  }

  /** The connection is over. */
  clear(): void {
    this.#streams.clear();
    this.#deadline.clear();
  }

  #expire(): void {
    const { headTimeout } = this.#server.settings;
    const now = this.#server.monotonic();
    let next = Infinity;
    for (const stream of [...this.#streams.values()]) {
      const left = stream.beganAt + headTimeout - now;
      if (left > 0) next = Math.min(next, left);
      else this.#expired(stream);
    }
    if (next !== Infinity) this.#deadline.set(next);
  }
}
