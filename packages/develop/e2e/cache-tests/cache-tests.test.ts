// The public suite of tests for HTTP caches (https://cache-tests.fyi) against `cache` before `httpProxy`.
//
//   the suite's client ──> httpxServer: cache, httpProxy ──> the suite's server

import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { bootText, MemorySink, openErrorLog, type ServerPart } from "@hemi/hemi";
import { getResults, runTests, type Results } from "http-cache-tests/client/runner.mjs";
import { determineTestResult } from "http-cache-tests/lib/display.mjs";
import handleConfig from "http-cache-tests/server/handle-config.mjs";
import handleState from "http-cache-tests/server/handle-state.mjs";
import handleTest from "http-cache-tests/server/handle-test.mjs";
import suites from "http-cache-tests/tests/index.mjs";
import { expect, test, vi } from "vitest";
import { plainFetch } from "./plain-fetch.ts";
import { spreadCases } from "./spread-cases.ts";

/**
 * Required cases that the suite does not judge, because their question cannot be put: what they need goes wrong first.
 * Each with the suite's mark for that, and the reason.
 */
const unjudged: Readonly<Record<string, readonly [mark: string, reason: string]>> = {
  // They depend on "stale-close", a question whose answer may be no. Their own check can be met by nobody: the origin
  // closes the connection without a byte, and the client is to get a field of that response.
  ...because("⚪️", "nothing stale is served when the backend closes the connection", [
    "stale-close-must-revalidate",
    "stale-close-no-cache",
    "stale-close-proxy-revalidate",
    "stale-close-s-maxage=2",
  ]),
  ...because("🔹", "RFC 9112 section 6.1: a response with an unknown transfer-encoding is refused, by 502", [
    "headers-store-Transfer-Encoding",
  ]),
  ...because("↻", "RFC 9111 section 4.3.4: a 304 with another strong etag must update nothing that is stored", [
    "304-etag-update-response-ETag",
  ]),
};

function because(mark: string, text: string, ids: readonly string[]): typeof unjudged {
  return Object.fromEntries(ids.map((id) => [id, [mark, text] as const]));
}

/** The suite's judgement of a case, as its pages show it: one of its marks. */
function markOf(id: string, results: Results): string {
  return determineTestResult(suites, id, results)[2];
}

const areas = new Map([
  ["config", handleConfig],
  ["state", handleState],
  ["test", handleTest],
]);

function serveSuite(request: IncomingMessage, response: ServerResponse): void {
  const [, area = "", ...segments] = new URL(request.url ?? "/", "http://a.example").pathname.split("/");
  const handle = areas.get(area);
  if (handle === undefined) response.writeHead(404).end();
  else handle(segments, request, response);
}

interface Counts {
  readonly required: number;
  readonly optimal: number;
}

function countsOf(results: Results): Counts {
  const passed = (kind: string) => casesOf(kind).filter((id) => results[id] === true).length;
  return { required: passed("required"), optimal: passed("optimal") };
}

function casesOf(kind: string): readonly string[] {
  const cases = suites.flatMap(({ tests }) => tests).filter((one) => one.browser_only !== true);
  return cases.filter((one) => (one.kind ?? "required") === kind).map(({ id }) => id);
}

/** Of the proxies whose results the suite lists. */
async function listedCounts(): Promise<ReadonlyMap<string, Counts>> {
  const folder = new URL("./results/", import.meta.resolve("http-cache-tests/package.json"));
  const browsers = new Set(["chrome.json", "firefox.json", "safari.json"]);
  const files = (await readdir(folder)).filter((name) => name.endsWith(".json") && !browsers.has(name));
  const entries = files.map(async (name) => {
    return [name, countsOf(JSON.parse(await readFile(new URL(name, folder), "utf8")) as Results)] as const;
  });
  return new Map(await Promise.all(entries));
}

// The suite waits for some seconds, several times.
vi.setConfig({ testTimeout: 120_000 });

test("the public suite finds no required case failed, and more of it passed than by any listed proxy", async () => {
  await using origin = createServer(serveSuite).listen(0, "127.0.0.1");
  await once(origin, "listening");
  await using stage = await bootText(
    `stage {
      http1Backend "origin" { .nodes = (["address": "127.0.0.1:${(origin.address() as AddressInfo).port}"]) }
      memCacher "mem" {}
      webapp "site" {
        .hostnames = ("*")
        rule {
          cache { .withCacher = "mem" .heuristicPercent = 10 .setCookie = "store" }
          httpProxy { .toBackend = "origin" }
        }
      }
      httpxServer "main" { .webapps = ("site") .address = "127.0.0.1:0" }
    }`,
    { log: openErrorLog({ sink: new MemorySink() }) },
  );
  await stage.start();
  const { listensOn: [address = ""] = [] }: ServerPart = stage.find("httpxServer.main")?.part ?? {};
  // All in one go: a case that pauses delays no other.
  await runTests(
    suites,
    spreadCases(plainFetch),
    false,
    `http://${address}`,
    suites.flatMap(({ tests }) => tests).length,
  );

  const results = getResults();
  const open = casesOf("required").filter((id) => markOf(id, results) !== "✅");
  const found = open.map((id) => [id, markOf(id, results), results[id]] as const);
  expect(found.filter(([, mark]) => mark === "⛔️")).toEqual([]);
  // What is judged meanwhile is no exception any more.
  expect(Object.fromEntries(found.map(([id, mark]) => [id, mark]))).toEqual(
    Object.fromEntries(Object.entries(unjudged).map(([id, [mark]]) => [id, mark])),
  );
  const ours = countsOf(results);
  for (const [name, { required, optimal }] of await listedCounts()) {
    expect(ours.required, name).toBeGreaterThan(required);
    expect(ours.optimal, name).toBeGreaterThan(optimal);
  }
});
