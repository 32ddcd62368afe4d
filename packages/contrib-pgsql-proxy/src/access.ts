// Who may use which database, and where it is.

import type { Reference, TcpsBackend } from "@hemi/internal";
import { sqlStates } from "./protocol/errors.ts";

/** A user of the proxy, as the configuration has it. */
export interface ConfiguredUser {
  readonly name: string;
  /** In plain text, or a verifier: `SCRAM-SHA-256$…`. "": only the servers know it. */
  readonly password: string;
  /** Names of databases. Empty: all. */
  readonly databases: readonly string[];
  /** Who the user is at the server. "": the same. */
  readonly serverUser: string;
  readonly serverPassword: string;
}

export interface AccessSettings {
  readonly toBackend: Reference<TcpsBackend>;
  readonly databases: readonly {
    readonly name: string;
    /** `undefined`: that of the proxy. */
    readonly toBackend: Reference<TcpsBackend> | undefined;
    /** `undefined`: the same. */
    readonly serverName: string | undefined;
  }[];
  readonly otherDatabases: boolean;
  /** Empty: everyone whom the servers let in. */
  readonly users: readonly ConfiguredUser[];
}

/** Where a database is. */
export interface Place {
  /** Read at each use, because a reload may relink it. */
  readonly backend: () => TcpsBackend;
  /** Its name there. */
  readonly serverName: string;
}

/** Why a client gets no server: an error of PostgreSQL. */
export interface Denial {
  readonly state: string;
  readonly text: string;
}

export class Access {
  readonly #settings: AccessSettings;
  readonly #users: ReadonlyMap<string, ConfiguredUser>;

  constructor(settings: AccessSettings) {
    this.#settings = settings;
    this.#users = new Map(settings.users.map((user) => [user.name, user]));
  }

  /** `undefined`: a stranger. */
  userOf(name: string): ConfiguredUser | undefined {
    const { users } = this.#settings;
    return users.length === 0
      ? { name, password: "", databases: [], serverUser: "", serverPassword: "" }
      : this.#users.get(name);
  }

  /** Whether the configuration names the database: names of others come from clients. */
  names(database: string): boolean {
    const { users, databases } = this.#settings;
    return databases.some(({ name }) => name === database) || users.some((user) => user.databases.includes(database));
  }

  placeOf({ name, databases }: ConfiguredUser, database: string): Place | Denial {
    const { databases: all, otherDatabases, toBackend } = this.#settings;
    if (databases.length > 0 && !databases.includes(database)) {
      return { state: sqlStates.notAllowed, text: `"${name}" may not use the database "${database}"` };
    }
    const known = all.find((each) => each.name === database);
    if (known === undefined && !otherDatabases) {
      return { state: sqlStates.noDatabase, text: `database "${database}" does not exist` };
    }
    return {
      backend: () => (known?.toBackend ?? toBackend).current,
      serverName: known?.serverName ?? database,
    };
  }
}
