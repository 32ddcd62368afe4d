// `hemi status`: how a running program is, on one screen.

import type { CommandLine } from "../command-line.ts";
import { callProgram } from "../control/client.ts";
import { programPlace } from "../control/place.ts";
import { exitCodes, type ExitCode } from "../exit-code.ts";
import { activityOf } from "../observe/activity.ts";
import { activityText } from "../observe/activity-text.ts";
import { levelText } from "../observe/level-order.ts";
import { orderText } from "../backends/backend-text.ts";

export async function status(line: CommandLine): Promise<ExitCode> {
  const place = programPlace(line);
  const [leader, workers, counts] = await Promise.all([
    callProgram(place, "leader", undefined),
    callProgram(place, "workers", undefined),
    callProgram(place, "counts", undefined),
  ]);
  const activity = activityOf([], counts, Math.max(1, Date.now() - leader.startedAt) / 1000);
  if (line.isJSON) {
    process.stdout.write(`${JSON.stringify({ leader, workers, activity }, undefined, 2)}\n`);
    return exitCodes.fine;
  }
  const states = Map.groupBy(workers, ({ state }) => state);
  const lines = [
    `${leader.title}: Hemi ${leader.version}, Node.js ${leader.node}, process ${leader.pid}, since ${timeOf(leader.startedAt)}`,
    `config    ${leader.config}, followed anew ${leader.reloads} ${leader.reloads === 1 ? "time" : "times"}`,
    `listens   ${leader.listensOn.join(", ")}`,
    `workers   ${[...states].map(([state, some]) => `${some.length} ${state}`).join(", ")}, of ${leader.slots}`,
    ...leader.nodeOrders.map((order) => `order     ${orderText(order)}`),
    ...leader.logLevels.map((level) => `log       ${levelText(level)}`),
    "",
    "on average since the start:",
  ];
  process.stdout.write(`${lines.join("\n")}\n${activityText(activity, "rate", maxLines)}`);
  return exitCodes.fine;
}

function timeOf(time: number): string {
  return new Date(time).toISOString().replace(/\.\d+/, "");
}

/** One screen. */
const maxLines = 40;
