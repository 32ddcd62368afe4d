// Remembers which responses were not stored, and why: requests for them need not wait for each other.

import { hash } from "node:crypto";

interface Refusal {
  readonly since: number;
  readonly until: number;
  readonly reason: string;
}

/** By key, for a time. Clients choose keys, and may choose long ones: the table holds their hashes. */
export class Refusals {
  readonly #byHash = new Map<string, Refusal>();

  /** `now` in milliseconds since the epoch, `time` in milliseconds. */
  add(key: string, reason: string, { now, time }: { readonly now: number; readonly time: number }): void {
    const hashed = hashOf(key);
    this.#byHash.delete(hashed);
    this.#byHash.set(hashed, { since: now, until: now + time, reason });
    if (this.#byHash.size <= maxRefusals) return;
    const [oldest] = this.#byHash.keys();
    if (oldest !== undefined) this.#byHash.delete(oldest);
  }

  delete(key: string): void {
    if (this.#byHash.size > 0) this.#byHash.delete(hashOf(key));
  }

  /** Whether the next response will most likely not be stored either. */
  has(key: string, now: number): boolean {
    if (this.#byHash.size === 0) return false;
    const refusal = this.#byHash.get(hashOf(key));
    // When the clock is put back, it must not last longer than it should.
    return refusal !== undefined && refusal.since <= now && now < refusal.until;
  }

  reasonOf(key: string): string | undefined {
    return this.#byHash.get(hashOf(key))?.reason;
  }
}

function hashOf(key: string): string {
  return hash("sha256", key, "base64url");
}

/** Not a prop: a forgotten one costs one wait. */
const maxRefusals = 10_000;
