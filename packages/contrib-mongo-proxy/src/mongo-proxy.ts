// mongoProxy: passes requests of MongoDB on to servers, by database and command.

import { Deadlines, SeatedRoster } from "@hemi/common";
import {
  backendKind,
  type ConnFacts,
  type Context,
  type DealetExplanation,
  type DealetPart,
  defineDealet,
  eventCounter,
  prop,
  type PropsOf,
  Refusals,
  type TcpsConn,
  tcpsDealet,
  type TcpsDealet,
  tcpsNodes,
} from "@hemi/internal";
import { Access } from "./access.ts";
import { ClientSession, type SessionEvent } from "./client-session.ts";
import { ClientTransactions } from "./transactions.ts";

const props = {
  /**
   * The servers: one, or others of which all but one are backups, because cursors and transactions are at one server.
   * A replica set is reached by its primary.
   */
  toBackend: prop.reference(backendKind, { offering: tcpsNodes, required: true, inherited: true, reload: "live" }),
  /** Databases that are at other servers, or that not everything may be done with. */
  databases: prop.list(
    prop.record({
      /** The name. */
      name: prop.string({ required: true, minLength: 1 }),
      /** Its servers. Users that use it have to be in it (`authSource`). Default: `toBackend`. */
      toBackend: prop.reference(backendKind, { offering: tcpsNodes }),
      /** Whether only commands that read are passed on: `find`, `aggregate` without an output, `count`, … */
      readOnly: prop.bool({ default: false }),
      /** The commands that are passed on, such as `find`. Default: all. */
      commands: prop.strings({ default: [], minLength: 1, max: 1000 }),
    }),
    { default: [], max: 10_000 },
  ),
  /**
   * Whether clients may use databases that are not in `databases`. Otherwise `admin` is for logins and transactions
   * only.
   */
  otherDatabases: prop.bool({ default: true }),
  /** Commands that are refused: those about the server, and those that could go round the limits of databases. */
  refuse: prop.strings({
    default: [
      ...["applyOps", "shutdown", "fsync", "setParameter", "replSetInitiate", "replSetReconfig", "replSetStepDown"],
      ...["setFeatureCompatibilityVersion", "clone", "cloneCollectionAsCapped", "movePrimary", "eval", "$eval"],
    ],
    minLength: 1,
    max: 1000,
  }),
  /** Maximum size of a message. A longer one closes the connection. */
  maxMessageSize: prop.size({ default: "64M", min: "64K", max: "1G", reload: "live" }),
  /** Closes the connection of a client if nothing is sent in either direction for this time. */
  idleTimeout: prop.duration({ default: "1h", min: "1ms", reload: "live" }),
};

/**
 * Passes requests of MongoDB (OP_MSG, compressed or not) on to servers, by the database that each of them names. Logins
 * are passed on. What fails is answered with an error of MongoDB.
 */
export const mongoProxy = defineDealet({
  sign: "mongoProxy",
  props,
  check(context) {
    const names = context.props.databases.map(({ name }) => name);
    for (const name of new Set(names.filter((each, i) => names.indexOf(each) !== i))) {
      context.report({ prop: "databases", message: `${name} stands here twice` });
    }
  },
  offers: [tcpsDealet],
  create: (context): DealetPart & TcpsDealet => new MongoProxy(context),
});

class MongoProxy implements DealetPart, TcpsDealet {
  readonly #context: Context<PropsOf<typeof props>>;
  readonly #deadlines: Deadlines;
  readonly #failures: Refusals;
  readonly #access: Access;
  readonly #sessions = new SeatedRoster<ClientSession>();
  readonly #transactions = new ClientTransactions();
  readonly #count: (event: SessionEvent) => void;
  #lastFailure = "";

  constructor(context: Context<PropsOf<typeof props>>) {
    const { props, log } = context;
    this.#context = context;
    this.#deadlines = new Deadlines({ failed: (error) => log.error("failed when a deadline expired", { error }) });
    this.#access = new Access(props);
    this.#failures = new Refusals({
      makeDeadline: (onExpired) => this.#deadlines.add(onExpired),
      tell: (count) => log.warn(`${count} connections to servers failed: ${this.#lastFailure}`),
    });
    this.#count = eventCounter(context, "mongoProxy", ["command", "refused", "serverLost"]);
  }

  takeConn(conn: TcpsConn): true {
    const transactions = this.#transactions.enter(conn.srcHost);
    const session = new ClientSession(conn, {
      settings: this.#context.props,
      access: this.#access,
      transactions,
      makeDeadline: (onExpired) => this.#deadlines.add(onExpired),
      count: this.#count,
      log: (failure) => {
        this.#lastFailure = failure;
        this.#failures.add("");
      },
    });
    this.#sessions.add(session);
    conn.onClose(() => {
      this.#sessions.delete(session);
      this.#transactions.leave(conn.srcHost);
    });
    session.begin();
    return true;
  }

  update(changed: ReadonlySet<string>): void {
    if (changed.has("idleTimeout")) for (const session of this.#sessions) session.idleTimeoutChanged();
  }

  shutdown(): void {
    this.#failures.close();
    this.#deadlines.close();
  }

  explain(conn: ConnFacts): DealetExplanation {
    const { toBackend, databases, otherDatabases } = this.#context.props;
    const from = { address: conn.srcHost, port: conn.srcPort };
    const { nodes } = toBackend.current.explain({ key: conn.srcHost, stickTo: "", tried: [], from });
    return {
      takes: "yes",
      text: `passes its requests on to ${toBackend.path}`,
      details: [
        ...databases.map(({ name, toBackend: other, readOnly }) => {
          const how = readOnly ? ", to be read only" : "";
          return `the database ${name} is at ${(other ?? toBackend).path}${how}`;
        }),
        ...(otherDatabases ? [] : ["other databases are refused"]),
        ...[...nodes].map(([id, why]) => `${id} ${why}`),
      ],
    };
  }
}
