// sqliteLocks: locks in a SQLite database, for all programs of a machine.

import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { SharedDatabase } from "@hemi/common";
import type { Part } from "../../component/part.ts";
import { prop } from "../../component/prop.ts";
import { PropError } from "../../component/prop-error.ts";
import type { PropsOf } from "../../component/props/prop-type.ts";
import { HemiError } from "../../errors/hemi-error.ts";
import type { Context } from "../context.ts";
import { defineAddon } from "../kinds/addon.ts";
import { HeldLock } from "./held-lock.ts";
import { lockService, type Lock, type LockOptions, type LockService } from "./lock-service.ts";
import { tokenAfter } from "./memory-locks.ts";

const props = {
  /** The database file. Programs that name the same one share their locks. Default: `locks.sqlite` in `%varsDir`. */
  file: prop.path({ default: "locks.sqlite", defaultIn: "varsDir" }),
};

/**
 * Offers locks in a database file, for several programs of a machine; the workers of one program need none. They
 * outlive a crash of their holder until their time is over. Nothing waits for the lock of the database with the event
 * loop standing still. The file must be on a local file system.
 */
export const sqliteLocks = defineAddon({
  sign: "sqliteLocks",
  props,
  offers: [lockService],
  create: (context): Part & LockService => new SqliteLocks(context),
});

class SqliteLocks implements Part, LockService {
  readonly #context: Context<PropsOf<typeof props>>;
  #opened: SharedDatabase | undefined;

  constructor(context: Context<PropsOf<typeof props>>) {
    this.#context = context;
  }

  async prepare(): Promise<void> {
    const { file } = this.#context.props;
    try {
      await mkdir(dirname(file), { recursive: true });
      this.#opened = await SharedDatabase.open(file, { schema });
    } catch (error) {
      throw new PropError("file", "HEMI_FILE", `${file} cannot be used: ${String(error)}`, { cause: error });
    }
  }

  async shutdown(): Promise<void> {
    await this.#opened?.close();
  }

  async acquireLock(name: string, { ttl }: LockOptions): Promise<Lock | undefined> {
    const askedAt = performance.now();
    const database = this.#database;
    const token = await database.change(() => {
      const now = this.#now;
      // A holder whose clock was ahead, or that was ended while the clock went back, must not have it for ever.
      const [held] = database.rows(
        "SELECT 1 FROM lock WHERE name = ? AND expires_at > ? AND expires_at <= ? + ttl",
        name,
        now,
        now,
      );
      if (held !== undefined) return undefined;
      const [counted] = database.rows("SELECT value FROM counter WHERE name = 'token'");
      // By the time: who has removed the file has not made tokens begin anew.
      const next = tokenAfter(Number(counted?.["value"] ?? 0), now);
      database.run("UPDATE counter SET value = ? WHERE name = 'token'", next);
      database.run("INSERT OR REPLACE INTO lock VALUES (?, ?, ?, ?)", name, next, now + ttl, ttl);
      database.run("DELETE FROM lock WHERE expires_at < ?", now - keptTime);
      return next;
    });
    if (token === undefined) return undefined;
    // Whether it has expired says nothing if the clock has jumped: under its token nobody else can have it.
    const renew = (): Promise<boolean> =>
      database.change(() => {
        const sql = "UPDATE lock SET expires_at = ? WHERE name = ? AND token = ?";
        return database.run(sql, this.#now + ttl, name, token) === 1;
      });
    const release = async (): Promise<void> => {
      await database.change(() => database.run("DELETE FROM lock WHERE name = ? AND token = ?", name, token));
    };
    return new HeldLock({ name, token, ttl, askedAt, renew, release });
  }

  get #database(): SharedDatabase {
    if (this.#opened === undefined) throw new HemiError("HEMI_STAGE_STATE", "the locks are not open yet");
    return this.#opened;
  }

  get #now(): number {
    return this.#context.stage.clock.now();
  }
}

const schema = `
  CREATE TABLE IF NOT EXISTS lock (
    name TEXT PRIMARY KEY, token INTEGER, expires_at INTEGER, ttl INTEGER
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS counter (name TEXT PRIMARY KEY, value INTEGER);
  INSERT OR IGNORE INTO counter VALUES ('token', 0);
`;

/** Expired rows are removed so long after their end, in milliseconds. */
const keptTime = 60_000;
