// Finds out who a client is: SCRAM-SHA-256 with the verifiers of the configuration ("SASL Authentication").

import { createHmac, randomBytes } from "node:crypto";
import { int32, message, ProtocolError, readText } from "../protocol/messages.ts";
import { parseVerifier, ScramServer, verifierOf, type Verifier } from "../protocol/scram.ts";
import type { ConfiguredUser } from "../access.ts";
import { mechanism } from "../server/server-auth.ts";

/** The verifiers of all users. Unknown ones have one, too, so that nobody learns which users there are. */
export class Verifiers {
  readonly #passwords: ReadonlyMap<string, string>;
  readonly #known = new Map<string, Verifier>();
  readonly #secret = randomBytes(32);

  constructor(users: readonly ConfiguredUser[]) {
    this.#passwords = new Map(users.map(({ name, password }) => [name, password]));
  }

  of(user: string): Verifier {
    const known = this.#known.get(user);
    if (known !== undefined) return known;
    const password = this.#passwords.get(user);
    if (password !== undefined) {
      // At the first login: it takes some milliseconds.
      const verifier = parseVerifier(password) ?? verifierOf(password);
      this.#known.set(user, verifier);
      return verifier;
    }
    const mix = (what: string, size: number): Buffer =>
      createHmac("sha256", this.#secret).update(`${what} ${user}`).digest().subarray(0, size);
    return { iterations: 4096, salt: mix("salt", 16), storedKey: mix("stored", 32), serverKey: mix("server", 32) };
  }
}

/** What follows a message of the client: bytes for it, and whether it is known, or refused. */
export interface LoginReply {
  readonly send: Buffer | undefined;
  readonly outcome: "more" | "known" | "refused";
}

export class ClientLogin {
  readonly #scram: ScramServer;
  #hasBegun = false;

  constructor(verifier: Verifier) {
    this.#scram = new ScramServer(verifier);
  }

  /** The request for a password. */
  readonly request: Buffer = message("R", int32(10), `${mechanism}\0\0`);

  /** A message of the type `p`. Throws a ProtocolError for a malformed one. */
  answer(bytes: Buffer, start: number, end: number): LoginReply {
    if (!this.#hasBegun) {
      this.#hasBegun = true;
      const { text, next } = readText(bytes, start + 5, end);
      if (text !== mechanism || next + 4 > end) throw new ProtocolError(`a mechanism that is not ${mechanism}`);
      const reply = this.#scram.first(bytes.toString("utf8", next + 4, end));
      if (reply === undefined) throw new ProtocolError("a malformed message of SCRAM");
      return { send: message("R", int32(11), reply), outcome: "more" };
    }
    const proof = this.#scram.final(bytes.toString("utf8", start + 5, end));
    if (proof === undefined) return { send: undefined, outcome: "refused" };
    return { send: message("R", int32(12), proof), outcome: "known" };
  }
}
