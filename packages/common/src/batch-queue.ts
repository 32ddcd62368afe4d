// Items that wait for a receiver elsewhere: bounded, sent in batches, one after the other.
//
//   add ──> queue ── maxBatch, or every interval ──> send ── accepted ───────────────────> counted as sent
//             │ full                                  ├─ for now not, below maxTries ────> again after retryAfter
//             └────────────> counted as dropped <─────┴─ refused, or the last try

/** What the receiver says to a batch. */
export type BatchOutcome = "accepted" | "again" | "refused";

export interface BatchQueueOptions<Item> {
  /**
   * Read at each use, because they may change. Items that wait at most, items of a batch, and how long an item waits
   * for others, in milliseconds.
   */
  readonly limits: { readonly maxQueue: number; readonly maxBatch: number; readonly interval: number };
  /** How often a batch is tried that is not accepted for now. Default: 3. */
  readonly maxTries?: number;
  /** The time between two tries, in milliseconds. Default: the interval. */
  readonly retryAfter?: number;
  /** Never rejects. */
  readonly send: (items: readonly Item[]) => Promise<BatchOutcome>;
  readonly sent: (count: number) => void;
  readonly dropped: (count: number) => void;
}

/** A queue that never makes who adds an item wait. It does not keep the process alive. */
export class BatchQueue<Item> {
  readonly #options: BatchQueueOptions<Item>;
  #waiting: Item[] = [];
  /** Being sent, or to be sent again. */
  #batch: readonly Item[] = [];
  #failures = 0;
  #sending: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: BatchQueueOptions<Item>) {
    this.#options = options;
  }

  /** Takes an item, or drops it if too many wait. */
  add(item: Item): void {
    const { limits, dropped } = this.#options;
    if (this.#isClosed || this.#waiting.length + this.#batch.length >= limits.maxQueue) return dropped(1);
    this.#waiting.push(item);
    if (this.#waiting.length >= limits.maxBatch && this.#failures === 0) this.#flush();
    else this.#plan();
  }

  /** Sends what is left, once, and drops what is not accepted. Twice is harmless. */
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
    const { limits, retryAfter = limits.interval } = this.#options;
    this.#timer ??= setTimeout(
      () => {
        this.#timer = undefined;
        this.#flush();
      },
      this.#failures > 0 ? retryAfter : limits.interval,
    ).unref();
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
    const { send, sent, dropped, maxTries = 3 } = this.#options;
    const outcome = await send(this.#batch);
    if (outcome === "again" && ++this.#failures < maxTries) return;
    if (outcome === "accepted") sent(this.#batch.length);
    else dropped(this.#batch.length);
    this.#failures = 0;
    this.#batch = [];
  }
}
