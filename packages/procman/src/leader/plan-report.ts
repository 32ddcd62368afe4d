// What a configuration would change in the running program, and what that costs at this moment.

import type { NodeOrder } from "@hemi/hemi/base";
import type { CheckedConfig } from "../channel/calls.ts";
import type { PlanReport } from "../control/actions.ts";
import { newModules, staleModules } from "./stale-modules.ts";
import { costOf } from "./worker-answers.ts";
import type { WorkerProcess } from "./worker-process.ts";

/** `nodeOrders`: what operators have ordered for nodes of backends, which a reload leaves as it is. */
export async function planReport(
  { plan = nothing, modules, warnings }: Pick<CheckedConfig, "plan" | "modules" | "warnings">,
  workers: readonly WorkerProcess[],
  nodeOrders: readonly NodeOrder[],
): Promise<PlanReport> {
  const [cost, changed, added] = await Promise.all([
    costOf(plan, workers),
    staleModules(workers),
    newModules(workers, modules),
  ]);
  return { plan, warnings, unlisted: 0, cost, changedModules: changed, newModules: added, nodeOrders };
}

const nothing = { kept: 0, changes: [] } as const;
