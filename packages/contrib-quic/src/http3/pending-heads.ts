// Streams of requests whose head has not come in full, or waits for QPACK: each for headTimeout at most, kept by one
// deadline.

import type { Deadline } from "@hemi/common";
import type { RequestStream } from "./request-stream.ts";

export interface PendingHeadsOptions {
  readonly makeDeadline: (onExpired: () => void) => Deadline;
  /** In ms. */
  readonly monotonic: () => number;
  /** In ms. Read when used: live. */
  readonly headTimeout: () => number;
  /** The head of a stream has not come in time. It is removed by whom this tells. */
  readonly expired: (stream: RequestStream) => void;
}

export class PendingHeads {
  readonly #options: PendingHeadsOptions;
  readonly #streams = new Map<number, RequestStream>();
  readonly #deadline: Deadline;

  constructor(options: PendingHeadsOptions) {
    this.#options = options;
    this.#deadline = options.makeDeadline(() => this.#expire());
  }

  get size(): number {
    return this.#streams.size;
  }

  find(id: number): RequestStream | undefined {
    return this.#streams.get(id);
  }

  add(stream: RequestStream): void {
    this.#streams.set(stream.id, stream);
    if (!this.#deadline.isSet) this.#deadline.set(this.#options.headTimeout());
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
    const { monotonic, headTimeout, expired } = this.#options;
    const now = monotonic();
    let next = Infinity;
    for (const stream of [...this.#streams.values()]) {
      const left = stream.beganAt + headTimeout() - now;
      if (left > 0) next = Math.min(next, left);
      else expired(stream);
    }
    if (next !== Infinity) this.#deadline.set(next);
  }
}
