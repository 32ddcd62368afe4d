// A circuit breaker: if too many requests fail, none is sent for a while.
//
//  closed ── too large a share of the last requests failed ──> open ── breakerTime ──> half open: one request
//     ^                                                          ^                        │ failed      │ succeeded
//     │                                                          └────────────────────────┘             │
//     └─────────────────────────────────────────────────────────────────────────────────────────────────┘

import type { ErrorLog } from "../log/error-log.ts";
import { RecentCounts } from "./recent-counts.ts";

export interface BreakerSettings {
  /** The share of failures among the last requests, in percent; 0: never opens. */
  readonly breakerRatio: number;
  /** With fewer requests than this, the breaker stays closed. */
  readonly breakerMinRequests: number;
  /** The time span of the last requests, in milliseconds. */
  readonly breakerWindow: number;
  /** How long no request is sent, in milliseconds. */
  readonly breakerTime: number;
}

export class CircuitBreaker {
  readonly #settings: BreakerSettings;
  readonly #log: ErrorLog;
  readonly #now: () => number;
  readonly #counts: RecentCounts<"good" | "bad">;
  /** On the monotonic clock; `undefined` if closed. */
  #openUntil: number | undefined;
  /**
   * The trial request is running. This is the time until which its outcome is awaited: if it finds no node, its end is
   * never reported.
   */
  #tryingUntil: number | undefined;

  constructor(settings: BreakerSettings, log: ErrorLog, now: () => number) {
    this.#settings = settings;
    this.#log = log;
    this.#now = now;
    this.#counts = new RecentCounts(() => settings.breakerWindow, now);
  }

  /**
   * Why no request may be sent now; `undefined` if one may. When half open, the one permitted request reports its
   * outcome with one of the other calls.
   */
  whyNot(): string | undefined {
    if (this.#openUntil === undefined) return undefined;
    const left = this.#openUntil - this.#now();
    if (left > 0) return `too many requests have failed: nothing is sent for another ${Math.ceil(left)} ms`;
    const now = this.#now();
    if (this.#tryingUntil !== undefined && now < this.#tryingUntil) {
      return "too many requests have failed: one shows whether more may be sent";
    }
    this.#tryingUntil = now + this.#settings.breakerTime;
    return undefined;
  }

  succeeded(): void {
    if (this.#settings.breakerRatio === 0) return;
    if (this.#openUntil === undefined) return this.#counts.add("good");
    if (this.#tryingUntil === undefined) return;
    this.#openUntil = undefined;
    this.#tryingUntil = undefined;
    this.#counts.clear();
    this.#log.info("requests are sent again: one has succeeded");
  }

  failed(): void {
    const { breakerRatio, breakerMinRequests } = this.#settings;
    if (breakerRatio === 0) return;
    if (this.#tryingUntil !== undefined) return this.#open("the one that was to show how things are has failed");
    if (this.#openUntil !== undefined) return;
    this.#counts.add("bad");
    const bad = this.#counts.of("bad");
    const all = bad + this.#counts.of("good");
    if (all < breakerMinRequests || bad * 100 < breakerRatio * all) return;
    this.#open(`${bad} of the last ${all} requests have failed`);
  }

  /** A request ended without an outcome: its client left. */
  unknown(): void {
    this.#tryingUntil = undefined;
  }

  #open(reason: string): void {
    const { breakerTime } = this.#settings;
    this.#tryingUntil = undefined;
    this.#openUntil = this.#now() + breakerTime;
    this.#log.warn(`nothing is sent for ${breakerTime} ms: ${reason}`);
  }
}
