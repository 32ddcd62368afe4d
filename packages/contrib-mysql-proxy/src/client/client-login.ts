// Finds out who a client is, if the proxy knows the password: by mysql_native_password or caching_sha2_password.

import { timingSafeEqual } from "node:crypto";
import type { ClientResponse } from "../protocol/handshake.ts";
import { newScramble, plugins, proofOf } from "../protocol/passwords.ts";
import { marks } from "../server/server-auth.ts";

/** What follows from a proof: a request to give another one, or whether the client is known. */
export type LoginStep = { readonly ask: Buffer } | "known" | "refused";

export class ClientLogin {
  readonly #password: string;
  #scramble: Buffer;
  /** The method by which the client has responded. */
  plugin: string;

  /** `scramble`: of our greeting. */
  constructor(password: string, scramble: Buffer, { plugin }: ClientResponse) {
    this.#password = password;
    this.#scramble = scramble;
    this.plugin = plugin;
  }

  /** The proof in the client's response, which is by the method of our greeting only if the client likes it. */
  first(proof: Buffer): LoginStep {
    if (this.plugin === plugins.sha2) return this.answered(proof);
    if (this.plugin !== plugins.native) this.plugin = plugins.sha2;
    this.#scramble = newScramble();
    return { ask: Buffer.concat([Buffer.of(marks.switch), Buffer.from(`${this.plugin}\0`), this.#scramble, zero]) };
  }

  answered(proof: Buffer): LoginStep {
    const right = proofOf(this.plugin, this.#password, this.#scramble);
    const isKnown = right?.length === proof.length && timingSafeEqual(right, proof);
    return isKnown ? "known" : "refused";
  }
}

const zero = Buffer.of(0);
