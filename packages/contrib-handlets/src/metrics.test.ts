import { connect } from "node:net";
import { once } from "node:events";
import { expect, test } from "vitest";
import { serveSite, type Site } from "./testing/serve-site.ts";

const rule = 'rule "m" $path == "/metrics" { metrics {} }';

/** The samples of a scrape, by name and labels. */
async function samplesOf(site: Site, accept = ""): Promise<Record<string, number>> {
  const { text } = await site.ask("GET /metrics", accept === "" ? {} : { accept });
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return Object.fromEntries(lines.map((line) => [line.replace(/ \S+$/, ""), Number(/\S+$/.exec(line)?.[0])]));
}

/** Each scrape collects anew. */
async function scraped(rules = rule): Promise<Site> {
  return await serveSite(rules.replace("metrics {}", "metrics { .maxAge = 0s }"));
}

test("a scrape has the requests by component and status", async () => {
  await using site = await scraped();
  for (const path of ["/a", "/b?c=d", "/teapot"]) await site.ask(`GET ${path}`);
  const samples = await samplesOf(site);
  const labels = 'webapp="site",rule="",handlet="answerer"';
  expect(samples[`hemi_requests_total{${labels},status="2xx"}`]).toBe(2);
  expect(samples[`hemi_requests_total{${labels},status="4xx"}`]).toBe(1);
  expect(samples[`hemi_request_duration_seconds_count{${labels}}`]).toBe(3);
  expect(samples[`hemi_request_duration_seconds_bucket{${labels},le="+Inf"}`]).toBe(3);
  expect(samples['hemi_requests_under_way{webapp="site"}']).toBe(1);
  expect(samples['hemi_process_resident_memory_bytes{worker="0"}']).toBeGreaterThan(1e6);
  const again = await samplesOf(site);
  expect(again['hemi_requests_total{webapp="site",rule="m",handlet="metrics",status="2xx"}']).toBe(1);
});

test("a client that accepts OpenMetrics gets it, with its end", async () => {
  await using site = await scraped();
  const { text, headers } = await site.ask("GET /metrics", {
    accept: "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,*/*;q=0.1",
  });
  expect(headers["content-type"]).toBe("application/openmetrics-text; version=1.0.0; charset=utf-8");
  expect(text).toContain("# TYPE hemi_requests counter\n");
  expect(text).toContain("\nhemi_requests_total{");
  expect(text.endsWith("\n# EOF\n")).toBe(true);
  expect((await site.ask("GET /metrics")).text).toContain("# TYPE hemi_requests_total counter\n");
});

test("scrapes within maxAge share one collection", async () => {
  await using site = await serveSite(rule.replace("metrics {}", "metrics { .maxAge = 1m }"));
  const first = await site.ask("GET /metrics");
  await site.ask("GET /a");
  expect((await site.ask("GET /metrics")).text).toBe(first.text);
});

test("hosts, paths, methods and fields of 100,000 clients are in no label", { timeout: 300_000 }, async () => {
  await using site = await scraped();
  await samplesOf(site);
  const before = Object.keys(await samplesOf(site)).length;
  for (let i = 0; i < 100_000; i++) {
    await site.ask(`M${i} /secret${i}`, { host: `secret${i}.example`, "user-agent": `secret${i}`, "x-y": "secret" });
  }
  const { text } = await site.ask("GET /metrics");
  expect(text).not.toContain("secret");
  expect(Object.keys(await samplesOf(site))).toHaveLength(before);
});

test("a name of the configuration is escaped in labels", async () => {
  await using site = await scraped(
    `${rule} rule "a\\"<b>\\\\" $path == "/x" { .returnText = "x" }`.replaceAll('a\\"', "a<i>"),
  );
  await site.ask("GET /x");
  expect((await site.ask("GET /metrics")).text).toContain('rule="a<i><b>\\\\\\\\"');
});

test("a client that never reads its scrape hinders nobody", async () => {
  await using site = await scraped();
  const { listensOn } = site.stage.find("httpxServer.main")?.part as { listensOn: readonly string[] };
  const port = Number(/\d+$/.exec(listensOn[0] ?? "")?.[0]);
  const silent = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const socket = connect(port, "127.0.0.1").pause();
      await once(socket, "connect");
      socket.on("error", () => {});
      socket.write("GET /metrics HTTP/1.1\r\nhost: a\r\n\r\n".repeat(50));
      return socket;
    }),
  );
  expect((await samplesOf(site))['hemi_requests_under_way{webapp="site"}']).toBeGreaterThan(0);
  expect((await site.askFrom("127.0.0.1")).text).toBe("passed");
  for (const socket of silent) socket.destroy();
});

test("other methods are refused", async () => {
  await using site = await scraped();
  expect((await site.ask("POST /metrics")).status).toBe(405);
  expect((await site.ask("OPTIONS /metrics")).headers["allow"]).toBe("GET, HEAD, OPTIONS");
});
