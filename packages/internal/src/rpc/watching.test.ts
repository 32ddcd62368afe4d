// What operators see of calls: numbers, spans, explanations.

import { describe, expect, test } from "vitest";
import { bootWith } from "../boot.ts";
import { pack } from "../component/pack.ts";
import { rpcGroup } from "../metrics/groups.ts";
import { Metrics } from "../metrics/metrics.ts";
import type { Stage } from "../stage.ts";
import { defineAddon } from "../stage/kinds/addon.ts";
import { libraryService } from "../testing/rpc/library-service.ts";
import { numbersService } from "../testing/rpc/numbers-service.ts";
import type { Span } from "../operator/span.ts";
import { spanSink, type SpanSink } from "../operator/span-sink.ts";
import { defineService } from "./kinds.ts";

interface Site extends AsyncDisposable {
  readonly stage: Stage;
  readonly metrics: Metrics;
  readonly spans: readonly Span[];
}

async function watched(): Promise<Site> {
  const spans: Span[] = [];
  const metrics = new Metrics();
  const gathering = defineAddon({
    sign: "gathering",
    offers: [spanSink],
    create: (): SpanSink => ({ takeSpan: (span) => void spans.push(span) }),
  });
  const services = defineService({
    sign: "testService",
    create: () => ({ bundlets: [numbersService(), libraryService()] }),
  });
  const stage = await bootWith([pack("test", [services, gathering])]).bootText(
    `stage {
      gathering "spans" {}
      testService "numbers" {}
      webapp "site" {
        .hostnames = ("*") .traceTo = "spans" .tracesPerMillion = 1000000
        rule { rpcHandlet { .services = ("numbers") .stripPrefix = "/rpc" .openAPI = "/openapi.json" } }
        rule { .returnText = "next" }
      }
      httpxServer "main" { .webapps = ("site") .address = "127.0.0.1:0" }
    }`,
    { metrics },
  );
  await stage.start();
  return { stage, metrics, spans, [Symbol.asyncDispose]: () => stage.quit(1000) };
}

function call(stage: Stage, path: string, json: unknown) {
  const headers = { "content-type": "application/json" };
  return stage.inject({ method: "POST", url: `/rpc${path}`, headers, content: JSON.stringify(json) });
}

test("calls are counted by procedure and code, and those of no procedure in one place", async () => {
  await using site = await watched();
  const { stage, metrics } = site;
  for (const n of [1, 2, -1]) await call(stage, "/test.Numbers/double", { n });
  await call(stage, "/test.Numbers/double", { n: "none" });
  const headers = { "content-type": "application/proto" };
  for (const name of ["a", "b"]) await stage.inject({ method: "POST", url: `/rpc/${name}/x`, headers, content: "" });
  const blocks = metrics.report().filter(({ group }) => group === rpcGroup.name);
  const counted = blocks.map(({ labels, values }) => [
    ...labels,
    ...(["ok", "outOfRange", "invalidArgument", "unimplemented", "underWay"] as const).map(
      (name) => values[rpcGroup.at[name]],
    ),
  ]);
  expect(counted).toEqual([
    ["site", "test.Numbers/double", 2, 1, 1, 0, 0],
    ["site", "", 0, 0, 0, 2, 0],
  ]);
});

test("a traced call has a span below its handlet, with its code", async () => {
  await using site = await watched();
  await call(site.stage, "/test.Numbers/double", { n: -1 });
  const span = site.spans.find(({ name }) => name === "test.Numbers/double");
  const above = site.spans.find(({ spanId }) => spanId === span?.parentId);
  expect(above?.name).toContain("rpcHandlet");
  expect(span).toMatchObject({
    error: "out_of_range",
    attributes: {
      "rpc.system": "connect_rpc",
      "rpc.service": "test.Numbers",
      "rpc.method": "double",
      "rpc.grpc.status_code": 11,
    },
  });
});

describe("hemi explain tells", () => {
  test.each([
    ["POST", "/rpc/test.Numbers/double", "calls test.Numbers/double of the service numbers"],
    [
      "GET",
      "/rpc/v1/titles?count=2",
      "calls hemi.library.v1.Library/ListTitles by GET /v1/titles of the service numbers",
    ],
    ["DELETE", "/rpc/test.Numbers/double", "test.Numbers/double is not called like this"],
    ["DELETE", "/rpc/v1/titles", "DELETE calls nothing here"],
    ["GET", "/rpc/openapi.json", "describes all procedures (OpenAPI)"],
  ])("what %s %s calls", async (method, url, text) => {
    await using site = await watched();
    const headers = { host: "site.example", "content-type": "application/json" };
    const { rules } = await site.stage.explain({ method, url, headers });
    expect(rules?.[0]?.asked?.[0]).toMatchObject({ takes: "yes", text });
  });

  test("the limits of a procedure, and what is left to the next rule", async () => {
    await using site = await watched();
    const headers = { host: "site.example", "content-type": "application/json" };
    const { rules } = await site.stage.explain({ method: "POST", url: "/rpc/test.Numbers/count", headers });
    expect(rules?.[0]?.asked?.[0]?.details).toEqual([
      "server streaming, idempotency: unknown",
      "at most 4194304 bytes a message, 3600000 ms a call",
      "at most 10000 calls at a time",
    ]);
    const { outcome } = await site.stage.explain({ url: "/other", headers });
    expect(outcome).toMatchObject({ type: "answered", text: expect.stringContaining("next") as string });
  });
});
