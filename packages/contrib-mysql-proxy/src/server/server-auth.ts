// How the login at a server goes on when the server asks for a proof: the proxy knows the password, or the client does.

import { encryptedPassword, plugins, proofOf } from "../protocol/passwords.ts";
import { PayloadReader, ProtocolError } from "../protocol/packets.ts";

/** Answers what a server asks during a login. */
export interface ServerAuth {
  /**
   * A request of the server: its payload. `answer` sends a payload, at once or later. Returns why the login is given
   * up, if it is.
   */
  asked(payload: Buffer, isSecure: boolean, answer: (payload: Buffer) => void): string | undefined;
}

/** A request to go on by another method, and its random bytes ("AuthSwitchRequest"). */
export function readSwitch(payload: Buffer): { readonly plugin: string; readonly scramble: Buffer } {
  const reader = new PayloadReader(payload);
  reader.bytes(1);
  const plugin = reader.text();
  const rest = reader.bytes(reader.left);
  return { plugin, scramble: Buffer.from(rest.at(-1) === 0 ? rest.subarray(0, -1) : rest) };
}

/** The proxy knows the password. */
export class OwnAuth implements ServerAuth {
  readonly #password: string;
  #scramble: Buffer = Buffer.alloc(0);
  #wantsKey = false;

  /** `scramble`: of a request that was answered by somebody else already. */
  constructor(password: string, scramble?: Buffer) {
    this.#password = password;
    if (scramble !== undefined) this.#scramble = scramble;
  }

  asked(payload: Buffer, isSecure: boolean, answer: (payload: Buffer) => void): string | undefined {
    if (payload[0] === marks.switch) {
      const { plugin, scramble } = readSwitch(payload);
      const proof = proofOf(plugin, this.#password, scramble);
      this.#scramble = scramble;
      if (proof === undefined) return `it wants the method ${plugin}, which the proxy does not know`;
      answer(proof);
      return undefined;
    }
    if (this.#wantsKey) {
      this.#wantsKey = false;
      return this.#encrypt(payload.subarray(1), answer);
    }
    if (payload[1] === marks.isKnown) return undefined;
    if (payload[1] !== marks.wantsPassword) return `it asks for something unknown by ${plugins.sha2}`;
    this.sendPassword(isSecure, answer);
    return undefined;
  }

  /** The server does not remember a proof of the user: it wants the password itself. */
  sendPassword(isSecure: boolean, answer: (payload: Buffer) => void): void {
    this.#wantsKey = !isSecure;
    answer(isSecure ? Buffer.from(`${this.#password}\0`) : Buffer.of(marks.wantsKey));
  }

  #encrypt(key: Buffer, answer: (payload: Buffer) => void): string | undefined {
    try {
      answer(encryptedPassword(this.#password, this.#scramble, key));
      return undefined;
    } catch {
      return "its public key cannot be used";
    }
  }
}

/** The client answers: nobody else knows the password. */
export class ClientAuth implements ServerAuth {
  readonly #isClientSecure: boolean;
  readonly #ask: (payload: Buffer) => void;
  #plugin = "";
  #scramble: Buffer = Buffer.alloc(0);
  #answer: ((payload: Buffer) => void) | undefined;
  /** Set when the client has given its password by TLS, to a server that is not reached by TLS. */
  #own: OwnAuth | undefined;
  #wantsPassword = false;

  /** `ask` sends a payload to the client, which is answered by `answered`. */
  constructor(isClientSecure: boolean, ask: (payload: Buffer) => void) {
    this.#isClientSecure = isClientSecure;
    this.#ask = ask;
  }

  asked(payload: Buffer, isSecure: boolean, answer: (payload: Buffer) => void): string | undefined {
    if (this.#own !== undefined) return this.#own.asked(payload, isSecure, answer);
    this.#answer = answer;
    if (payload[0] === marks.switch) {
      const { plugin, scramble } = readSwitch(payload);
      this.#plugin = plugin;
      this.#scramble = scramble;
      if (this.#isClientSecure && !isSecure && !provable.has(plugin))
        return `its method ${plugin} would send the password in plain text: set .serverTls`;
    } else if (this.#plugin === plugins.sha2 && payload[1] === marks.wantsPassword) {
      // It encrypts the password for the server's key, which servers do not give away by TLS.
      if (!this.#isClientSecure && isSecure) return "it wants the password, which the client gives by TLS only";
      this.#wantsPassword = this.#isClientSecure && !isSecure;
    }
    this.#ask(payload);
    return undefined;
  }

  /** The client has answered. Throws a ProtocolError if it was not asked. */
  answered(payload: Buffer): void {
    const answer = this.#answer;
    if (answer === undefined) throw new ProtocolError("a message before the login is over");
    this.#answer = undefined;
    if (!this.#wantsPassword) return answer(payload);
    this.#own = new OwnAuth(new PayloadReader(payload).text(), this.#scramble);
    this.#own.sendPassword(false, answer);
  }
}

/** Methods by which the password itself is never sent; `caching_sha2_password` has a way of its own, above. */
const provable: ReadonlySet<string> = new Set([plugins.native, plugins.sha2, "client_ed25519", "parsec"]);

/** The first byte of a request, and the second one of those of `caching_sha2_password`. */
export const marks = { switch: 0xfe, more: 0x01, isKnown: 0x03, wantsPassword: 0x04, wantsKey: 0x02 } as const;
