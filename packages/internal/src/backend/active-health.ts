// Active health: each node is asked now and then whether it is well.

import { connect } from "node:net";
import type { ErrorLog } from "../log/error-log.ts";
import type { Node, NodeSpec } from "./node.ts";
import type { Watched } from "./passive-health.ts";

export interface ActiveSettings {
  /** ms, give or take a tenth. */
  readonly healthInterval: number;
  /** ms. */
  readonly healthTimeout: number;
  /** Good checks in a row until a node that was down is up. */
  readonly healthRise: number;
  /** Bad checks in a row until a node is down. */
  readonly healthFall: number;
}

/** Why a node is not well; `undefined` if it is. Never rejects; settles soon once the signal has aborted. */
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

  /** Begins to ask a node, at once. */
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
        // Only what speaks against the present state is counted.
        inARow = (failure === undefined) === node.isDown ? inARow + 1 : 0;
        if (inARow >= (node.isDown ? this.#settings.healthRise : this.#settings.healthFall)) {
          inARow = 0;
          this.#turn(node, failure);
        }
      } catch (error) {
        // Nobody waits for the checks: uncaught, it would end the process.
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

/** Is there something that accepts connections? */
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

/** A function, because the compiler does not know that awaiting may change it. */
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
