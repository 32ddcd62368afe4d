// One of the equal servers of a backend.

import { createHash } from "node:crypto";
import { isIP } from "node:net";
import { formatAddress, type Address } from "../component/props/addresses.ts";
import { isServiceName } from "../fixtures/host-name.ts";
import type { Balanced } from "./balancer.ts";

/** What is known of a node before anything was asked of it. */
export interface NodeSpec {
  /** With a number for its host. */
  readonly address: Address;
  /** The name by which the configuration has it: what TLS asks for. "" for a UNIX socket. */
  readonly hostname: string;
  readonly weight: number;
  /** Idle connections that are kept. */
  readonly keepConns: number;
  /** Takes work only when no other node can. */
  readonly isBackup: boolean;
}

/** What may become different while the node lives, in place. */
type ChangingSpec = { -readonly [Name in keyof NodeSpec]: NodeSpec[Name] };

/** The connections to a node, whatever their protocol. */
export interface NodePool {
  /** Idle connections are closed, and others as soon as they are idle. */
  close(): void;
}

export class Node<Pool extends NodePool = NodePool> implements Balanced {
  /** The same object for its whole life: its pool looks at it, too. */
  readonly spec: NodeSpec;
  readonly #spec: ChangingSpec;
  readonly id: string;
  /** Its id for those who should not learn its address: clients. */
  readonly tag: string;
  /** What it is asked for where a request says no host: its name and port, or its address where it has no name. */
  readonly host: string;
  active = 0;
  /** It was taken away, by DNS or by a reload: it finishes what it has. */
  isDraining = false;
  /** Its health checks fail. */
  isDown = false;
  /** It failed at work, and rests for a while. */
  isEjected = false;
  readonly #makePool: (spec: NodeSpec) => Pool;
  #pool: Pool | undefined;
  readonly #slowStart: () => number;
  readonly #now: () => number;
  /** Since when it is back; -Infinity: it has not been away. */
  #backSince = -Infinity;

  /** `slowStart`: in ms, how long its share grows once it is back. */
  constructor(spec: NodeSpec, makePool: (spec: NodeSpec) => Pool, slowStart: () => number, now: () => number) {
    this.#spec = { ...spec };
    this.spec = this.#spec;
    this.id = formatAddress(spec.address);
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

  /** Made when first asked for. */
  get pool(): Pool {
    return (this.#pool ??= this.#makePool(this.spec));
  }

  get isUsable(): boolean {
    return !this.isDown && !this.isEjected && !this.isDraining;
  }

  get state(): "up" | "down" | "ejected" | "draining" {
    if (this.isDraining) return "draining";
    if (this.isDown) return "down";
    return this.isEjected ? "ejected" : "up";
  }

  get weight(): number {
    const { weight } = this.spec;
    if (this.#backSince === -Infinity) return weight;
    const share = (this.#now() - this.#backSince) / this.#slowStart();
    if (share < 1) return weight * Math.max(share, leastShare);
    this.#backSince = -Infinity;
    return weight;
  }

  /** Begins a slow start. */
  cameBack(): void {
    if (this.#slowStart() > 0) this.#backSince = this.#now();
  }
}

/** What a node that has just come back gets of its share: enough to see whether it can work. */
const leastShare = 0.05;

function hostOf({ address, hostname }: NodeSpec, id: string): string {
  if ("path" in address) return "localhost";
  const isName = hostname !== "" && isIP(hostname) === 0 && !isServiceName(hostname);
  return isName ? `${hostname}:${address.port}` : id;
}
