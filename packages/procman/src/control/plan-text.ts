// A plan for people.

import type { PlanReport } from "./actions.ts";

const words = {
  updated: "changed in place",
  recomposed: "recomposed",
  replaced: "made anew",
  created: "new",
  dropped: "dropped",
} as const;

/** One line for each component that does not stay as it is, then a line of counts. */
export function planText({ plan, warnings, changedModules }: PlanReport): string {
  const lines = plan.changes.map(({ fate, path, place, reasons }) => {
    const where = place === undefined ? "" : `  ${place}`;
    return `${words[fate].padEnd(18)}${path}${where}${reasons.map((reason) => `\n${" ".repeat(18)}${reason}`).join("")}`;
  });
  const modules = changedModules.map((path) => `${"changed module".padEnd(18)}${path}`);
  if (modules.length > 0)
    modules.push(`${" ".repeat(18)}the workers have the old code: hemi rework, or reload --rework`);
  const count = plan.changes.length;
  const total = count === 0 ? "nothing changes" : `${count} ${count === 1 ? "component changes" : "components change"}`;
  return `${[...lines, ...modules, ...(warnings === "" ? [] : [warnings]), `${total}; ${plan.kept} stay as they are`].join("\n")}\n`;
}
