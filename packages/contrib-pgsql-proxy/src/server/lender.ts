// What clients of one user and one database have in common: where they get their servers.

import type { DatabaseCounts } from "@hemi/internal";
import type { ServerSource } from "./pool.ts";
import type { StatementTable } from "./statements.ts";

/** Where a client gets its servers. */
export interface Lender {
  readonly user: string;
  readonly database: string;
  readonly pool: ServerSource;
  readonly counts: DatabaseCounts;
  readonly statements: StatementTable;
  /** The number of clients that use it. */
  clients: number;
  /** What servers of the pool report by default; `undefined`: none has yet. */
  defaults: ReadonlyMap<string, string> | undefined;
}
