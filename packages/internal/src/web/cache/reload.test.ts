// Reloads while responses are fetched and stored.

import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { stageAtTime } from "../../testing/stage-at-time.ts";
import { defineHandlet } from "../kinds.ts";
import { managedCache } from "./managed-cache.ts";

const url = "http://a.example/a";

/** A site on whose backend each request waits until the test lets it go. */
async function gatedSite(cacher: string, cache = "") {
  const folder = await mkdtempDisposable(join(tmpdir(), "hemi-reload-"));
  const gates: PromiseWithResolvers<void>[] = [];
  let control = "max-age=600";
  const origin = defineHandlet({
    sign: "origin",
    create: () => ({
      async handle(_req, resp) {
        const gate = Promise.withResolvers<void>();
        const number = gates.push(gate);
        resp.setHeader("cache-control", control);
        await resp.echo("begin ");
        await gate.promise;
        await resp.echo(`of ${number}`);
        resp.end();
        return true;
      },
    }),
  });
  const text = (cacher: string, cache: string) => `stage {
    ${cacher.replace("FOLDER", folder.path)}
    webapp "site" {
      .hostnames = ("*")
      rule { cache { .withCacher = "c" ${cache} } origin {} }
    }
    httpxServer "main" { .webapps = ("site") .address = "127.0.0.1:0" }
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
    reload: (cacher: string, cache = "") => stage.reload({ text: text(cacher, cache) }),
    purge: async () => {
      for (const { part } of stage.offering(managedCache)) await part.purge({ url });
    },
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
