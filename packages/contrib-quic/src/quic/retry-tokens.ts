// The tokens of Retry packets (RFC 9000 8.1.2): a client that sends one back has received it at its address. They hold
// all that we need to know later, so that a client without an address costs no memory.
//
//   MAC (16) | time in s (4) | the connection ID that the client chose first

import { createHmac, createSecretKey, timingSafeEqual, type KeyObject } from "node:crypto";
import type { Endpoint } from "@hemi/internal";

export class RetryTokens {
  readonly #key: KeyObject;
  readonly #now: () => number;

  /** `key`: a secret that all workers have. `now`: in ms since the epoch. */
  constructor(key: Buffer, now: () => number) {
    this.#key = createSecretKey(key);
    this.#now = now;
  }

  /** For a client whose first packet was sent to `dcid`; `newId` is where it is to send to from here on. */
  make(client: Endpoint, dcid: Buffer, newId: Buffer): Buffer {
    const body = Buffer.alloc(4 + dcid.length);
    body.writeUInt32BE(this.#seconds, 0);
    dcid.copy(body, 4);
    return Buffer.concat([this.#mac(client, newId, body), body]);
  }

  /** The connection ID that the client chose first; `undefined`: we did not make the token for it, or long ago. */
  read(token: Buffer, client: Endpoint, sentTo: Buffer): Buffer | undefined {
    if (token.length < macSize + 4) return undefined;
    const body = token.subarray(macSize);
    if (!timingSafeEqual(token.subarray(0, macSize), this.#mac(client, sentTo, body))) return undefined;
    const age = this.#seconds - body.readUInt32BE(0);
    return age >= -maxAge && age <= maxAge ? Buffer.from(body.subarray(4)) : undefined;
  }

  get #seconds(): number {
    return Math.floor(this.#now() / 1000);
  }

  #mac({ address, port }: Endpoint, id: Buffer, body: Buffer): Buffer {
    // With the size of the ID: bytes of it must not be able to pass for the time, nor the other way round.
    const mac = createHmac("sha256", this.#key).update(`${address} ${port} ${id.length} `).update(id).update(body);
    return mac.digest().subarray(0, macSize);
  }
}

const macSize = 16;
/** In s: a client sends it back at once. The clocks of processes differ less. */
const maxAge = 30;
