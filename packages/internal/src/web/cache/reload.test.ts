// Reloads while responses are fetched and stored.

import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { stageAtTime } from "../../testing/stage-at-time.ts";
import { defineHandlet } from "../kinds.ts";
import type { InjectRequest } from "../wires/inject-request.ts";
import type { PurgeSelector } from "./cacher.ts";
import { managedCache, purgeCaches } from "./managed-cache.ts";

const url = "http://a.example/a";
/** Of the second site. */
const otherUrl = "http://b.example/a";

/** Two sites on whose backend each request waits until the test lets it go. Both have a cache, and one cacher. */
async function gatedSite(cacher: string, cache = "") {
  const folder = await mkdtempDisposable(join(tmpdir(), "hemi-reload-"));
  const gates: PromiseWithResolvers<void>[] = [];
  let control = "max-age=600";
  const origin = defineHandlet({
    sign: "origin",
    create: () => ({
      async handle(req, resp) {
        const gate = Promise.withResolvers<void>();
        const number = gates.push(gate);
        if (req.method === "POST") await gate.promise;
        resp.setHeader("cache-control", control);
        resp.setHeader("cache-tag", "page");
        await resp.echo("begin ");
        await gate.promise;
        await resp.echo(`of ${number}`);
        resp.end();
        return true;
      },
    }),
  });
  const text = (cacher: string, cache: string) => `stage {
    ${cacher.replaceAll("FOLDER", folder.path)}
    webapp "site" {
      .hostnames = ("*")
      rule { cache { .withCacher = "c" ${cache} } origin {} }
    }
    webapp "other" {
      .hostnames = ("b.example")
      rule { cache { .withCacher = "c" ${cache} } origin {} }
    }
    httpxServer "main" { .webapps = ("site", "other") .address = "127.0.0.1:0" }
  }`;
  const { stage, log, wait } = await stageAtTime(text(cacher, cache), [origin]);
  return {
    stage,
    log,
    wait,
    gates,
    asked: () => gates.length,
    say: (value: string) => void (control = value),
    get: (headers: Readonly<Record<string, string>> = {}) => stage.inject({ url, headers }),
    ask: (request: InjectRequest) => stage.inject(request),
    reload: (cacher: string, cache = "") => stage.reload({ text: text(cacher, cache) }),
    purge: (selector: PurgeSelector = { url }) => purgeCaches(stage, selector, {}),
    stored: async () => (await purgeCaches(stage, "all", { isDryRun: true }))[0]?.count,
    variants: async () => (await stage.offering(managedCache)[0]?.part.explainUrl(url))?.variants ?? [],
    async [Symbol.asyncDispose]() {
      for (const gate of gates) gate.resolve();
      await stage.quit(1000);
      await folder[Symbol.asyncDispose]();
    },
  };
}

const cachers = [
  ["memCacher", 'memCacher "c" {}', 'memCacher "c" { .maxVariants = 7 }'],
  ["diskCacher", 'diskCacher "c" { .folder = "FOLDER" }', 'diskCacher "c" { .folder = "FOLDER" .memory = 8M }'],
] as const;

test.each(cachers)(
  "a request after a change of %s joins the fetch of before, which is stored",
  async (_, before, after) => {
    await using site = await gatedSite(before);
    const first = site.get();
    await expect.poll(site.asked).toBe(1);
    const { departed } = await site.reload(after);
    const second = site.get();
    site.gates[0]?.resolve();
    expect([(await first).text, (await second).text]).toEqual(["begin of 1", "begin of 1"]);
    await departed;
    await expect.poll(site.variants).toHaveLength(1);
    expect((await site.get()).headers["cache-status"]).toMatch(/hit/);
    expect(site.asked()).toBe(1);
  },
);

test.each(cachers)("a purge after a change of %s holds for what was fetched before it", async (_, before, after) => {
  await using site = await gatedSite(before);
  const first = site.get();
  await expect.poll(site.asked).toBe(1);
  const { departed } = await site.reload(after);
  await site.purge();
  site.gates[0]?.resolve();
  expect((await first).text).toBe("begin of 1");
  await departed;
  expect(await site.variants()).toEqual([]);
});

test.each(cachers)(
  "a change of %s breaks no validation in the background, and is no fault",
  async (_, before, after) => {
    await using site = await gatedSite(before);
    site.say("max-age=60, stale-while-revalidate=600");
    const first = site.get();
    await expect.poll(site.asked).toBe(1);
    site.gates[0]?.resolve();
    await first;
    await expect.poll(site.variants).toHaveLength(1);
    site.wait(70);
    expect((await site.get()).headers["cache-status"]).toMatch(/hit/);
    await expect.poll(site.asked).toBe(2);
    const { departed } = await site.reload(after);
    await departed;
    site.gates[1]?.resolve();
    // What could not be stored any more is fetched again.
    const latest = async (): Promise<string> => {
      const { text } = await site.get();
      for (const gate of site.gates) gate.resolve();
      return text;
    };
    await expect.poll(latest).toMatch(/of [23]$/);
    expect(site.log.filter((line) => !line.includes("listens on"))).toEqual([]);
  },
);

test.each(cachers)("a change of the cache before a %s loses no client that waits", async (_, before) => {
  await using site = await gatedSite(before);
  const waiting = [site.get(), site.get()];
  await expect.poll(site.asked).toBe(1);
  const { departed } = await site.reload(before, '.key = "k" + $path');
  const after = site.get();
  await expect.poll(site.asked).toBe(2);
  for (const gate of site.gates) gate.resolve();
  expect((await Promise.all(waiting)).map(({ text }) => text)).toEqual(["begin of 1", "begin of 1"]);
  expect((await after).text).toBe("begin of 2");
  await departed;
  expect(site.log.filter((line) => !line.includes("listens on"))).toEqual([]);
});

/** The default, said by a template. */
const withKey = '.key = $scheme + "://" + $authority + $uri';

const tiers = 'memCacher "c" { .over = "low" }';

describe.each([
  ["of the same folder", cachers[1][1], cachers[1][2]],
  ["of another folder", 'diskCacher "c" { .folder = "FOLDER/one" }', 'diskCacher "c" { .folder = "FOLDER/two" }'],
  [
    "below a memCacher",
    `${tiers} diskCacher "low" { .folder = "FOLDER" }`,
    `${tiers} diskCacher "low" { .folder = "FOLDER" .memory = 8M }`,
  ],
])("when a reload replaces the diskCacher of two caches by one %s", (_, before, after) => {
  test.each([{ tag: "page" }, { prefix: "http://" }, "all"] as const)(
    "a purge of %o holds for what both were fetching",
    async (selector) => {
      await using site = await gatedSite(before);
      const earlier = [site.get(), site.ask({ url: otherUrl })];
      await expect.poll(site.asked).toBe(2);
      await site.reload(after);
      await site.purge(selector);
      const later = [site.get(), site.ask({ url: otherUrl })];
      await expect.poll(site.asked).toBe(4);
      for (const gate of site.gates.slice(0, 2)) gate.resolve();
      await Promise.all(earlier);
      expect(await site.variants()).toEqual([]);
      for (const gate of site.gates) gate.resolve();
      expect((await Promise.all(later)).map(({ text }) => text).toSorted()).toEqual(["begin of 3", "begin of 4"]);
    },
  );

  test("a purge holds for what both were fetching, although the caches are replaced, too", async () => {
    await using site = await gatedSite(before);
    const earlier = [site.get(), site.ask({ url: otherUrl })];
    await expect.poll(site.asked).toBe(2);
    const { departed } = await site.reload(after, withKey);
    await site.purge("all");
    for (const gate of site.gates) gate.resolve();
    await Promise.all(earlier);
    await departed;
    const later = [site.get(), site.ask({ url: otherUrl })];
    await expect.poll(site.asked).toBe(4);
    for (const gate of site.gates) gate.resolve();
    expect((await Promise.all(later)).map(({ text }) => text).toSorted()).toEqual(["begin of 3", "begin of 4"]);
  });
});

test("a POST that ends after a reload invalidates what the caches of then have", async () => {
  const [, before, after] = cachers[1];
  await using site = await gatedSite(before);
  const post = site.ask({ url, method: "POST" });
  await expect.poll(site.asked).toBe(1);
  await site.reload(after, withKey);
  const first = site.get();
  await expect.poll(site.asked).toBe(2);
  site.gates[1]?.resolve();
  await first;
  await expect.poll(async () => (await site.get()).headers["cache-status"]).toMatch(/hit/);
  site.gates[0]?.resolve();
  await post;
  const second = site.get();
  await expect.poll(site.asked).toBe(3);
  site.gates[2]?.resolve();
  expect((await second).text).toBe("begin of 3");
});

test("a diskCacher that a reload has replaced evicts nothing, although its folder was to be smaller", async () => {
  await using site = await gatedSite('diskCacher "c" { .folder = "FOLDER" .maxSize = 64K }');
  const running = [site.get(), site.ask({ url: otherUrl })];
  await expect.poll(site.asked).toBe(2);
  const { departed } = await site.reload('diskCacher "c" { .folder = "FOLDER" .maxSize = 1M .memory = 8M }');
  const urls = Array.from({ length: 20 }, (_, i) => `http://a.example/${i}`);
  const others = urls.map((url) => site.ask({ url }));
  await expect.poll(site.asked).toBe(22);
  for (const gate of site.gates.slice(2)) gate.resolve();
  await Promise.all(others);
  await expect.poll(() => site.stored()).toBe(20);
  site.gates[0]?.resolve();
  await running[0];
  // It is still there, and would have the time.
  for (const url of urls) expect((await site.ask({ url })).headers["cache-status"]).toMatch(/hit/);
  site.gates[1]?.resolve();
  await Promise.all(running);
  await departed;
  expect(await site.stored()).toBe(22);
});
