// Proves to a server who logs in ("Start-up" in "Message Flow"): the proxy itself does, in plain text over TLS only, by
// MD5, or by SCRAM-SHA-256; or the client does, whose password the proxy does not know.

import { createHash } from "node:crypto";
import { int32, message, ProtocolError, readText } from "../protocol/messages.ts";
import { ScramClient } from "../protocol/scram.ts";

/** Who the proxy is at a server. */
export interface Credentials {
  readonly user: string;
  readonly password: string;
}

/** What to do with a request of the server: send bytes, nothing, or give up. */
export type LoginStep = { readonly send: Buffer } | { readonly failure: string } | "done" | "wait";

export interface ServerAuth {
  /** Whether the client proves itself: what the server says against it is for the client. */
  readonly isOfClient: boolean;
  /** The server has sent a message of the type `R`. `isSecure`: the connection to it is encrypted. */
  asked(bytes: Buffer, start: number, end: number, isSecure: boolean): LoginStep;
}

/** The proxy knows the password. */
export class OwnAuth implements ServerAuth {
  readonly isOfClient = false;
  readonly #credentials: Credentials;
  #scram: ScramClient | undefined;
  #isProven = false;

  constructor(credentials: Credentials) {
    this.#credentials = credentials;
  }

  asked(bytes: Buffer, start: number, end: number, isSecure: boolean): LoginStep {
    if (end - start < 9) return malformed;
    const method = bytes.readUInt32BE(start + 5);
    const { user, password } = this.#credentials;
    if (method === methods.ok) {
      // A server that leaves out its proof may be another one.
      return this.#scram !== undefined && !this.#isProven
        ? { failure: "it did not prove that it knows the password" }
        : "done";
    }
    if (password === "") return { failure: `it wants a password of ${user}` };
    switch (method) {
      case methods.plain:
        if (!isSecure) return { failure: "it wants the password in plain text, without TLS" };
        return { send: message("p", `${password}\0`) };
      case methods.md5: {
        if (end - start < 13) return malformed;
        const inner = md5(Buffer.from(password + user));
        const outer = md5(Buffer.concat([Buffer.from(inner), bytes.subarray(start + 9, start + 13)]));
        return { send: message("p", `md5${outer}\0`) };
      }
      case methods.sasl:
        return this.#begin(bytes, start + 9, end);
      case methods.next: {
        const final = this.#scram?.final(bytes.toString("utf8", start + 9, end));
        return final === undefined ? malformed : { send: message("p", final) };
      }
      case methods.final:
        this.#isProven = this.#scram?.isProof(bytes.toString("utf8", start + 9, end)) === true;
        return this.#isProven ? "wait" : { failure: "its proof that it knows the password is wrong" };
      default:
        return { failure: `it wants the method of authentication ${method}, which the proxy does not know` };
    }
  }

  #begin(bytes: Buffer, start: number, end: number): LoginStep {
    const mechanisms = mechanismsIn(bytes, start, end);
    if (!mechanisms.includes(mechanism)) return { failure: `it offers ${mechanisms.join(", ")}, not ${mechanism}` };
    this.#scram = new ScramClient(this.#credentials.password);
    const first = Buffer.from(this.#scram.first);
    return { send: message("p", `${mechanism}\0`, int32(first.length), first) };
  }
}

/** The client proves itself to the server: what both say is passed on. */
export class ClientAuth implements ServerAuth {
  readonly isOfClient = true;
  readonly #isClientSecure: boolean;
  readonly #ask: (message: Buffer) => void;
  #isAsked = false;

  /** `isClientSecure`: the connection to the client is encrypted. `ask` sends it a message of the server. */
  constructor(isClientSecure: boolean, ask: (message: Buffer) => void) {
    this.#isClientSecure = isClientSecure;
    this.#ask = ask;
  }

  asked(bytes: Buffer, start: number, end: number, isSecure: boolean): LoginStep {
    if (end - start < 9) return malformed;
    const method = bytes.readUInt32BE(start + 5);
    if (method === methods.ok) return "done";
    if (!passedOn.has(method)) return { failure: `it wants the method of authentication ${method}` };
    if (method === methods.plain && this.#isClientSecure !== isSecure) {
      return { failure: "it wants the password in plain text, and only one of the two connections has TLS" };
    }
    // The last word of the server is not answered.
    this.#isAsked = method !== methods.final;
    this.#ask(method === methods.sasl ? withoutBinding(bytes, start, end) : Buffer.from(bytes.subarray(start, end)));
    return "wait";
  }

  /** The client has answered, by a message that is passed on. Throws a ProtocolError if it was not asked. */
  answered(): void {
    if (!this.#isAsked) throw new ProtocolError("a password that nobody has asked for");
    this.#isAsked = false;
  }
}

/** AuthenticationSASL without the mechanism that proves the TLS connection, too: there are two of them. */
function withoutBinding(bytes: Buffer, start: number, end: number): Buffer {
  const kept = mechanismsIn(bytes, start + 9, end).filter((name) => !name.endsWith("-PLUS"));
  return message("R", int32(methods.sasl), ...kept.map((name) => `${name}\0`), "\0");
}

function mechanismsIn(bytes: Buffer, start: number, end: number): readonly string[] {
  const mechanisms: string[] = [];
  for (let at = start; at < end && bytes[at] !== 0;) {
    const { text, next } = readText(bytes, at, end);
    mechanisms.push(text);
    at = next;
  }
  return mechanisms;
}

/** Of authentication, by the numbers of the protocol. */
const methods = { ok: 0, plain: 3, md5: 5, sasl: 10, next: 11, final: 12 } as const;

/** Methods that a client can answer through a proxy. */
const passedOn: ReadonlySet<number> = new Set([
  ...[methods.plain, methods.md5, methods.sasl, methods.next, methods.final],
]);

/** The only one of SASL that is spoken here. */
export const mechanism = "SCRAM-SHA-256";

const malformed: LoginStep = { failure: "its request for a password is malformed" };

function md5(bytes: Buffer): string {
  return createHash("md5").update(bytes).digest("hex");
}
