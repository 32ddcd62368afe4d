// pgsqlProxy: lends a few connections to servers of PostgreSQL to many clients.

import { randomBytes } from "node:crypto";
import { Deadlines } from "@hemi/common";
import {
  backendKind,
  checkInnerTls,
  type ConnFacts,
  type Context,
  type DealetExplanation,
  type DealetPart,
  defineDealet,
  eventCounter,
  type InnerTls,
  innerTlsOf,
  innerTlsProps,
  prop,
  type PropsOf,
  Refusals,
  type TcpsConn,
  tcpsDealet,
  type TcpsDealet,
  tcpsNodes,
} from "@hemi/internal";
import { Verifiers } from "./client/client-login.ts";
import { ClientSession, type SessionEvent } from "./client/client-session.ts";
import type { Lender, QueryPhase } from "./client/query-phase.ts";
import { StatementTable } from "./client/statements.ts";
import { sqlStates } from "./protocol/errors.ts";
import { cancelAt } from "./server/cancel.ts";
import { Pool } from "./server/pool.ts";

const props = {
  /** The servers. All of them have the same data: one, or others of which all but one are backups. */
  toBackend: prop.reference(backendKind, { offering: tcpsNodes, required: true, inherited: true, reload: "live" }),
  /** Databases that are at other servers, or have another name there. */
  databases: prop.list(
    prop.record({
      /** The name that clients use. */
      name: prop.string({ required: true, minLength: 1 }),
      /** Its servers. Default: `toBackend`. */
      toBackend: prop.reference(backendKind, { offering: tcpsNodes }),
      /** The name that it has there. Default: the same. */
      serverName: prop.string(),
    }),
    { default: [], max: 10_000 },
  ),
  /** Whether clients may use databases that are not in `databases`. */
  otherDatabases: prop.bool({ default: true }),
  /** Who may use the proxy. */
  users: prop.list(
    prop.record({
      /** The name. */
      name: prop.string({ required: true, minLength: 1 }),
      /**
       * The password, from the environment (`%env(DB_PASSWORD)`), or a verifier of SCRAM as in `pg_authid`, which does
       * not suffice to log in at servers: set `serverPassword`, too.
       */
      password: prop.string({ required: true, minLength: 1 }),
      /** Databases that the user may use. Default: all. */
      databases: prop.strings({ default: [], minLength: 1, max: 10_000 }),
      /** Who the user is at the servers. Default: the same name. */
      serverUser: prop.string({ default: "" }),
      /** The password of `serverUser`. Default: `password`. */
      serverPassword: prop.string({ default: "" }),
    }),
    { required: true, min: 1, max: 10_000 },
  ),
  /**
   * How long a client has a server: for a `transaction`, or for its `session`. By transaction, few servers suffice for
   * many clients, but what a client leaves in a session (SET, advisory locks, temporary tables) is not there in its
   * next transaction. `LISTEN` gives a client its server for the rest of its session.
   */
  pooling: prop.choice(["transaction", "session"], { default: "transaction" }),
  /** Maximum number of connections to servers for each user and database, in each worker. */
  poolSize: prop.integer({ default: 20, min: 1, max: 100_000, reload: "live" }),
  /** Maximum number of clients that wait for one. One more is refused: 53300. */
  maxQueued: prop.integer({ default: 1000, max: 1_000_000, reload: "live" }),
  /** How long a client waits for one. After that it is refused: 53300. Also the time for a login at a server. */
  queueTimeout: prop.duration({ default: "30s", min: "1ms", reload: "live" }),
  /** Closes a connection to a server that nobody has used for this time. */
  serverIdleTimeout: prop.duration({ default: "10m", min: "1ms", reload: "live" }),
  /** Closes a connection to a server after this time, when it is given back. 0: never. */
  serverLifetime: prop.duration({ default: "1h", reload: "live" }),
  /**
   * Cleans a session before another client gets it: always with `pooling = "session"`; by transaction, if a command has
   * left something in it (`SET`, `PREPARE`, `CREATE TABLE`, `LISTEN`, …).
   */
  resetQuery: prop.string({ default: "DISCARD ALL", minLength: 1, reload: "live" }),
  /** Maximum number of prepared statements of a client, and of those that a server is given. */
  maxStatements: prop.integer({ default: 500, min: 1, max: 100_000, reload: "live" }),
  /** Maximum size of a message, such as a query or a row. */
  maxMessageSize: prop.size({ default: "64M", min: "64K", max: "1G", reload: "live" }),
  /** How long a client may take to log in. */
  loginTimeout: prop.duration({ default: "15s", min: "1ms", reload: "live" }),
  /** Closes the session of a client without a query for this time. */
  idleTimeout: prop.duration({ default: "1d", min: "1ms", reload: "live" }),
  ...innerTlsProps,
};

/**
 * Ends the sessions of clients of PostgreSQL and lends them connections to servers, for a transaction or a session.
 * Prepared statements and parameters follow the client. Errors are those of PostgreSQL.
 */
export const pgsqlProxy = defineDealet({
  sign: "pgsqlProxy",
  props,
  check(context) {
    const { users, databases } = context.props;
    const twice = (prop: "users" | "databases", names: readonly string[]): void => {
      for (const name of new Set(names.filter((each, i) => names.indexOf(each) !== i))) {
        context.report({ prop, message: `${name} stands here twice` });
      }
    };
    twice(
      "users",
      users.map(({ name }) => name),
    );
    twice(
      "databases",
      databases.map(({ name }) => name),
    );
    for (const { name, password, serverPassword } of users) {
      if (!password.startsWith("SCRAM-SHA-256$") || serverPassword !== "") continue;
      const message = `${name} has a verifier, which does not suffice to log in at servers`;
      context.report({ prop: "users", message, hint: "set serverPassword" });
    }
    checkInnerTls(context);
  },
  offers: [tcpsDealet],
  create: (context): DealetPart & TcpsDealet => new PgsqlProxy(context),
});

class PgsqlProxy implements DealetPart, TcpsDealet {
  readonly #context: Context<PropsOf<typeof props>>;
  readonly #deadlines: Deadlines;
  readonly #verifiers: Verifiers;
  readonly #failures: Refusals;
  readonly #lenders = new Map<string, Lender>();
  readonly #count: (event: SessionEvent) => void;
  /** For requests to cancel. */
  readonly #sessions = new Map<number, { readonly key: Buffer; readonly phase: QueryPhase }>();
  #tls: InnerTls = { secureContext: undefined, server: { mode: "off", serverName: "", ca: undefined } };
  #lastFailure = "";
  #lastId = 0;
  #clients = 0;
  /** For those who wait until there is no client. */
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(context: Context<PropsOf<typeof props>>) {
    const { props, log } = context;
    this.#context = context;
    this.#deadlines = new Deadlines({ failed: (error) => log.error("failed when a deadline expired", { error }) });
    this.#verifiers = new Verifiers(props.users);
    this.#failures = new Refusals({
      makeDeadline: this.#makeDeadline,
      tell: (count) => log.warn(`${count} connections to servers failed: ${this.#lastFailure}`),
    });
    this.#count = eventCounter(context, "pgsqlProxy", [
      ...(["login", "loginRefused", "transaction", "query", "wait", "serverLost", "refused", "cancel"] as const),
    ]);
  }

  readonly #makeDeadline = (onExpired: () => void) => this.#deadlines.add(onExpired);

  examine(): void {
    innerTlsOf(this.#context.props);
  }

  prepare(): void {
    this.#tls = innerTlsOf(this.#context.props);
  }

  takeConn(conn: TcpsConn): true {
    const ids: number[] = [];
    this.#clients++;
    conn.onClose(() => {
      for (const id of ids) this.#sessions.delete(id);
      if (--this.#clients === 0) this.#idle?.resolve();
    });
    new ClientSession(conn, {
      settings: this.#context.props,
      secureContext: this.#tls.secureContext,
      verifiers: this.#verifiers,
      lenderFor: (user, database) => this.#lenderFor(user, database),
      register: (phase) => {
        const id = (this.#lastId = (this.#lastId + 1) & 0x7fffffff);
        const key = randomBytes(4);
        this.#sessions.set(id, { key, phase });
        ids.push(id);
        return { id, key };
      },
      cancel: (id, key) => this.#cancel(id, key),
      abandoned: (server) => {
        // It would not notice that nobody waits for what it does.
        cancelAt(server, this.#tls.server, this.#makeDeadline);
        server.close();
      },
      makeDeadline: this.#makeDeadline,
      count: this.#count,
    }).begin();
    return true;
  }

  /** The servers have work as long as connections to them are kept. */
  async drain(): Promise<void> {
    for (const { pool } of this.#lenders.values()) pool.drain();
    this.#idle = Promise.withResolvers<void>();
    if (this.#clients > 0) await this.#idle.promise;
    for (const { pool } of this.#lenders.values()) pool.drain();
  }

  shutdown(): void {
    for (const { pool } of this.#lenders.values()) pool.close();
    this.#failures.close();
    this.#deadlines.close();
  }

  explain(conn: ConnFacts): DealetExplanation {
    const { toBackend, databases, pooling } = this.#context.props;
    const from = { address: conn.srcHost, port: conn.srcPort };
    const { nodes } = toBackend.current.explain({ key: conn.srcHost, stickTo: "", tried: [], from });
    const elsewhere = databases.flatMap(({ name, toBackend: other }) =>
      other === undefined ? [] : [`the database ${name} is at ${other.path}`],
    );
    return {
      takes: "yes",
      text: `lends it servers of ${toBackend.path}, each for a ${pooling}`,
      details: [...elsewhere, ...[...nodes].map(([id, why]) => `${id} ${why}`)],
    };
  }

  #lenderFor(userName: string, database: string): Lender | { readonly state: string; readonly text: string } {
    const { props, stage } = this.#context;
    const user = props.users.find(({ name }) => name === userName);
    const known = props.databases.find(({ name }) => name === database);
    const mayUse = user !== undefined && (user.databases.length === 0 || user.databases.includes(database));
    if (!mayUse) return { state: sqlStates.notAllowed, text: `"${userName}" may not use the database "${database}"` };
    if (known === undefined && !props.otherDatabases) {
      return { state: sqlStates.noDatabase, text: `database "${database}" does not exist` };
    }
    const key = JSON.stringify([userName, database]);
    const lender = this.#lenders.get(key);
    if (lender !== undefined) return lender;
    const { serverUser, serverPassword, password } = user;
    const made: Lender = {
      pool: new Pool({
        settings: props,
        backend: () => (known?.toBackend ?? props.toBackend).current,
        credentials: { user: serverUser || userName, password: serverPassword || password },
        database: known?.serverName ?? database,
        tls: () => this.#tls.server,
        makeDeadline: this.#makeDeadline,
        now: () => stage.clock.monotonic(),
        log: (failure) => this.#serverFailed(failure),
      }),
      statements: new StatementTable(),
      defaults: undefined,
    };
    if (this.#lenders.size >= maxPools) this.#dropUnused();
    this.#lenders.set(key, made);
    return made;
  }

  /** Names of databases come from clients that have logged in: those that do not exist must not fill the memory. */
  #dropUnused(): void {
    for (const [key, { pool }] of this.#lenders) if (pool.size === 0) this.#lenders.delete(key);
  }

  #cancel(id: number, key: Buffer): void {
    const session = this.#sessions.get(id);
    if (session?.key.equals(key) !== true) return;
    const server = session.phase.busyServer;
    if (server !== undefined) cancelAt(server, this.#tls.server, this.#makeDeadline);
  }

  #serverFailed(failure: string): void {
    this.#lastFailure = failure;
    this.#failures.add("");
  }
}

/** Not a prop: pools without a connection are dropped beyond that. */
const maxPools = 10_000;
