// redisProxy: passes the requests of clients on to nodes of Redis.

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
import { RedisClient, type ClientEvent } from "./client/redis-client.ts";
import { refusedByDefault } from "./commands.ts";
import { Routes } from "./routes.ts";
import { User } from "./users.ts";

const props = {
  /** The nodes. Without `cluster`, all of them have the same data: one server, and others that are backups. */
  toBackend: prop.reference(backendKind, { offering: tcpsNodes, required: true, inherited: true, reload: "live" }),
  /**
   * Nodes for commands that only read. Their data may be older: a client may not see what it has just written, and may
   * see it disappear again after a failure. Default: everything goes to `toBackend`.
   */
  toReplicas: prop.reference(backendKind, { offering: tcpsNodes, reload: "live" }),
  /** Other backends for keys that begin with a text. The longest one counts. */
  routes: prop.list(
    prop.record({
      /** The beginning of the keys, such as `session:`. */
      prefix: prop.string({ required: true, minLength: 1 }),
      /** The backend that has them. */
      toBackend: prop.reference(backendKind, { offering: tcpsNodes, required: true }),
    }),
    { default: [], max: 1000 },
  ),
  /**
   * Whether the nodes are a cluster. Each request goes to the node that has the slot of its keys; the map of slots is
   * followed. Nodes that `toBackend` does not have are not connected to, whatever the cluster says.
   */
  cluster: prop.bool({ default: false }),
  /** The user of the proxy at the nodes. */
  nodeUser: prop.string({ default: "" }),
  /** Its password, from the environment: `%env(REDIS_PASSWORD)`. "": the nodes want none. */
  nodePassword: prop.string({ default: "" }),
  /** Who may use the proxy. Default: everyone, without a password. */
  users: prop.list(
    prop.record({
      /** The name; that of `AUTH password` is `default`. */
      name: prop.string({ default: "default" }),
      /** The password, or `#` with its SHA-256 in hexadecimal digits, as in ACL files of Redis. */
      password: prop.string({ required: true, minLength: 1 }),
      /** Beginnings of the keys that the user may use. Default: all keys. */
      keys: prop.strings({ default: [], minLength: 1, max: 1000 }),
      /** Whether the user may only read. */
      readOnly: prop.bool({ default: false }),
    }),
    { default: [], max: 10_000 },
  ),
  /** Commands that are refused: those about the server, and those that hold it up. */
  refuse: prop.strings({ default: refusedByDefault, minLength: 1, max: 1000 }),
  /** Commands of modules that are passed on, such as `JSON.GET`. Their first argument has to be their key. */
  moreCommands: prop.strings({ default: [], minLength: 1, max: 1000 }),
  /** The number of databases, for `SELECT`. */
  databases: prop.integer({ default: 16, min: 1, max: 10_000 }),
  /** Number of connections to each node that clients share, in each worker. */
  connsPerNode: prop.integer({ default: 2, min: 1, max: 1000, reload: "live" }),
  /** Closes the connection of a client without a request for this time. */
  idleTimeout: prop.duration({ default: "1h", min: "1ms", reload: "live" }),
  /** Maximum size of a request. A longer one closes the connection. */
  maxRequestSize: prop.size({ default: "64M", min: "1K", max: "1G", reload: "live" }),
  /**
   * How long a node may say nothing while replies are waited for, on a connection that clients share. Then what waits
   * gets an error, and the connection is closed. Commands that block are not limited by this.
   */
  replyTimeout: prop.duration({ default: "1m", min: "1ms", reload: "live" }),
  /** Maximum size of a reply. A longer one closes the connection to the node. */
  maxReplySize: prop.size({ default: "64M", min: "1K", max: "1G", reload: "live" }),
  /** Closes the connection of a client that has not read this much of its replies. */
  maxUnread: prop.size({ default: "64M", min: "64K", reload: "live" }),
};

/**
 * Passes requests of Redis (RESP2, RESP3) on to nodes. Clients share a few connections to each node. A transaction, a
 * command that blocks, and a subscription have a connection for themselves. What fails is answered with an error of
 * Redis.
 */
export const redisProxy = defineDealet({
  sign: "redisProxy",
  props,
  check(context) {
    const { cluster, routes, users } = context.props;
    if (cluster && context.isSet("toReplicas")) context.report({ prop: "toReplicas", message: "not with .cluster" });
    if (cluster && routes.length > 0) context.report({ prop: "routes", message: "not with .cluster" });
    const names = users.map(({ name }) => name);
    for (const name of new Set(names.filter((each, i) => names.indexOf(each) !== i))) {
      context.report({ prop: "users", message: `the user ${name} stands here twice` });
    }
  },
  offers: [tcpsDealet],
  create: (context): DealetPart & TcpsDealet => new RedisProxy(context),
});

class RedisProxy implements DealetPart, TcpsDealet {
  readonly #context: Context<PropsOf<typeof props>>;
  readonly #deadlines: Deadlines;
  readonly #routes: Routes;
  readonly #failures: Refusals;
  readonly #users: ReadonlyMap<string, User>;
  readonly #refused: ReadonlySet<string>;
  readonly #more: ReadonlySet<string>;
  readonly #count: (event: ClientEvent) => void;
  readonly #clients = new SeatedRoster<RedisClient>();
  #lastFailure = "";
  #lastId = 0;
  /** For those who wait until there is no client. */
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(context: Context<PropsOf<typeof props>>) {
    const { props, log, stage } = context;
    this.#context = context;
    this.#deadlines = new Deadlines({ failed: (error) => log.error("failed when a deadline expired", { error }) });
    this.#failures = new Refusals({
      makeDeadline: (onExpired) => this.#deadlines.add(onExpired),
      tell: (count) => log.warn(`${count} connections to nodes failed: ${this.#lastFailure}`),
    });
    this.#routes = new Routes(props, {
      now: () => stage.clock.monotonic(),
      makeDeadline: (onExpired) => this.#deadlines.add(onExpired),
      log: (failure) => {
        this.#lastFailure = failure;
        this.#failures.add("");
      },
    });
    this.#users = new Map(props.users.map((user) => [user.name, new User(user)]));
    this.#refused = new Set(props.refuse.map((name) => name.toUpperCase()));
    this.#more = new Set(props.moreCommands.map((name) => name.toUpperCase()));
    this.#count = eventCounter(context, "redisProxy", ["command", "refused", "failed", "redirected", "pinned"]);
  }

  takeConn(conn: TcpsConn): true {
    const { props } = this.#context;
    const client = new RedisClient(conn, {
      id: ++this.#lastId,
      routes: this.#routes,
      settings: props,
      local: { users: this.#users, databases: props.databases, isCluster: props.cluster },
      refused: this.#refused,
      more: this.#more,
      makeDeadline: (onExpired) => this.#deadlines.add(onExpired),
      count: this.#count,
    });
    this.#clients.add(client);
    conn.onClose(() => {
      this.#clients.delete(client);
      if (this.#clients.size === 0) this.#idle?.resolve();
    });
    this.#routes.whenReady(() => client.begin());
    return true;
  }

  update(changed: ReadonlySet<string>): void {
    if (changed.has("idleTimeout")) for (const client of this.#clients) client.idleTimeoutChanged();
  }

  /** The nodes have work as long as connections to them are kept. */
  async drain(): Promise<void> {
    this.#idle = Promise.withResolvers<void>();
    if (this.#clients.size > 0) await this.#idle.promise;
    this.#routes.close();
  }

  shutdown(): void {
    this.#routes.close();
    this.#failures.close();
    this.#deadlines.close();
  }

  explain(conn: ConnFacts): DealetExplanation {
    const { toBackend, cluster, routes } = this.#context.props;
    const { nodes } = toBackend.current.explain({
      key: conn.srcHost,
      stickTo: "",
      tried: [],
      from: { address: conn.srcHost, port: conn.srcPort },
    });
    return {
      takes: "yes",
      text: `passes its requests on to ${toBackend.path}${cluster ? ", by the slots of their keys" : ""}`,
      details: [
        ...routes.map(({ prefix, toBackend: { path } }) => `keys that begin with ${prefix} go to ${path}`),
        ...[...nodes].map(([id, why]) => `${id} ${why}`),
      ],
    };
  }
}
