// memCacher over diskCacher.

import { mkdtempDisposable, readdir, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { cachedSite } from "../../testing/cached-site.ts";
import { cacherTests } from "../../testing/cacher-tests.ts";
import { wobjectHead } from "../../testing/wobject-head.ts";
import type { Request } from "../request/request.ts";
import type { Response } from "../response/response.ts";
import type { CacherPart } from "./cacher.ts";
import { Tiers } from "./tiers.ts";

const newFolder = () => mkdtempDisposable(join(tmpdir(), "hemi-tiers-"));

function answer(req: Request, resp: Response): true {
  resp.setHeader("cache-control", "max-age=600");
  resp.setHeader("vary", "accept-language");
  resp.send(`${req.path} ${req.header("accept-language") ?? ""}`);
  return true;
}

function siteIn(folder: string) {
  const beside = `diskCacher "disk" { .folder = "${folder}" .maxSize = 8M .maxWobjectSize = 1M }`;
  return cachedSite(answer, "", { beside, cacher: '.over = "disk" .maxWobjectSize = 64K' });
}

async function makeCacher() {
  const folder = await newFolder();
  const site = await siteIn(folder.path);
  return {
    cacher: site.cacher,
    async [Symbol.asyncDispose]() {
      await site[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

test.each(cacherTests(makeCacher))("$name", ({ run }) => run());

test("what is on disk comes up into memory with all its variants, and a purge holds for both", async () => {
  await using folder = await newFolder();
  const languages = ["de", "en"];
  {
    await using site = await siteIn(folder.path);
    for (const language of languages) await site.get("/a", { "accept-language": language });
  }
  await using site = await siteIn(folder.path);
  await site.get("/a", { "accept-language": "de" });
  const objects = join(folder.path, "objects");
  for (const name of await readdir(objects)) await rm(join(objects, name), { recursive: true });
  for (const language of languages) {
    expect((await site.get("/a", { "accept-language": language })).text).toBe(`/a ${language}`);
  }
  expect(site.asked()).toBe(0);
  await site.cache.purge({ url: "http://a.example/a" });
  await site.get("/a", { "accept-language": "de" });
  expect(site.asked()).toBe(1);
});

test("a cacher cannot be over itself", async () => {
  await expect(cachedSite(answer, "", { cacher: '.over = "c"' })).rejects.toThrow();
});

test("a disk that fails in the middle costs hits, and no answer", async () => {
  await using folder = await newFolder();
  await using site = await siteIn(folder.path);
  await site.get("/a");
  await rename(folder.path, `${folder.path}-moved`);
  await writeFile(folder.path, "no folder any more");
  expect((await site.get("/a")).headers["age"]).toBe("0");
  for (const path of ["/b", "/b", "/c"]) expect(await site.get(path)).toMatchObject({ status: 200, text: `${path} ` });
  expect(site.asked()).toBe(3);
  await expect.poll(() => site.log.join("\n")).toContain("responses cannot be stored on disk");
  await rm(folder.path);
  await rename(`${folder.path}-moved`, folder.path);
});

test("the end of a reuse holds on disk, too, whatever memory has made of the response", async () => {
  await using folder = await newFolder();
  let control = "max-age=600";
  const validated = (req: Request, resp: Response): true => {
    resp.setHeader("cache-control", control);
    resp.setHeader("etag", '"1"');
    if (req.header("if-none-match") === '"1"') resp.status = 304;
    resp.send(resp.status === 304 ? undefined : "content");
    return true;
  };
  const tiers = { beside: `diskCacher "disk" { .folder = "${folder.path}" }`, cacher: '.over = "disk"' };
  const reload = { "cache-control": "no-cache" };
  {
    await using site = await cachedSite(validated, "", tiers);
    await site.get("/a");
    // The head needs more room: memory makes another object of it.
    control = `max-age=600, longer=${"x".repeat(200)}`;
    const reloads = async () => {
      await site.get("/a", reload);
      return site.asked();
    };
    await expect.poll(reloads).toBe(2);
    control = "private";
    await expect.poll(reloads).toBe(3);
  }
  await using site = await cachedSite(validated, "", tiers);
  await site.get("/a");
  expect(site.asked()).toBe(1);
});

/** Two memories, of which the lower one stores when `open` is called. */
async function slowTiers() {
  const [above, below] = [await cachedSite(answer), await cachedSite(answer)];
  const gate = Promise.withResolvers<void>();
  const { cacher } = below;
  const slow: CacherPart = {
    maxWobjectSize: cacher.maxWobjectSize,
    lookup: (key) => cacher.lookup(key),
    begin(key) {
      const writer = cacher.begin(key);
      return { ...writer, commit: (head) => gate.promise.then(() => writer.commit(head)) };
    },
    freshen: (wobject, head) => cacher.freshen(wobject, head),
    purge: (selector, options) => cacher.purge(selector, options),
  };
  return {
    tiers: new Tiers(above.cacher, () => slow),
    open: gate.resolve,
    below: async () => (await cacher.lookup(stored.key)).map(({ head }) => head),
    async [Symbol.asyncDispose]() {
      for (const site of [above, below]) await site[Symbol.asyncDispose]();
    },
  };
}

const stored = wobjectHead({
  key: "http://a.example/",
  url: "http://a.example/",
  fieldList: ["etag", '"1"'],
  lifetime: 60_000,
  storedAt: 1000,
});

/** Stores a response whose way into the lower one is not over. */
async function storeIn(tiers: Tiers, begunAs = stored.key) {
  const committed = tiers.begin(begunAs).commit(stored);
  const [found] = await tiers.lookup(stored.key);
  if (found === undefined) throw new Error("the upper one stores at once");
  return { found, committed };
}

// A slice that comes as a whole is stored under another key than it was asked for.
test.each([stored.key, "a slice"])(
  "updates of what is on its way down are kept, in their order; begun as %s",
  async (key) => {
    await using subject = await slowTiers();
    const { tiers, below, open } = subject;
    const { found, committed } = await storeIn(tiers, key);
    tiers.freshen(found, { ...stored, storedAt: 2000 });
    tiers.freshen(found, { ...stored, storedAt: 2000, noCache: true });
    open();
    await committed;
    await expect.poll(below).toMatchObject([{ storedAt: 2000, noCache: true }]);
  },
);

test.each([
  ["a soft purge", true, [{ isOutdated: true, storedAt: 1000 }]],
  ["a purge", false, []],
])("%s holds for an update that is on its way down", async (_, isSoft, left) => {
  await using subject = await slowTiers();
  const { tiers, below, open } = subject;
  const { found, committed } = await storeIn(tiers);
  open();
  await committed;
  // The upper one has made another object of it.
  tiers.freshen({ ...found }, { ...stored, storedAt: 2000 });
  await tiers.purge({ url: stored.url }, { isSoft });
  await tiers.shutdown();
  expect(await below()).toMatchObject(left);
});

test("what comes up while the lower one is purged goes, also if that one cannot remove everything", async () => {
  await using above = await cachedSite(answer);
  const failing: CacherPart = {
    maxWobjectSize: 1000,
    lookup: () => [],
    begin: (key) => above.cacher.begin(key),
    freshen: () => {},
    async purge() {
      await above.cacher.begin(stored.key).commit(stored);
      throw new Error("no permission");
    },
  };
  const tiers = new Tiers(above.cacher, () => failing);
  await expect(tiers.purge({ url: stored.url })).rejects.toThrow("no permission");
  expect(await above.cacher.lookup(stored.key)).toEqual([]);
});

test("an update that is on its way down does not take the place of a later response", async () => {
  await using subject = await slowTiers();
  const { tiers, below, open } = subject;
  const { found, committed } = await storeIn(tiers);
  tiers.freshen(found, { ...stored, storedAt: 2000 });
  const later = tiers.begin(stored.key).commit({ ...stored, storedAt: 3000 });
  open();
  await Promise.all([committed, later]);
  await tiers.shutdown();
  expect(await below()).toMatchObject([{ storedAt: 3000 }]);
});
