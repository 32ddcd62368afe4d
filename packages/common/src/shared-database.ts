// A SQLite database that several processes write. Nobody waits for its lock: changes are collected for a turn of the
// event loop, written in one transaction, and tried again later while another process writes.

import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { setTimeout } from "node:timers/promises";

interface Change {
  readonly apply: () => void;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

/** How a database is opened. */
export interface SharedDatabaseOptions {
  /** Makes the tables, if they are not there yet, in one transaction. */
  readonly schema: string;
  /**
   * Whether it outlives a crash of the machine; otherwise only one of the process. An intact one is written with less
   * waiting for the disk. Default: true.
   */
  readonly isDurable?: boolean;
}

export class SharedDatabase {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #changes: Change[] = [];
  #writing: Promise<void> | undefined;
  #isClosed = false;

  private constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** Rejects with the error of SQLite. */
  static async open(path: string, { schema, isDurable = true }: SharedDatabaseOptions): Promise<SharedDatabase> {
    // Most processes open none, and need not load it.
    const { DatabaseSync } = await import("node:sqlite");
    const database = new DatabaseSync(path, { timeout: 0 });
    const settings = `PRAGMA journal_mode = WAL; PRAGMA synchronous = ${isDurable ? "NORMAL" : "OFF"};`;
    try {
      // Other processes open it at the same moment.
      await retried(() => database.exec(`${settings} BEGIN IMMEDIATE; ${schema}; COMMIT;`));
      return new SharedDatabase(database);
    } catch (error) {
      database.close();
      throw error;
    }
  }

  /** Reads; readers never wait for writers. Throws the error of SQLite. */
  rows(sql: string, ...values: readonly SQLInputValue[]): readonly Readonly<Record<string, unknown>>[] {
    return this.#prepared(sql).all(...values);
  }

  /** Writes, inside of `change`. Returns the number of rows that it changed. */
  run(sql: string, ...values: readonly SQLInputValue[]): number {
    return Number(this.#prepared(sql).run(...values).changes);
  }

  /**
   * Calls back inside of a transaction, once it can write. Settles when that is committed, with what `apply` returned.
   * Rejects with the error of SQLite, or of `apply`; other changes are not affected. If another process keeps the lock
   * for about two seconds, all that wait are rejected.
   */
  async change<Result>(apply: () => Result): Promise<Result> {
    if (this.#isClosed) throw new Error("the database is closed");
    const { promise, resolve: done, reject: failed } = Promise.withResolvers<void>();
    const results: Result[] = [];
    // A transaction may be tried several times.
    this.#changes.push({ apply: () => (results[0] = apply()), done, failed });
    this.#writing ??= this.#write().finally(() => (this.#writing = undefined));
    await promise;
    const [result] = results;
    return result as Result;
  }

  /** Settles when all changes so far are written. */
  async flush(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  /** Writes what is left, and closes. */
  async close(): Promise<void> {
    await this.flush();
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#database.close();
  }

  async #write(): Promise<void> {
    await setTimeout(0);
    while (this.#changes.length > 0) {
      const taken = this.#changes.slice(0, changesAtOnce);
      const failure = await this.#commit(taken);
      // Nobody here is to blame for a lock that is not let go of: those behind would wait as long in vain.
      const settled = this.#changes.splice(0, isBusy(failure?.error) ? this.#changes.length : taken.length);
      if (failure === undefined) for (const { done } of taken) done();
      else if (isBusy(failure.error)) for (const { failed } of settled) failed(failure.error);
      else if (taken.length === 1) for (const { failed } of taken) failed(failure.error);
      // One of them is to blame: each is tried alone.
      else for (const change of taken) await this.#writeAlone(change);
    }
  }

  async #writeAlone(change: Change): Promise<void> {
    const failure = await this.#commit([change]);
    if (failure === undefined) change.done();
    else change.failed(failure.error);
  }

  async #commit(changes: readonly Change[]): Promise<{ readonly error: unknown } | undefined> {
    try {
      await retried(
        () => {
          this.#database.exec("BEGIN IMMEDIATE");
          for (const { apply } of changes) apply();
          this.#database.exec("COMMIT");
        },
        () => this.#rollBack(),
      );
      return undefined;
    } catch (error) {
      return { error };
    }
  }

  #rollBack(): void {
    if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
  }

  #prepared(sql: string): StatementSync {
    const known = this.#statements.get(sql) ?? this.#database.prepare(sql);
    this.#statements.set(sql, known);
    return known;
  }
}

async function retried(work: () => void, undo = (): void => {}): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return work();
    } catch (error) {
      undo();
      if (!isBusy(error) || attempt === maxAttempts) throw error;
      await setTimeout(retryTime);
    }
  }
}

function isBusy(error: unknown): boolean {
  // SQLITE_BUSY and SQLITE_LOCKED, with their variants.
  return error instanceof Error && "errcode" in error && [5, 6].includes(Number(error.errcode) & 0xff);
}

/** So many changes are written in one turn of the event loop. */
const changesAtOnce = 200;
/** In milliseconds. */
const retryTime = 5;
/** About two seconds. */
const maxAttempts = 400;
