// A session as it is stored in Redis: its entries, and the version that tells whether another request has changed it.

import type { SessionChange, SessionEntry } from "@hemi/internal";
import { listOf, numberOf, textOf } from "../replies.ts";
import type { Token } from "./token.ts";

/** The entries by name, at one version. */
export class RedisSession extends Map<string, SessionEntry> {
  /** Of its client. */
  readonly token: Token;
  /** Another one after each change. */
  version = 0;

  constructor(token: Token) {
    super();
    this.token = token;
  }

  /** Reads the fields of the hash in Redis: names and values in turn. Throws RedisFailure. */
  static read(token: Token, fields: unknown): RedisSession {
    const session = new RedisSession(token);
    const flat = listOf(fields);
    for (let i = 0; i + 1 < flat.length; i += 2) {
      const name = textOf(flat[i]);
      if (name.startsWith("e")) session.set(name.slice(1), entryOf(textOf(flat[i + 1])));
      else if (name === "version") session.version = numberOf(flat[i + 1]);
    }
    return session;
  }

  /** The same with these changes, as the script makes them; `undefined`: an entry has another version. */
  changed(changes: readonly SessionChange[]): RedisSession | undefined {
    const changed = new RedisSession(this.token);
    changed.version = this.version;
    for (const [name, entry] of this) changed.set(name, entry);
    for (const { name, json, ifVersion } of changes) {
      if (ifVersion !== undefined && ifVersion !== (this.get(name)?.version ?? 0)) return undefined;
      changed.version++;
      if (json === undefined) changed.delete(name);
      else changed.set(name, { json, version: changed.version });
    }
    return changed;
  }

  /** Of names and JSON texts, in bytes. */
  get byteSize(): number {
    let size = 0;
    for (const [name, { json }] of this) size += Buffer.byteLength(name) + Buffer.byteLength(json);
    return size;
  }
}

/** From a version with a JSON text: `12:{"a":1}`. */
function entryOf(value: string): SessionEntry {
  const colon = value.indexOf(":");
  return { version: Number(value.slice(0, colon)), json: value.slice(colon + 1) };
}
