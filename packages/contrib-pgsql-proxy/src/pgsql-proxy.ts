// pgsqlProxy: lends a few connections to servers of PostgreSQL to many clients.

import type { SecureContext } from "node:tls";
import { type Deadline, Deadlines, SeatedRoster } from "@hemi/common";
import {
  backendKind,
  checkInnerTls,
  type ConnFacts,
  type Context,
  DatabaseCounts,
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
import { Access, type ConfiguredUser, type Denial } from "./access.ts";
import { Verifiers } from "./client/client-login.ts";
import { ClientSession, type SessionEvent, type SessionHost } from "./client/client-session.ts";
import { type RelayedClient, RelayedLogin } from "./client/relayed-login.ts";
import { ParamSets } from "./client/session-params.ts";
import { sqlStates } from "./protocol/errors.ts";
import { cancelAt } from "./server/cancel.ts";
import { Cancels } from "./server/cancels.ts";
import type { Lender } from "./server/lender.ts";
import { Lenders } from "./server/lenders.ts";
import { RelayedPlaces } from "./server/relayed-places.ts";
import type { ServerConn } from "./server/server-conn.ts";

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
  /** Who may use the proxy. Default: with `pooling = "session"`, everyone whom the servers let in. */
  users: prop.list(
    prop.record({
      /** The name. */
      name: prop.string({ required: true, minLength: 1 }),
      /**
       * The password, from the environment (`%env(DB_PASSWORD)`), or a verifier of SCRAM as in `pg_authid`, which does
       * not suffice to log in at servers: set `serverPassword`, too. Default: the client proves it to a server, which
       * it then has for its session.
       */
      password: prop.string({ default: "" }),
      /** Databases that the user may use. Default: all. */
      databases: prop.strings({ default: [], minLength: 1, max: 10_000 }),
      /** Who the user is at the servers. Default: the same name. */
      serverUser: prop.string({ default: "" }),
      /** The password of `serverUser`. Default: `password`. */
      serverPassword: prop.string({ default: "" }),
    }),
    { default: [], max: 10_000 },
  ),
  /**
   * How long a client has a server: for a `transaction`, or for its `session`. By transaction, few servers suffice for
   * many clients, but what a client leaves in a session (SET, advisory locks, temporary tables) is not there in its
   * next transaction. `LISTEN` gives a client its server for the rest of its session.
   */
  pooling: prop.choice(["transaction", "session"], { default: "transaction" }),
  /**
   * Maximum number of connections to servers for each user and database, in each worker. Clients that log in at a
   * server themselves have one each; if there are too many, those that have proved nothing yet are refused first.
   */
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
   * Cleans a session before another client gets it: always with `pooling = "session"`; by transaction, if a statement
   * may have left something in it. That is so for `SET`, `PREPARE`, `CREATE TABLE`, `DO`, …, for writes, because of
   * their triggers, and for each call of a function that is not known to be harmless, such as `set_config`.
   */
  resetQuery: prop.string({ default: "DISCARD ALL", minLength: 1, reload: "live" }),
  /**
   * Whether sessions are cleaned after every transaction. A read without a call of a function shows nothing that it
   * leaves. Turn this on if views, operators or policies of the databases call functions that set something.
   */
  alwaysReset: prop.bool({ default: false, reload: "live" }),
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

type PgsqlSettings = PropsOf<typeof props>;

/**
 * Ends the sessions of clients of PostgreSQL and lends them connections to servers, for a transaction or a session.
 * Prepared statements and parameters follow the client. Errors are those of PostgreSQL.
 */
export const pgsqlProxy = defineDealet({
  sign: "pgsqlProxy",
  props,
  check(context) {
    const { users, databases, pooling } = context.props;
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
    if (users.length === 0 && pooling === "transaction") {
      const message = "by transaction, clients take turns on connections that the proxy has logged in";
      context.report({
        prop: "users",
        message,
        hint: 'name the users with their passwords, or set pooling = "session"',
      });
    }
    for (const { name, password, serverUser, serverPassword } of users) {
      if (password === "" && pooling === "transaction") {
        const message = `${name} has no password, and by transaction the proxy logs in at the servers itself`;
        context.report({ prop: "users", message, hint: 'set password, or pooling = "session"' });
      } else if (password === "" && serverUser + serverPassword !== "") {
        const message = `${name} has no password: it logs in at the servers by itself, as nobody else`;
        context.report({ prop: "users", message, hint: "set password, or leave out serverUser and serverPassword" });
      }
      if (!password.startsWith("SCRAM-SHA-256$") || serverPassword !== "") continue;
      const message = `${name} has a verifier, which does not suffice to log in at servers`;
      context.report({ prop: "users", message, hint: "set serverPassword" });
    }
    checkInnerTls(context);
  },
  offers: [tcpsDealet],
  create: (context): DealetPart & TcpsDealet => new PgsqlProxy(context),
});

class PgsqlProxy implements DealetPart, TcpsDealet, SessionHost {
  readonly #context: Context<PgsqlSettings>;
  readonly #deadlines: Deadlines;
  readonly #failures: Refusals;
  readonly #lenders: Lenders;
  readonly #relayed = new RelayedPlaces();
  readonly access: Access;
  readonly verifiers: Verifiers;
  readonly cancels: Cancels;
  readonly paramSets = new ParamSets();
  readonly count: (event: SessionEvent) => void;
  readonly #sessions = new SeatedRoster<ClientSession>();
  #tls: InnerTls = { secureContext: undefined, server: { mode: "off", serverName: "", ca: undefined } };
  #lastFailure = "";
  /** For those who wait until there is no client. */
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(context: Context<PgsqlSettings>) {
    const { props, log, workers, path, stage } = context;
    const now = (): number => stage.clock.monotonic();
    this.#context = context;
    this.#deadlines = new Deadlines({ failed: (error) => log.error("failed when a deadline expired", { error }) });
    this.access = new Access(props);
    this.verifiers = new Verifiers(props.users);
    this.cancels = new Cancels({ workers, path, now, cancel: (server) => this.#cancelAt(server) });
    this.#lenders = new Lenders(
      this.access,
      {
        settings: props,
        tls: () => this.#tls.server,
        makeDeadline: this.makeDeadline,
        now,
        log: this.#serverFailed,
      },
      this.#countsOf,
    );
    this.#failures = new Refusals({
      makeDeadline: this.makeDeadline,
      tell: (count) => log.warn(`${count} connections to servers failed: ${this.#lastFailure}`),
    });
    this.count = eventCounter(context, "pgsqlProxy", [
      ...(["login", "loginRefused", "transaction", "query", "wait", "serverLost", "refused", "cancel"] as const),
    ]);
  }

  examine(): void {
    innerTlsOf(this.#context.props);
  }

  async prepare(): Promise<void> {
    this.#tls = innerTlsOf(this.#context.props);
    await this.cancels.open();
  }

  takeConn(conn: TcpsConn): true {
    const session = new ClientSession(conn, this);
    this.#sessions.add(session);
    session.begin();
    return true;
  }

  update(changed: ReadonlySet<string>): void {
    if (changed.has("idleTimeout")) for (const session of this.#sessions) session.idleTimeoutChanged();
  }

  /** The servers have work as long as connections to them are kept. */
  async drain(): Promise<void> {
    this.#lenders.drain();
    this.#idle = Promise.withResolvers<void>();
    if (this.#sessions.size > 0) await this.#idle.promise;
    this.#lenders.drain();
  }

  shutdown(): void {
    this.cancels.close();
    this.#lenders.close();
    this.#failures.close();
    this.#deadlines.close();
  }

  explain(conn: ConnFacts): DealetExplanation {
    const { toBackend, databases, pooling, users } = this.#context.props;
    const from = { address: conn.srcHost, port: conn.srcPort };
    const { nodes } = toBackend.current.explain({ key: conn.srcHost, stickTo: "", tried: [], from });
    const elsewhere = databases.flatMap(({ name, toBackend: other }) =>
      other === undefined ? [] : [`the database ${name} is at ${other.path}`],
    );
    const isRelaying = users.length === 0 || users.some(({ password }) => password === "");
    return {
      takes: "yes",
      text: `lends it servers of ${toBackend.path}, each for a ${pooling}`,
      details: [
        ...(isRelaying ? ["users without a password here prove themselves to the servers"] : []),
        ...elsewhere,
        ...[...nodes].map(([id, why]) => `${id} ${why}`),
      ],
    };
  }

  // ---- for the sessions of its clients ----

  get settings(): PgsqlSettings {
    return this.#context.props;
  }

  get secureContext(): SecureContext | undefined {
    return this.#tls.secureContext;
  }

  readonly makeDeadline = (onExpired: () => void): Deadline => this.#deadlines.add(onExpired);

  lenderFor(user: ConfiguredUser, database: string): Lender | Denial {
    return this.#lenders.lenderFor(user, database);
  }

  relay(user: ConfiguredUser, database: string, client: RelayedClient): RelayedLogin | Denial {
    const place = this.access.placeOf(user, database);
    if ("state" in place) return place;
    const { poolSize } = this.settings;
    const key = JSON.stringify([user.name, database]);
    const counts = this.#countsOf(user.name, database);
    const login = new RelayedLogin({
      ...client,
      user: user.name,
      database,
      serverName: place.serverName,
      counts,
      backend: place.backend(),
      tls: this.#tls.server,
      settings: this.settings,
      proved: (self) => this.#relayed.proved(key, self),
      over: (self) => {
        this.#relayed.leave(key, self);
        counts.servers(-1);
      },
      log: this.#serverFailed,
    });
    if (!this.#relayed.enter(key, login, poolSize)) {
      const text = `all ${poolSize} connections of "${user.name}" to "${database}" are in use`;
      return { state: sqlStates.tooManyConnections, text };
    }
    counts.servers(1);
    return login;
  }

  abandoned(server: ServerConn): void {
    // It would not notice that nobody waits for what it does.
    this.#cancelAt(server);
    server.close();
  }

  left(session: ClientSession): void {
    this.#sessions.delete(session);
    if (this.#sessions.size === 0) this.#idle?.resolve();
  }

  #cancelAt(server: ServerConn): void {
    cancelAt(server, this.#tls.server, this.makeDeadline);
  }

  readonly #countsOf = (user: string, database: string): DatabaseCounts => {
    const isUserKnown = this.settings.users.length > 0;
    const names = [isUserKnown ? user : "other", this.access.names(database) ? database : "other"] as const;
    return new DatabaseCounts(this.#context, ...names);
  };

  readonly #serverFailed = (failure: string): void => {
    this.#lastFailure = failure;
    this.#failures.add("");
  };
}
