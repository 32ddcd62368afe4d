// Reports refused connections in few log lines: a flood of them must not flood the log.

import type { Deadline } from "@hemi/common";

/** What reporting refused connections needs. */
export interface RefusalsOptions {
  /** Makes the deadline that ends an interval. */
  readonly makeDeadline: (onExpired: () => void) => Deadline;
  /** Logs `count` refused connections; `latest` is the address of the last one. */
  readonly tell: (count: number, latest: string) => void;
}

/** In milliseconds. Not a prop: it limits repeated log lines. */
export const tellingInterval = 10_000;

/**
 *   refused:   | |||| || |                |
 *   logged:    1          interval: 7     1        the first at once, those within the following interval together
 */
export class Refusals {
  readonly #tell: RefusalsOptions["tell"];
  readonly #deadline: Deadline;
  /** Not logged yet. */
  #count = 0;
  #latest = "";

  constructor({ makeDeadline, tell }: RefusalsOptions) {
    this.#tell = tell;
    this.#deadline = makeDeadline(() => this.#intervalEnded());
  }

  /** A connection of this address was refused. */
  add(address: string): void {
    this.#count++;
    this.#latest = address;
    if (!this.#deadline.isSet) this.#intervalEnded();
  }

  /** Logs the rest. */
  close(): void {
    this.#deadline.clear();
    this.#tellNow();
  }

  #intervalEnded(): void {
    if (this.#tellNow()) this.#deadline.set(tellingInterval);
  }

  #tellNow(): boolean {
    const count = this.#count;
    if (count === 0) return false;
    this.#count = 0;
    this.#tell(count, this.#latest);
    return true;
  }
}
