// The key that encrypts session tickets. It outlives certificates, servers and stages, and is replaced at intervals:
// whoever obtains it can decrypt recorded sessions that were resumed with its tickets (RFC 5077 5.5).

import { randomBytes } from "node:crypto";
import type { Workers } from "../../stage/workers.ts";

/** The key of session tickets of a process, or of all workers of its program. */
export class TicketKey {
  #bytes: Buffer = randomBytes(ticketKeySize);
  #madeAt: number;
  #workers: Workers | undefined;

  /** `now` in milliseconds, on a monotonic clock. */
  constructor(now: number) {
    this.#madeAt = now;
  }

  /**
   * From now on, the key is that of all workers of the program: a client may resume its session at any of them. Rejects
   * with HEMI_PROCESS. Calling it twice is harmless.
   */
  async shareAmong(workers: Workers, now: () => number): Promise<void> {
    if (this.#workers !== undefined) return;
    this.#workers = workers;
    let isRenewed = false;
    workers.onSecret(secretName, (bytes) => {
      isRenewed = true;
      this.#bytes = bytes;
      this.#madeAt = now();
    });
    const bytes = await workers.secret(secretName);
    // The news of a later one may overtake the answer.
    if (!isRenewed) this.#bytes = bytes;
  }

  /** The same buffer until the key is replaced. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  /**
   * Replaces the key if it is older than `lifetime`, in milliseconds. Tickets of the old key become invalid: their
   * clients make a full handshake.
   */
  replaceIfOlder(lifetime: number, now: number): void {
    if (now - this.#madeAt < lifetime) return;
    this.#madeAt = now;
    // All workers get the new key from the one that replaces it.
    if (this.#workers === undefined) this.#bytes = randomBytes(ticketKeySize);
    else if (this.#workers.isPrimary) this.#workers.renewSecret(secretName);
  }
}

/**
 * The key of a process, identified by its listeners. Two servers of one site, or a server and its replacement in a
 * reload, accept each other's tickets. Sessions of different sites are separated by the context in each session, not by
 * the key.
 */
export function ticketKeyOf(listeners: object, now: number): TicketKey {
  let key = keys.get(listeners);
  if (key === undefined) keys.set(listeners, (key = new TicketKey(now)));
  return key;
}

const keys = new WeakMap<object, TicketKey>();

const secretName = "tls-ticket-key";

/** The size that OpenSSL requires: a name, a MAC key, a cipher key. */
const ticketKeySize = 48;
