// Who may use which database, and where a session goes.

import type { Reference, TcpsBackend } from "@hemi/internal";

/** A user, as the configuration has it. */
export interface ConfiguredUser {
  readonly name: string;
  /** "": only the servers know it. */
  readonly password: string;
  /** Names of databases. Empty: all. */
  readonly databases: readonly string[];
}

/** The backends of a session. */
export interface Destination {
  readonly toBackend: Reference<TcpsBackend>;
  readonly toReplicas: Reference<TcpsBackend> | undefined;
}

/** Where sessions of a user, or with a database, go. "": any. */
export interface Route extends Destination {
  readonly user: string;
  readonly database: string;
}

export interface AccessSettings extends Destination {
  /** Empty: everyone may use the proxy, as far as the servers let them. */
  readonly users: readonly ConfiguredUser[];
  readonly routes: readonly Route[];
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
    return this.#settings.users.length === 0 ? { name, password: "", databases: [] } : this.#users.get(name);
  }

  mayUse(user: ConfiguredUser, database: string): boolean {
    return user.databases.length === 0 || user.databases.includes(database);
  }

  /** The first route that fits, or else the backends of the proxy. */
  destinationOf(user: string, database: string): Destination {
    const fits = (wanted: string, given: string): boolean => wanted === "" || wanted === given;
    const route = this.#settings.routes.find((each) => fits(each.user, user) && fits(each.database, database));
    return route ?? this.#settings;
  }
}
