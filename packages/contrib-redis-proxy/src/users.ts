// Who may use the proxy, and what for.

import { createHash, timingSafeEqual } from "node:crypto";
import type { Command } from "./commands.ts";

/** A user, as the configuration has it. */
export interface ConfiguredUser {
  readonly name: string;
  /** The password, or `#` with its SHA-256 in hexadecimal digits, as in ACL files of Redis. */
  readonly password: string;
  /** Beginnings of the keys that the user may use. Empty: all. */
  readonly keys: readonly string[];
  readonly readOnly: boolean;
}

export class User {
  readonly name: string;
  readonly #digest: Buffer;
  readonly #keys: readonly Buffer[];
  readonly #isReadOnly: boolean;

  constructor({ name, password, keys, readOnly }: ConfiguredUser) {
    this.name = name;
    const [, hex] = /^#([0-9a-f]{64})$/.exec(password) ?? [];
    this.#digest = hex === undefined ? digest(password) : Buffer.from(hex, "hex");
    this.#keys = keys.map((key) => Buffer.from(key));
    this.#isReadOnly = readOnly;
  }

  hasPassword(password: string): boolean {
    return timingSafeEqual(this.#digest, digest(password));
  }

  /** Why a command may not be used, in the words of Redis; `undefined` if it may. */
  whyNot(name: string, command: Command, keys: readonly Buffer[]): string | undefined {
    const isBeyond = beyondKeys.has(name) || (keys.length === 0 && command.need !== "local" && !withoutKeys.has(name));
    const isForbidden = (this.#isReadOnly && command.writes) || (this.#keys.length > 0 && isBeyond);
    if (isForbidden) return `NOPERM User ${this.name} has no permissions to run the '${name.toLowerCase()}' command`;
    if (this.#keys.length === 0 || keys.every((key) => this.#mayUse(key))) return undefined;
    return "NOPERM No permissions to access a key";
  }

  #mayUse(key: Buffer): boolean {
    return this.#keys.some(
      (prefix) => key.length >= prefix.length && key.compare(prefix, 0, prefix.length, 0, prefix.length) === 0,
    );
  }
}

/** Commands that see keys which they do not name, though they name others. */
const beyondKeys: ReadonlySet<string> = new Set([
  ...["EVAL", "EVALSHA", "EVAL_RO", "EVALSHA_RO", "FCALL", "FCALL_RO"],
  ...["SORT", "SORT_RO", "GEORADIUS", "GEORADIUSBYMEMBER"],
]);

/** Commands without keys that see none. All others may, or are about the server. */
const withoutKeys: ReadonlySet<string> = new Set([
  ...["COMMAND", "INFO", "LASTSAVE", "LOLWUT", "TIME", "WAIT", "WAITAOF"],
  ...["PSUBSCRIBE", "PUBLISH", "PUBSUB", "PUNSUBSCRIBE", "SUBSCRIBE", "SUNSUBSCRIBE", "UNSUBSCRIBE"],
  ...["DISCARD", "EXEC", "MULTI", "UNWATCH"],
]);

function digest(password: string): Buffer {
  return createHash("sha256").update(password).digest();
}
