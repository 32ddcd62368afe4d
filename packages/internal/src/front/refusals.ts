// Connections that were refused, told in few lines: a flood of them must not become a flood of the log.

import type { Deadline } from "@hemi/common";

export interface RefusalsOptions {
  /** Makes the deadline that ends an interval. */
  readonly makeDeadline: (onExpired: () => void) => Deadline;
  /** Tells of `count` refused connections; `latest` is the address of the last of them. */
  readonly tell: (count: number, latest: string) => void;
}

/** In ms. No prop: it is how much of it a reader of the log bears. */
export const tellingInterval = 10_000;

/**
 *   refused:   | |||| || |                |
 *   told:      1          interval: 7     1        the first at once, those within the interval after it together
 */
export class Refusals {
  readonly #tell: RefusalsOptions["tell"];
  readonly #deadline: Deadline;
  /** Not yet told. */
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

  /** Tells what is left to be told. */
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
