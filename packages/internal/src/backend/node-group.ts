// The nodes of one backend: which nodes exist, which may work, and which requests wait for one.
//
//  addresses ── DNS ──> nodes ── up, not ejected, not full ──> candidates ── balancer ──> the node
//                                                                  │ none: all are full
//                                                                  v
//                                                                queue (bounded; 503 after queueTimeout)

import type { Deadline } from "@hemi/common";
import { formatAddress } from "../component/props/addresses.ts";
import type { Namer } from "../fixtures/namer.ts";
import type { ErrorLog } from "../log/error-log.ts";
import type { NodeOrder, NodeReport } from "../operator/node-orders.ts";
import { NodeAddresses } from "./addresses.ts";
import type { BackendCounts } from "./backend-counts.ts";
import type { Balancer } from "./balancer.ts";
import { BackendFailure } from "./failure.ts";
import { Node, type NodePool, type NodeSpec } from "./node.ts";
import { explainNodeChoice, type NodeChoice } from "./node-choice.ts";
import type { SelectionHint } from "./selection-hint.ts";

export interface GroupSettings {
  /** Concurrent requests or connections for each node. */
  readonly maxConnsPerNode: number;
  readonly maxQueued: number;
  /** In milliseconds. */
  readonly queueTimeout: number;
  /** In milliseconds. */
  readonly slowStart: number;
  /** In milliseconds; the maximum wait for the first DNS responses. */
  readonly dialTimeout: number;
}

export interface GroupOptions<Pool extends NodePool> {
  readonly specs: readonly NodeSpec[];
  readonly settings: GroupSettings;
  readonly balancer: Balancer;
  readonly namer: Pick<Namer, "follow">;
  readonly log: ErrorLog;
  /** Default: nothing is counted. */
  readonly counts?: BackendCounts | undefined;
  readonly makePool: (spec: NodeSpec) => Pool;
  readonly makeDeadline: (onExpired: () => void) => Deadline;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
  /** What operators have ordered for a node, by its names. Default: nothing. */
  readonly orderFor?: (names: readonly string[]) => NodeOrder | undefined;
  /** Notified of a new node before it gets work, and of a removed node. */
  readonly joined?: (node: Node<Pool>) => void;
  readonly left?: (node: Node<Pool>) => void;
  /** Notified after the state of a node has changed. */
  readonly changed?: (() => void) | undefined;
}

/** A request that waits for a node. */
export interface Waiter<Pool extends NodePool> {
  readonly wish: SelectionHint;
  /** The node counts it as active from here on, until `leave`. */
  entered(node: Node<Pool>): void;
  refused(failure: BackendFailure): void;
}

interface Queued<Pool extends NodePool> {
  readonly waiter: Waiter<Pool>;
  readonly deadline: Deadline;
}

export class NodeGroup<Pool extends NodePool> {
  readonly #options: GroupOptions<Pool>;
  /** May be replaced at any time. */
  balancer: Balancer;
  /** Those that are wanted, then those that are to leave. */
  #addresses: readonly NodeAddresses[];
  #wanted: readonly NodeAddresses[];
  /** The first answers for the names of those that are wanted have come, or were waited for. */
  #areLookedUp = true;
  #nodes = new Map<string, Node<Pool>>();
  /** Those that have left, and finish what they have. */
  readonly #leaving = new Set<Node<Pool>>();
  /** The nodes that are not backups, in order. */
  #mains: readonly Node<Pool>[] = [];
  #backups: readonly Node<Pool>[] = [];
  /** In the order of arrival. */
  readonly #queue = new Map<Waiter<Pool>, Queued<Pool>>();
  /** For those who wait until there is no work. */
  #idle: PromiseWithResolvers<void> | undefined;
  #isShut = false;

  constructor(options: GroupOptions<Pool>) {
    this.#options = options;
    this.balancer = options.balancer;
    this.#wanted = options.specs.map((spec) => this.#addressesOf(spec));
    this.#addresses = this.#wanted;
    this.#readdress();
  }

  get nodes(): Iterable<Node<Pool>> {
    return this.#nodes.values();
  }

  /** Those too that have left, and finish what they have. */
  get allNodes(): readonly Node<Pool>[] {
    return [...this.#nodes.values(), ...this.#leaving];
  }

  /** Requests and connections that wait for a node. */
  get queued(): number {
    return this.#queue.size;
  }

  /** Those without an address too. */
  reports(): readonly NodeReport[] {
    const unresolved = this.#wanted.filter(({ specs }) => specs.length === 0);
    return [...this.allNodes.map((node) => node.report()), ...unresolved.map((addresses) => addresses.report())];
  }

  get size(): number {
    return this.#nodes.size;
  }

  /** Looks up the names of nodes. A failed lookup does not prevent the start. */
  prepare(): Promise<void> {
    return this.#follow(this.#addresses);
  }

  /**
   * Takes other nodes from now on. Those that are among both stay as they are, with their connections and their health;
   * the others leave when the names of the new ones have been looked up, which is waited for as in `prepare`, and as
   * soon as there is a new one at all.
   */
  specify(specs: readonly NodeSpec[]): void {
    const before = new Map(this.#addresses.map((addresses) => [addresses.text, addresses]));
    const wanted = specs.map((spec) => {
      const known = before.get(formatAddress(spec.address));
      known?.respecify(spec);
      return known ?? this.#addressesOf(spec);
    });
    const fresh = wanted.filter((addresses) => !this.#addresses.includes(addresses));
    this.#addresses = [...wanted, ...this.#addresses.filter((addresses) => !wanted.includes(addresses))];
    this.#wanted = wanted;
    this.#areLookedUp = !fresh.some(({ isUnknown }) => isUnknown);
    const lookedUp = this.#follow(fresh);
    this.#readdress();
    void lookedUp.then(() => {
      if (this.#isShut || wanted !== this.#wanted) return;
      this.#areLookedUp = true;
      this.#readdress();
    });
  }

  /** Puts new nodes in the place of all, which leave: connections are made in another way from now on. */
  renew(): void {
    this.#readdress({ isRenewed: true });
  }

  /** Settles when no node has work and nobody waits for one. */
  async drain(): Promise<void> {
    while (!this.#isIdle()) {
      this.#idle ??= Promise.withResolvers<void>();
      await this.#idle.promise;
    }
  }

  shutdown(): void {
    this.#isShut = true;
    for (const addresses of this.#addresses) addresses.stop();
    for (const waiter of [...this.#queue.keys()]) this.#refuse(waiter, "the stage shuts down");
    for (const node of this.#nodes.values()) {
      node.pool.close();
      node.counts?.usable(false);
    }
    this.#leaving.clear();
  }

  /** Gives the waiter a node, or refuses, immediately or later. */
  enter(waiter: Waiter<Pool>): void {
    // Earlier waiters go first if a node can take them.
    if (this.#queue.size > 0) this.#admitQueued();
    const node = this.#choose(waiter.wish);
    if (node !== undefined) return this.#admit(waiter, node);
    const { maxQueued, queueTimeout } = this.#options.settings;
    const { tried, only } = waiter.wish;
    if (only !== undefined && this.#nodes.get(only)?.isUsable !== true) this.#turnAway(waiter, this.#whyNotOnly(only));
    else if (!this.hasOther(tried)) this.#turnAway(waiter, this.#whyNone());
    else if (this.#queue.size >= maxQueued) this.#turnAway(waiter, `all nodes have their fill, and ${maxQueued} wait`);
    else {
      const reason = `all nodes had their fill for ${queueTimeout} ms`;
      const deadline = this.#options.makeDeadline(() => this.#refuse(waiter, reason));
      deadline.set(queueTimeout);
      this.#queue.set(waiter, { waiter, deadline });
      this.#options.counts?.queued(1);
    }
  }

  /** Removes a waiter that no longer needs a node. */
  forget(waiter: Waiter<Pool>): void {
    this.#queue.get(waiter)?.deadline.clear();
    if (this.#queue.delete(waiter)) this.#options.counts?.queued(-1);
    this.#noteIdle();
  }

  /** The work on a node is over. */
  leave(node: Node<Pool>): void {
    node.active--;
    node.counts?.left();
    if (this.#queue.size > 0) this.#admitQueued();
    if (node.isDraining && node.active === 0) this.#leaving.delete(node);
    this.#noteIdle();
  }

  /** `isDown`, `isEjected` or `isDraining` of a node has changed. */
  stateChanged(): void {
    for (const node of this.#nodes.values()) node.counts?.usable(node.isUsable);
    const usable = [...this.#nodes.values()].filter((node) => node.isUsable);
    this.#mains = usable.filter(({ spec }) => !spec.isBackup);
    this.#backups = usable.filter(({ spec }) => spec.isBackup);
    this.#admitQueued();
    this.#options.changed?.();
  }

  /** Follows the orders of operators, which have changed. */
  followOrders(): void {
    for (const node of this.#nodes.values()) {
      const wasDrained = node.order?.isDrained === true;
      node.order = this.#orderFor(node);
      if (wasDrained && node.isUsable) node.cameBack();
    }
    this.stateChanged();
  }

  /** Why no node can be used; `undefined` if one can. */
  whyUnusable(): string | undefined {
    return this.#mains.length + this.#backups.length > 0 ? undefined : this.#whyNone();
  }

  /** Whether there is a usable node besides these. */
  hasOther(tried: readonly string[]): boolean {
    return [...this.#mains, ...this.#backups].some(({ id }) => !tried.includes(id));
  }

  /** Returns which node would be chosen, and why each of the others would not. Has no side effects. */
  explain(wish: SelectionHint): NodeChoice {
    return explainNodeChoice(wish, {
      nodes: this.nodes,
      candidates: this.#candidates(wish),
      addresses: this.#addresses,
      balancer: this.balancer,
      maxConnsPerNode: this.#options.settings.maxConnsPerNode,
    });
  }

  #orderFor({ id, name }: Node<Pool>): NodeOrder | undefined {
    return this.#options.orderFor?.([id, name]);
  }

  #choose(wish: SelectionHint): Node<Pool> | undefined {
    const candidates = this.#candidates(wish);
    return candidates.length < 2 ? candidates[0] : this.balancer.choose(wish, candidates);
  }

  /** The nodes that can take it now; backups only if no other node can. */
  #candidates(wish: SelectionHint): readonly Node<Pool>[] {
    if (wish.only !== undefined) {
      const node = this.#nodes.get(wish.only);
      return node?.isUsable === true ? this.#free([node], wish.tried) : [];
    }
    const mains = this.#free(this.#mains, wish.tried);
    return mains.length > 0 ? mains : this.#free(this.#backups, wish.tried);
  }

  #free(nodes: readonly Node<Pool>[], tried: readonly string[]): readonly Node<Pool>[] {
    const { maxConnsPerNode } = this.#options.settings;
    for (const node of nodes) {
      if (node.active < maxConnsPerNode && !tried.includes(node.id)) continue;
      return nodes.filter(({ active, id }) => active < maxConnsPerNode && !tried.includes(id));
    }
    return nodes;
  }

  #isAnyFree(): boolean {
    const { maxConnsPerNode } = this.#options.settings;
    const isFree = ({ active }: Node<Pool>): boolean => active < maxConnsPerNode;
    return this.#mains.some(isFree) || this.#backups.some(isFree);
  }

  #admit(waiter: Waiter<Pool>, node: Node<Pool>): void {
    node.active++;
    node.counts?.entered();
    waiter.entered(node);
  }

  /** Gives nodes to waiters in order. A waiter that has tried all free nodes does not block the waiters behind it. */
  #admitQueued(): void {
    for (const { waiter } of this.#queue.values()) {
      // Without a free node, a long queue costs no more than a short one.
      if (!this.#isAnyFree()) return;
      const node = this.#choose(waiter.wish);
      if (node === undefined) continue;
      this.forget(waiter);
      this.#admit(waiter, node);
    }
  }

  #refuse(waiter: Waiter<Pool>, reason: string): void {
    this.forget(waiter);
    this.#turnAway(waiter, reason);
  }

  #turnAway(waiter: Waiter<Pool>, reason: string): void {
    this.#options.counts?.refused();
    waiter.refused(new BackendFailure("HEMI_BACKEND_BUSY", "", reason));
  }

  #addressesOf(spec: NodeSpec): NodeAddresses {
    return new NodeAddresses(spec, this.#options.log, () => this.#readdress());
  }

  /** Settles when the first answers for all names are there, or `dialTimeout` is over. */
  async #follow(followed: readonly NodeAddresses[]): Promise<void> {
    const { promise: tooLate, resolve } = Promise.withResolvers<void>();
    const deadline = this.#options.makeDeadline(resolve);
    deadline.set(this.#options.settings.dialTimeout);
    const known = followed.map((addresses) => addresses.follow(this.#options.namer));
    await Promise.race([Promise.all(known), tooLate]);
    deadline.clear();
  }

  #isIdle(): boolean {
    return this.#queue.size === 0 && this.allNodes.every(({ active }) => active === 0);
  }

  #noteIdle(): void {
    if (this.#idle === undefined || !this.#isIdle()) return;
    this.#idle.resolve();
    this.#idle = undefined;
  }

  /** Applies the current addresses. Nodes that still exist keep their state, unless they are renewed. */
  #readdress({ isRenewed = false } = {}): void {
    if (this.#areLookedUp && this.#wanted.some(({ specs }) => specs.length > 0)) {
      for (const addresses of this.#addresses) if (!this.#wanted.includes(addresses)) addresses.stop();
      this.#addresses = this.#wanted;
    }
    const { makePool, settings, now, log, counts, joined } = this.#options;
    const before = this.#nodes;
    this.#nodes = new Map();
    for (const spec of this.#addresses.flatMap(({ specs }) => specs)) {
      const id = formatAddress(spec.address);
      // Two names may have the same address: the first name is used.
      if (this.#nodes.has(id)) continue;
      const known = before.get(id);
      if (!isRenewed && known?.follow(spec) === true) {
        this.#nodes.set(id, known);
        continue;
      }
      const node = new Node(spec, makePool, () => settings.slowStart, now, counts?.ofNode(spec));
      node.order = this.#orderFor(node);
      this.#nodes.set(id, node);
      if (isRenewed && known !== undefined) node.isDown = known.isDown;
      else if (before.size > 0) log.info(`node ${id} has joined`);
      joined?.(node);
    }
    for (const node of before.values()) {
      if (this.#nodes.get(node.id) === node) continue;
      node.isDraining = true;
      node.counts?.usable(false);
      if (node.active > 0) this.#leaving.add(node);
      node.pool.close();
      if (!this.#nodes.has(node.id)) log.info(`node ${node.id} has left`);
      this.#options.left?.(node);
    }
    this.stateChanged();
  }

  #whyNone(): string {
    const failures = this.#addresses.map(({ failure }) => failure).filter((failure) => failure !== "");
    const states = [...this.#nodes.values()].map(({ id, state }) => `${id} is ${state}`);
    return `no node can be used: ${[...states, ...failures].join(", ")}`;
  }

  #whyNotOnly(id: string): string {
    const node = this.#nodes.get(id);
    return node === undefined ? `${id} is no node of it` : `${id} is ${node.state}`;
  }
}
