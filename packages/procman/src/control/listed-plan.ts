// A report of a plan that fits into a message of the control socket.

import type { PlanReport } from "./actions.ts";

/** With the first changes, as many as a message can hold; `unlisted` counts the others. */
export function listedPlan(report: PlanReport): PlanReport {
  const { kept, changes } = report.plan;
  let size = 0;
  const end = changes.findIndex((change) => (size += JSON.stringify(change).length) > maxSize);
  if (end === -1) return report;
  return { ...report, plan: { kept, changes: changes.slice(0, end) }, unlisted: changes.length - end };
}

/** In UTF-16 code units of JSON: a message has at most 1 MiB in UTF-8. */
const maxSize = 256 * 1024;
