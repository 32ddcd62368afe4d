import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import { mkdtempDisposable, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { bootWith } from "../../boot.ts";
import { pack } from "../../component/pack.ts";
import { openErrorLog } from "../../log/error-log.ts";
import { MemorySink } from "../../log/sink.ts";
import { Metrics } from "../../metrics/metrics.ts";
import { Operator } from "../../operator/operator.ts";
import type { Span } from "../../operator/span.ts";
import { spanSink, type SpanSink } from "../../operator/span-sink.ts";
import { defineAddon } from "../../stage/kinds/addon.ts";
import { defineHandlet } from "../kinds.ts";
import { currentTrace } from "./tracing.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const sampled = `00-${traceId}-b7ad6b7169203331-01`;
const unsampled = `00-${traceId}-b7ad6b7169203331-00`;

/** A site with tracing, whose spans are gathered. `asked`: the heads that its backend got. */
async function tracing({
  props = ".tracesPerMillion = 1000000",
  rules = "",
  more = "",
  operator = new Operator(),
  metrics = new Metrics(),
} = {}) {
  const hanging: string[] = [];
  const released = Promise.withResolvers<void>();
  const spans: Span[] = [];
  const asked: IncomingHttpHeaders[] = [];
  const node = createServer((req, response) => {
    asked.push(req.headers);
    response.statusCode = req.url === "/bad" ? 503 : 200;
    response.end("from the node");
  }).listen(0, "127.0.0.1");
  await once(node, "listening");
  const address = node.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  const gathering = defineAddon({
    sign: "gathering",
    offers: [spanSink],
    create: (): SpanSink => ({ takeSpan: (span) => void spans.push(span) }),
  });
  const checking = defineHandlet({
    sign: "checking",
    create: () => ({
      handle(req, resp) {
        if (req.path === "/hang") {
          hanging.push(req.id);
          return released.promise.then(() => (resp.send("released"), true));
        }
        if (req.path === "/id") resp.send(`${req.traceId} ${currentTrace()?.traceId ?? "none"}`);
        if (req.path === "/throw") throw new TypeError("thrown");
        return req.path === "/id";
      },
    }),
  });
  const including = defineHandlet({
    sign: "including",
    create: () => ({
      async handle(req, resp) {
        const { content } = await req.subrequest("/inner");
        await resp.sendStream(content);
        return true;
      },
    }),
  });
  const stage = await bootWith([]).bootText(
    `stage {
      gathering "collector" {}
      http1Backend "api" { .nodes = (["address": "127.0.0.1:1"], ["address": "127.0.0.1:${port}"]) .maxFails = 0 }
      webapp "shop" {
        .hostnames = ("*") .traceTo = "collector" ${props} ${more}
        ${rules}
        rule $path == "/outer" { including {} }
        rule { checking {} httpProxy { .toBackend = "api" .balancer = "roundRobin" } }
      }
      httpxServer "main" { .webapps = ("shop") .address = "127.0.0.1:0" }
    }`.replace('.balancer = "roundRobin" ', ""),
    {
      log: openErrorLog({ sink: new MemorySink() }),
      use: [pack("test", [gathering, checking, including])],
      operator,
      metrics,
    },
  );
  await stage.start();
  return {
    stage,
    spans,
    asked,
    /** Ids of requests that wait for `release`. */
    hanging,
    release: released.resolve,
    ask: (url: string, traceparent?: string) =>
      stage.inject({ url, headers: traceparent === undefined ? {} : { traceparent, tracestate: "a=1" } }),
    async [Symbol.asyncDispose]() {
      await stage.quit(1000);
      node.close();
    },
  };
}

const outline = (spans: readonly Span[], parentId: string): unknown[] =>
  spans
    .filter((span) => span.parentId === parentId)
    .map(({ name, spanId, error }) => [name, ...(error === undefined ? [] : [error]), ...outline(spans, spanId)]);

test("the spans of a proxied request are one tree, below the span of the client", async () => {
  await using site = await tracing();
  expect((await site.ask("/a", sampled)).status).toBe(200);
  await expect.poll(() => site.spans.find(({ kind }) => kind === "server")).toBeDefined();
  expect(outline(site.spans, "b7ad6b7169203331")).toEqual([
    [
      "GET webapp.shop",
      [
        "webapp.shop/rule.2",
        ["webapp.shop/rule.2/checking"],
        ["webapp.shop/rule.2/httpProxy", ["attempt", "HEMI_BACKEND_DIAL"], ["attempt"]],
      ],
    ],
  ]);
  expect(new Set(site.spans.map((span) => span.traceId))).toEqual(new Set([traceId]));
  const server = site.spans.find(({ kind }) => kind === "server");
  expect(server).toMatchObject({
    state: "a=1",
    attributes: { "http.request.method": "GET", "url.path": "/a", "http.response.status_code": 200 },
  });
  for (const span of site.spans) expect(span.endTime).toBeGreaterThanOrEqual(span.startTime);
});

test("the server span names the port of the request, if the client has named one", async () => {
  await using site = await tracing();
  for (const url of ["http://shop.example:8080/a", "http://shop.example/a"]) await site.ask(url, sampled);
  await expect.poll(() => site.spans.filter(({ kind }) => kind === "server").length).toBe(2);
  const attributes = site.spans.filter(({ kind }) => kind === "server").map((span) => span.attributes);
  expect(attributes.map((of) => [of["server.address"], of["server.port"]])).toEqual([
    ["shop.example", 8080],
    ["shop.example", undefined],
  ]);
});

test("the backend gets the trace context once, with the span of this server", async () => {
  await using site = await tracing();
  await site.ask("/a", sampled);
  await expect.poll(() => site.spans.find(({ kind }) => kind === "server")).toBeDefined();
  const server = site.spans.find(({ kind }) => kind === "server");
  expect(site.asked[0]).toMatchObject({
    traceparent: `00-${traceId}-${server?.spanId ?? ""}-01`,
    tracestate: "a=1",
  });
});

test.each(["00-nonsense", "x".repeat(20_000), `${sampled}, ${sampled}`])(
  "a bad traceparent is replaced by one of a new trace: %.40s",
  async (traceparent) => {
    await using site = await tracing();
    await site.ask("/a", traceparent);
    expect(site.asked[0]?.traceparent).toMatch(/^00-[\da-f]{32}-[\da-f]{16}-01$/);
    expect(site.asked[0]?.traceparent).not.toContain(traceId);
    expect(site.asked[0]?.tracestate).toBeUndefined();
  },
);

test("a stranger cannot have its requests traced; a trusted peer decides", async () => {
  await using strict = await tracing({ props: ".tracesPerMillion = 0" });
  await strict.ask("/a", sampled);
  expect(strict.spans).toEqual([]);
  expect(strict.asked[0]?.traceparent).toMatch(new RegExp(`^00-${traceId}-[\\da-f]{16}-00$`));
  await using trusting = await tracing({ props: '.trustTraceparent = ("127.0.0.0/8")' });
  await trusting.ask("/id", sampled);
  expect(trusting.spans).not.toEqual([]);
  trusting.spans.length = 0;
  for (let i = 0; i < 50; i++) await trusting.ask("/id", unsampled);
  expect(trusting.spans).toEqual([]);
});

test("a response from 500 on gives its server span, though its request is not traced", async () => {
  await using site = await tracing({ props: ".tracesPerMillion = 0" });
  expect((await site.ask("/throw")).status).toBe(500);
  expect(outline(site.spans, "")).toEqual([["GET webapp.shop", "500"]]);
  await using silent = await tracing({ props: ".tracesPerMillion = 0 .traceErrors = false" });
  await silent.ask("/throw");
  expect(silent.spans).toEqual([]);
});

test("a handlet that throws, and its rule, have the error", async () => {
  await using site = await tracing();
  await site.ask("/throw");
  expect(outline(site.spans, "")).toEqual([
    ["GET webapp.shop", "500", ["webapp.shop/rule.2", "TypeError", ["webapp.shop/rule.2/checking", "TypeError"]]],
  ]);
});

test("a subrequest is in the tree of its request", async () => {
  await using site = await tracing();
  expect((await site.ask("/outer")).text).toBe("from the node");
  const [[, [rule, [handlet, subrequest]]]] = outline(site.spans, "") as [[string, [string, [string, unknown[]]]]];
  expect([rule, handlet]).toEqual(["webapp.shop/rule.1", "webapp.shop/rule.1/including"]);
  expect(JSON.stringify(subrequest)).toContain("httpProxy");
  expect(new Set(site.spans.map((span) => span.traceId)).size).toBe(1);
});

test("an asynchronous context has the trace where that is asked for", async () => {
  await using without = await tracing();
  expect((await without.ask("/id", sampled)).text).toBe(`${traceId} none`);
  await using site = await tracing({ more: ".traceInContext = true" });
  expect((await site.ask("/id", sampled)).text).toBe(`${traceId} ${traceId}`);
});

test("access logs have the trace, the attempts, and the time of nodes", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-traces-"));
  const file = join(folder.path, "access.log");
  {
    const format = '$traceId + " " + $attempts + " " + $nodeTime + " [" + $cacheStatus + "]"';
    await using site = await tracing({ more: `.accessLog = ["file": "${file}", "format": ${format}]` });
    await site.ask("/a", sampled);
    await site.ask("/id", sampled);
  }
  const lines = (await readFile(file, "utf8")).split("\n");
  expect(lines[0]).toMatch(new RegExp(`^${traceId} 2 \\d+\\.\\d{3} \\[-\\]$`));
  expect(lines[1]).toBe(`${traceId} - - [-]`);
});

test("without tracing, a trace context is passed on as it comes", async () => {
  await using site = await tracing();
  await site.stage.reload({
    text: `stage {
      webapp "plain" { .hostnames = ("*") rule { .returnText = $header_traceparent } }
      httpxServer "main" { .webapps = ("plain") .address = "127.0.0.1:0" }
    }`,
  });
  expect((await site.ask("/", sampled)).text).toBe(sampled);
});

test("the story of a sampled request has the spans of all that was done for it, and its connection", async () => {
  const operator = new Operator();
  await using site = await tracing({ operator });
  await site.stage.inject({ url: "/api/a", headers: { host: "shop.example" } });
  const [story] = operator.requests.latest(10);
  expect(story).toMatchObject({
    isOver: true,
    traceId: site.spans[0]?.traceId,
    attributes: { "url.path": "/api/a", "server.address": "shop.example", "http.response.status_code": 200 },
  });
  expect(story?.spans).toEqual(site.spans);
  expect(operator.requests.find(story?.requestId ?? "")).toBe(story);
  for (let i = 0; i < 300; i++) await site.stage.inject({ url: "/id" });
  expect(operator.requests.latest(1000)).toHaveLength(200);
  expect(operator.requests.find(story?.requestId ?? "")).toBeUndefined();
});

test("a request that hangs has a story, whether it is sampled or not", async () => {
  for (const tracesPerMillion of [0, 1_000_000]) {
    const operator = new Operator();
    await using site = await tracing({ operator, props: `.tracesPerMillion = ${tracesPerMillion}` });
    const answered = site.stage.inject({ url: "/hang" });
    const story = () => operator.requests.find(site.hanging.at(-1) ?? "");
    await expect.poll(story).toMatchObject({
      isOver: false,
      attributes: { "url.path": "/hang", "hemi.component": expect.stringMatching(/\/checking$/) as string },
    });
    const spans = story()?.spans.map(({ name, endTime }) => [name.split("/").at(-1), endTime]);
    expect(spans?.at(-1)).toEqual(tracesPerMillion === 0 ? undefined : ["checking", null]);
    site.release();
    await answered;
    expect(story()?.isOver).toBe(tracesPerMillion === 0 ? undefined : true);
  }
});

test("the last sampled request of a bucket is its exemplar", async () => {
  const metrics = new Metrics();
  await using site = await tracing({ metrics });
  for (let i = 0; i < 5; i++) await site.ask("/id");
  const exemplars = metrics.report().flatMap((block) => block.exemplars ?? []);
  const servers = site.spans.filter(({ kind }) => kind === "server");
  expect(exemplars.map((exemplar) => exemplar.traceId)).toContain(servers.at(-1)?.traceId);
  for (const { traceId: id, value } of exemplars) {
    const span = servers.find((one) => one.traceId === id);
    expect(value).toBeCloseTo(((span?.endTime ?? 0) - (span?.startTime ?? 0)) / 1000, 6);
  }
});
