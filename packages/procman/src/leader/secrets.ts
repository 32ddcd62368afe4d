// Random bytes that all workers of the program have in common, such as the keys of TLS session tickets.

import { randomBytes } from "node:crypto";

export class Secrets {
  /** In base64, by name. */
  readonly #secrets: Map<string, string>;

  /** `known`: those of the leader before. */
  constructor(known: Readonly<Record<string, string>> = {}) {
    this.#secrets = new Map(Object.entries(known));
  }

  /** In base64. The first question makes it. */
  get(name: string): string {
    const secret = this.#secrets.get(name) ?? randomBytes(secretSize).toString("base64");
    this.#secrets.set(name, secret);
    return secret;
  }

  set(name: string, secret: string): void {
    this.#secrets.set(name, secret);
  }

  /** Replaces it. Returns the new one. */
  renew(name: string): string {
    this.#secrets.delete(name);
    return this.get(name);
  }

  all(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#secrets);
  }
}

/** In bytes: as many as a key of TLS session tickets has. */
const secretSize = 48;
