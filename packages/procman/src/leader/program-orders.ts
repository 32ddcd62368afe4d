// What the operator of a program has ordered beyond its configuration. The leader keeps it. Each worker is told all of
// it before it boots, and whenever it changes: so it outlives reloads and workers.

import { Turns } from "@hemi/common";
import { HemiError, type ErrorLog, type NodeOrder } from "@hemi/hemi/base";
import { assertNode, backendNamed, ordersAfter, sumOfBackends } from "../backends/backend-actions.ts";
import type { NodeChange, ProgramBackend } from "../backends/backend-actions.ts";
import { orderText } from "../backends/backend-text.ts";
import type { Orders, WorkerCalls } from "../channel/calls.ts";
import type { LastState } from "../channel/handover.ts";
import { levelText, type LevelOrder, type TimedLevel } from "../observe/level-order.ts";
import type { LogLines, LogOrder } from "../observe/log-order.ts";
import { AccessFollowers } from "./access-followers.ts";
import { LevelOrders } from "./level-orders.ts";
import { soon } from "./worker-answers.ts";
import type { WorkerState } from "./worker-process.ts";

/** A worker, as far as it is steered. */
export interface SteeredWorker {
  readonly state: WorkerState;
  call<Name extends "backends" | "findPath" | "orders">(
    name: Name,
    params: WorkerCalls[Name]["params"],
  ): Promise<WorkerCalls[Name]["result"]>;
  tell(name: "orders", params: Orders): void;
}

export interface ProgramOrdersOptions {
  /** All processes, those too that boot or finish their work. */
  readonly processes: () => readonly SteeredWorker[];
  /** Those that the leader before this one had. Default: none. */
  readonly nodes?: readonly NodeOrder[] | undefined;
  readonly log: ErrorLog;
}

export class ProgramOrders {
  readonly #options: ProgramOrdersOptions;
  /** Those who follow the traffic. */
  readonly followers = new AccessFollowers(() => void this.#tellAll());
  readonly #levels = new LevelOrders((level) => {
    this.#options.log.info("the log has its own level again", { was: levelText(level) });
    void this.#tellAll();
  });
  /** Changes come one after the other: each is made from the orders that the one before has left. */
  readonly #turns = new Turns(1);
  #nodes: readonly NodeOrder[];

  constructor(options: ProgramOrdersOptions) {
    this.#options = options;
    this.#nodes = options.nodes ?? [];
  }

  /** As workers are told them. */
  get current(): Orders {
    return { nodes: this.#nodes, followers: this.followers.all, levels: this.#levels.all };
  }

  /** Levels of the error log that are in force. */
  get levels(): readonly TimedLevel[] {
    return this.#levels.all;
  }

  /** Resolves when no change is under way. */
  settled(): Promise<void> {
    return this.#turns.run(() => Promise.resolve());
  }

  close(): void {
    this.followers.close();
    this.#levels.close();
  }

  /** Returns the new process, which has its orders before it boots. */
  toldTo<Worker extends SteeredWorker>(worker: Worker): Worker {
    worker.tell("orders", this.current);
    return worker;
  }

  /** Follows the orders that another leader had, in place of those before. Settles when all workers do. */
  async take({ nodeOrders, logLevels, followers }: LastState): Promise<void> {
    this.#nodes = nodeOrders;
    this.#levels.take(logLevels);
    this.followers.restore(followers);
    await this.#tellAll();
  }

  /**
   * The backends with their nodes, as all workers see them that answer soon. Rejects with HEMI_USAGE if there is none
   * of the name.
   */
  async backends(name?: string): Promise<readonly ProgramBackend[]> {
    const asked = this.#ready().map((worker) => soon(worker.call("backends", undefined)));
    const told = await Promise.allSettled(asked);
    const backends = sumOfBackends(told.flatMap((one) => (one.status === "fulfilled" ? [one.value ?? []] : [])));
    return name === undefined ? backends : [backendNamed(name, backends)];
  }

  /** Rejects with HEMI_USAGE for a node that is not there. Answers with the backend when all workers follow. */
  steerNode(change: NodeChange): Promise<ProgramBackend> {
    return this.#turns.run(() => this.#steerNode(change));
  }

  async #steerNode(change: NodeChange): Promise<ProgramBackend> {
    const { log } = this.#options;
    assertNode(change, backendNamed(change.backend, await this.backends()), this.#nodes);
    this.#nodes = ordersAfter(change, this.#nodes);
    const { backend, node } = change;
    const order = this.#nodes.find((one) => one.backend === backend && one.node === node);
    log.info("an operator steers a node", {
      order: order === undefined ? `${backend} node ${node}: as configured` : orderText(order),
    });
    await this.#tellAll();
    return backendNamed(backend, await this.backends());
  }

  /** Answers when all workers follow. Rejects with HEMI_USAGE for the path of no component. */
  setLevel(order: LevelOrder): Promise<readonly TimedLevel[]> {
    return this.#turns.run(() => this.#setLevel(order));
  }

  async #setLevel(order: LevelOrder): Promise<readonly TimedLevel[]> {
    const { level, path } = order;
    if (level === undefined) return this.levels;
    if (path !== undefined && level !== null) await this.#assertPath(path);
    this.#levels.set(order);
    this.#options.log.info("an operator changes the level of the log", {
      level: level ?? "default",
      of: path ?? "everything",
    });
    await this.#tellAll();
    return this.levels;
  }

  async #assertPath(path: string): Promise<void> {
    const [worker] = this.#ready();
    const found = worker === undefined ? undefined : await soon(worker.call("findPath", { path }));
    if (found?.isKnown !== false) return;
    const hint = found.nearest.length === 0 ? "see hemi top for paths" : `did you mean ${found.nearest.join(" or ")}?`;
    throw new HemiError("HEMI_USAGE", `the program has no component ${path}; ${hint}`);
  }

  /** Begins to follow the traffic, or goes on with it: see `LogOrder`. */
  async logs(order: LogOrder): Promise<LogLines> {
    if ("follower" in order) return { follower: order.follower, ...(await this.followers.next(order.follower)) };
    const follower = this.followers.open(order.filter);
    await this.#tellAll();
    return { follower, lines: [], dropped: 0 };
  }

  /**
   * Settles when all ready workers follow the orders. One that has ended meanwhile has a successor that does, and one
   * that stands still will follow before it does anything else.
   */
  async #tellAll(): Promise<void> {
    const { current } = this;
    const ready = new Set(this.#ready());
    for (const worker of this.#options.processes()) if (!ready.has(worker)) worker.tell("orders", current);
    await Promise.allSettled([...ready].map((worker) => soon(worker.call("orders", current))));
  }

  #ready(): readonly SteeredWorker[] {
    return this.#options.processes().filter(({ state }) => state === "ready");
  }
}
