// The key that encrypts session tickets. It outlives certificates, servers and stages, and is replaced at intervals:
// whoever obtains it can decrypt recorded sessions that were resumed with its tickets (RFC 5077 5.5).

import { randomBytes } from "node:crypto";

export class TicketKey {
  #bytes = randomBytes(ticketKeySize);
  #madeAt: number;

  /** `now` in milliseconds, on a monotonic clock. */
  constructor(now: number) {
    this.#madeAt = now;
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
    this.#bytes = randomBytes(ticketKeySize);
    this.#madeAt = now;
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

/** The size that OpenSSL requires: a name, a MAC key, a cipher key. */
const ticketKeySize = 48;
