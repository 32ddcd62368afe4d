// udpsBackend: a group of equal servers that are reached by datagrams.

import { Backend } from "../../backend/backend.ts";
import { defineBackend } from "../../backend/kind.ts";
import type { NodeChoice } from "../../backend/node-group.ts";
import { checkNodes, followChanges, nodeChoiceProps, specsOf } from "../../backend/props.ts";
import type { SelectionHint } from "../../backend/selection-hint.ts";
import { capability } from "../../component/capability.ts";
import type { Part } from "../../component/part.ts";
import { formatAddress } from "../../component/props/addresses.ts";
import { prop } from "../../component/prop.ts";
import type { PropsOf } from "../../component/props/prop-type.ts";
import type { Context } from "../../stage/context.ts";
import { NodeSession, NodeSessions, type DatagramUser } from "./node-datagrams.ts";
import { probeProps, probesOf } from "./probes.ts";

/** A session with a node. */
export interface UdpsNodeSession {
  /** Looks for a node. The user learns of it, perhaps before this returns. */
  open(): void;
  /** Sends a datagram to the node, once there is one. What the system cannot take at once is lost. */
  send(datagram: Buffer): void;
  /** Ends it. The user learns nothing after that. */
  close(): void;
}

/** Gives nodes to sessions. */
export interface UdpsBackend {
  /** Makes a session that is to be opened. */
  session(wish: SelectionHint, user: DatagramUser): UdpsNodeSession;
  /** Why one that failed at these nodes may not be tried at another; `undefined` if it may: the retry is counted. */
  whyNoRetry(tried: readonly string[]): string | undefined;
  /** Which node would be chosen, and why. Has no side effects. */
  explain(wish: SelectionHint): NodeChoice;
}

/** Gives nodes to sessions of UDP. */
export const udpsNodes = capability<UdpsBackend>("udps-nodes");

const props = {
  ...nodeChoiceProps,
  /** Time limit for the first lookup of the nodes' names at the start. */
  dialTimeout: prop.duration({ default: "5s", min: "1ms", reload: "live" }),
  /**
   * How the next node is chosen: `roundRobin` (in turn), `random`, `leastConn` (the fewest sessions), `p2c` (the less
   * busy of two random nodes), `ipHash` (by the client's address), `hash` (by `hashOn` of the dealet). All of them
   * respect weights.
   */
  balancer: prop.choice(["roundRobin", "random", "leastConn", "p2c", "ipHash", "hash"], { default: "roundRobin" }),
  /** Maximum number of sessions of each node. Further ones wait. */
  maxConnsPerNode: prop.integer({ default: 10_000, min: 1, max: 1_000_000, reload: "live" }),
  ...probeProps,
};

type UdpsBackendSettings = PropsOf<typeof props>;

/** A group of equal servers that are reached by datagrams of UDP, DTLS included. */
export const udpsBackend = defineBackend({
  sign: "udpsBackend",
  props,
  check(context) {
    checkNodes(context);
    for (const { address } of context.props.nodes) {
      if (!("path" in address)) continue;
      context.report({ prop: "nodes", message: `${formatAddress(address)} has no port to send datagrams to` });
    }
    if (context.props.healthCheck === "expect" && !context.isSet("healthSend")) {
      context.report({ prop: "healthCheck", message: '.healthCheck = "expect" needs .healthSend' });
    }
  },
  offers: [udpsNodes],
  create: (context): Part & UdpsBackend => new UdpsBackendPart(context),
});

class UdpsBackendPart implements Part, UdpsBackend {
  readonly #props: UdpsBackendSettings;
  readonly #backend: Backend<NodeSessions>;
  #isPrepared = false;

  constructor(context: Context<UdpsBackendSettings>) {
    const { props, log, stage } = context;
    this.#props = props;
    this.#backend = new Backend<NodeSessions>({
      specs: specsOf(props),
      settings: props,
      log,
      fixtures: stage,
      makePool: () => new NodeSessions(),
      probes: probesOf(props),
      owner: context,
      nodesChanged: () => this.#nodesChanged(),
    });
  }

  async prepare(): Promise<void> {
    this.#isPrepared = true;
    await this.#backend.prepare();
  }

  start(): void {
    this.#backend.start();
  }

  update(changed: ReadonlySet<string>): void {
    followChanges(this.#backend, changed, this.#props);
  }

  drain(): Promise<void> {
    return this.#backend.drain();
  }

  async shutdown(): Promise<void> {
    for (const { pool } of this.#backend.nodes) pool.destroy();
    await this.#backend.shutdown();
  }

  session(wish: SelectionHint, user: DatagramUser): UdpsNodeSession {
    return new NodeSession(wish, user, this.#backend);
  }

  whyNoRetry(tried: readonly string[]): string | undefined {
    return this.#backend.whyNoRetry(tried);
  }

  explain(wish: SelectionHint): NodeChoice {
    return this.#backend.explain(wish);
  }

  #nodesChanged(): void {
    if (!this.#isPrepared) return;
    for (const node of this.#backend.nodes) if (node.isDown) node.pool.nodeDown();
  }
}
