import { expect, test } from "vitest";
import { listedPlan } from "./listed-plan.ts";
import { planText } from "./plan-text.ts";

function reportOf(count: number) {
  const changes = Array.from({ length: count }, (_, i) => ({
    fate: "created" as const,
    path: `webapp.many/rule.${i}`,
    place: `hemi.conf:${i}:1`,
    reasons: [],
  }));
  return {
    plan: { kept: 2, changes },
    warnings: "",
    unlisted: 0,
    cost: null,
    changedModules: [],
    newModules: [],
    nodeOrders: [],
  };
}

test("a plan of 10,000 changes fits into a message of the control socket, and says how many it does not list", () => {
  const listed = listedPlan(reportOf(10_000));
  expect(JSON.stringify(listed).length).toBeLessThan(1024 * 1024);
  expect(listed.plan.changes.length + listed.unlisted).toBe(10_000);
  expect(listed.unlisted).toBeGreaterThan(0);
  expect(planText(listed)).toMatch(/\n… and [\d,]+ more\n10000 components change; 2 stay as they are\n$/);
});

test("a plan of a few changes is listed whole", () => {
  const report = reportOf(3);
  expect(listedPlan(report)).toBe(report);
});
