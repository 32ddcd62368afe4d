// What the streams of a connection wait for, each with a limit of its own, kept by one deadline: it runs out when the
// first of them is due, and is moved only when one is due earlier. A stream that is answered at once never waits.

import type { Deadline } from "@hemi/common";

/** A stream that may wait. */
export interface WaitingStream<Wait> {
  /** What it waits for, and until when, on the monotonic clock. Only `StreamTimeouts` changes these three. */
  wait: Wait;
  /** In ms; `Infinity` while it waits for nothing. */
  waitsUntil: number;
  /** `progress` when it began to wait. */
  progressBefore: number;
}

export interface StreamTimeoutsOptions<Wait, Stream extends WaitingStream<Wait>> {
  /** Monotonic, in ms. */
  readonly monotonic: () => number;
  readonly makeDeadline: (onExpired: () => void) => Deadline;
  /** In ms, how long is waited for something. */
  readonly timeOf: (wait: Wait, stream: Stream) => number;
  /** What the other side has taken of all streams, in bytes. Default: it is not looked at. */
  readonly progress?: () => number;
  /** Those that may wait. */
  readonly streams: () => Iterable<Stream>;
  /** Is told of one that has waited for too long. */
  readonly expired: (stream: Stream, wait: Wait) => void;
}

/** Keeps the time limits of all streams of a connection. `Wait`: what a stream can wait for, such as `"write"`. */
export class StreamTimeouts<Wait, Stream extends WaitingStream<Wait>> {
  readonly #options: StreamTimeoutsOptions<Wait, Stream>;
  readonly #deadline: Deadline;
  /** When the deadline is set to. */
  #dueAt = Infinity;

  constructor(options: StreamTimeoutsOptions<Wait, Stream>) {
    this.#options = options;
    this.#deadline = options.makeDeadline(() => this.#expire());
  }

  /** Its whole time begins anew. */
  waitFor(stream: Stream, wait: Wait): void {
    const { monotonic, timeOf, progress } = this.#options;
    const now = monotonic();
    stream.wait = wait;
    stream.waitsUntil = now + timeOf(wait, stream);
    stream.progressBefore = progress?.() ?? 0;
    this.#setFor(stream.waitsUntil, now);
  }

  /** It is not waited for any more. */
  waitNoMore(stream: Stream): void {
    stream.waitsUntil = Infinity;
  }

  /** No more waiting. */
  end(): void {
    this.#deadline.clear();
  }

  #setFor(time: number, now: number): void {
    if (time >= this.#dueAt) return;
    this.#dueAt = time;
    this.#deadline.set(time - now);
  }

  #expire(): void {
    const { monotonic, streams, expired } = this.#options;
    this.#dueAt = Infinity;
    const now = monotonic();
    let next = Infinity;
    for (const stream of [...streams()]) {
      if (stream.waitsUntil <= now) {
        stream.waitsUntil = Infinity;
        expired(stream, stream.wait);
      } else next = Math.min(next, stream.waitsUntil);
    }
    if (next !== Infinity) this.#setFor(next, now);
  }
}
