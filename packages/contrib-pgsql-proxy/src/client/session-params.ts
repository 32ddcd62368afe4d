// The parameters of a client's session that have to hold at whichever server it gets: those that servers report, and
// that clients may set (`TimeZone`, `client_encoding`, `application_name`, …), and those that the client has begun with
// (`search_path`, `statement_timeout`, …).

import { message } from "../protocol/messages.ts";
import type { ServerConn } from "../server/server-conn.ts";

/** Values by names in small letters. */
type Params = ReadonlyMap<string, string>;

/** What clients have begun with: most of them with the same, which is kept once. */
export class ParamSets {
  readonly #sets = new Map<string, { readonly params: Params; users: number }>();

  /** To be given back by `release`. */
  acquire(startup: ReadonlyMap<string, string>): Params {
    const params = new Map([...startup].map(([name, value]) => [name.toLowerCase(), value]));
    const key = keyOf(params);
    let set = this.#sets.get(key);
    if (set === undefined) this.#sets.set(key, (set = { params, users: 0 }));
    set.users++;
    return set.params;
  }

  release(params: Params): void {
    const key = keyOf(params);
    const set = this.#sets.get(key);
    if (set !== undefined && --set.users === 0) this.#sets.delete(key);
  }
}

function keyOf(params: Params): string {
  return JSON.stringify([...params]);
}

export class SessionParams {
  /** What the client wants. It may be shared: another one takes its place when the client changes something. */
  #wanted: Params;
  #terms: string | undefined;

  constructor(startup: Params) {
    this.#wanted = startup;
  }

  /** As one text, but for what a client calls itself: by these, servers understand what they prepare. */
  get terms(): string {
    return (this.#terms ??= keyOf(new Map([...this.#wanted].filter(([name]) => name !== "application_name"))));
  }

  /** The server has reported a value in the session of this client. */
  reported(name: string, value: string, { defaults }: ServerConn): void {
    const key = name.toLowerCase();
    if ((this.#wanted.get(key) ?? defaults.get(name)) === value) return;
    this.#wanted = new Map(this.#wanted).set(key, value);
    this.#terms = undefined;
  }

  /** What the client is told at the beginning, if the server reports this by default. */
  welcome(defaults: ReadonlyMap<string, string>): Buffer {
    const messages = [...defaults].map(([name, value]) => {
      const wanted = fixed.has(name) ? value : (this.#wanted.get(name.toLowerCase()) ?? value);
      return message("S", `${name}\0${wanted}\0`);
    });
    return Buffer.concat(messages);
  }

  /** Whether the client has begun with parameters that servers do not report: a wrong one is told at its login. */
  hasOthers(reported: ReadonlyMap<string, string>): boolean {
    if (this.#wanted.size === 0) return false;
    const names = new Set([...reported.keys()].map((name) => name.toLowerCase()));
    return [...this.#wanted.keys()].some((name) => !names.has(name));
  }

  /** A Query that makes a server's session that of this client; `undefined`: it is. */
  difference(server: ServerConn): Buffer | undefined {
    const { params, defaults, reported, others } = server;
    const settings: string[] = [];
    for (const name of others.keys()) {
      if (this.#wanted.has(name)) continue;
      others.delete(name);
      settings.push(`pg_catalog.set_config(${quoted(name)}, NULL, false)`);
    }
    for (const [name, wanted] of this.#wanted) {
      if (reported.has(name) || others.get(name) === wanted) continue;
      others.set(name, wanted);
      if (limits.has(name) && !longTime.test(wanted)) server.isDirty = true;
      settings.push(`pg_catalog.set_config(${quoted(name)}, ${quoted(wanted)}, false)`);
    }
    for (const [name, value] of params) {
      if (fixed.has(name)) continue;
      const wanted = this.#wanted.get(name.toLowerCase()) ?? defaults.get(name);
      if (wanted === undefined || wanted === value) continue;
      settings.push(`pg_catalog.set_config(${quoted(name)}, ${quoted(wanted)}, false)`);
    }
    return settings.length === 0 ? undefined : message("Q", `SELECT ${settings.join(", ")}\0`);
  }
}

/**
 * As an escaped literal of ASCII, which depends neither on `standard_conforming_strings` nor on the encoding that the
 * server expects: in SJIS, BIG5 and GBK, a backslash or a quote may be the second half of a letter.
 */
function quoted(text: string): string {
  const escaped = (char: string): string => `\\U${(char.codePointAt(0) ?? 0).toString(16).padStart(8, "0")}`;
  return `E'${text.replace(/[^ -&(-[\]-~]/gu, escaped)}'`;
}

/** What may end what the proxy does for the next client, or the connection while it is free. */
const limits: ReadonlySet<string> = new Set(["statement_timeout", "transaction_timeout", "idle_session_timeout"]);

/** None, or a second at least. */
const longTime = /^(?:0|[1-9]\d{3,} ?(?:ms)?|[1-9]\d* ?(?:s|min|h|d))$/;

/** Those that a server reports, and that no client sets. */
const fixed: ReadonlySet<string> = new Set([
  ...["server_version", "server_encoding", "is_superuser", "session_authorization", "in_hot_standby"],
  ...["integer_datetimes", "scram_iterations"],
]);
