// Counts what a proxy of databases does for one user and one database.

import { increase } from "./count-group.ts";
import { databaseGroup } from "./groups.ts";
import { ownerLabels } from "./labels.ts";
import type { Metrics } from "./metrics.ts";

/** The numbers of one user and one database. */
export class DatabaseCounts {
  readonly #numbers: Float64Array;

  /**
   * `user` and `database` are names of the configuration, or `other`: never names that clients may invent. The label
   * `component` is the name of the component of the stage that the proxy stands in.
   */
  constructor({ path, metrics }: { readonly path: string; readonly metrics: Metrics }, user: string, database: string) {
    const [owner] = ownerLabels({ name: "", path });
    this.#numbers = metrics.numbers(databaseGroup, [owner, user, database]);
  }

  /** So many more, or fewer, clients have logged in. */
  clients(change: 1 | -1): void {
    increase(this.#numbers, databaseGroup.at.clients, change);
  }

  /** So many more, or fewer, connections to servers. */
  servers(change: 1 | -1): void {
    increase(this.#numbers, databaseGroup.at.servers, change);
  }

  /** A transaction is over. */
  transaction(): void {
    increase(this.#numbers, databaseGroup.at.transactions);
  }

  /** A client has asked something. */
  query(): void {
    increase(this.#numbers, databaseGroup.at.queries);
  }
}
