// localStater: stores sessions in a SQLite database, for all workers of the machine.

import { hash, randomBytes } from "node:crypto";
import { dirname } from "node:path";
import { makeFolder, SharedDatabase } from "@hemi/common";
import { HemiError } from "../../errors/hemi-error.ts";
import { prop } from "../../component/prop.ts";
import { PropError } from "../../component/prop-error.ts";
import type { PropsOf } from "../../component/props/prop-type.ts";
import { Tally } from "../../log/tally.ts";
import type { Context } from "../../stage/context.ts";
import { cookieOf, isWithin, storingStaterProps } from "./stater-props.ts";
import {
  defineStater,
  type SessionChange,
  type SessionCookie,
  type SessionEntry,
  type SessionWrite,
  type SessionWriteOptions,
  type StaterPart,
  type StoredSession,
} from "./stater.ts";

const props = {
  ...storingStaterProps,
  /** The database file, which only one stater may have. Default: `sessions.sqlite` in `%varsDir`. */
  file: prop.path({ default: "sessions.sqlite", defaultIn: "varsDir" }),
  /**
   * How many sessions are stored. For one more, one ends that its client never came back with, the oldest first, so
   * that a flood of clients without cookies ends no session in use; if there is none, the one that was idle longest.
   */
  maxSessions: prop.integer({ default: 1_000_000, min: 1, max: 1_000_000_000, reload: "live" }),
};

type LocalStaterProps = PropsOf<typeof props>;

/**
 * Stores sessions in a database file, for all workers of the machine: they outlive the program, and a crash of the
 * machine. No request waits for the lock of the database with the event loop standing still.
 */
export const localStater = defineStater({
  sign: "localStater",
  props,
  check({ props, claim }) {
    claim({ prop: "file", what: `the database ${props.file} of a stater` });
  },
  create: (context): StaterPart => new LocalStater(context),
});

class LocalStater implements StaterPart {
  readonly #context: Context<LocalStaterProps>;
  readonly #displaced: Tally;
  readonly #untouched: Tally;
  #opened: SharedDatabase | undefined;
  #timer: NodeJS.Timeout | undefined;
  #cleaning: Promise<void> | undefined;

  constructor(context: Context<LocalStaterProps>) {
    this.#context = context;
    const { log, props } = context;
    this.#displaced = new Tally((sessions) => {
      log.warn("sessions were ended early, because there were more than maxSessions", {
        sessions,
        maxSessions: props.maxSessions,
      });
    });
    this.#untouched = new Tally((requests, error) => {
      log.error("that a session is in use could not be stored: it ends as if it were idle", { requests, error });
    });
  }

  get cookie(): SessionCookie {
    return cookieOf(this.#context.props);
  }

  get onDown(): LocalStaterProps["onDown"] {
    return this.#context.props.onDown;
  }

  get conflict(): LocalStaterProps["conflict"] {
    return this.#context.props.conflict;
  }

  async prepare(): Promise<void> {
    const { file } = this.#context.props;
    try {
      await makeFolder(dirname(file));
      this.#opened = await SharedDatabase.open(file, { schema });
    } catch (error) {
      throw new PropError("file", "HEMI_FILE", `${file} cannot be used: ${String(error)}`, { cause: error });
    }
  }

  start(): void {
    this.#timer = setInterval(() => this.#cleanUp(), cleaningTime).unref();
    this.#cleanUp();
  }

  async shutdown(): Promise<void> {
    clearInterval(this.#timer);
    await this.#cleaning;
    await this.#opened?.close();
  }

  async find(token: string): Promise<StoredSession | undefined> {
    const id = idOf(token);
    // In one statement: another request may end it or rotate its token meanwhile.
    const rows = this.#database.rows(
      `SELECT created_at, used_at, name, json, version
        FROM session LEFT JOIN entry ON entry.id = session.id WHERE session.id = ?`,
      id,
    );
    const [row] = rows;
    if (row === undefined || !this.#isAlive(row)) return undefined;
    const [createdAt, usedAt] = [Number(row["created_at"]), Number(row["used_at"])];
    // The first one tells that the client came back.
    if (usedAt === createdAt || this.#isIdleSince(usedAt)) {
      await this.#touch(id, Math.max(this.#now, createdAt + 1));
    }
    // One row without a name: it has no entries.
    return entriesIn(row["name"] === null ? [] : rows);
  }

  /** What can be read is read, even if nothing can be written: the disk may be full. */
  async #touch(id: Uint8Array, now: number): Promise<void> {
    try {
      await this.#database.change(() => this.#database.run("UPDATE session SET used_at = ? WHERE id = ?", now, id));
    } catch (error) {
      this.#untouched.add(performance.now(), error);
    }
  }

  async write(
    token: string | undefined,
    changes: readonly SessionChange[],
    { newToken }: SessionWriteOptions = {},
  ): Promise<SessionWrite> {
    const given = token ?? newToken ?? randomBytes(32).toString("base64url");
    const id = idOf(given);
    const now = this.#now;
    return await this.#database.change((): SessionWrite => {
      const database = this.#database;
      if (token === undefined) {
        database.run("INSERT OR IGNORE INTO session VALUES (?, ?, ?)", id, now, now);
        this.#makeRoomBeside(id);
      }
      // One that has expired stays until it is cleaned up.
      const [row] = database.rows("SELECT created_at, used_at FROM session WHERE id = ?", id);
      if (row === undefined || !this.#isAlive(row)) return "gone";
      if (this.#isIdleSince(Number(row["used_at"]))) {
        database.run("UPDATE session SET used_at = ? WHERE id = ?", now, id);
      }
      const stored = this.#entriesOf(id);
      const late = changes.find(({ name, ifVersion }) => {
        return ifVersion !== undefined && ifVersion !== (stored.get(name)?.version ?? 0);
      });
      if (late !== undefined) return { conflict: late.name };
      for (const { name, json } of changes) {
        if (json === undefined) {
          stored.delete(name);
          database.run("DELETE FROM entry WHERE id = ? AND name = ?", id, name);
          continue;
        }
        // Never used twice in a session: an entry that was removed and made anew is another one.
        const version = this.#nextVersion();
        stored.set(name, { json, version });
        database.run("INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?)", id, name, json, version);
      }
      this.#checkSize(stored);
      return { token: given, session: stored };
    });
  }

  async rotate(token: string): Promise<string | undefined> {
    const next = randomBytes(32).toString("base64url");
    const changed = await this.#database.change(() => {
      const [row] = this.#database.rows("SELECT created_at, used_at FROM session WHERE id = ?", idOf(token));
      if (row === undefined || !this.#isAlive(row)) return 0;
      const count = this.#database.run("UPDATE session SET id = ? WHERE id = ?", idOf(next), idOf(token));
      this.#database.run("UPDATE entry SET id = ? WHERE id = ?", idOf(next), idOf(token));
      return count;
    });
    return changed === 0 ? undefined : next;
  }

  async destroy(token: string): Promise<void> {
    await this.#database.change(() => this.#database.run("DELETE FROM session WHERE id = ?", idOf(token)));
  }

  get #database(): SharedDatabase {
    if (this.#opened === undefined) throw new Error("the database is not open yet");
    return this.#opened;
  }

  get #now(): number {
    return this.#context.stage.clock.now();
  }

  #isAlive(row: Readonly<Record<string, unknown>>): boolean {
    const [createdAt, usedAt] = [Number(row["created_at"]), Number(row["used_at"])];
    return isWithin(this.#context.props, { createdAt, usedAt, now: this.#now });
  }

  /** So long that its end is to be moved: not at each request, a hundredth of the time is close enough. */
  #isIdleSince(usedAt: number): boolean {
    return this.#now - usedAt > this.#context.props.idleTimeout / 100;
  }

  #entriesOf(id: Uint8Array): Map<string, SessionEntry> {
    return entriesIn(this.#database.rows("SELECT name, json, version FROM entry WHERE id = ?", id));
  }

  /** Ends what is too much, but not the new session. */
  #makeRoomBeside(id: Uint8Array): void {
    const database = this.#database;
    const [row] = database.rows("SELECT value FROM counter WHERE name = 'sessions'");
    let excess = Math.min(Number(row?.["value"]) - this.#context.props.maxSessions, removedAtOnce);
    for (const order of ["used_at = created_at ORDER BY created_at", "true ORDER BY used_at"]) {
      if (excess <= 0) return;
      const which = `SELECT id FROM session WHERE id <> ? AND ${order} LIMIT ?`;
      const ended = database.run(`DELETE FROM session WHERE id IN (${which})`, id, excess);
      excess -= ended;
      if (ended > 0) this.#displaced.add(performance.now());
    }
  }

  #nextVersion(): number {
    const [row] = this.#database.rows("UPDATE counter SET value = value + 1 WHERE name = 'version' RETURNING value");
    return Number(row?.["value"]);
  }

  #checkSize(stored: StoredSession): void {
    const { maxSessionSize } = this.#context.props;
    let size = 0;
    for (const [name, { json }] of stored) size += Buffer.byteLength(name) + Buffer.byteLength(json);
    if (size <= maxSessionSize) return;
    throw new HemiError("HEMI_USAGE", `the session would have ${size} bytes, and maxSessionSize is ${maxSessionSize}`);
  }

  /** The primary worker removes what has expired, in portions. */
  #cleanUp(): void {
    if (!this.#context.workers.isPrimary) return;
    this.#cleaning ??= this.#removeExpired()
      .catch((error: unknown) => this.#context.log.error("expired sessions cannot be removed", { error }))
      .finally(() => (this.#cleaning = undefined));
  }

  async #removeExpired(): Promise<void> {
    const { idleTimeout, maxLifetime } = this.#context.props;
    const now = this.#now;
    const sql = `DELETE FROM session WHERE id IN (
      SELECT id FROM session WHERE used_at <= ? OR created_at <= ? LIMIT ${removedAtOnce}
    )`;
    let removed: number;
    do {
      removed = await this.#database.change(() => this.#database.run(sql, now - idleTimeout, now - maxLifetime));
    } while (removed === removedAtOnce);
  }
}

function entriesIn(rows: readonly Readonly<Record<string, unknown>>[]): Map<string, SessionEntry> {
  return new Map(
    rows.map(({ name, json, version }) => [String(name), { json: String(json), version: Number(version) }]),
  );
}

/** Whoever reads the database cannot use its sessions. */
function idOf(token: string): Uint8Array {
  return hash("sha256", token, "buffer");
}

const schema = `
  CREATE TABLE IF NOT EXISTS session (id BLOB PRIMARY KEY, created_at INTEGER, used_at INTEGER) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS session_used ON session (used_at);
  CREATE INDEX IF NOT EXISTS session_created ON session (created_at);
  CREATE TABLE IF NOT EXISTS entry (
    id BLOB, name TEXT, json TEXT, version INTEGER, PRIMARY KEY (id, name)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS counter (name TEXT PRIMARY KEY, value INTEGER);
  INSERT OR IGNORE INTO counter VALUES ('version', 0);
  INSERT OR IGNORE INTO counter SELECT 'sessions', count(*) FROM session;
  CREATE INDEX IF NOT EXISTS session_unused ON session (created_at) WHERE used_at = created_at;
  CREATE TRIGGER IF NOT EXISTS begun AFTER INSERT ON session BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'sessions';
  END;
  CREATE TRIGGER IF NOT EXISTS over AFTER DELETE ON session BEGIN
    UPDATE counter SET value = value - 1 WHERE name = 'sessions';
  END;
  CREATE TRIGGER IF NOT EXISTS ended AFTER DELETE ON session BEGIN
    DELETE FROM entry WHERE id = old.id;
  END;
`;

/** In milliseconds. */
const cleaningTime = 60_000;
const removedAtOnce = 500;
