// The public suite of tests for HTTP caches (https://cache-tests.fyi) against `cache` before `httpProxy`.
//
//   the suite's client ──> httpxServer: cache, httpProxy ──> the suite's server

import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { bootText, MemorySink, openErrorLog, type ServerPart } from "@hemi/hemi";
import { getResults, runTests, type Results } from "http-cache-tests/client/runner.mjs";
import handleConfig from "http-cache-tests/server/handle-config.mjs";
import handleState from "http-cache-tests/server/handle-state.mjs";
import handleTest from "http-cache-tests/server/handle-test.mjs";
import suites from "http-cache-tests/tests/index.mjs";
import { expect, test, vi } from "vitest";
import { plainFetch } from "./plain-fetch.ts";

/** Required cases that are not passed, each with the reason. */
const exceptions: Readonly<Record<string, string>> = {
  // No proxy can pass them. They depend on "stale-close", which is a question and no requirement: our answer is no.
  ...reason("the answer is our 502, which the suite takes for one from the cache, because it has no request number", [
    "stale-close-must-revalidate",
    "stale-close-no-cache",
    "stale-close-proxy-revalidate",
    "stale-close-s-maxage=2",
  ]),
  ...reason("the proxy refuses a response with a transfer-encoding that it does not know", [
    "headers-store-Transfer-Encoding",
  ]),
  ...reason(
    "RFC 9111 section 4.3.4: a 304 with another strong etag confirms nothing, so the response is fetched anew",
    ["304-etag-update-response-ETag"],
  ),
};

function reason(text: string, ids: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(ids.map((id) => [id, text]));
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

test("the public suite passes but for the listed cases, and more of it than any listed proxy passes", async () => {
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
  await runTests(suites, plainFetch, false, `http://${address}`);

  const results = getResults();
  const failed = casesOf("required").filter((id) => results[id] !== true);
  const unexpected = failed.filter((id) => !(id in exceptions)).map((id) => [id, results[id]]);
  expect(unexpected).toEqual([]);
  // What passes meanwhile is no exception any more.
  expect(Object.keys(exceptions).sort()).toEqual(failed.sort());
  const ours = countsOf(results);
  for (const [name, { required, optimal }] of await listedCounts()) {
    expect(ours.required, name).toBeGreaterThan(required);
    expect(ours.optimal, name).toBeGreaterThan(optimal);
  }
});
