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
  #change = Promise.withResolvers<void>();

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
    this.#change.resolve();
    this.#change = Promise.withResolvers<void>();
  }

  /** "" is the server as a whole. */
  #statusOf(name: string): Status {
    if (name !== "" && !this.#names.has(name)) return Status.SERVICE_UNKNOWN;
    return this.#isDraining ? Status.NOT_SERVING : Status.SERVING;
  }

  async *#watch(name: string, call: Call): AsyncGenerator<{ status: Status }, void, void> {
    const { promise: canceled, resolve } = Promise.withResolvers<void>();
    call.signal.addEventListener("abort", () => resolve());
    let told: Status | undefined;
    while (!call.signal.aborted) {
      const change = this.#change.promise;
      const status = this.#statusOf(name);
      if (status !== told) yield { status };
      told = status;
      if (this.#isDraining) return;
      await Promise.race([change, canceled]);
    }
  }
}
