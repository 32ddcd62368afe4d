// This process as its own worker: what a leader would ask a worker, without a channel.

import type { Metrics, Stage } from "@hemi/hemi";
import type { WorkerCalls } from "../channel/calls.ts";
import type { SteeredWorker } from "../leader/program-orders.ts";
import type { ToldWorker } from "../leader/worker-answers.ts";
import { usageOf } from "../worker/counting.ts";
import { StageView } from "../worker/stage-view.ts";
import type { WorkerOrders } from "../worker/worker-orders.ts";

/** The calls that the web UI needs of a process that serves. */
type LocalCalls = Pick<WorkerCalls, "backends" | "components" | "explain" | "findPath" | "orders" | "props" | "usage">;

type LocalHandlers = {
  readonly [Name in keyof LocalCalls]: (
    params: LocalCalls[Name]["params"],
  ) => LocalCalls[Name]["result"] | Promise<LocalCalls[Name]["result"]>;
};

export class LocalWorker implements SteeredWorker, ToldWorker {
  readonly slot = 0;
  readonly pid = process.pid;
  readonly state = "ready";
  readonly startedAt = Date.now();
  readonly #handlers: LocalHandlers;

  constructor(stage: Stage, orders: WorkerOrders, metrics: Metrics) {
    const view = new StageView(stage);
    this.#handlers = {
      backends: () => orders.operator.nodes.reports(),
      components: (params) => view.components(params),
      explain: (params) => view.explain(params),
      findPath: (params) => view.findPath(params),
      orders: (wanted) => {
        orders.replace(wanted);
        return undefined;
      },
      props: (params) => view.props(params),
      usage: () => usageOf(metrics),
    };
  }

  async call<Name extends keyof LocalCalls>(
    name: Name,
    params: LocalCalls[Name]["params"],
  ): Promise<LocalCalls[Name]["result"]> {
    return await this.#handlers[name](params);
  }

  tell(name: "orders", params: LocalCalls["orders"]["params"]): void {
    void this.call(name, params);
  }
}
