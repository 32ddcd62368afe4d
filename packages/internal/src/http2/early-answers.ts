// Streams that were answered before their requests were complete. Each is reset with NO_ERROR, which tells the client
// to send no more of its request (RFC 9113 8.1), but not before the client has read the answer: clients that read both
// together see a closed stream, and lose the answer (curl: error 92 and no status).
//
//   answered ──> PING ── its acknowledgement, or lingerTimeout ──> RST_STREAM(NO_ERROR)
//      └─────────── the client ends or resets the stream itself ──> nothing
//
// What comes on such a stream meanwhile is dropped.

import type { Deadline } from "@hemi/common";

/** What it needs of its connection. */
export interface EarlyAnswersOptions {
  readonly makeDeadline: (onExpired: () => void) => Deadline;
  /** In ms, how long the acknowledgement is waited for. Live. */
  readonly timeout: () => number;
  /** Sends a PING behind what was sent so far; `acknowledged` is to be called for its acknowledgement. */
  readonly ping: () => void;
  /** Resets a stream with NO_ERROR. */
  readonly reset: (id: number) => void;
}

export class EarlyAnswers {
  readonly #options: EarlyAnswersOptions;
  readonly #deadline: Deadline;
  /** A PING is on its way. */
  #isPinging = false;
  /** Those that were answered before it was sent, and those that were answered since. */
  #before = new Set<number>();
  #since = new Set<number>();

  constructor(options: EarlyAnswersOptions) {
    this.#options = options;
    this.#deadline = options.makeDeadline(() => this.#resetAll());
  }

  /** How many streams are still to be reset. To their client, they are open. */
  get size(): number {
    return this.#before.size + this.#since.size;
  }

  /** The answer is complete, the request is not. */
  add(id: number): void {
    if (this.#isPinging) return void this.#since.add(id);
    this.#before.add(id);
    this.#ping();
  }

  /** The client sends nothing more on a stream. */
  delete(id: number): void {
    if (!this.#before.delete(id)) this.#since.delete(id);
  }

  /** The client has read what was sent before the PING. */
  acknowledged(): void {
    if (!this.#isPinging) return;
    const ids = this.#before;
    this.#before = this.#since;
    this.#since = new Set();
    this.#isPinging = false;
    this.#deadline.clear();
    for (const id of ids) this.#options.reset(id);
    if (this.#before.size > 0) this.#ping();
  }

  /** Nothing is waited for any more. */
  end(): void {
    this.#before.clear();
    this.#since.clear();
    this.#deadline.clear();
  }

  #ping(): void {
    this.#isPinging = true;
    this.#options.ping();
    this.#deadline.set(this.#options.timeout());
  }

  #resetAll(): void {
    const ids = [...this.#before, ...this.#since];
    this.end();
    for (const id of ids) this.#options.reset(id);
  }
}
