// One of the equal servers of a backend.

import { createHash } from "node:crypto";
import { isIP } from "node:net";
import { formatAddress, type Address } from "../component/props/addresses.ts";
import { isServiceName } from "../fixtures/host-name.ts";
import type { NodeOrder, NodeReport, NodeState } from "../operator/node-orders.ts";
import type { NodeCounts } from "./node-counts.ts";
import { nodeName } from "./node-name.ts";
import type { Balanced } from "./balancer.ts";

/** The configured properties of a node. */
export interface NodeSpec {
  /** Its host is an IP address. */
  readonly address: Address;
  /** The host name in the configuration, for TLS. "" for a UNIX socket. */
  readonly hostname: string;
  /** Its share of the work, relative to the other nodes. */
  readonly weight: number;
  /** The number of idle connections to keep. */
  readonly keepConns: number;
  /** Whether it gets work only when no other node can take it. */
  readonly isBackup: boolean;
}

/** What may become different while the node lives, in place. */
type ChangingSpec = { -readonly [Name in keyof NodeSpec]: NodeSpec[Name] };

/** The connections to a node, in any protocol. */
export interface NodePool {
  /** Closes idle connections, and others as soon as they become idle. */
  close(): void;
  /** Ends what runs. */
  destroy(): void;
}

/** A server of a backend: its configuration, its connections, and how it does. */
export class Node<Pool extends NodePool = NodePool> implements Balanced {
  /** The same object for its whole life: its pool looks at it, too. */
  readonly spec: NodeSpec;
  readonly #spec: ChangingSpec;
  readonly id: string;
  /** As it is written in the configuration: several addresses of one name share it. */
  readonly name: string;
  /** An id for clients that does not reveal the address. */
  readonly tag: string;
  /** The host for requests without one: name and port, or the address if it has no name. */
  readonly host: string;
  active = 0;
  /** For metrics; `undefined`: nothing is counted. */
  readonly counts: NodeCounts | undefined;
  /** It was taken away, by DNS or by a reload: it finishes what it has. */
  isDraining = false;
  /** Whether its health checks fail. */
  isDown = false;
  /** Whether it is ejected for a while after failures at work. */
  isEjected = false;
  /** What an operator has ordered for it. */
  order: NodeOrder | undefined;
  /** Failures at work. */
  failures = 0;
  /** The reason of the last failure of its work or of its health check; "" if there was none. */
  lastFailure = "";
  readonly #makePool: (spec: NodeSpec) => Pool;
  #pool: Pool | undefined;
  readonly #slowStart: () => number;
  readonly #now: () => number;
  /** The time of its recovery; -Infinity if it never failed. */
  #backSince = -Infinity;

  /**
   * `slowStart`: how long its share grows after a recovery, in milliseconds. `counts`: default: nothing is counted.
   */
  constructor(
    spec: NodeSpec,
    makePool: (spec: NodeSpec) => Pool,
    slowStart: () => number,
    now: () => number,
    counts?: NodeCounts,
  ) {
    this.counts = counts;
    this.#spec = { ...spec };
    this.spec = this.#spec;
    this.id = formatAddress(spec.address);
    this.name = nodeName(spec);
    this.tag = createHash("sha256").update(this.id).digest("base64url").slice(0, 12);
    this.host = hostOf(spec, this.id);
    this.#makePool = makePool;
    this.#slowStart = slowStart;
    this.#now = now;
  }

  /** Takes other weights and counts; false: it is another node that is meant. */
  follow({ hostname, weight, keepConns, isBackup }: NodeSpec): boolean {
    if (hostname !== this.spec.hostname) return false;
    Object.assign(this.#spec, { weight, keepConns, isBackup });
    return true;
  }

  /** Created at its first use. */
  get pool(): Pool {
    return (this.#pool ??= this.#makePool(this.spec));
  }

  /** Whether new work may go to it. */
  get isUsable(): boolean {
    return !this.isDown && !this.isEjected && !this.isDraining && this.order?.isDrained !== true;
  }

  /** In one word, for operators. */
  get state(): NodeState {
    if (this.isDraining) return "draining";
    if (this.order?.isDrained === true) return "drained";
    if (this.isDown) return "down";
    return this.isEjected ? "ejected" : "up";
  }

  get weight(): number {
    const weight = this.order?.weight ?? this.spec.weight;
    if (this.#backSince === -Infinity) return weight;
    const share = (this.#now() - this.#backSince) / this.#slowStart();
    if (share < 1) return weight * Math.max(share, leastShare);
    this.#backSince = -Infinity;
    return weight;
  }

  /** What operators see of it. */
  report(): NodeReport {
    const { name, id, state, weight, spec, active, failures, lastFailure } = this;
    const { weight: configuredWeight, isBackup } = spec;
    return { node: name, address: id, state, weight, configuredWeight, isBackup, active, failures, lastFailure };
  }

  /** Starts a slow start. */
  cameBack(): void {
    if (this.#slowStart() > 0) this.#backSince = this.#now();
  }
}

/** The initial share of a recovered node: enough to see whether it works. */
const leastShare = 0.05;

function hostOf({ address, hostname }: NodeSpec, id: string): string {
  if ("path" in address) return "localhost";
  const isName = hostname !== "" && isIP(hostname) === 0 && !isServiceName(hostname);
  return isName ? `${hostname}:${address.port}` : id;
}
