// The key that session tickets are sealed with. It outlives certificates, and is replaced from time to time: whoever gets hold of it can
// read the recorded sessions that were resumed by its tickets (RFC 5077 5.5).

import { randomBytes } from "node:crypto";

export class TicketKey {
  #bytes = randomBytes(ticketKeySize);
  #madeAt: number;

  /** `now` in ms, on a clock that never goes back. */
  constructor(now: number) {
    this.#madeAt = now;
  }

  get bytes(): Buffer {
    return this.#bytes;
  }

  /** Replaces the key if it is older than `lifetime`, in ms. Tickets of the old one are then worth nothing: their holders make a full handshake. */
  replaceIfOlder(lifetime: number, now: number): boolean {
    if (now - this.#madeAt < lifetime) return false;
    this.#bytes = randomBytes(ticketKeySize);
    this.#madeAt = now;
    return true;
  }
}

/** What OpenSSL wants: a name, a key for the seal, a key for the cipher. */
const ticketKeySize = 48;
