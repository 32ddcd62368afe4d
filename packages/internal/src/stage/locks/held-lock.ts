// A lock that is held: what all lock services have in common. It watches the time by itself, so that its holder learns
// of a loss even if the service is gone.

import { HemiError } from "../../errors/hemi-error.ts";
import type { Lock } from "./lock-service.ts";

/** How a service keeps one lock. */
export interface HeldLockOptions {
  /** The name of the lock. */
  readonly name: string;
  /** The fencing token. */
  readonly token: number;
  /** In milliseconds. */
  readonly ttl: number;
  /** When the service was asked for it, on the clock of `performance.now`: `ttl` counts from there. */
  readonly askedAt: number;
  /** Prolongs it in the service. False: somebody else has it. May reject. */
  readonly renew: () => Promise<boolean>;
  /** Gives it back, unless somebody else has it. May reject. */
  readonly release: () => Promise<void>;
}

/** Made by an implementation of `LockService` for each lock that it gives. */
export class HeldLock implements Lock {
  readonly #options: HeldLockOptions;
  readonly #lost = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #isReleased = false;

  constructor(options: HeldLockOptions) {
    this.#options = options;
    this.#expireAfter(options.askedAt);
  }

  /** See `Lock`. */
  get name(): string {
    return this.#options.name;
  }

  get token(): number {
    return this.#options.token;
  }

  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  async renew(): Promise<void> {
    if (this.#isReleased) throw new HemiError("HEMI_USAGE", `the lock ${this.name} was released`);
    this.#lost.signal.throwIfAborted();
    const askedAt = performance.now();
    const isHeld = await this.#options.renew();
    if (!isHeld) this.lose("somebody else has it");
    this.#lost.signal.throwIfAborted();
    this.#expireAfter(askedAt);
  }

  async release(): Promise<void> {
    if (this.#isReleased) return;
    this.#isReleased = true;
    clearTimeout(this.#timer);
    if (this.#lost.signal.aborted) return;
    // It expires by itself.
    await this.#options.release().catch(() => {});
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  /** For a service that learns that the lock is gone. */
  lose(reason: string): void {
    clearTimeout(this.#timer);
    if (this.#isReleased || this.#lost.signal.aborted) return;
    this.#lost.abort(new HemiError("HEMI_TIMEOUT", `the lock ${this.name} was lost: ${reason}`));
  }

  #expireAfter(askedAt: number): void {
    if (this.#isReleased) return;
    clearTimeout(this.#timer);
    const { ttl } = this.#options;
    const left = askedAt + ttl - performance.now();
    const expire = (): void => {
      if (left > longestWait) this.#expireAfter(askedAt);
      else this.lose(`it was not renewed within ${ttl} ms`);
    };
    this.#timer = setTimeout(expire, Math.min(Math.max(0, left), longestWait)).unref();
  }
}

/** In milliseconds: timers of Node.js end at once if they are to wait for more than 24 days. */
const longestWait = 24 * 3_600_000;
