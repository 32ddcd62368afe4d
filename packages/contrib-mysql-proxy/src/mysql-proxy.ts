// mysqlProxy: passes sessions of MySQL and MariaDB on to servers, by user and database.

import { randomInt } from "node:crypto";
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
import { Access } from "./access.ts";
import { ClientSession, type SessionEvent } from "./client/client-session.ts";
import { firstId } from "./client/command-phase.ts";
import { KillTargets } from "./kill-targets.ts";

const props = {
  /** The servers. All of them have the same data, and may be written to. */
  toBackend: prop.reference(backendKind, { offering: tcpsNodes, required: true, inherited: true, reload: "live" }),
  /**
   * Servers that answer a `SELECT` outside of a transaction. Their data may be older: a client may not see what another
   * one has written, or itself longer than `writerTime` ago, and may see it disappear again after a failure. A function
   * that writes, called in a `SELECT`, fails or is lost there. Prepared statements are not read from them. The proxy
   * has to know the passwords of all users. Default: everything goes to `toBackend`.
   */
  toReplicas: prop.reference(backendKind, { offering: tcpsNodes, reload: "live" }),
  /** How long after a write of a client its reads still go to `toBackend`. */
  writerTime: prop.duration({ default: "1s", reload: "live" }),
  /** Other servers for some users or databases. The first route that fits a session counts. */
  routes: prop.list(
    prop.record({
      /** The name of the user. Default: any. */
      user: prop.string({ default: "" }),
      /** The database that the session begins with. Default: any. */
      database: prop.string({ default: "" }),
      /** The servers. */
      toBackend: prop.reference(backendKind, { offering: tcpsNodes, required: true }),
      /** Their replicas, as in the prop of the same name. Default: none. */
      toReplicas: prop.reference(backendKind, { offering: tcpsNodes }),
    }),
    { default: [], max: 10_000 },
  ),
  /** Who may use the proxy. Default: everyone whom the servers let in. */
  users: prop.list(
    prop.record({
      /** The name, which is the same at the servers. */
      name: prop.string({ required: true, minLength: 1 }),
      /** The password, from the environment: `%env(DB_PASSWORD)`. Default: the client proves it to the server. */
      password: prop.string({ default: "" }),
      /**
       * Databases that may be the current one of a session. Default: all. Statements can name others: what they may do
       * there is for `GRANT` to say.
       */
      databases: prop.strings({ default: [], minLength: 1, max: 10_000 }),
    }),
    { default: [], max: 10_000 },
  ),
  /** The version that clients are told, before it is known which server they will get. */
  serverVersion: prop.string({ default: "8.0.40", minLength: 1, reload: "live" }),
  /** Maximum size of a command, such as a statement. */
  maxCommandSize: prop.size({ default: "64M", min: "64K", max: "1G", reload: "live" }),
  /** How long a login may take, with the one at the server. */
  loginTimeout: prop.duration({ default: "15s", min: "1ms", reload: "live" }),
  /** Closes the session of a client without a command for this time. */
  idleTimeout: prop.duration({ default: "8h", min: "1ms", reload: "live" }),
  ...innerTlsProps,
};

type MysqlSettings = PropsOf<typeof props>;

/**
 * Passes sessions of MySQL and MariaDB on to servers. The user and the database choose the server; if there are
 * replicas, they answer what only reads. Errors are those of MySQL.
 */
export const mysqlProxy = defineDealet({
  sign: "mysqlProxy",
  props,
  check(context) {
    const { users, routes, toReplicas } = context.props;
    const names = users.map(({ name }) => name);
    for (const name of new Set(names.filter((each, i) => names.indexOf(each) !== i))) {
      context.report({ prop: "users", message: `${name} stands here twice` });
    }
    const hasReplicas = toReplicas !== undefined || routes.some((route) => route.toReplicas !== undefined);
    if (hasReplicas && (users.length === 0 || users.some(({ password }) => password === ""))) {
      const message = "with replicas, each client has two sessions: the proxy has to log in for it";
      context.report({ prop: "users", message, hint: "set the password of every user" });
    }
    checkInnerTls(context);
  },
  offers: [tcpsDealet],
  create: (context): DealetPart & TcpsDealet => new MysqlProxy(context),
});

class MysqlProxy implements DealetPart, TcpsDealet {
  readonly #context: Context<MysqlSettings>;
  readonly #deadlines: Deadlines;
  readonly #failures: Refusals;
  readonly #access: Access;
  readonly #sessions = new Map<number, ClientSession>();
  readonly #killTargets: KillTargets;
  readonly #count: (event: SessionEvent) => void;
  #tls: InnerTls | undefined;
  #lastFailure = "";

  constructor(context: Context<MysqlSettings>) {
    const { props, log, workers, path } = context;
    this.#context = context;
    this.#deadlines = new Deadlines({ failed: (error) => log.error("failed when a deadline expired", { error }) });
    this.#access = new Access(props);
    this.#killTargets = new KillTargets({
      workers,
      path,
      find: (id) => this.#sessions.get(id)?.killTarget,
      makeDeadline: this.#makeDeadline,
    });
    this.#failures = new Refusals({
      makeDeadline: this.#makeDeadline,
      tell: (count) => log.warn(`${count} connections to servers failed: ${this.#lastFailure}`),
    });
    this.#count = eventCounter(context, "mysqlProxy", [
      ...(["login", "loginRefused", "query", "read", "error", "refused", "serverLost"] as const),
    ]);
  }

  readonly #makeDeadline = (onExpired: () => void) => this.#deadlines.add(onExpired);

  examine(): void {
    innerTlsOf(this.#context.props);
  }

  prepare(): void {
    this.#tls = innerTlsOf(this.#context.props);
    this.#killTargets.open();
  }

  takeConn(conn: TcpsConn): true {
    const { props, stage } = this.#context;
    const id = this.#newId();
    const session = new ClientSession(conn, {
      settings: props,
      id,
      tls: this.#tls ?? innerTlsOf(props),
      access: this.#access,
      killTargets: this.#killTargets,
      makeDeadline: this.#makeDeadline,
      now: () => stage.clock.monotonic(),
      count: this.#count,
      log: (failure) => this.#serverFailed(failure),
    });
    this.#sessions.set(id, session);
    conn.onClose(() => this.#sessions.delete(id));
    session.begin();
    return true;
  }

  update(changed: ReadonlySet<string>): void {
    if (changed.has("idleTimeout")) for (const session of this.#sessions.values()) session.idleTimeoutChanged();
  }

  shutdown(): void {
    this.#killTargets.close();
    this.#failures.close();
    this.#deadlines.close();
  }

  explain(conn: ConnFacts): DealetExplanation {
    const { toBackend, toReplicas, routes } = this.#context.props;
    const from = { address: conn.srcHost, port: conn.srcPort };
    const { nodes } = toBackend.current.explain({ key: conn.srcHost, stickTo: "", tried: [], from });
    const replicas = toReplicas === undefined ? [] : [`what only reads may go to ${toReplicas.path}`];
    return {
      takes: "yes",
      text: `passes its session on to ${toBackend.path}`,
      details: [
        ...routes.map(({ user, database, toBackend: { path } }) => {
          const who = [user && `the user ${user}`, database && `the database ${database}`].filter(Boolean);
          return `${who.length === 0 ? "everything else" : who.join(" with ")} goes to ${path}`;
        }),
        ...replicas,
        ...[...nodes].map(([id, why]) => `${id} ${why}`),
      ],
    };
  }

  /** At random, because workers do not know the sessions of each other: none may have the id of another one. */
  #newId(): number {
    for (;;) {
      const id = firstId + randomInt(firstId);
      if (!this.#sessions.has(id)) return id;
    }
  }

  #serverFailed(failure: string): void {
    this.#lastFailure = failure;
    this.#failures.add("");
  }
}
