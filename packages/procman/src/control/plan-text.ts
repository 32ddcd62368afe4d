// A plan for people.

import type { ComponentCost, ReloadCost } from "@hemi/hemi";
import { orderText } from "../backends/backend-text.ts";
import type { PlanReport } from "./actions.ts";

const words = {
  updated: "changed in place",
  recomposed: "recomposed",
  replaced: "made anew",
  created: "new",
  dropped: "dropped",
} as const;

/** One line for each component that does not stay as it is, its cost, then a line of counts. */
export function planText({
  plan,
  warnings,
  unlisted,
  cost,
  changedModules,
  newModules,
  nodeOrders,
}: PlanReport): string {
  const lines = plan.changes.map(({ fate, path, place, reasons }) => {
    const where = place === undefined ? "" : `  ${place}`;
    const why = reasons.map((reason) => `\n${" ".repeat(18)}${reason}`).join("");
    return `${words[fate].padEnd(18)}${path}${where}${why}`;
  });
  const modules = [
    ...newModules.map((path) => `${"new module".padEnd(18)}${path}`),
    ...changedModules.map((path) => `${"changed module".padEnd(18)}${path}`),
  ];
  if (changedModules.length > 0)
    modules.push(`${" ".repeat(18)}the workers have the old code: hemi rework, or reload --rework`);
  const count = plan.changes.length + unlisted;
  const total = count === 0 ? "nothing changes" : `${count} ${count === 1 ? "component changes" : "components change"}`;
  return `${[
    ...lines,
    ...(unlisted === 0 ? [] : [`… and ${unlisted.toLocaleString("en-US")} more`]),
    ...(cost === null || count === 0 ? [] : costLines(cost)),
    ...modules,
    ...nodeOrders.map((order) => `${"order stays".padEnd(18)}${orderText(order)}`),
    ...(warnings === "" ? [] : [warnings]),
    `${total}; ${plan.kept} stay as they are`,
  ].join("\n")}\n`;
}

function costLines({ components, untouchedConns, drainTimeout }: ReloadCost): readonly string[] {
  const time = drainTimeout % 1000 === 0 ? `${drainTimeout / 1000} s` : `${drainTimeout} ms`;
  const costs = components.map((component) => `${component.path}: ${costText(component, time)}`);
  return [...costs, `${counted(untouchedConns, "connection")} untouched`];
}

function costText({ requests, webSockets, tunnels, conns }: ComponentCost, time: string): string {
  const closed = [counted(webSockets, "WebSocket"), counted(tunnels, "tunnel"), counted(conns, "connection")].filter(
    (text) => !text.startsWith("0 "),
  );
  return [
    ...(requests === 0 ? [] : [`${counted(requests, "request")} ${requests === 1 ? "finishes" : "finish"}`]),
    ...(closed.length === 0 ? [] : [`${closed.join(", ")} closed within ${time}`]),
  ].join(", ");
}

/** `12,903 connections` */
function counted(count: number, noun: string): string {
  return `${count.toLocaleString("en-US")} ${noun}${count === 1 ? "" : "s"}`;
}
