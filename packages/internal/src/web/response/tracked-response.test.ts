import { expect, test } from "vitest";
import { webappGroup } from "../../metrics/groups.ts";
import { Metrics } from "../../metrics/metrics.ts";
import { askOf } from "../../testing/ask.ts";
import { serve } from "../../testing/serve.ts";
import { WebappCounts } from "../dispatch/request-counts.ts";
import type { HandletPart } from "../kinds.ts";

type Step = "count" | "follow" | "send";

test.each<[string, readonly Step[]]>([
  ["before its end", ["follow", "count", "send"]],
  ["after its end", ["send", "follow", "count"]],
  ["after its end, when it is counted already", ["count", "send", "follow"]],
])("who follows a response from %s is told of the end once, and it is counted once", async (_from, order) => {
  const metrics = new Metrics();
  const { untaken } = new WebappCounts(metrics, "shop");
  const told: unknown[][] = [];
  const nothing = (): void => {};
  const ended = (...end: unknown[]): void => void told.push(end);
  const handle: HandletPart["handle"] = (_req, resp) => {
    const steps: Record<Step, () => void> = {
      count: () => resp.countFor(untaken),
      follow: () => resp.reportTo({ headSent: nothing, nodeAsked: nothing, nodeDone: nothing, ended }),
      send: () => resp.send("hello"),
    };
    for (const step of order) steps[step]();
    return true;
  };
  await using server = await serve({ handlets: [handle] });
  await server.ask("GET /");
  await askOf(handle)({ url: "/" });
  expect(told).toEqual([
    [200, 5, "complete"],
    [200, 5, "complete"],
  ]);
  expect(metrics.numbers(webappGroup, ["shop"])[webappGroup.at.underWay]).toBe(0);
});
