// The key that session tickets are sealed with. It outlives certificates, servers and stages, and is replaced from time
// to time: whoever gets hold of it can read the recorded sessions that were resumed by its tickets (RFC 5077 5.5).

import { randomBytes } from "node:crypto";

export class TicketKey {
  #bytes = randomBytes(ticketKeySize);
  #madeAt: number;

  /** `now` in ms, on a clock that never goes back. */
  constructor(now: number) {
    this.#madeAt = now;
  }

  /** The same buffer until the key is replaced. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  /**
   * Replaces the key if it is older than `lifetime`, in ms. Tickets of the old one are then worth nothing: their
   * holders make a full handshake.
   */
  replaceIfOlder(lifetime: number, now: number): void {
    if (now - this.#madeAt < lifetime) return;
    this.#bytes = randomBytes(ticketKeySize);
    this.#madeAt = now;
  }
}

/**
 * The one key of a process, which its listeners stand for: two servers of one site, or one server and the one that
 * replaces it in a reload, open each other's tickets. What keeps sessions of different sites apart is not the key, but
 * the context that each session carries.
 */
export function ticketKeyOf(listeners: object, now: number): TicketKey {
  let key = keys.get(listeners);
  if (key === undefined) keys.set(listeners, (key = new TicketKey(now)));
  return key;
}

const keys = new WeakMap<object, TicketKey>();

/** What OpenSSL wants: a name, a key for the seal, a key for the cipher. */
const ticketKeySize = 48;
