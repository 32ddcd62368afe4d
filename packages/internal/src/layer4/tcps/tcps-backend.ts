// tcpsBackend: a group of equal servers that are reached by connections, whatever is spoken on them.

import { Backend } from "../../backend/backend.ts";
import { BackendPart } from "../../backend/backend-part.ts";
import { defineBackend } from "../../backend/kind.ts";
import type { NodeChoice } from "../../backend/node-choice.ts";
import { checkNodeTls, NodeTls, nodeTlsProps, type NodeTlsSettings } from "../../backend/node-tls.ts";
import { checkNodes, nodeGroupProps, specsOf } from "../../backend/props.ts";
import type { SelectionHint } from "../../backend/selection-hint.ts";
import { capability } from "../../component/capability.ts";
import type { Part } from "../../component/part.ts";
import { prop } from "../../component/prop.ts";
import type { PropsOf } from "../../component/props/prop-type.ts";
import type { Context } from "../../stage/context.ts";
import { probesOf, probeProps } from "./probes.ts";
import { NodeLink, NodeLinks, type DialUser, type DialWish } from "./node-link.ts";

/** Dials nodes. */
export interface TcpsBackend {
  /** Dials a node. `cancel` of the returned object gives up; nothing is told after that. */
  dial(wish: DialWish, user: DialUser): { cancel(): void };
  /** Why one that failed at these nodes may not be tried at another; `undefined` if it may: the retry is counted. */
  whyNoRetry(tried: readonly string[]): string | undefined;
  /** Which node would be chosen, and why. Has no side effects. */
  explain(wish: SelectionHint): NodeChoice;
}

/** Dials nodes for connections of TCP. */
export const tcpsNodes = capability<TcpsBackend>("tcps-nodes");

const props = {
  ...nodeGroupProps,
  /**
   * How the next node is chosen: `roundRobin` (in turn), `random`, `leastConn` (the fewest connections), `p2c` (the
   * less busy of two random nodes), `ipHash` (by the client's address), `hash` (by `hashOn` of the dealet). All of them
   * respect weights.
   */
  balancer: prop.choice(["roundRobin", "random", "leastConn", "p2c", "ipHash", "hash"], {
    default: "roundRobin",
    reload: "live",
  }),
  ...probeProps,
  ...nodeTlsProps,
};

type TcpsBackendSettings = PropsOf<typeof props>;

/** A group of equal servers that are reached by TCP, TLS or UNIX sockets, whatever is spoken on the connections. */
export const tcpsBackend = defineBackend({
  sign: "tcpsBackend",
  props,
  check(context) {
    checkNodes(context);
    checkNodeTls(context);
    const { healthCheck, healthExpect } = context.props;
    if (healthCheck === "expect" && healthExpect === "") {
      context.report({ prop: "healthCheck", message: '.healthCheck = "expect" needs .healthExpect' });
    }
  },
  offers: [tcpsNodes],
  create: (context): Part & TcpsBackend => new TcpsBackendPart(context),
});

class TcpsBackendPart extends BackendPart<NodeLinks, TcpsBackendSettings> implements TcpsBackend {
  protected readonly backend: Backend<NodeLinks>;
  readonly #tls: NodeTls;
  #isPrepared = false;

  constructor(context: Context<TcpsBackendSettings>) {
    const { props, log, stage } = context;
    super(props);
    this.#tls = new NodeTls(props, []);
    this.backend = new Backend<NodeLinks>({
      owner: context,
      specs: specsOf(props),
      settings: props,
      log,
      fixtures: stage,
      makePool: () => new NodeLinks(),
      probes: probesOf(props, () => this.#tls.options),
      nodesChanged: () => this.#nodesChanged(),
    });
  }

  examine(): void {
    this.#tls.examine();
  }

  override async prepare(): Promise<void> {
    this.#tls.load();
    this.#isPrepared = true;
    await super.prepare();
  }

  revise(next: NodeTlsSettings, changed: ReadonlySet<string>): () => void {
    return this.#tls.revise(next, changed);
  }

  dial(wish: DialWish, user: DialUser): { cancel(): void } {
    const owner = this.backend;
    const { makeDeadline } = owner;
    const link = new NodeLink({ wish, user, owner, settings: this.props, tls: this.#tls.options, makeDeadline });
    owner.enter(link);
    return link;
  }

  #nodesChanged(): void {
    if (!this.#isPrepared) return;
    for (const node of this.backend.nodes) if (node.isDown) node.pool.nodeDown();
  }
}
