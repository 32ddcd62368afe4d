// Active health checks: each node is probed at intervals.

import { connect } from "node:net";
import type { ErrorLog } from "../log/error-log.ts";
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

export class ActiveHealth {
  readonly #settings: ActiveSettings;
  readonly #probe: Probe;
  readonly #watched: Watched;
  readonly #log: ErrorLog;
  readonly #checks = new Map<Node, AbortController>();
  readonly #running = new Set<Promise<void>>();
  #isStopped = false;

  constructor(settings: ActiveSettings, probe: Probe, watched: Watched, log: ErrorLog) {
    this.#settings = settings;
    this.#probe = probe;
    this.#watched = watched;
    this.#log = log;
  }

  /** Starts to check a node, the first time at once. */
  watch(node: Node): void {
    if (this.#isStopped || this.#checks.has(node)) return;
    const abort = new AbortController();
    this.#checks.set(node, abort);
    const run = this.#run(node, abort.signal);
    this.#running.add(run);
    void run.then(() => this.#running.delete(run));
  }

  forget(node: Node): void {
    this.#checks.get(node)?.abort();
    this.#checks.delete(node);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const node of [...this.#checks.keys()]) this.forget(node);
    await Promise.all(this.#running);
  }

  async #run(node: Node, signal: AbortSignal): Promise<void> {
    let inARow = 0;
    while (!signal.aborted) {
      try {
        const failure = await this.#probe(node.spec, this.#settings.healthTimeout, signal);
        if (isAborted(signal)) return;
        // Only checks that contradict the current state are counted.
        inARow = (failure === undefined) === node.isDown ? inARow + 1 : 0;
        if (inARow >= (node.isDown ? this.#settings.healthRise : this.#settings.healthFall)) {
          inARow = 0;
          this.#turn(node, failure);
        }
      } catch (error) {
        // Nobody awaits the checks: an uncaught error would end the process.
        this.#log.error(`failed at a check of node ${node.id}`, { error });
      }
      await pause(this.#settings.healthInterval * (0.9 + Math.random() * 0.2), signal);
    }
  }

  #turn(node: Node, failure: string | undefined): void {
    const { healthRise, healthFall } = this.#settings;
    node.isDown = failure !== undefined;
    if (failure === undefined) {
      node.cameBack();
      this.#log.info(`node ${node.id} is up: ${healthRise} checks in a row were good`);
    } else this.#log.warn(`node ${node.id} is down: ${healthFall} checks in a row failed, at last: ${failure}`);
    this.#watched.stateChanged();
  }
}

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
