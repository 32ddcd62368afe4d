// Active health checks: each node is probed at intervals, by one worker of the program, which tells the others.
//
//   the primary worker:  probe ──> so many in a row ──> turn ──broadcast──> turn   the others
//                                                     <──broadcast── what is down?   one that has begun to watch
//
// Each worker knows what is down at any time, so that another one can go on when the primary worker is gone.

import { connect } from "node:net";
import type { ErrorLog } from "../log/error-log.ts";
import type { Workers } from "../stage/workers.ts";
import type { Node, NodeSpec } from "./node.ts";
import type { Watched } from "./passive-health.ts";

export interface ActiveSettings {
  /** In milliseconds, plus or minus 10 %. */
  readonly healthInterval: number;
  /** In milliseconds. */
  readonly healthTimeout: number;
  /** Successive successful checks after which a node that was down is up. */
  readonly healthRise: number;
  /** Successive failed checks after which a node is down. */
  readonly healthFall: number;
}

/**
 * Returns why a node is unhealthy, or `undefined` if it is healthy. Never rejects; settles soon after the signal is
 * aborted.
 */
export type Probe = (spec: NodeSpec, timeout: number, signal: AbortSignal) => Promise<string | undefined>;

export interface ActiveOptions {
  readonly settings: ActiveSettings;
  readonly probe: Probe;
  readonly watched: Watched;
  readonly log: ErrorLog;
  readonly workers: Workers;
  /** Of the messages between workers: the same for the same backend. */
  readonly topic: string;
}

/** What workers tell each other: the nodes that have turned, or a question for those that are down. */
type News = { readonly turned: readonly Verdict[] } | "which are down?";

type Verdict = readonly [node: string, isDown: boolean];

export class ActiveHealth {
  readonly #options: ActiveOptions;
  readonly #checks = new Map<Node, AbortController>();
  readonly #running = new Set<Promise<void>>();
  readonly #unsubscribe: () => void;
  #isAsking = false;
  #isStopped = false;

  constructor(options: ActiveOptions) {
    this.#options = options;
    this.#unsubscribe = options.workers.subscribe(options.topic, (news) => this.#heard(news));
  }

  /** Starts to check a node, the first time at once. */
  watch(node: Node): void {
    if (this.#isStopped || this.#checks.has(node)) return;
    const abort = new AbortController();
    this.#checks.set(node, abort);
    const run = this.#run(node, abort.signal);
    this.#running.add(run);
    void run.then(() => this.#running.delete(run));
    this.#askSoon();
  }

  forget(node: Node): void {
    this.#checks.get(node)?.abort();
    this.#checks.delete(node);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#unsubscribe();
    for (const node of [...this.#checks.keys()]) this.forget(node);
    await Promise.all(this.#running);
  }

  async #run(node: Node, signal: AbortSignal): Promise<void> {
    const { settings, probe, workers, log } = this.#options;
    let inARow = 0;
    while (!signal.aborted) {
      try {
        const failure = workers.isPrimary ? await probe(node.spec, settings.healthTimeout, signal) : skipped;
        if (isAborted(signal)) return;
        // Only checks that contradict the current state are counted.
        inARow = failure !== skipped && (failure === undefined) === node.isDown ? inARow + 1 : 0;
        if (inARow >= (node.isDown ? settings.healthRise : settings.healthFall)) {
          inARow = 0;
          this.#found(node, failure);
        }
      } catch (error) {
        // Nobody awaits the checks: an uncaught error would end the process.
        log.error(`failed at a check of node ${node.id}`, { error });
      }
      await pause(settings.healthInterval * (0.9 + Math.random() * 0.2), signal);
    }
  }

  /** The checks of this worker have shown it. */
  #found(node: Node, failure: string | undefined | typeof skipped): void {
    const { settings, log } = this.#options;
    if (failure === undefined) log.info(`node ${node.id} is up: ${settings.healthRise} checks in a row were good`);
    else
      log.warn(`node ${node.id} is down: ${settings.healthFall} checks in a row failed, at last: ${String(failure)}`);
    if (typeof failure === "string") node.lastFailure = failure;
    this.#turn(node, failure !== undefined);
    this.#tell({ turned: [[node.id, node.isDown]] });
  }

  #turn(node: Node, isDown: boolean): void {
    node.isDown = isDown;
    if (!isDown) node.cameBack();
    this.#options.watched.stateChanged();
  }

  // ---- among workers ----

  #heard(news: unknown): void {
    if (!isNews(news)) return;
    const { workers } = this.#options;
    if (news === question) {
      const down = [...this.#checks.keys()].filter(({ isDown }) => isDown);
      if (workers.isPrimary && down.length > 0) this.#tell({ turned: down.map(({ id }) => [id, true]) });
      return;
    }
    const states = new Map(news.turned);
    for (const node of this.#checks.keys()) {
      const isDown = states.get(node.id);
      if (isDown !== undefined && isDown !== node.isDown) this.#turn(node, isDown);
    }
  }

  /** Once for all nodes that are begun to be watched at a time. */
  #askSoon(): void {
    if (this.#isAsking || this.#options.workers.count === 1) return;
    this.#isAsking = true;
    queueMicrotask(() => {
      this.#isAsking = false;
      if (!this.#isStopped) this.#tell(question);
    });
  }

  #tell(news: News): void {
    const { workers, topic } = this.#options;
    if (workers.count > 1) workers.broadcast(topic, news);
  }
}

const question = "which are down?";

function isNews(news: unknown): news is News {
  return news === question || (typeof news === "object" && news !== null && "turned" in news);
}

/** The result of a check that another worker makes. */
const skipped = Symbol("skipped");

/** Checks whether the node accepts connections. */
export const probeTCP: Probe = (spec, timeout, signal) =>
  new Promise((resolve) => {
    const socket = connect({ ...spec.address, timeout, signal });
    const end = (failure: string | undefined) => {
      socket.destroy();
      resolve(failure);
    };
    socket.once("connect", () => end(undefined));
    socket.once("timeout", () => end(`it could not be connected to within ${timeout} ms`));
    socket.on("error", (error) => end(error.message));
  });

/** A function, because TypeScript assumes that awaiting does not change the value. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms).unref();
    signal.addEventListener("abort", end);
  });
}
