// Logs the proxy in at a server ("Start-up" in "Message Flow"): plain text over TLS only, MD5, or SCRAM-SHA-256.

import { createHash } from "node:crypto";
import { int32, message, readText } from "../protocol/messages.ts";
import { ScramClient } from "../protocol/scram.ts";

/** Who the proxy is at a server. */
export interface Credentials {
  readonly user: string;
  readonly password: string;
}

/** What to do with a request of the server: send bytes, nothing, or give up. */
export type LoginStep = { readonly send: Buffer } | { readonly failure: string } | "done" | "wait";

export class ServerLogin {
  readonly #credentials: Credentials;
  readonly #isSecure: boolean;
  #scram: ScramClient | undefined;
  #isProven = false;

  /** `isSecure`: the connection is encrypted. */
  constructor(credentials: Credentials, isSecure: boolean) {
    this.#credentials = credentials;
    this.#isSecure = isSecure;
  }

  /** Answers a message of the type `R`. */
  answer(bytes: Buffer, start: number, end: number): LoginStep {
    if (end - start < 9) return malformed;
    const method = bytes.readUInt32BE(start + 5);
    const { user, password } = this.#credentials;
    if (method === 0) {
      // A server that leaves out its proof may be another one.
      return this.#scram !== undefined && !this.#isProven
        ? { failure: "it did not prove that it knows the password" }
        : "done";
    }
    if (password === "") return { failure: `it wants a password of ${user}` };
    switch (method) {
      case 3:
        if (!this.#isSecure) return { failure: "it wants the password in plain text, without TLS" };
        return { send: message("p", `${password}\0`) };
      case 5: {
        if (end - start < 13) return malformed;
        const inner = md5(Buffer.from(password + user));
        const outer = md5(Buffer.concat([Buffer.from(inner), bytes.subarray(start + 9, start + 13)]));
        return { send: message("p", `md5${outer}\0`) };
      }
      case 10:
        return this.#begin(bytes, start + 9, end);
      case 11: {
        const final = this.#scram?.final(bytes.toString("utf8", start + 9, end));
        return final === undefined ? malformed : { send: message("p", final) };
      }
      case 12:
        this.#isProven = this.#scram?.isProof(bytes.toString("utf8", start + 9, end)) === true;
        return this.#isProven ? "wait" : { failure: "its proof that it knows the password is wrong" };
      default:
        return { failure: `it wants the method of authentication ${method}, which the proxy does not know` };
    }
  }

  #begin(bytes: Buffer, start: number, end: number): LoginStep {
    const mechanisms: string[] = [];
    for (let at = start; at < end && bytes[at] !== 0;) {
      const { text, next } = readText(bytes, at, end);
      mechanisms.push(text);
      at = next;
    }
    if (!mechanisms.includes(mechanism)) return { failure: `it offers ${mechanisms.join(", ")}, not ${mechanism}` };
    this.#scram = new ScramClient(this.#credentials.password);
    const first = Buffer.from(this.#scram.first);
    return { send: message("p", `${mechanism}\0`, int32(first.length), first) };
  }
}

/** The only one of SASL that is spoken here. */
export const mechanism = "SCRAM-SHA-256";

const malformed: LoginStep = { failure: "its request for a password is malformed" };

function md5(bytes: Buffer): string {
  return createHash("md5").update(bytes).digest("hex");
}
