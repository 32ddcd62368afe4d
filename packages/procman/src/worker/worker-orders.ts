// Follows what the operator has ordered, as the leader tells it: from before the boot to the end of the worker.

import { Operator, type OwnedErrorLog, type PathLevel } from "@hemi/hemi";
import type { Orders } from "../channel/calls.ts";
import { FollowedTraffic, type SendLines } from "./followed-traffic.ts";

export class WorkerOrders {
  /** For the stage. */
  readonly operator = new Operator();
  readonly #traffic: FollowedTraffic;
  #levels: readonly PathLevel[] = [];
  #log: OwnedErrorLog | undefined;

  constructor(sendLines: SendLines) {
    this.#traffic = new FollowedTraffic(this.operator.accesses, sendLines);
  }

  /** The log, which follows the levels from now on. */
  govern(log: OwnedErrorLog): void {
    this.#log = log;
    log.setLevels(this.#levels);
  }

  /** These are the orders from now on. */
  replace({ nodes, followers, levels }: Orders): void {
    this.#levels = levels;
    this.#log?.setLevels(levels);
    this.operator.nodes.replace(nodes);
    this.#traffic.replace(followers);
  }
}
