// What is on disk, by URL, tag, size and last use: for purges and eviction. Hits do not need it.
//
// All workers share one SQLite database. Nobody waits for its lock: changes are collected, and tried again later while
// another worker writes. It is not synced to disk, so that no write waits either: after a crash of the machine, which
// the name of the file tells, it is made anew from the files.

import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { setTimeout } from "node:timers/promises";
import { HemiError } from "../../../errors/hemi-error.ts";
import type { PurgeSelector } from "../cacher.ts";

/** One file. */
export interface IndexedFile {
  /** Below the folder of the cacher. */
  readonly path: string;
  readonly key: string;
  readonly url: string;
  readonly tags: readonly string[];
  /** In bytes. */
  readonly size: number;
  /** In milliseconds since the epoch. */
  readonly storedAt: number;
}

interface Change {
  readonly apply: () => void;
  readonly done: () => void;
  readonly failed: (error: Error) => void;
}

export class DiskIndex {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #changes: Change[] = [];
  #flushing: Promise<void> | undefined;
  #isClosed = false;

  private constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** Rejects with the error of SQLite. */
  static async open(folder: string): Promise<DiskIndex> {
    const name = `index-${await bootId()}.sqlite`;
    for (const other of await readdir(folder)) {
      if (other.startsWith("index-") && !other.startsWith(name)) await rm(join(folder, other), { force: true });
    }
    const index = new DiskIndex(new DatabaseSync(join(folder, name), { timeout: 0 }));
    // Other workers open it at the same moment.
    for (let attempt = 1; ; attempt++) {
      try {
        index.#database.exec(schema);
        return index;
      } catch (error) {
        if (!isBusy(error) || attempt === maxAttempts) {
          index.#database.close();
          throw error;
        }
        await setTimeout(retryTime);
      }
    }
  }

  /** Whether all files of the folder are in it. */
  get isComplete(): boolean {
    return this.#number("SELECT value FROM meta WHERE name = 'complete'") === 1;
  }

  completed(): Promise<void> {
    return this.#change(() => this.#run("UPDATE meta SET value = 1 WHERE name = 'complete'"));
  }

  /** Of all files, in bytes. */
  get size(): number {
    return this.#number("SELECT value FROM meta WHERE name = 'size'");
  }

  /** Takes the place of an entry with the same path. Rejects with HEMI_FILE if the database cannot be written. */
  add({ path, key, url, tags, size, storedAt }: IndexedFile): Promise<void> {
    return this.#change(() => {
      this.#run("DELETE FROM object WHERE path = ?", path);
      this.#run(
        "INSERT INTO object (path, key, url, size, stored_at, used_at) VALUES (?, ?, ?, ?, ?, ?)",
        ...[path, key, url, size, storedAt, storedAt],
      );
      for (const tag of new Set(tags)) {
        this.#run("INSERT INTO tag SELECT ?, id FROM object WHERE path = ?", tag, path);
      }
    });
  }

  remove(paths: readonly string[]): Promise<void> {
    return this.#change(() => {
      for (const path of paths) this.#run("DELETE FROM object WHERE path = ?", path);
    });
  }

  /** They were asked for at that time, in milliseconds since the epoch. */
  used(paths: Iterable<string>, at: number): Promise<void> {
    return this.#change(() => {
      for (const path of paths) this.#run("UPDATE object SET used_at = ? WHERE path = ?", at, path);
    });
  }

  /** Files that a purge selects, in portions. Removing what it has given is allowed. */
  *selected(selector: PurgeSelector): Generator<readonly string[], void, void> {
    const [where, ...values] = conditionOf(selector);
    for (let last = 0; ;) {
      const rows = this.#rows(
        `SELECT id, path FROM object WHERE ${where} AND id > ? ORDER BY id LIMIT ${portion}`,
        ...[...values, last],
      );
      if (rows.length === 0) return;
      last = Number(rows.at(-1)?.["id"]);
      yield rows.map(({ path }) => String(path));
    }
  }

  /** The files that were asked for the longest time ago. */
  oldest(): readonly { readonly path: string; readonly size: number }[] {
    return this.#rows(`SELECT path, size FROM object ORDER BY used_at LIMIT ${portion}`).map(({ path, size }) => {
      return { path: String(path), size: Number(size) };
    });
  }

  /** The files of a key beyond so many, the oldest ones. */
  surplus(key: string, max: number): readonly string[] {
    return this.#rows("SELECT path FROM object WHERE key = ? ORDER BY stored_at DESC LIMIT -1 OFFSET ?", key, max).map(
      ({ path }) => String(path),
    );
  }

  has(path: string): boolean {
    return this.#rows("SELECT 1 FROM object WHERE path = ?", path).length > 0;
  }

  /** Settles when all changes so far are written. */
  async flush(): Promise<void> {
    while (this.#flushing !== undefined) await this.#flushing;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    await this.flush();
    this.#isClosed = true;
    this.#database.close();
  }

  #change(apply: () => void): Promise<void> {
    const { promise, resolve: done, reject: failed } = Promise.withResolvers<void>();
    if (this.#isClosed) failed(new HemiError("HEMI_FILE", "the index is closed"));
    else this.#changes.push({ apply, done, failed });
    this.#flushing ??= this.#write().finally(() => (this.#flushing = undefined));
    return promise;
  }

  /** What comes in one turn of the event loop is one transaction. */
  async #write(): Promise<void> {
    await setTimeout(0);
    for (let attempt = 1; this.#changes.length > 0;) {
      const taken = this.#changes.slice(0, portion);
      try {
        this.#database.exec("BEGIN IMMEDIATE");
        for (const { apply } of taken) apply();
        this.#database.exec("COMMIT");
      } catch (cause) {
        if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
        if (isBusy(cause) && attempt++ < maxAttempts) {
          await setTimeout(retryTime);
          continue;
        }
        const error = new HemiError("HEMI_FILE", `the index cannot be written: ${String(cause)}`, { cause });
        for (const { failed } of this.#changes.splice(0, taken.length)) failed(error);
        continue;
      }
      attempt = 1;
      for (const { done } of this.#changes.splice(0, taken.length)) done();
    }
  }

  #run(sql: string, ...values: readonly SQLInputValue[]): void {
    this.#prepared(sql).run(...values);
  }

  #rows(sql: string, ...values: readonly SQLInputValue[]): readonly Readonly<Record<string, unknown>>[] {
    return this.#prepared(sql).all(...values);
  }

  #number(sql: string): number {
    const [row] = this.#rows(sql);
    return Number(row?.["value"] ?? 0);
  }

  #prepared(sql: string): StatementSync {
    const known = this.#statements.get(sql) ?? this.#database.prepare(sql);
    this.#statements.set(sql, known);
    return known;
  }
}

function conditionOf(selector: PurgeSelector): readonly [where: string, ...values: string[]] {
  if (selector === "all") return ["1"];
  if ("url" in selector) return ["url = ?", selector.url];
  if ("tag" in selector) return ["id IN (SELECT id FROM tag WHERE tag = ?)", selector.tag];
  return ["url >= ? AND url < ?", selector.prefix, `${selector.prefix}\u{10ffff}`];
}

/** Another one after each start of the machine. */
async function bootId(): Promise<string> {
  try {
    return (await readFile("/proc/sys/kernel/random/boot_id", "latin1")).slice(0, 8);
  } catch {
    return "any";
  }
}

function isBusy(error: unknown): boolean {
  // SQLITE_BUSY and SQLITE_LOCKED, with their variants.
  return error instanceof Error && "errcode" in error && [5, 6].includes(Number(error.errcode) & 0xff);
}

const schema = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = OFF;
  BEGIN IMMEDIATE;
  CREATE TABLE IF NOT EXISTS object (
    id INTEGER PRIMARY KEY, path TEXT UNIQUE, key TEXT, url TEXT, size INTEGER, stored_at INTEGER, used_at INTEGER
  );
  CREATE INDEX IF NOT EXISTS object_key ON object (key);
  CREATE INDEX IF NOT EXISTS object_url ON object (url);
  CREATE INDEX IF NOT EXISTS object_used ON object (used_at);
  CREATE TABLE IF NOT EXISTS tag (tag TEXT, id INTEGER, PRIMARY KEY (tag, id)) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS tag_id ON tag (id);
  CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER);
  INSERT OR IGNORE INTO meta VALUES ('size', 0), ('complete', 0);
  CREATE TRIGGER IF NOT EXISTS added AFTER INSERT ON object BEGIN
    UPDATE meta SET value = value + new.size WHERE name = 'size';
  END;
  CREATE TRIGGER IF NOT EXISTS removed AFTER DELETE ON object BEGIN
    UPDATE meta SET value = value - old.size WHERE name = 'size';
    DELETE FROM tag WHERE id = old.id;
  END;
  COMMIT;
`;

/** So many rows are handled in one turn of the event loop. */
const portion = 200;
/** In milliseconds. */
const retryTime = 5;
/** About two seconds. */
const maxAttempts = 400;
