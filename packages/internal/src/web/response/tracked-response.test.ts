import { expect, test } from "vitest";
import { webappGroup } from "../../metrics/groups.ts";
import { Metrics } from "../../metrics/metrics.ts";
import { askOf } from "../../testing/ask.ts";
import { serve } from "../../testing/serve.ts";
import { WebappCounts } from "../dispatch/request-counts.ts";
import type { HandletPart } from "../kinds.ts";

test.each(["before", "after"])("who follows a response from %s its end is told of it, once", async (when) => {
  const metrics = new Metrics();
  const { untaken } = new WebappCounts(metrics, "shop");
  const told: unknown[][] = [];
  const nothing = (): void => {};
  const ended = (...end: unknown[]): void => void told.push(end);
  const handle: HandletPart["handle"] = (_req, resp) => {
    if (when === "after") resp.send("hello");
    resp.reportTo({ headSent: nothing, nodeAsked: nothing, nodeDone: nothing, ended });
    resp.countFor(untaken);
    if (when === "before") resp.send("hello");
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

test("who follows a counted response from after its end does not make it count again", async () => {
  const metrics = new Metrics();
  const { untaken } = new WebappCounts(metrics, "shop");
  const told: unknown[][] = [];
  const nothing = (): void => {};
  const handle: HandletPart["handle"] = (_req, resp) => {
    resp.countFor(untaken);
    resp.send("hello");
    resp.reportTo({ headSent: nothing, nodeAsked: nothing, nodeDone: nothing, ended: (...end) => void told.push(end) });
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
