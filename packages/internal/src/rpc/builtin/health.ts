// grpc.health.v1: tells load balancers whether the server, and each of its bundlets, takes calls.

import { RpcError } from "@hemi/common/rpc";
import { protoBundlet } from "@hemi/common/rpc-proto";
import type { Call } from "../call.ts";
import { implement, type ServedBundlet } from "../served-bundlet.ts";
import { Health, HealthCheckResponse_ServingStatus as Status } from "./health_pb.ts";

const healthBundlet = protoBundlet(Health);

/** What is served, and whether it still is. */
export class HealthState {
  readonly served: ServedBundlet;
  #names: ReadonlySet<string> = new Set();
  #isDraining = false;
  /** Wake those that watch. Not one promise for all: it would keep what each has waited for that is gone. */
  readonly #watchers = new Set<() => void>();

  constructor() {
    this.served = implement(healthBundlet, {
      check: ({ service }) => {
        const status = this.#statusOf(service);
        if (status === Status.SERVICE_UNKNOWN) throw new RpcError("not_found", `there is no service ${service}`);
        return { status };
      },
      watch: ({ service }, call) => this.#watch(service, call),
    });
  }

  /** Other bundlets are served from now on. */
  serve(names: Iterable<string>): void {
    this.#names = new Set(names);
    this.#changed();
  }

  /** Nothing new is to come. */
  drain(): void {
    this.#isDraining = true;
    this.#changed();
  }

  #changed(): void {
    for (const wake of [...this.#watchers]) wake();
  }

  /** "" is the server as a whole. */
  #statusOf(name: string): Status {
    if (name !== "" && !this.#names.has(name)) return Status.SERVICE_UNKNOWN;
    return this.#isDraining ? Status.NOT_SERVING : Status.SERVING;
  }

  async *#watch(name: string, call: Call): AsyncGenerator<{ status: Status }, void, void> {
    const { signal } = call;
    let told: Status | undefined;
    while (!signal.aborted) {
      const status = this.#statusOf(name);
      if (status !== told) {
        yield { status };
        told = status;
      } else if (this.#isDraining) return;
      else await this.#nextChange(signal);
    }
  }

  /** Resolves when something has changed, or the signal aborts. */
  #nextChange(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#watchers.delete(wake);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      this.#watchers.add(wake);
      signal.addEventListener("abort", wake);
    });
  }
}
