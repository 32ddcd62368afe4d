// The parts that all backends share, whatever their protocol: a group of nodes with health checks.
//
//  enter ── breaker ──> group: candidates, balancer, queue ──> node ── work of the protocol ──> leave: outcome
//                         ^                                                                         │
//                         └── down, ejected <── active health, passive health <─────────────────────┘

import { Deadlines, type Deadline } from "@hemi/common";
import type { StageFixtures } from "../stage/context.ts";
import type { Workers } from "../stage/workers.ts";
import type { ErrorLog } from "../log/error-log.ts";
import type { BackendReport, OrderedBackend } from "../operator/node-orders.ts";
import type { Operator } from "../operator/operator.ts";
import { BackendCounts, type CountingOwner } from "./backend-counts.ts";
import { ActiveHealth, probeTCP, type ActiveSettings, type Probe } from "./active-health.ts";
import { makeBalancer, type BalancerName } from "./balancers/balancers.ts";
import { CircuitBreaker, type BreakerSettings } from "./circuit-breaker.ts";
import { BackendFailure } from "./failure.ts";
import type { Node, NodePool, NodeSpec } from "./node.ts";
import type { NodeChoice } from "./node-choice.ts";
import { NodeGroup, type GroupSettings, type Waiter } from "./node-group.ts";
import type { SelectionHint } from "./selection-hint.ts";
import { PassiveHealth, type PassiveSettings } from "./passive-health.ts";
import { RetryBudget } from "./retry-budget.ts";
import type { Readiness } from "../stage/readiness.ts";

export interface BackendSettings extends GroupSettings, ActiveSettings, PassiveSettings, BreakerSettings {
  readonly balancer: BalancerName;
  /** `off`, `tcp`, or a word for which the protocol has a probe. */
  readonly healthCheck: string;
  /** Retries for every hundred requests. */
  readonly retryBudget: number;
}

export interface BackendOptions<Pool extends NodePool> {
  readonly specs: readonly NodeSpec[];
  /** Read at each use, because live props change it. */
  readonly settings: BackendSettings;
  readonly log: ErrorLog;
  readonly fixtures: Pick<StageFixtures, "clock" | "namer">;
  readonly makePool: (spec: NodeSpec) => Pool;
  /** Probes of the protocol, by the words of `healthCheck`. Default: none. */
  readonly probes?: Readonly<Record<string, Probe>>;
  /**
   * The component: work is counted for it, operators steer its nodes, and the stage is not ready while it has no usable
   * node.
   */
  readonly owner: BackendOwner;
  /** Called after the state of a node has changed: it is up, down or ejected. */
  readonly nodesChanged?: () => void;
}

/** What a backend needs of its context. */
export interface BackendOwner extends CountingOwner {
  readonly readiness: Readiness;
  readonly workers: Workers;
  readonly operator: Operator;
}

/**
 * The outcome of work on a node: success, failure with a reason, unknown, because the work was abandoned, or stale: the
 * node had closed a kept connection when it was used, which says nothing against it.
 */
export type WorkOutcome = "good" | "unknown" | "stale" | { readonly failure: string };

/** The services that work on a node needs from its backend. */
export interface NodeOwner<Pool extends NodePool> {
  /** `duration`: of a response, in ms, from the choice of the node to its end. */
  leave(node: Node<Pool>, outcome: WorkOutcome, duration?: number): void;
  /** Reports the outcome, but keeps the node until `depart`. */
  judge(node: Node<Pool>, outcome: WorkOutcome, duration?: number): void;
  /** A tunnel to the node is closed. */
  depart(node: Node<Pool>): void;
  /** What has asked for a node wants none any more. */
  forget(waiter: Waiter<Pool>): void;
}

export class Backend<Pool extends NodePool> implements NodeOwner<Pool>, OrderedBackend {
  readonly #settings: BackendSettings;
  readonly #log: ErrorLog;
  readonly #deadlines: Deadlines;
  readonly #group: NodeGroup<Pool>;
  readonly #passive: PassiveHealth;
  readonly #newActive: () => ActiveHealth | undefined;
  #active: ActiveHealth | undefined;
  /** Settles when those that were replaced have stopped. */
  #stopped: Promise<unknown> = Promise.resolve();
  readonly #breaker: CircuitBreaker;
  readonly #budget: RetryBudget;
  readonly #counts: BackendCounts;
  readonly #owner: BackendOptions<Pool>["owner"];
  /** Ends what `start` has begun. */
  #leave: (() => void) | undefined;
  #isStarted = false;

  constructor(options: BackendOptions<Pool>) {
    const { specs, settings, log, fixtures, makePool, probes, owner, nodesChanged } = options;
    const now = () => fixtures.clock.monotonic();
    this.#settings = settings;
    this.#log = log;
    this.#deadlines = new Deadlines({ failed: (error) => log.error("failed when a deadline expired", { error }) });
    this.#owner = owner;
    this.#counts = new BackendCounts(owner);
    this.#group = new NodeGroup({
      specs,
      counts: this.#counts,
      settings,
      balancer: makeBalancer(settings.balancer),
      namer: fixtures.namer,
      log,
      now,
      makeDeadline: this.makeDeadline,
      makePool,
      orderFor: (names) => owner.operator.nodes.find(owner.name, names),
      joined: (node) => {
        if (this.#isStarted) this.#active?.watch(node);
      },
      left: (node) => this.#active?.forget(node),
      changed: nodesChanged,
    });
    this.#passive = new PassiveHealth(settings, this.#group, log, this.makeDeadline);
    this.#newActive = () => {
      const { healthCheck } = settings;
      if (healthCheck === "off") return undefined;
      const probe = probes?.[healthCheck] ?? probeTCP;
      const { workers, path } = owner;
      return new ActiveHealth({ settings, probe, watched: this.#group, log, workers, topic: `health of ${path}` });
    };
    this.#active = this.#newActive();
    this.#breaker = new CircuitBreaker(settings, log, now);
    this.#budget = new RetryBudget(() => settings.retryBudget, now);
  }

  get name(): string {
    return this.#owner.name;
  }

  report(): BackendReport {
    const { name, path } = this.#owner;
    return { name, path, queued: this.#group.queued, nodes: this.#group.reports() };
  }

  ordersChanged(): void {
    this.#group.followOrders();
  }

  /** Those too that have left, and finish what they have. */
  get nodes(): Iterable<Node<Pool>> {
    return this.#group.allNodes;
  }

  readonly makeDeadline = (onExpired: () => void): Deadline => this.#deadlines.add(onExpired);

  prepare(): Promise<void> {
    return this.#group.prepare();
  }

  start(): void {
    this.#isStarted = true;
    const { readiness, operator } = this.#owner;
    const forgetReadiness = readiness.add(
      () => this.#owner.path,
      () => this.#group.whyUnusable(),
    );
    const leaveOperator = operator.nodes.join(this);
    this.#leave = () => {
      forgetReadiness();
      leaveOperator();
    };
    for (const node of this.#group.nodes) this.#active?.watch(node);
  }

  /** Takes other nodes from now on, as `nodes` and `keepConns` of a reload say: see `NodeGroup.specify`. */
  specify(specs: readonly NodeSpec[]): void {
    this.#group.specify(specs);
  }

  /** New connections are made in another way from now on; those that have work end it. */
  renew(): void {
    this.#group.renew();
  }

  /** Follows another `balancer`. */
  rebalance(): void {
    this.#group.balancer = makeBalancer(this.#settings.balancer);
  }

  /** Follows another `healthCheck`. Nodes that nobody checks any more are up. */
  recheck(): void {
    const former = this.#active;
    this.#active = this.#newActive();
    this.#stopped = Promise.all([this.#stopped, former?.stop()]);
    if (this.#active === undefined) {
      for (const node of this.#group.nodes) node.isDown = false;
      this.#group.stateChanged();
    } else if (this.#isStarted) for (const node of this.#group.nodes) this.#active.watch(node);
  }

  /** Settles when no node has work, and nobody waits for one. */
  drain(): Promise<void> {
    return this.#group.drain();
  }

  /** Ends what still runs. */
  async shutdown(): Promise<void> {
    for (const { pool } of this.nodes) pool.destroy();
    this.#leave?.();
    this.#group.shutdown();
    await Promise.all([this.#stopped, this.#active?.stop()]);
    this.#deadlines.close();
  }

  /** Gives the waiter a node, or refuses, immediately or later. */
  enter(waiter: Waiter<Pool>): void {
    const refusal = this.#breaker.whyNot();
    if (refusal !== undefined) {
      this.#counts.refused();
      return waiter.refused(new BackendFailure("HEMI_BACKEND_BUSY", "", refusal));
    }
    this.#budget.requested();
    this.#group.enter(waiter);
  }

  leave(node: Node<Pool>, outcome: WorkOutcome, duration?: number): void {
    this.judge(node, outcome, duration);
    this.depart(node);
  }

  judge(node: Node<Pool>, outcome: WorkOutcome, duration?: number): void {
    if (outcome === "stale") node.counts?.stale();
    node.counts?.ended(outcome === "good" ? "good" : typeof outcome === "string" ? "abandoned" : "failed", duration);
    if (outcome === "good") {
      this.#passive.succeeded(node);
      this.#breaker.succeeded();
    } else if (typeof outcome === "string") this.#breaker.unknown();
    else {
      node.failures++;
      node.lastFailure = outcome.failure;
      this.#passive.failed(node, outcome.failure);
      this.#breaker.failed();
    }
  }

  depart(node: Node<Pool>): void {
    this.#group.leave(node);
  }

  /** Removes a waiter that no longer needs a node. */
  forget(waiter: Waiter<Pool>): void {
    this.#breaker.unknown();
    this.#group.forget(waiter);
  }

  /** A mistake of ours has ended a connection to a node. */
  failed(node: string, error: unknown): void {
    this.#log.error(`failed at node ${node}`, { error });
  }

  /**
   * Why a request that failed at these nodes may not be retried; `undefined` if it may. In that case the retry is
   * counted.
   */
  whyNoRetry(tried: readonly string[]): string | undefined {
    if (!this.#group.hasOther(tried)) return "there is no other node that could take it";
    if (this.#budget.take()) {
      this.#counts.retried();
      return undefined;
    }
    return `retries are more than the ${this.#settings.retryBudget} % of retryBudget`;
  }

  /** Returns which node would be chosen, and why each of the others would not. Has no side effects. */
  explain(wish: SelectionHint): NodeChoice {
    return this.#group.explain(wish);
  }
}
