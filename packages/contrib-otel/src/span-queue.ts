// The spans that wait for the collector: bounded, sent in batches, one after the other.
//
//   takeSpan ──> queue ── maxBatch, or every interval ──> send ── accepted ──────────────> counted as sent
//                  │ full                                  ├─ for now not, at most twice ─> again at the next interval
//                  └────────────> counted as dropped <─────┴─ refused, or a third time

import type { Span } from "@hemi/internal";

/** What the collector says to a batch. */
export type Outcome = "accepted" | "again" | "refused";

export interface SpanQueueOptions {
  /** Read at each use: live props change them. Spans. */
  readonly limits: { readonly maxQueue: number; readonly maxBatch: number; readonly interval: number };
  /** Never rejects. */
  readonly send: (spans: readonly Span[]) => Promise<Outcome>;
  readonly sent: (count: number) => void;
  readonly dropped: (count: number) => void;
}

export class SpanQueue {
  readonly #options: SpanQueueOptions;
  #waiting: Span[] = [];
  /** Being sent, or to be sent again. */
  #batch: readonly Span[] = [];
  #failures = 0;
  #sending: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: SpanQueueOptions) {
    this.#options = options;
  }

  add(span: Span): void {
    const { limits, dropped } = this.#options;
    if (this.#isClosed || this.#waiting.length + this.#batch.length >= limits.maxQueue) return dropped(1);
    this.#waiting.push(span);
    if (this.#waiting.length >= limits.maxBatch && this.#failures === 0) this.#flush();
    else this.#plan();
  }

  /** Sends what is left, once, and drops what is not accepted. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#isClosed = true;
    await this.#sending;
    while (this.#take()) {
      await this.#send();
      if (this.#failures > 0) break;
    }
    const left = this.#batch.length + this.#waiting.length;
    this.#batch = this.#waiting = [];
    if (left > 0) this.#options.dropped(left);
  }

  #plan(): void {
    if (this.#isClosed) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#flush();
    }, this.#options.limits.interval).unref();
  }

  #flush(): void {
    if (this.#sending !== undefined || this.#isClosed || !this.#take()) return;
    this.#sending = this.#send().then(() => {
      this.#sending = undefined;
      const { length } = this.#waiting;
      if (this.#failures === 0 && length >= this.#options.limits.maxBatch) this.#flush();
      else if (length + this.#batch.length > 0) this.#plan();
    });
  }

  /** Makes a batch, unless one is to be sent again. False: there is nothing to send. */
  #take(): boolean {
    if (this.#batch.length === 0) this.#batch = this.#waiting.splice(0, this.#options.limits.maxBatch);
    return this.#batch.length > 0;
  }

  async #send(): Promise<void> {
    const { send, sent, dropped } = this.#options;
    const outcome = await send(this.#batch);
    if (outcome === "again" && ++this.#failures < maxTries) return;
    if (outcome === "accepted") sent(this.#batch.length);
    else dropped(this.#batch.length);
    this.#failures = 0;
    this.#batch = [];
  }
}

/** Of one batch. */
const maxTries = 3;
