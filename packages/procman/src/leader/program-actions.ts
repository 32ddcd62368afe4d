// What clients of the control socket and of the web UI can ask of a program with a leader.

import { advise, type AdviceOrder, type AdviceReport } from "../advise/advise.ts";
import { sumOfPurges } from "../caches/cache-actions.ts";
import type { Actions, PlanReport } from "../control/actions.ts";
import type { ActionHandlers } from "../control/handlers.ts";
import { listedPlan } from "../control/listed-plan.ts";
import { unknownRequest, type WorkerStory } from "../observe/story-text.ts";
import { ownVersion } from "../own-version.ts";
import type { Leader } from "./leader.ts";

/** What actions need beside the leader. */
export interface ActingProgram {
  /** Rejects calls with HEMI_PROCESS before it is there. */
  readonly leader: () => Leader;
  readonly pids: () => Actions["pids"]["result"];
  readonly reload: (rework: boolean) => Promise<PlanReport>;
  /** Lets another process lead the program. */
  readonly handOver: () => Promise<Actions["rework"]["result"]>;
  readonly reopen: () => Promise<void>;
  readonly webUI: () => Actions["webUI"]["result"];
  readonly quit: () => void;
  readonly stop: () => void;
}

export function programActions(program: ActingProgram): ActionHandlers {
  const { leader } = program;
  return {
    pids: program.pids,
    leader: async () => ({
      ...leader().status,
      version: ownVersion(),
      node: process.versions.node,
      listensOn: await leader().listensOn(),
    }),
    workers: () => leader().workers(),
    version: () => ({ hemi: ownVersion(), node: process.versions.node }),
    plan: async (params) => listedPlan(await leader().plan(params?.config)),
    reload: async (params) => listedPlan(await program.reload(params?.rework ?? false)),
    explain: (params) => leader().calls.primary("explain", params),
    rework: async (params) =>
      params?.leader === true ? await program.handOver() : { ...(await leader().rework(params?.slot)), leader: null },
    webUI: program.webUI,
    reopen: async () => {
      await program.reopen();
      return null;
    },
    counts: async () => {
      const report = await leader().counts.total();
      return report.filter(({ values }) => values.some((value) => value !== 0));
    },
    profile: (order) => leader().calls.inSlot(order.slot, "profile", order, `${order.file} is not complete`),
    measure: (order) => leader().calls.inSlot(order.slot, "measure", order),
    advise: (order) => adviseOn(leader(), order),
    backends: ({ backend }) => leader().orders.backends(backend),
    steerNode: (change) => leader().orders.steerNode(change),
    logLevel: (order) => leader().orders.setLevel(order),
    trace: ({ requestId }) => storyOf(leader(), requestId),
    logs: (order) => leader().orders.logs(order),
    cachePurge: async (order) => {
      const purges = await leader().calls.all("cachePurge", order);
      return sumOfPurges(purges.map(({ result }) => result));
    },
    cacheExplain: async (url) => {
      const workers = await leader().calls.all("cacheExplain", url);
      return workers.map(({ slot, result: caches }) => ({ slot, caches }));
    },
    cronList: () => leader().calls.primary("cronList", undefined),
    cronPreview: (order) => leader().calls.primary("cronPreview", order),
    cronRun: (order) => leader().calls.primary("cronRun", order),
    cronHistory: (order) => leader().calls.primary("cronHistory", order),
    quit: () => {
      program.quit();
      return null;
    },
    stop: () => {
      program.stop();
      return null;
    },
  };
}

function adviseOn(leader: Leader, order: AdviceOrder): Promise<AdviceReport> {
  const { counts, orders } = leader;
  return advise(
    {
      counts: () => counts.total(),
      backends: () => orders.backends(),
      limits: async () => (await leader.calls.all("limits", undefined))[0]?.result ?? [],
    },
    order,
  );
}

async function storyOf(leader: Leader, requestId: string): Promise<WorkerStory> {
  const told = await leader.calls.all("story", { requestId });
  for (const { slot, result } of told) if (result !== null) return { slot, ...result };
  throw unknownRequest(requestId);
}
