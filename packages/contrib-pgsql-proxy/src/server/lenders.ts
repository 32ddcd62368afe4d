// The pools of a proxy: one for each user and database, made when the first client needs it.

import type { Access, ConfiguredUser, Denial } from "../access.ts";
import type { DatabaseCounts } from "@hemi/internal";
import type { Lender } from "./lender.ts";
import { Pool, type PoolOptions } from "./pool.ts";
import { StatementTable } from "./statements.ts";

/** What all pools have in common. */
export type PoolTerms = Omit<PoolOptions, "backend" | "credentials" | "database" | "counts">;

/** Whose servers are those of a pool. */
interface PoolLender extends Lender {
  readonly pool: Pool;
}

export class Lenders {
  readonly #access: Access;
  readonly #terms: PoolTerms;
  readonly #countsOf: (user: string, database: string) => DatabaseCounts;
  readonly #lenders = new Map<string, PoolLender>();

  constructor(access: Access, terms: PoolTerms, countsOf: (user: string, database: string) => DatabaseCounts) {
    this.#access = access;
    this.#countsOf = countsOf;
    this.#terms = terms;
  }

  /** For a client that has logged in. */
  lenderFor(user: ConfiguredUser, database: string): Lender | Denial {
    const place = this.#access.placeOf(user, database);
    if ("state" in place) return place;
    const key = JSON.stringify([user.name, database]);
    const lender = this.#lenders.get(key);
    if (lender !== undefined) return lender;
    const { name, serverUser, serverPassword, password } = user;
    const counts = this.#countsOf(name, database);
    const made: PoolLender = {
      user: name,
      database,
      counts,
      pool: new Pool({
        ...this.#terms,
        backend: place.backend,
        credentials: { user: serverUser || name, password: serverPassword || password },
        database: place.serverName,
        counts,
      }),
      statements: new StatementTable(),
      clients: 0,
      defaults: undefined,
    };
    if (this.#lenders.size >= maxPools) this.#dropUnused();
    this.#lenders.set(key, made);
    return made;
  }

  /** No more connections are kept than are in use. */
  drain(): void {
    for (const { pool } of this.#lenders.values()) pool.drain();
  }

  close(): void {
    for (const { pool } of this.#lenders.values()) pool.close();
  }

  /** Names of databases come from clients that have logged in: those that do not exist must not fill the memory. */
  #dropUnused(): void {
    for (const [key, { pool, clients }] of this.#lenders) {
      if (pool.size === 0 && clients === 0) this.#lenders.delete(key);
    }
  }
}

/** Not a prop: pools without a connection and without a client are dropped beyond that. */
const maxPools = 10_000;
