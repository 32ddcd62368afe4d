// What the streams of a connection wait for, each with a limit of its own, kept by one deadline: it runs out when the first of them is due,
// and is moved only when one is due earlier. A stream that is answered at once never waits.

import type { Deadline } from "../http1/server-host.ts";
import type { Http2Exchan, StreamWait } from "./server-exchan.ts";
import type { Http2Host } from "./server-host.ts";

export class StreamPatience {
  readonly #host: Http2Host;
  readonly #streams: () => Iterable<Http2Exchan>;
  readonly #expired: (exchan: Http2Exchan, wait: StreamWait) => void;
  readonly #deadline: Deadline;
  /** When the deadline is set to. */
  #dueAt = Infinity;

  /** `streams` gives those that may wait; `expired` is told of one that has waited for too long. */
  constructor(
    host: Http2Host,
    streams: () => Iterable<Http2Exchan>,
    expired: (exchan: Http2Exchan, wait: StreamWait) => void,
  ) {
    this.#host = host;
    this.#streams = streams;
    this.#expired = expired;
    this.#deadline = host.makeDeadline(() => this.#expire());
  }

  /** Its whole time begins anew. */
  waitFor(exchan: Http2Exchan, wait: StreamWait): void {
    const now = this.#host.monotonic();
    if (wait === "content" && exchan.wait !== "content") exchan.waitingSince = now;
    exchan.wait = wait;
    exchan.waitsUntil = now + timeOf(wait, this.#host);
    this.#setFor(exchan.waitsUntil, now);
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
    this.#dueAt = Infinity;
    const now = this.#host.monotonic();
    let next = Infinity;
    for (const exchan of [...this.#streams()]) {
      if (exchan.waitsUntil <= now) {
        exchan.waitsUntil = Infinity;
        this.#expired(exchan, exchan.wait);
      } else next = Math.min(next, exchan.waitsUntil);
    }
    if (next !== Infinity) this.#setFor(next, now);
  }
}

function timeOf(wait: StreamWait, { settings }: Http2Host): number {
  switch (wait) {
    case "handle":
      return settings.handleTimeout;
    case "content":
      return settings.contentTimeout;
    case "write":
      return settings.writeTimeout;
  }
}
