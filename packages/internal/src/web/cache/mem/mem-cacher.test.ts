import { expect, test } from "vitest";
import { cachedSite } from "../../../testing/cached-site.ts";
import { linkedWorkers } from "../../../testing/linked-workers.ts";
import { cacherTests } from "../../../testing/cacher-tests.ts";
import { Admission } from "./admission.ts";

async function makeCacher() {
  return await cachedSite(() => false, "", { cacher: ".maxSize = 8M .maxWobjectSize = 1M" });
}

test.each(cacherTests(makeCacher))("$name", ({ run }) => run());

test("a full memCacher stores on, and stays within its size", async () => {
  await using site = await cachedSite(
    (_req, resp) => {
      resp.setHeader("cache-control", "max-age=60");
      resp.send("x".repeat(10_000));
      return true;
    },
    "",
    { cacher: ".maxSize = 64K" },
  );
  for (let i = 0; i < 50; i++) await site.get(`/${i}`);
  const before = site.asked();
  await site.get("/49");
  expect(site.asked()).toBe(before);
  const stored = await Promise.all(
    Array.from({ length: 50 }, (_, i) => site.cache.explainUrl(`http://a.example/${i}`)),
  );
  const count = stored.filter(({ variants }) => variants.length > 0).length;
  expect(count).toBeGreaterThan(3);
  expect(count).toBeLessThan(7);
});

test("the memCachers of all workers together stay within the size of one", async () => {
  const [one] = linkedWorkers(4);
  if (one === undefined) throw new Error("a worker is needed");
  await using site = await cachedSite(
    (_req, resp) => {
      resp.setHeader("cache-control", "max-age=60");
      resp.send("x".repeat(10_000));
      return true;
    },
    "",
    { cacher: ".maxSize = 256K", workers: one },
  );
  const paths = Array.from({ length: 50 }, (_, i) => `/${i}`);
  for (const path of paths) await site.get(path);
  const stored = await Promise.all(paths.map((path) => site.cache.explainUrl(`http://a.example${path}`)));
  expect(stored.filter(({ variants }) => variants.length > 0).length).toBeLessThan(7);
});

test("a memCacher stays within its size where validations bring longer heads", async () => {
  let fields = "";
  await using site = await cachedSite(
    (req, resp) => {
      resp.setHeader("etag", '"1"');
      resp.setHeader("cache-control", "no-cache");
      if (fields !== "") resp.setHeader("x-more", fields);
      if (req.headers.has("if-none-match")) resp.status = 304;
      resp.send(resp.status === 304 ? undefined : "x");
      return true;
    },
    "",
    { cacher: ".maxSize = 64K" },
  );
  const paths = Array.from({ length: 20 }, (_, i) => `/${i}`);
  for (const path of paths) await site.get(path);
  fields = "y".repeat(8000);
  for (const path of paths) await site.get(path);
  const stored = await Promise.all(paths.map((path) => site.cache.explainUrl(`http://a.example${path}`)));
  const count = stored.filter(({ variants }) => variants.length > 0).length;
  expect(count).toBeGreaterThan(3);
  expect(count).toBeLessThan(9);
});

test("a purge of one URL is over at once, however many others have keys that are not their URLs", async () => {
  await using site = await cachedSite((_req, resp) => {
    resp.setHeader("cache-control", "max-age=60");
    resp.send("x");
    return true;
  });
  await site.get("/");
  const [known] = await site.cacher.lookup("http://a.example/");
  if (known === undefined) throw new Error("nothing is stored");
  const keys = Array.from({ length: 1500 }, (_, i) => `key ${i}`);
  for (const key of keys) {
    void site.cacher.begin(key).commit({ ...known.head, key, url: `http://a.example/${key.slice(-1)}` });
  }
  const purged = site.cacher.purge({ url: "http://a.example/9" });
  const left = keys.filter((key) => {
    const found = site.cacher.lookup(key);
    return found instanceof Promise || found.length > 0;
  });
  expect(left).toEqual(keys.filter((key) => !key.endsWith("9")));
  expect(await purged).toBe(150);
});

test("a scan does not displace what is asked for often", () => {
  const admission = new Admission<{ key: string; size: number; hits: number }>();
  const make = (key: string) => ({ key, size: 1, hits: 0 });
  const popular = Array.from({ length: 50 }, (_, i) => make(`popular ${i}`));
  const evicted = new Set<object>();
  const add = (entry: ReturnType<typeof make>) => {
    admission.add(entry);
    while (admission.size > 100) evicted.add(admission.evict() ?? {});
  };
  for (const entry of popular) add(entry);
  for (const entry of popular) admission.hit(entry);
  for (let i = 0; i < 10_000; i++) add(make(`scan ${i}`));
  expect(popular.filter((entry) => evicted.has(entry))).toEqual([]);
  expect(admission.size).toBe(100);
});
