import { bootWith, MemorySink, Metrics, openErrorLog, type Span } from "@hemi/internal";
import { expect, test } from "vitest";
import contrib from "./index.ts";
import { SpanQueue, type Outcome } from "./span-queue.ts";
import { startCollector, type ReceivedSpan } from "./testing/collector.ts";

async function serve(url: string, props = "") {
  const sink = new MemorySink();
  const metrics = new Metrics();
  const stage = await bootWith([contrib]).bootText(
    `stage {
      otel "collector" { .endpoint = "${url}" .interval = 10ms ${props} }
      webapp "shop" {
        .hostnames = ("*") .traceTo = "collector" .tracesPerMillion = 1000000
        rule $path == "/bad" { .returnCode = 503 }
        rule { .returnText = "hello" }
      }
      httpxServer "main" { .webapps = ("shop") .address = "127.0.0.1:0" }
    }`,
    { log: openErrorLog({ sink }), metrics },
  );
  await stage.start();
  return {
    stage,
    lines: sink.lines,
    counted: () => {
      const values = metrics.report().find(({ group }) => group === "exporter")?.values ?? [];
      return { sent: values[0], dropped: values[1] };
    },
    [Symbol.asyncDispose]: () => stage.quit(1000),
  };
}

const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

test.each(["protobuf", "json"])("a collector gets the spans in %s", async (format) => {
  await using collector = await startCollector();
  const before = Date.now();
  {
    await using site = await serve(collector.url, `.format = "${format}" .serviceName = "the shop"`);
    await site.stage.inject({ url: "/bad?q=ä", headers: { traceparent, tracestate: "a=1" } });
    await expect.poll(() => collector.spans).toHaveLength(2);
    await expect.poll(() => site.counted()).toEqual({ sent: 2, dropped: 0 });
  }
  const [rule, server] = collector.spans;
  expect(server).toMatchObject({
    traceId: "0af7651916cd43dd8448eb211c80319c",
    parentSpanId: "b7ad6b7169203331",
    traceState: "a=1",
    name: "GET webapp.shop",
    kind: 2,
    status: { code: 2, message: "503" },
  });
  expect(rule).toMatchObject({ name: "webapp.shop/rule.1", parentSpanId: server?.spanId, kind: 1 });
  expect(server?.spanId).toMatch(/^[\da-f]{16}$/);
  const start = Number(BigInt(server?.startTimeUnixNano ?? 0) / 1_000_000n);
  expect(start).toBeGreaterThanOrEqual(before - 1);
  expect(start).toBeLessThanOrEqual(Date.now());
  expect(BigInt(server?.endTimeUnixNano ?? 0)).toBeGreaterThanOrEqual(BigInt(server?.startTimeUnixNano ?? 0));
  const attributes = (of: ReceivedSpan["attributes"] = []) =>
    Object.fromEntries(of.map(({ key, value }) => [key, value]));
  expect(attributes(server?.attributes)).toMatchObject({
    "http.response.status_code": { intValue: "503" },
    "url.path": { stringValue: "/bad" },
  });
  expect(attributes(collector.resources[0])).toMatchObject({ "service.name": { stringValue: "the shop" } });
});

test("what waits at the end of the stage is sent", async () => {
  await using collector = await startCollector();
  {
    await using site = await serve(collector.url, "");
    await Promise.all(Array.from({ length: 30 }, () => site.stage.inject({ url: "/" })));
  }
  expect(collector.spans).toHaveLength(60);
});

test.each<[string, number, string]>([
  ["answers 500", 500, "5s"],
  ["answers 503", 503, "5s"],
  ["does not answer", 0, "20ms"],
])("a collector that %s costs spans, which are counted, and no request", async (_what, status, timeout) => {
  await using collector = await startCollector(status);
  await using site = await serve(collector.url, `.maxQueue = 20 .timeout = ${timeout}`);
  for (let i = 0; i < 50; i++) expect((await site.stage.inject({ url: "/" })).status).toBe(200);
  await expect.poll(() => site.counted().dropped, { timeout: 10_000 }).toBe(100);
  expect(site.lines.join("").match(/takes no spans/g)).toHaveLength(1);
  collector.status = 200;
  const before = site.counted().dropped ?? 0;
  // On a busy machine, a try may be too late once more.
  await expect
    .poll(async () => {
      await site.stage.inject({ url: "/" });
      return site.counted().sent;
    })
    .toBeGreaterThan(0);
  expect(before).toBe(100);
  expect(site.lines.join("")).toContain("takes spans again");
});

test("a collector that is down costs spans, and no request", async () => {
  const collector = await startCollector();
  await collector[Symbol.asyncDispose]();
  await using site = await serve(collector.url);
  for (let i = 0; i < 5; i++) expect((await site.stage.inject({ url: "/" })).status).toBe(200);
  await expect.poll(() => site.counted().dropped).toBe(10);
  expect(site.lines.join("")).toContain("ECONNREFUSED");
});

const span = (name: string): Span => ({
  traceId: "",
  spanId: "",
  parentId: "",
  state: "",
  name,
  kind: "internal",
  startTime: 0,
  endTime: 0,
  attributes: {},
  error: undefined,
});

test("a batch that is not taken for now is sent again, and in order", async () => {
  const outcomes: Outcome[] = ["again", "again", "accepted"];
  const tried: string[] = [];
  let sent = 0;
  const queue = new SpanQueue({
    limits: { maxQueue: 10, maxBatch: 2, interval: 1 },
    send: (spans) => {
      tried.push(spans.map(({ name }) => name).join(""));
      return Promise.resolve(outcomes.shift() ?? "accepted");
    },
    sent: (count) => (sent += count),
    dropped: () => expect.fail("nothing is dropped"),
  });
  for (const name of "abcde") queue.add(span(name));
  await expect.poll(() => sent).toBe(5);
  expect(tried).toEqual(["ab", "ab", "ab", "cd", "e"]);
  await queue.close();
});

test.each([
  ['otel "c" {}', /endpoint/],
  ['otel "c" { .endpoint = "127.0.0.1:4318" }', /takes a URL such as http/],
])("refuses the configuration %s", async (text, message) => {
  await expect(bootWith([contrib]).bootText(`stage { ${text} }`)).rejects.toThrow(message);
});
