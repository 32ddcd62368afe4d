// What routers of datagrams have in common: they receive at an address, group datagrams to sessions within limits, and
// give each session to the first case that matches. Which datagrams are a session is what each says for itself.

import { Deadlines, SeatedRoster } from "@hemi/common";
import type { CheckContext } from "../../component/definition.ts";
import type { WorkCount } from "../../component/part.ts";
import { addressesIn, formatAddress } from "../../component/props/addresses.ts";
import { prop } from "../../component/prop.ts";
import type { PropsOf } from "../../component/props/prop-type.ts";
import { claimAddress } from "../../front/claim-address.ts";
import { Refusals } from "../../front/refusals.ts";
import { ServerCounts } from "../../front/server-counts.ts";
import { ClientCounts, clientOf } from "../../net/client-counts.ts";
import type { DatagramShare } from "../../net/datagram-sockets.ts";
import { numericAddress } from "../../net/numeric-address.ts";
import type { Endpoint } from "../../net/peer.ts";
import type { Trace } from "../../operator/trace.ts";
import type { Context } from "../../stage/context.ts";
import { OnlyWorker } from "../../stage/workers.ts";
import type { ConnCounts } from "../conn-counts.ts";
import { ConnTracing, connTraceProps } from "../conn-tracing.ts";
import { checkConnLog, ConnLog, connLogProps } from "../conn-log/conn-log.ts";
import type { ConnEndReason } from "../end-reason.ts";
import type { ExplainableRouter, ExplainedRouter } from "../explain/explainable-router.ts";
import { caseKind, type RouterPart } from "../kinds.ts";
import { OpenConns } from "../open-conns.ts";
import { routedCases, untakenCounts, type RoutedCase } from "../routed-cases.ts";
import type { NamedLimit, RouterOfSessions, RouterSession } from "./router-session.ts";
import { SessionRoom } from "./session-room.ts";

/** Spread this into the props of a router of datagrams. */
export const datagramRouterProps = {
  /**
   * The address to receive at: `:port` (all addresses that the machine has at the start), `host:port`, `[v6]:port`
   * or `:firstPort-lastPort`. Port 0 takes a free port. Answers come from the address that the client has sent to.
   */
  address: prop.addressRange({ required: true }),
  /**
   * Maximum number of sessions. If there are as many, a new one takes the place of the oldest one whose client has not
   * shown that it receives answers. If there is none, the datagram is dropped.
   */
  maxSessions: prop.integer({ default: 10_000, min: 1, max: 1_000_000, reload: "live" }),
  /** Maximum number of sessions of one client: an IPv4 address, or a /64 network of IPv6. 0: unlimited. */
  maxSessionsPerClient: prop.integer({ default: 0, inherited: true, reload: "live" }),
  /** Ends a session without a datagram in either direction for this time. */
  idleTimeout: prop.duration({ default: "1m", min: "1ms", reload: "live" }),
  /** Maximum number of datagrams of a session that wait until a dealet is ready. Further ones are dropped. */
  maxQueued: prop.integer({ default: 16, min: 1, max: 10_000, reload: "live" }),
  /** Maximum size of the datagrams of all sessions that wait. Further ones are dropped. */
  maxQueuedSize: prop.size({ default: "16M", min: "64K", reload: "live" }),
  /** Maximum number of datagrams that are sent to a client after one of its own. Further ones are dropped. */
  maxAnswers: prop.integer({ default: 1000, min: 1, max: 1_000_000_000, reload: "live" }),
  /** How long cases wait for the rest of a ClientHello, if they ask for `$serverName` or `$nextProto`. */
  sniffTimeout: prop.duration({ default: "3s", min: "1ms", max: "2m", inherited: true, reload: "live" }),
  /** How long a draining router waits for a datagram of a session, before it ends the session. */
  drainIdleTimeout: prop.duration({ default: "250ms", inherited: true, reload: "live" }),
  ...connLogProps,
  ...connTraceProps,
};

/** The values of these props. */
export type DatagramRouterSettings = PropsOf<typeof datagramRouterProps>;

/** Reports what such a router cannot have. */
export function checkDatagramRouter(context: CheckContext<DatagramRouterSettings>): void {
  checkConnLog(context);
  const { address } = context.props;
  if ("path" in address) {
    context.report({ prop: "address", message: "datagrams are received at a port: write host:port" });
  } else {
    claimAddress({ props: { address }, claim: (claim) => context.claim({ ...claim, what: `UDP, ${claim.what}` }) });
  }
}

/** A router of datagrams. */
export abstract class DatagramRouter<Settings extends DatagramRouterSettings, Session extends RouterSession>
  implements RouterPart, ExplainableRouter, RouterOfSessions
{
  /** For `hemi explain`. */
  protected abstract readonly protocol: ExplainedRouter["protocol"];
  readonly #context: Context<Settings, undefined>;
  readonly #deadlines = new Deadlines({
    failed: (error) => this.#context.log.error("failed when a deadline expired", { error }),
  });
  readonly #counts: ServerCounts;
  readonly #untaken: ConnCounts;
  readonly #tracing: ConnTracing;
  readonly #room = new SessionRoom<RouterSession>();
  readonly #sessions = new SeatedRoster<RouterSession>();
  readonly #open = new OpenConns(() => this.#sessions);
  readonly #clients = new ClientCounts();
  readonly #refused = this.#tellingOf("sessions", () => "as many as may be are proven: see maxSessions");
  readonly #tooMany = this.#tellingOf("sessions", () => "a client may have maxSessionsPerClient");
  readonly #drops = this.#tellingOf("datagrams", () => `the limit is ${this.#lastLimit}`);
  #lastLimit = "";
  readonly #shares: DatagramShare[] = [];
  #log: ConnLog | undefined;
  #queuedSize = 0;
  /** In the order of the text. */
  cases: readonly RoutedCase[] = [];

  constructor(context: Context<Settings, undefined>) {
    this.#context = context;
    this.#counts = new ServerCounts(context);
    this.#untaken = untakenCounts(context);
    this.#tracing = new ConnTracing(context);
  }

  /** A datagram has come: `deliver` it to a session, `begin` one, or drop it. */
  protected abstract received(bytes: Buffer, from: Endpoint, share: DatagramShare): void;
  /** See `RouterOfSessions`. */
  abstract unprovenLimit(session: RouterSession): NamedLimit;

  /** Gives a datagram to its session: see `deliver` of `RouterSession`. */
  protected deliver(session: Session, bytes: Buffer, showsAddress?: boolean): void {
    try {
      session.deliver(bytes, showsAddress);
    } catch (error) {
      session.failed(error);
    }
  }

  /** Makes a session of a client; `undefined`: there are too many. */
  protected begin(address: string, make: () => Session): Session | undefined {
    const { maxSessions, maxSessionsPerClient } = this.settings;
    const client = clientOf(address);
    if (maxSessionsPerClient > 0 && this.#clients.of(client) >= maxSessionsPerClient) {
      this.#counts.refused();
      this.#tooMany.add(address);
      return undefined;
    }
    if (!this.#room.makeRoom(maxSessions)) {
      this.#counts.refused();
      this.#refused.add(address);
      return undefined;
    }
    const session = make();
    this.#room.add(session);
    this.#sessions.add(session);
    this.#clients.add(client);
    this.#counts.accepted();
    return session;
  }

  // ---- its life ----

  async prepare(): Promise<void> {
    const { props, listeners, stage, workers } = this.#context;
    this.#log = await ConnLog.open(this.#context);
    for (const each of addressesIn(props.address)) {
      const address = await numericAddress(each, stage.namer);
      if ("path" in address) throw new TypeError(`${formatAddress(address)} is no address for datagrams`);
      this.#shares.push(...(await listeners.datagrams.share({ address, isShared: !(workers instanceof OnlyWorker) })));
    }
  }

  compose(): void {
    this.cases = routedCases(this.#context);
  }

  start(): void {
    for (const share of this.#shares) share.receive((bytes, from) => this.received(bytes, from, share));
    if (this.#context.workers.slot > 0) return;
    this.#context.log.info(`listens on ${this.listensOn.join(", ")}`);
  }

  update(changed: ReadonlySet<string>): void {
    if (changed.has("idleTimeout")) for (const session of this.#sessions) session.idleTimeoutChanged();
  }

  countWork(dropped: ReadonlySet<object>, users: ReadonlySet<object>): WorkCount {
    return { conns: this.#sessions.size, ending: this.#open.count(dropped, users) };
  }

  settle(dropped: ReadonlySet<object>, deadline: number, users: ReadonlySet<object>): Promise<void> {
    return this.#open.settle(dropped, deadline, users);
  }

  /** Sessions end when nothing has come for a moment; until then, they still get their datagrams. */
  async drain(): Promise<void> {
    for (const session of this.#sessions) session.drain();
    await this.#open.until(() => this.#sessions.size === 0);
  }

  async shutdown(): Promise<void> {
    for (const session of this.#sessions) session.destroy();
    await Promise.all(this.#shares.map((share) => share.release()));
    for (const refusals of [this.#refused, this.#tooMany, this.#drops]) refusals.close();
    this.#deadlines.close();
    await this.#log?.close();
  }

  reopenLogs(): void {
    this.#log?.reopen();
  }

  get explained(): ExplainedRouter {
    const { address } = this.settings;
    return { address, protocol: this.protocol, isTerminating: false, cases: this.#context.children(caseKind) };
  }

  get listensOn(): readonly string[] {
    return this.#shares.map(({ local: { address, port } }) => formatAddress({ host: address, port }));
  }

  #tellingOf(what: string, why: () => string): Refusals {
    return new Refusals({
      makeDeadline: this.makeDeadline,
      tell: (count, latest) => this.#context.log.warn(`dropped ${count} ${what}, the last of ${latest}: ${why()}`),
    });
  }

  // ---- called by its sessions ----

  /** Looked at whenever they are used: live. */
  get settings(): Settings {
    return this.#context.props;
  }

  /** For sessions: calls back when the deadline that is set has passed. */
  get makeDeadline(): RouterOfSessions["makeDeadline"] {
    return (onExpired) => this.#deadlines.add(onExpired);
  }

  beginTrace(): Trace | undefined {
    return this.#tracing.begin();
  }

  now(): number {
    return this.#context.stage.clock.monotonic();
  }

  mayQueue(size: number): boolean {
    if (this.#queuedSize + size > this.settings.maxQueuedSize) return false;
    this.#queuedSize += size;
    return true;
  }

  unqueued(size: number): void {
    this.#queuedSize -= size;
  }

  dropped({ source }: RouterSession, limit: string): void {
    this.#lastLimit = limit;
    this.#drops.add(source.address);
  }

  /** What was thrown for a session is in the log. */
  failed({ source: { address, port }, taker }: RouterSession, error: unknown): void {
    const { log, path } = this.#context;
    log.withPath(taker?.path ?? path).error(`failed at client ${address} port ${port}`, { error });
  }

  /** The client of a session has shown that it receives answers. */
  proven(session: RouterSession): void {
    this.#room.proven(session);
  }

  over(session: RouterSession, reason: ConnEndReason): void {
    const { address, port } = session.source;
    this.#room.delete(session);
    this.#sessions.delete(session);
    this.#clients.remove(clientOf(address));
    this.#counts.closed();
    session.taker?.counts.left();
    (session.taker?.counts ?? this.#untaken).ended(session, reason);
    this.#tracing.ended(session, reason);
    this.#log?.write(session, reason);
    const message = `client ${address} port ${port}: its session was ended: ${reason}`;
    if (isUsual.has(reason)) this.#context.log.debug(message);
    else this.#context.log.info(message);
    this.#open.ended(session);
  }
}

/** Reasons that the log does not mention by default; `refused` would be a line for each datagram of a flood. */
const isUsual: ReadonlySet<ConnEndReason> = new Set(["complete", "idleTimeout", "refused", "notTaken", "shutdown"]);
