import { bootWith, defineHandlet, MemorySink, Metrics, openErrorLog, pack } from "@hemi/internal";
import { expect, test } from "vitest";
import contrib from "./index.ts";
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

test("each span has its own attributes, whichever the span before it had", async () => {
  await using collector = await startCollector();
  {
    await using site = await serve(collector.url);
    for (const url of ["/a", "/b", "/a", "/bad", `/${"long".repeat(200)}`, "/a"]) await site.stage.inject({ url });
  }
  const servers = collector.spans.filter(({ kind }) => kind === 2);
  const valuesOf = (wanted: string) =>
    servers.map(({ attributes }) => attributes.find(({ key }) => key === wanted)?.value);
  expect(valuesOf("url.path")).toEqual(
    ["/a", "/b", "/a", "/bad", `/${"long".repeat(200)}`, "/a"].map((path) => ({ stringValue: path })),
  );
  expect(valuesOf("http.response.status_code")).toEqual(
    [200, 200, 200, 503, 200, 200].map((status) => ({ intValue: String(status) })),
  );
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

test.each(["protobuf", "json"])(
  "a collector gets lines of the access log and of the error log in %s",
  async (format) => {
    await using collector = await startCollector();
    {
      await using stage = await bootWith([contrib]).bootText(
        `stage {
        otel "collector" { .endpoint = "${collector.url}" .interval = 10ms .format = "${format}" .errorLog = true }
        webapp "shop" {
          .hostnames = ("*") .traceTo = "collector" .tracesPerMillion = 0
          .accessLog = ["to": "collector", "format": $method + " " + $uri + " é"]
          rule $path == "/fails" { fails {} }
          rule { .returnText = "hello" }
        }
        httpxServer "main" { .webapps = ("shop") .address = "127.0.0.1:0" }
      }`,
        { log: openErrorLog({ sink: new MemorySink() }), use: [pack("test", [fails])] },
      );
      await stage.start();
      await stage.inject({ url: "/a?b", headers: { traceparent } });
      await stage.inject({ url: "/fails" });
    }
    const [access, error] = ["accessLog", "errorLog"].map((log) =>
      collector.lines.find(({ attributes, severityText }) =>
        attributes.some(
          ({ value }) => value["stringValue"] === log && (log === "accessLog" || severityText === "ERROR"),
        ),
      ),
    );
    expect(access).toMatchObject({
      severityNumber: 9,
      severityText: "INFO",
      body: { stringValue: "GET /a?b é" },
      traceId: "0af7651916cd43dd8448eb211c80319c",
    });
    expect(Math.abs(Number(BigInt(access?.timeUnixNano ?? 0) / 1_000_000n) - Date.now())).toBeLessThan(60_000);
    expect(error).toMatchObject({ severityNumber: 17, severityText: "ERROR" });
    expect(error?.body.stringValue).not.toContain("\n");
    const values = Object.fromEntries((error?.attributes ?? []).map(({ key, value }) => [key, value["stringValue"]]));
    expect(values["hemi.component"]).toMatch(/^webapp\.shop\/rule.*\/fails$/);
    expect(values["exception.stacktrace"]).toMatch(/Error: no stock\n +at /);
  },
);

test("a collector that is down costs lines, which are counted, and no request", async () => {
  await using collector = await startCollector(503);
  const metrics = new Metrics();
  await using stage = await bootWith([contrib]).bootText(
    `stage {
      otel "collector" { .endpoint = "${collector.url}" .interval = 10ms .maxQueue = 20 .errorLog = true }
      webapp "shop" { .hostnames = ("*") .accessLog = ["to": "collector"] rule { .returnText = "hello" } }
      httpxServer "main" { .webapps = ("shop") .address = "127.0.0.1:0" }
    }`,
    { log: openErrorLog({ sink: new MemorySink() }), metrics },
  );
  await stage.start();
  for (let i = 0; i < 50; i++) expect((await stage.inject({ url: "/" })).status).toBe(200);
  const counted = () =>
    metrics
      .report()
      .find(({ group }) => group === "exporter")
      ?.values.slice(2);
  await expect.poll(() => counted()?.[1]).toBeGreaterThanOrEqual(50);
  expect(counted()?.[0]).toBe(0);
});

const fails = defineHandlet({
  sign: "fails",
  create: () => ({
    handle() {
      throw new Error("no stock");
    },
  }),
});

test.each([
  ['otel "c" {}', /endpoint/],
  ['otel "c" { .endpoint = "127.0.0.1:4318" }', /takes a URL such as http/],
])("refuses the configuration %s", async (text, message) => {
  await expect(bootWith([contrib]).bootText(`stage { ${text} }`)).rejects.toThrow(message);
});
