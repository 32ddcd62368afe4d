// What all backends do, whatever they speak: a group of nodes, looked after.
//
//   enter ── breaker ──> group: candidates, balancer, queue ──> node ── the protocol's own work ──> leave: how it went
//                          ^                                                                          │
//                          └── down, ejected <── active health, passive health <──────────────────────┘

import { Deadlines, type Deadline } from "@hemi/common";
import type { StageFixtures } from "../stage/context.ts";
import type { ErrorLog } from "../log/error-log.ts";
import { ActiveHealth, probeTCP, type ActiveSettings, type Probe } from "./active-health.ts";
import { makeBalancer, type BalancerName } from "./balancers/balancers.ts";
import { CircuitBreaker, type BreakerSettings } from "./circuit-breaker.ts";
import { BackendFailure } from "./failure.ts";
import type { Node, NodePool, NodeSpec } from "./node.ts";
import { NodeGroup, type GroupSettings, type NodeChoice, type Waiter } from "./node-group.ts";
import type { SelectionHint } from "./selection-hint.ts";
import { PassiveHealth, type PassiveSettings } from "./passive-health.ts";
import { RetryBudget } from "./retry-budget.ts";

export interface BackendSettings extends GroupSettings, ActiveSettings, PassiveSettings, BreakerSettings {
  readonly balancer: BalancerName;
  /** `off`, `tcp`, or one that the protocol has a probe for. */
  readonly healthCheck: string;
  /** Retries for each hundred requests. */
  readonly retryBudget: number;
}

export interface BackendOptions<Pool extends NodePool> {
  readonly specs: readonly NodeSpec[];
  /** Looked at whenever it is used: live. */
  readonly settings: BackendSettings;
  readonly log: ErrorLog;
  readonly fixtures: Pick<StageFixtures, "clock" | "namer">;
  readonly makePool: (spec: NodeSpec) => Pool;
  /** Of the protocol, for `healthCheck`, by its words. Default: none. */
  readonly probes?: Readonly<Record<string, Probe>>;
}

/** How the work that a node was entered for went: well, not well for a reason, or nobody knows, because it was given up. */
export type WorkOutcome = "good" | "unknown" | { readonly failure: string };

/** What the work on a node needs of its backend. */
export interface NodeOwner<Pool extends NodePool> {
  leave(node: Node<Pool>, outcome: WorkOutcome): void;
  /** How it went is known, but the node is kept, until `depart`. */
  judge(node: Node<Pool>, outcome: WorkOutcome): void;
  depart(node: Node<Pool>): void;
  forget(waiter: Waiter<Pool>): void;
}

export class Backend<Pool extends NodePool> implements NodeOwner<Pool> {
  readonly #settings: BackendSettings;
  readonly #deadlines: Deadlines;
  readonly #group: NodeGroup<Pool>;
  readonly #passive: PassiveHealth;
  readonly #active: ActiveHealth | undefined;
  readonly #breaker: CircuitBreaker;
  readonly #budget: RetryBudget;
  #isStarted = false;

  constructor({ specs, settings, log, fixtures, makePool, probes }: BackendOptions<Pool>) {
    const now = () => fixtures.clock.monotonic();
    this.#settings = settings;
    this.#deadlines = new Deadlines({ failed: (error) => log.error("failed when a deadline expired", { error }) });
    this.#group = new NodeGroup({
      specs,
      settings,
      balancer: makeBalancer(settings.balancer),
      namer: fixtures.namer,
      log,
      now,
      makeDeadline: this.makeDeadline,
      makePool,
      joined: (node) => {
        if (this.#isStarted) this.#active?.watch(node);
      },
      left: (node) => this.#active?.forget(node),
    });
    this.#passive = new PassiveHealth(settings, this.#group, log, this.makeDeadline);
    const { healthCheck } = settings;
    const probe = healthCheck === "off" ? undefined : (probes?.[healthCheck] ?? probeTCP);
    this.#active = probe === undefined ? undefined : new ActiveHealth(settings, probe, this.#group, log);
    this.#breaker = new CircuitBreaker(settings, log, now);
    this.#budget = new RetryBudget(() => settings.retryBudget, now);
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
    for (const node of this.#group.nodes) this.#active?.watch(node);
  }

  /** Takes other nodes from now on, as `nodes` and `keepConns` of a reload say: see `NodeGroup.specify`. */
  specify(specs: readonly NodeSpec[]): void {
    this.#group.specify(specs);
  }

  /** Settles when no node has work, and nobody waits for one. */
  drain(): Promise<void> {
    return this.#group.drain();
  }

  /** What is still under way is the pools' to break off. */
  async shutdown(): Promise<void> {
    this.#group.shutdown();
    await this.#active?.stop();
    this.#deadlines.close();
  }

  /** Gives a node at once or later, or refuses at once or later. */
  enter(waiter: Waiter<Pool>): void {
    const refusal = this.#breaker.whyNot();
    if (refusal !== undefined) return waiter.refused(new BackendFailure("HEMI_BACKEND_BUSY", "", refusal));
    this.#budget.requested();
    this.#group.enter(waiter);
  }

  leave(node: Node<Pool>, outcome: WorkOutcome): void {
    this.judge(node, outcome);
    this.depart(node);
  }

  judge(node: Node<Pool>, outcome: WorkOutcome): void {
    if (outcome === "good") {
      this.#passive.succeeded(node);
      this.#breaker.succeeded();
    } else if (outcome === "unknown") this.#breaker.unknown();
    else {
      this.#passive.failed(node, outcome.failure);
      this.#breaker.failed();
    }
  }

  depart(node: Node<Pool>): void {
    this.#group.leave(node);
  }

  /** A waiter does not want a node any more. */
  forget(waiter: Waiter<Pool>): void {
    this.#breaker.unknown();
    this.#group.forget(waiter);
  }

  /** Why what failed at these nodes may not be tried once more; `undefined` if it may, and then that is counted. */
  whyNoRetry(tried: readonly string[]): string | undefined {
    if (!this.#group.hasOther(tried)) return "there is no other node that could take it";
    return this.#budget.take() ? undefined : `retries are more than the ${this.#settings.retryBudget} % of retryBudget`;
  }

  /** Which node would be chosen, and what stands against each of the others. Changes nothing. */
  explain(wish: SelectionHint): NodeChoice {
    return this.#group.explain(wish);
  }
}
