// tcpsProxy: joins connections of clients with connections to the nodes of a backend.

import { Deadlines, SeatedRoster, type Deadline } from "@hemi/common";
import { backendKind } from "../../backend/kind.ts";
import type { BackendFailure } from "../../backend/failure.ts";
import { prop } from "../../component/prop.ts";
import type { PropsOf } from "../../component/props/prop-type.ts";
import { compileTemplate } from "../../component/template.ts";
import { Tally } from "../../log/tally.ts";
import { RatePacer } from "../../net/pacer.ts";
import type { Link } from "../../net/link.ts";
import type { Endpoint } from "../../net/peer.ts";
import type { OpenSpan } from "../../operator/trace.ts";
import type { Context } from "../../stage/context.ts";
import type { DealetExplanation } from "../explain/conn-explanation.ts";
import { endAttempt } from "../conn-tracing.ts";
import { explainChoice } from "../explain/explain-choice.ts";
import type { ConnFacts } from "../facts.ts";
import { defineDealet, type DealetPart } from "../kinds.ts";
import { connVariables } from "../variables.ts";
import { tcpsDealet, type TcpsConn, type TcpsDealet } from "./dealet.ts";
import { LeftMirrors, Mirror } from "./mirror.ts";
import type { DialUser, DialWish } from "./node-link.ts";
import { Splice, type SplicingProxy } from "./splice.ts";
import { tcpsNodes, type TcpsBackend } from "./tcps-backend.ts";

const props = {
  /** The backend whose nodes get the connections. */
  toBackend: prop.reference(backendKind, { offering: tcpsNodes, required: true, inherited: true }),
  /** The key of a backend with `balancer = "hash"`: equal keys go to the same node. Default: the client's address. */
  hashOn: prop.template(),
  /** Number of other nodes that are tried if a connection to a node fails. */
  maxRetries: prop.integer({ default: 2, max: 100, reload: "live" }),
  /** Closes a connection without a byte in either direction for this time. */
  idleTimeout: prop.duration({ default: "5m", min: "1ms", reload: "live" }),
  /** Closes a connection that has lasted this long. 0: unlimited. */
  maxDuration: prop.duration({ default: "0s", reload: "live" }),
  /** What happens to the connections of a node that health checks find down. */
  onNodeDown: prop.choice(["keep", "close"], { default: "keep", reload: "live" }),
  /** How many bytes a second each client may send. 0: unlimited. */
  maxUploadRate: prop.size({ default: 0, max: "1T", reload: "live" }),
  /** How many bytes a second each client is sent. 0: unlimited. */
  maxDownloadRate: prop.size({ default: 0, max: "1T", reload: "live" }),
  /**
   * Another backend that gets a copy of all that clients send. Its answers are dropped. It never slows a client: if it
   * cannot be reached, or does not read fast enough, the copy of this connection is given up. The same holds if it has
   * not ended `idleTimeout` after the client, and for the oldest of more than 1000 that take longer than their clients.
   */
  mirrorTo: prop.reference(backendKind, { offering: tcpsNodes, reload: "live" }),
};

/**
 * Joins the connection with one to a node of a backend. Each side is read at the pace of the other, and may shut its
 * end while the other one still sends. If no node can be reached, the connection is closed.
 */
export const tcpsProxy = defineDealet({
  sign: "tcpsProxy",
  props,
  offers: [tcpsDealet],
  create: (context): DealetPart & TcpsDealet => new TcpsProxy(context),
});

class TcpsProxy implements DealetPart, TcpsDealet, SplicingProxy {
  readonly #context: Context<PropsOf<typeof props>>;
  readonly #key: (conn: ConnFacts) => string;
  readonly #deadlines = new Deadlines({
    failed: (error) => this.#context.log.error("failed when a deadline expired", { error }),
  });

  readonly splices = new SeatedRoster<Splice>();
  readonly #mirrorsGivenUp = new Tally((count, reason) => {
    const which = count === 1 ? "a mirror is given up" : `${count} mirrors are given up, the last one because`;
    this.#context.log.info(`${which}: ${String(reason)}`);
  });
  readonly #leftMirrors = new LeftMirrors({
    restTimeout: () => this.settings.idleTimeout,
    makeDeadline: (onExpired) => this.makeDeadline(onExpired),
    givenUp: (reason) => this.#mirrorsGivenUp.add(this.now(), reason),
  });

  constructor(context: Context<PropsOf<typeof props>>) {
    this.#context = context;
    const { hashOn } = context.props;
    this.#key = hashOn === undefined ? ({ srcHost }) => srcHost : compileTemplate<ConnFacts>(hashOn, connVariables);
  }

  get settings(): PropsOf<typeof props> {
    return this.#context.props;
  }

  update(changed: ReadonlySet<string>): void {
    for (const splice of this.splices) {
      if (changed.has("idleTimeout")) splice.idleTimeoutChanged();
      if (changed.has("maxDuration")) splice.maxDurationChanged();
    }
    if (changed.has("idleTimeout")) this.#leftMirrors.restTimeoutChanged();
  }

  shutdown(): void {
    this.#leftMirrors.close();
    this.#deadlines.close();
  }

  takeConn(conn: TcpsConn): true {
    const { toBackend, mirrorTo } = this.settings;
    new ProxiedConn(conn, this, toBackend.current).begin(mirrorTo?.current);
    return true;
  }

  keyOf(conn: ConnFacts): string {
    return this.#key(conn);
  }

  readonly makeDeadline = (onExpired: () => void): Deadline => this.#deadlines.add(onExpired);
  readonly now = (): number => this.#context.stage.clock.monotonic();

  /** Read and written at the rates of the configuration. */
  pace({ link }: TcpsConn): void {
    const { settings, now } = this;
    if (settings.maxUploadRate > 0) link.paceReading(new RatePacer(() => settings.maxUploadRate, now));
    if (settings.maxDownloadRate > 0) link.paceWriting(new RatePacer(() => settings.maxDownloadRate, now));
  }

  mirror(): Mirror {
    return new Mirror(this.#leftMirrors);
  }

  /** Joins the two sides. */
  splice(conn: TcpsConn, node: Link, mirror: Mirror | undefined): Splice {
    return new Splice({ proxy: this, conn, node, mirror });
  }

  explain(conn: ConnFacts): DealetExplanation {
    const { toBackend } = this.settings;
    const from = { address: conn.srcHost, port: conn.srcPort };
    const choice = toBackend.current.explain({ key: this.#key(conn), stickTo: "", tried: [], from });
    return explainChoice("joins it with", toBackend.path, choice);
  }

  failed(failure: BackendFailure): void {
    this.#context.log.warn(failure.message);
  }
}

/** One connection, while a node is looked for and after that. It is the wish for a node, too. */
class ProxiedConn implements DialUser, DialWish {
  readonly stickTo = "";
  readonly tried: string[] = [];
  readonly about: TcpsConn;
  readonly #proxy: TcpsProxy;
  readonly #backend: TcpsBackend;
  #key: string | undefined;
  #dialling: { cancel(): void } | undefined;
  #splice: Splice | undefined;
  #mirror: Mirror | undefined;
  /** Of the attempt that is under way, in a connection that is traced. */
  #span: OpenSpan | undefined;

  constructor(conn: TcpsConn, proxy: TcpsProxy, backend: TcpsBackend) {
    this.about = conn;
    this.#proxy = proxy;
    this.#backend = backend;
  }

  /** Few balancers ask. */
  get key(): string {
    return (this.#key ??= this.#proxy.keyOf(this.about));
  }

  get from(): Endpoint {
    return this.about.source;
  }

  get to(): Endpoint {
    return this.about.destination;
  }

  begin(mirrorTo?: TcpsBackend): void {
    this.about.onClose(this.#clientClosed);
    if (mirrorTo !== undefined) {
      const { key, stickTo, from, to, about } = this;
      this.#mirror = this.#proxy.mirror();
      this.#mirror.dial(mirrorTo, { key, stickTo, tried: [], from, to, about });
    }
    this.#dial();
  }

  #dial(): void {
    this.#span = this.about.trace?.begin("attempt", "client");
    this.#dialling = this.#backend.dial(this, this);
  }

  connected(node: Link, id: string): void {
    const conn = this.about;
    conn.servedBy(id);
    this.#attempted(id);
    this.#proxy.pace(conn);
    this.#splice = this.#proxy.splice(conn, node, this.#mirror);
    // The splice learns of the end by itself.
    conn.offClose(this.#clientClosed);
  }

  failed(failure: BackendFailure): void {
    this.#proxy.failed(failure);
    this.#attempted(failure.node, failure.code);
    if (this.about.link.isDestroyed) return;
    if (failure.node !== "") this.tried.push(failure.node);
    const mayRetry = failure.node !== "" && this.tried.length <= this.#proxy.settings.maxRetries;
    if (mayRetry && this.#backend.whyNoRetry(this.tried) === undefined) this.#dial();
    else this.about.close("noNode");
  }

  nodeDown(): void {
    if (this.#proxy.settings.onNodeDown === "close") this.#splice?.breakOff("nodeDown");
  }

  #attempted(node: string, error?: string): void {
    endAttempt(this.about.trace, this.#span, node, error);
    this.#span = undefined;
  }

  readonly #clientClosed = (): void => {
    if (this.#splice !== undefined) return;
    this.#attempted("", "cancelled");
    this.#dialling?.cancel();
    this.#mirror?.close();
  };
}
