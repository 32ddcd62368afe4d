// What is on disk, by URL, tag, size and last use: for purges and eviction. Hits do not need it.
//
// All workers share one SQLite database, and nobody waits for its lock. It is not synced to disk, so that no write
// waits either: after a crash of the machine, which the name of the file tells, it is made anew from the files.

import { readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { SharedDatabase } from "@hemi/common";
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

export class DiskIndex {
  readonly #database: SharedDatabase;
  readonly #path: string;
  /** The number of its file on disk. */
  readonly #inode: number;

  private constructor(database: SharedDatabase, path: string, inode: number) {
    this.#database = database;
    this.#path = path;
    this.#inode = inode;
  }

  /** Rejects with the error of SQLite. */
  static async open(folder: string): Promise<DiskIndex> {
    const name = `index-${await bootId()}.sqlite`;
    for (const other of await readdir(folder)) {
      if (other.startsWith("index-") && !other.startsWith(name)) await rm(join(folder, other), { force: true });
    }
    const path = join(folder, name);
    const database = await SharedDatabase.open(path, { schema, isDurable: false });
    return new DiskIndex(database, path, (await stat(path)).ino);
  }

  /** Whether its file is still there, and no other one in its place: whoever opens the folder now uses that. */
  async isThere(): Promise<boolean> {
    return await stat(this.#path).then(
      ({ ino }) => ino === this.#inode,
      () => false,
    );
  }

  /** Whether all files of the folder are in it. */
  get isComplete(): boolean {
    return this.#number("SELECT value FROM meta WHERE name = 'complete'") === 1;
  }

  completed(): Promise<unknown> {
    return this.#database.change(() => this.#database.run("UPDATE meta SET value = 1 WHERE name = 'complete'"));
  }

  /** Of all files, in bytes. */
  get size(): number {
    return this.#number("SELECT value FROM meta WHERE name = 'size'");
  }

  /** Takes the place of an entry with the same path. Rejects with the error of SQLite. */
  add({ path, key, url, tags, size, storedAt }: IndexedFile): Promise<void> {
    return this.#database.change(() => {
      this.#database.run("DELETE FROM object WHERE path = ?", path);
      this.#database.run(
        "INSERT INTO object (path, key, url, size, stored_at, used_at) VALUES (?, ?, ?, ?, ?, ?)",
        ...[path, key, url, size, storedAt, storedAt],
      );
      for (const tag of new Set(tags)) {
        this.#database.run("INSERT INTO tag SELECT ?, id FROM object WHERE path = ?", tag, path);
      }
    });
  }

  /** Of the entry that was added last, as far as there are any. Later ones have a higher number. */
  get lastId(): number {
    return this.#number("SELECT max(id) AS value FROM object");
  }

  /** `lastId`: as it was before their files were removed. A later entry is that of a file that has come since. */
  remove(paths: readonly string[], lastId: number): Promise<void> {
    return this.#database.change(() => {
      for (const path of paths) this.#database.run("DELETE FROM object WHERE path = ? AND id <= ?", path, lastId);
    });
  }

  /** They were asked for at that time, in milliseconds since the epoch. */
  used(paths: Iterable<string>, at: number): Promise<void> {
    return this.#database.change(() => {
      for (const path of paths) this.#database.run("UPDATE object SET used_at = ? WHERE path = ?", at, path);
    });
  }

  /** Files that a purge selects, in portions. Removing what it has given is allowed. */
  *selected(selector: PurgeSelector): Generator<readonly string[], void, void> {
    const { sql, values, after } = selectionOf(selector);
    let rows = this.#database.rows(sql, ...values);
    for (let last = rows.at(-1); last !== undefined; last = rows.at(-1)) {
      const next = after(last);
      yield rows.map(({ path }) => String(path));
      rows = this.#database.rows(sql, ...next);
    }
  }

  /**
   * The files that were asked for the longest time ago. What was asked for after `now` was so before the clock was put
   * back, and before all others. In milliseconds since the epoch.
   */
  oldest(now: number): readonly { readonly path: string; readonly size: number }[] {
    const inOrder = `ORDER BY used_at LIMIT ${portion}`;
    const future = this.#database.rows(`SELECT path, size FROM object WHERE used_at > ? ${inOrder}`, now + tolerance);
    const found = future.length > 0 ? future : this.#database.rows(`SELECT path, size FROM object ${inOrder}`);
    return found.map(({ path, size }) => ({ path: String(path), size: Number(size) }));
  }

  /** The files of a key beyond so many, the oldest ones; `now` as above. */
  surplus(key: string, max: number, now: number): readonly string[] {
    const latestFirst = "ORDER BY stored_at > ?, stored_at DESC LIMIT -1 OFFSET ?";
    return this.#database
      .rows(`SELECT path FROM object WHERE key = ? ${latestFirst}`, key, now + tolerance, max)
      .map(({ path }) => String(path));
  }

  has(path: string): boolean {
    return this.#database.rows("SELECT 1 FROM object WHERE path = ?", path).length > 0;
  }

  /** Settles when all changes so far are written. */
  flush(): Promise<void> {
    return this.#database.flush();
  }

  close(): Promise<void> {
    return this.#database.close();
  }

  #number(sql: string): number {
    const [row] = this.#database.rows(sql);
    return Number(row?.["value"] ?? 0);
  }
}

/** How the files that a purge selects are found in portions: each in the order of an index, behind the one before. */
export interface Selection {
  readonly sql: string;
  /** For the first portion. */
  readonly values: readonly (string | number)[];
  /** For the portion behind one that ends with this row. */
  readonly after: (row: Readonly<Record<string, unknown>>) => readonly (string | number)[];
}

/** For `DiskIndex`. Whatever a purge selects, and however much, a portion is found without a look at others. */
export function selectionOf(selector: PurgeSelector): Selection {
  const idOf = (row: Readonly<Record<string, unknown>>): number => Number(row["id"]);
  if (selector === "all") {
    const sql = `SELECT id, path FROM object WHERE id > ? ORDER BY id LIMIT ${portion}`;
    return { sql, values: [0], after: (row) => [idOf(row)] };
  }
  if ("url" in selector) {
    const sql = `SELECT id, path FROM object WHERE url = ? AND id > ? ORDER BY id LIMIT ${portion}`;
    return { sql, values: [selector.url, 0], after: (row) => [selector.url, idOf(row)] };
  }
  if ("tag" in selector) {
    const sql = `SELECT tag.id, path FROM tag CROSS JOIN object ON object.id = tag.id
      WHERE tag = ? AND tag.id > ? ORDER BY tag.id LIMIT ${portion}`;
    return { sql, values: [selector.tag, 0], after: (row) => [selector.tag, idOf(row)] };
  }
  const end = `${selector.prefix}\u{10ffff}`;
  const sql = `SELECT id, url, path FROM object WHERE (url, id) > (?, ?) AND url < ? ORDER BY url, id LIMIT ${portion}`;
  return { sql, values: [selector.prefix, 0, end], after: (row) => [String(row["url"]), idOf(row), end] };
}

/** Another one after each start of the machine. */
async function bootId(): Promise<string> {
  try {
    return (await readFile("/proc/sys/kernel/random/boot_id", "latin1")).slice(0, 8);
  } catch {
    return "any";
  }
}

/** For `DiskIndex`. */
export const schema = `
  CREATE TABLE IF NOT EXISTS object (
    id INTEGER PRIMARY KEY AUTOINCREMENT, path TEXT UNIQUE, key TEXT, url TEXT,
    size INTEGER, stored_at INTEGER, used_at INTEGER
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
`;

/** In milliseconds: the clocks of workers are not read at the same moment. */
const tolerance = 1000;
/** So many rows are handled in one turn of the event loop. */
const portion = 200;
