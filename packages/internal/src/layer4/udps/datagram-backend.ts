// What backends of datagrams have in common: their nodes get the datagrams of sessions.

import type { Probe } from "../../backend/active-health.ts";
import { Backend } from "../../backend/backend.ts";
import type { NodeChoice } from "../../backend/node-choice.ts";
import { BackendPart } from "../../backend/backend-part.ts";
import { checkNodes, nodeChoiceProps, specsOf } from "../../backend/props.ts";
import type { SelectionHint } from "../../backend/selection-hint.ts";
import { capability } from "../../component/capability.ts";
import type { CheckContext } from "../../component/definition.ts";
import { formatAddress } from "../../component/props/addresses.ts";
import { prop } from "../../component/prop.ts";
import type { PropsOf } from "../../component/props/prop-type.ts";
import type { Context } from "../../stage/context.ts";
import { NodeSession, NodeSessions, type DatagramUser } from "./node-datagrams.ts";

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

/** Spread this into the props of a backend of datagrams. */
export const datagramBackendProps = {
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
};

type DatagramBackendSettings = PropsOf<typeof datagramBackendProps> & {
  readonly healthCheck: string;
};

/** Reports nodes that datagrams cannot be sent to. */
export function checkDatagramNodes(context: CheckContext<PropsOf<typeof datagramBackendProps>>): void {
  checkNodes(context);
  for (const { address } of context.props.nodes) {
    if (!("path" in address)) continue;
    context.report({ prop: "nodes", message: `${formatAddress(address)} has no port to send datagrams to` });
  }
}

/** A group of equal servers that are reached by datagrams. */
export class DatagramBackend extends BackendPart<NodeSessions, DatagramBackendSettings> implements UdpsBackend {
  /** Its nodes. */
  protected readonly backend: Backend<NodeSessions>;
  #isPrepared = false;

  /** `probes`: its health checks, by the values of `healthCheck`. */
  constructor(context: Context<DatagramBackendSettings>, probes: Readonly<Record<string, Probe>>) {
    const { props, log, stage } = context;
    super(props);
    this.backend = new Backend<NodeSessions>({
      specs: specsOf(props),
      settings: props,
      log,
      fixtures: stage,
      makePool: () => new NodeSessions(),
      probes,
      owner: context,
      nodesChanged: () => this.#nodesChanged(),
    });
  }

  override async prepare(): Promise<void> {
    this.#isPrepared = true;
    await super.prepare();
  }

  session(wish: SelectionHint, user: DatagramUser): UdpsNodeSession {
    return new NodeSession(wish, user, this.backend);
  }

  #nodesChanged(): void {
    if (!this.#isPrepared) return;
    for (const node of this.backend.nodes) if (node.isDown) node.pool.nodeDown();
  }
}
