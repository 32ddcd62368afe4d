// Cached responses in Redis, with and without a memCacher above.

import type { HandletPart } from "@hemi/hemi";
import { ListedFields } from "@hemi/internal";
import { cacherTests } from "@hemi/internal/testing";
import { expect, test } from "vitest";
import { peer } from "../../src/peers.ts";
import { slowPathTo } from "../../src/redis.ts";
import { anyRedis, cacherIn, clusterFor, redisAt, redisFor, redisSite, webapp } from "./redis-site.ts";

const alone = (props = "") => `redisCacher "c" { .redis = "r" ${props} }`;
const below = 'redisCacher "shared" { .redis = "r" } memCacher "c" { .over = "shared" }';

const made = (cacher: string, path: string) => async () => {
  const redis = await anyRedis();
  const site = await redisSite(redisAt(redis.address) + cacher);
  return {
    cacher: cacherIn(site, path),
    async [Symbol.asyncDispose]() {
      await site[Symbol.asyncDispose]();
      await redis[Symbol.asyncDispose]();
    },
  };
};

test.for(cacherTests(made(alone(".maxWobjectSize = 1M"), "redisCacher.c")))("$name", async ({ run }, context) => {
  peer("redis-server", context);
  await run();
});

test.for(cacherTests(made(below, "memCacher.c")))("below a memCacher: $name", async ({ run }, context) => {
  peer("redis-server", context);
  await run();
});

/** A site whose backend counts how often it is asked. */
async function cached(address: string, { cacher = alone(), redisProps = "", body = (path: string) => path } = {}) {
  let asked = 0;
  const handle: HandletPart["handle"] = (req, resp) => {
    asked++;
    resp.setHeader("cache-control", "max-age=600");
    resp.setHeader("cache-tag", `tag${req.path.slice(1, 2)}`);
    resp.send(body(req.path));
    return true;
  };
  const rule = 'cache { .withCacher = "c" .purgeFrom = ("127.0.0.1", "::1") } app {}';
  const site = await redisSite(redisAt(address, redisProps) + cacher + webapp(rule), handle);
  const isBelow = cacher === below;
  const shared = cacherIn(site, isBelow ? "redisCacher.shared" : "redisCacher.c");
  return {
    ...site,
    cacher: cacherIn(site, isBelow ? "memCacher.c" : "redisCacher.c"),
    asked: () => asked,
    /** Asks for it, and waits until it is in Redis. */
    stored: async (path: string) => {
      const lookup = async () => {
        await site.get(path);
        return await shared.lookup(`http://a.example${path}`);
      };
      await expect.poll(lookup, { timeout: 10_000 }).toHaveLength(1);
    },
  };
}

test("what one program has stored, another one serves", async (context) => {
  await using redis = await redisFor(context);
  await using one = await cached(redis.address);
  await using two = await cached(redis.address);
  await one.stored("/a");
  expect((await two.get("/a")).text).toBe("/a");
  expect(two.asked()).toBe(0);
});

test.for([
  ["alone", alone()],
  ["below a memCacher", below],
] as const)("%s: an answer to HEAD freshens and outdates what is stored for GET", async ([, cacher], context) => {
  await using redis = await redisFor(context);
  const fields: Record<string, string> = { "cache-control": "max-age=600", etag: '"1"' };
  const handle: HandletPart["handle"] = (req, resp) => {
    for (const [name, value] of Object.entries(fields)) resp.setHeader(name, value);
    resp.send(req.method === "HEAD" ? undefined : "content");
    return true;
  };
  const rule = 'cache { .withCacher = "c" } app {}';
  await using site = await redisSite(redisAt(redis.address) + cacher + webapp(rule), handle);
  const ask = async (method: string, headers: Record<string, string> = {}) =>
    (await site.stage.inject({ method, url: "http://a.example/", headers })).headers;
  await ask("GET");
  await expect.poll(async () => (await ask("GET"))["cache-status"]).toContain("hit");
  fields["x-new"] = "yes";
  await ask("HEAD", { "cache-control": "no-cache" });
  expect(await ask("GET")).toMatchObject({ "x-new": "yes", "cache-status": expect.stringContaining("hit") as string });
  fields["etag"] = '"2"';
  await ask("HEAD", { "cache-control": "no-cache" });
  expect((await ask("GET"))["cache-status"]).toContain("fwd=stale");
});

test("content of any size comes in pieces, whole and in ranges", async (context) => {
  await using redis = await redisFor(context);
  const large = Array.from({ length: 200_000 }, (_, i) => String(i)).join(" ");
  await using site = await cached(redis.address, { body: () => large });
  await site.stored("/a");
  expect((await site.get("/a")).text).toBe(large);
  const part = await site.stage.inject({ url: "http://a.example/a", headers: { range: "bytes=262140-524290" } });
  expect(part.status).toBe(206);
  expect(part.text).toBe(large.slice(262_140, 524_291));
});

test("a purge of one program holds for the memory of the other one, within a second", async (context) => {
  await using redis = await redisFor(context);
  await using one = await cached(redis.address, { cacher: below });
  await using two = await cached(redis.address, { cacher: below });
  const selectors = [{ url: "http://a.example/a" }, { prefix: "http://a.example/b" }, { tag: "tagc" }] as const;
  for (const path of ["/a", "/b", "/c", "/d"]) for (const site of [one, two]) await site.stored(path);
  for (const selector of selectors) expect(await one.cacher.purge(selector)).toBe(1);
  for (const path of ["/a", "/b", "/c"]) {
    await expect.poll(() => two.cacher.lookup(`http://a.example${path}`), { timeout: 1000 }).toHaveLength(0);
  }
  expect(await two.cacher.lookup("http://a.example/d")).toHaveLength(1);
  await two.cacher.purge("all");
  await expect.poll(() => one.cacher.lookup("http://a.example/d"), { timeout: 1000 }).toHaveLength(0);
});

const head = (url: string) => ({
  key: url,
  url,
  status: 200,
  fieldList: [],
  variant: [],
  tags: ["t"],
  lifetime: 600_000,
  lifetimeFrom: "max-age" as const,
  initialAge: 0,
  noCache: false,
  mustRevalidate: false,
  isImmutable: false,
  staleWhileRevalidate: 0,
  staleIfError: 0,
  storedAt: Date.now(),
  isOutdated: false,
});

test("a purge of one program holds for a response that another one is just fetching", async (context) => {
  await using redis = await redisFor(context);
  await using one = await cached(redis.address);
  await using two = await cached(redis.address);
  const url = "http://a.example/a";
  for (const site of [one, two]) await site.cacher.lookup(url);
  for (const selector of [{ url }, { prefix: "http://a" }, { tag: "t" }, "all"] as const) {
    const writer = two.cacher.begin(url);
    await one.cacher.purge(selector);
    expect(await writer.commit(head(url))).toBeUndefined();
    expect(await two.cacher.lookup(url)).toHaveLength(0);
  }
});

test("nothing that was purged comes back when Redis loses its labels, or everything", async (context) => {
  await using redis = await redisFor(context);
  await using site = await cached(redis.address, { cacher: below });
  await site.stored("/a");
  for (const label of (await redis.call("KEYS", "hemi:cache:shared:l*")) as string[]) await redis.call("DEL", label);
  // Nothing is found to be removed; the log of purges tells.
  expect(await site.cacher.purge({ tag: "taga" })).toBe(0);
  expect(await site.cacher.lookup("http://a.example/a")).toHaveLength(0);
  await site.stored("/b");
  await redis.call("DEL", "hemi:cache:shared:{purges}");
  await expect.poll(() => site.cacher.lookup("http://a.example/b")).toHaveLength(0);
});

test("a failover that loses the latest purges brings nothing back", async (context) => {
  await using redis = await redisFor(context);
  await using site = await cached(redis.address);
  await site.stored("/a");
  await site.stored("/b");
  await site.cacher.purge({ url: "http://a.example/x" });
  await site.cacher.purge({ url: "http://a.example/y" });
  await redis.call("HINCRBY", "hemi:cache:c:{purges}", "seq", -1);
  expect(await site.cacher.lookup("http://a.example/b")).toHaveLength(0);
  await site.stored("/b");
});

test("a response that is asked for outlives any number of purges of others", { timeout: 60_000 }, async (context) => {
  await using redis = await redisFor(context);
  await using site = await cached(redis.address);
  await site.stored("/a");
  for (let round = 0; round < 12; round++) {
    const purges = Array.from({ length: 500 }, (_, i) => site.cacher.purge({ url: `http://b.example/${i}` }));
    await Promise.all(purges);
    expect(await site.cacher.lookup("http://a.example/a")).toHaveLength(1);
  }
});

test(
  "more purges than the log holds bring nothing back that was purged before",
  { timeout: 60_000 },
  async (context) => {
    await using redis = await redisFor(context);
    await using path = await slowPathTo(redis.port);
    await using one = await cached(redis.address, { cacher: below });
    await using two = await cached(path.address, {
      cacher: below,
      redisProps: ".commandTimeout = 200ms .stallTimeout = 400ms",
    });
    await two.stored("/a");
    for (const label of (await redis.call("KEYS", "hemi:cache:shared:l*")) as string[]) await redis.call("DEL", label);
    // It hears of nothing while the log is filled.
    path.delay = Infinity;
    expect(await one.cacher.purge({ tag: "taga" })).toBe(0);
    for (let flood = 0; flood < 6; flood++) {
      const purges = Array.from({ length: 1000 }, (_, i) =>
        one.cacher.purge({ url: `http://a.example/${flood}/${i}` }),
      );
      await Promise.all(purges);
    }
    expect(await two.cacher.lookup("http://a.example/a")).toHaveLength(1);
    path.delay = 0;
    await expect.poll(() => two.cacher.lookup("http://a.example/a")).toHaveLength(0);
    await using three = await cached(redis.address, { cacher: below });
    expect(await three.cacher.lookup("http://a.example/a")).toHaveLength(0);
  },
);

test("of many variants of a page, only the one that is wanted comes out of Redis", async (context) => {
  await using redis = await redisFor(context);
  const body = "x".repeat(50_000);
  const handle: HandletPart["handle"] = (req, resp) => {
    resp.setHeader("cache-control", "max-age=600");
    resp.setHeader("vary", "accept-language");
    resp.send(`${req.header("accept-language")} ${body}`);
    return true;
  };
  await using site = await redisSite(
    redisAt(redis.address) + alone() + webapp('cache { .withCacher = "c" } app {}'),
    handle,
  );
  const get = (language: string) =>
    site.stage.inject({ url: "http://a.example/", headers: { "accept-language": language } });
  const languages = Array.from({ length: 20 }, (_, i) => `x-${String.fromCharCode(97 + i)}`);
  const cacher = cacherIn(site, "redisCacher.c");
  for (const [i, language] of languages.entries()) {
    await get(language);
    await expect.poll(() => cacher.lookup("http://a.example/")).toHaveLength(i + 1);
  }
  const sent = async () => Number(/total_net_output_bytes:(\d+)/.exec(String(await redis.call("INFO", "stats")))?.[1]);
  const before = await sent();
  for (const language of languages) {
    const { text, headers } = await get(language);
    expect(text).toBe(`${language} ${body}`);
    expect(headers["cache-status"]).toContain("hit");
  }
  expect((await sent()) - before).toBeLessThan(2 * languages.length * body.length);
  // Whoever wants another one after all gets it.
  const [, other] = await cacher.lookup("http://a.example/", new ListedFields(["accept-language", "x-t"]));
  using opened = other?.source.open();
  let text = "";
  for await (const piece of opened?.read({ offset: 0, size: 3 }) ?? []) text += Buffer.from(piece).toString();
  expect(text).toBe("x-s");
});

test("content that Redis has evicted is a miss", async (context) => {
  await using redis = await redisFor(context);
  await using site = await cached(redis.address, { body: () => "x".repeat(500_000) });
  await site.stored("/a");
  for (const key of (await redis.call("KEYS", "hemi:cache:c:c*")) as string[]) await redis.call("DEL", key);
  expect((await site.get("/a")).text).toHaveLength(500_000);
  expect(site.asked()).toBe(2);
});

test("while Redis is down or stands still, clients are served, and the log tells once", async (context) => {
  await using redis = await redisFor(context);
  await using path = await slowPathTo(redis.port);
  await using site = await cached(path.address, { redisProps: ".commandTimeout = 100ms .stallTimeout = 300ms" });
  await site.stored("/a");
  path.delay = Infinity;
  const during = await Promise.all(Array.from({ length: 50 }, (_, i) => site.get(`/${i % 5}`)));
  expect(new Set(during.map(({ status }) => status))).toEqual(new Set([200]));
  await expect(site.cacher.purge("all")).rejects.toThrow("Redis");
  path.delay = 0;
  await expect.poll(() => site.cacher.lookup("http://a.example/a"), { timeout: 10_000 }).toHaveLength(1);
  await redis.stop();
  expect((await site.get("/a")).text).toBe("/a");
  await redis.start();
  await site.stored("/a");
  expect(site.log.filter((line) => line.includes("cannot be stored in Redis"))).toHaveLength(2);
  expect(site.log.filter((line) => line.includes("stored in Redis again"))).toHaveLength(2);
});

test("a full Redis stores nothing more, but purges make room", async (context) => {
  await using redis = await redisFor(context);
  await using site = await cached(redis.address);
  await site.stored("/a");
  await redis.call("CONFIG", "SET", "maxmemory", "1");
  expect((await site.get("/b")).text).toBe("/b");
  expect((await site.get("/a")).text).toBe("/a");
  await expect(site.cacher.purge({ url: "http://a.example/a" })).rejects.toThrow("OOM");
  expect(await site.cacher.lookup("http://a.example/a")).toHaveLength(0);
  await redis.call("CONFIG", "SET", "maxmemory", "0");
  await site.stored("/b");
});

test("caches of one Redis with other names, and with other prefixes, are apart", async (context) => {
  await using redis = await redisFor(context);
  await using one = await cached(redis.address);
  await using two = await cached(redis.address, { redisProps: '.keyPrefix = "[other]*:"' });
  await one.stored("/a");
  await two.stored("/a");
  expect(two.asked()).toBe(1);
  expect(await two.cacher.purge("all")).toBe(1);
  expect(await one.cacher.lookup("http://a.example/a")).toHaveLength(1);
});

test("a cluster stores and purges", async (context) => {
  await using redis = await clusterFor(context);
  await using site = await cached(redis.address, { redisProps: '.mode = "cluster"' });
  for (const path of ["/a", "/b", "/c"]) await site.stored(path);
  expect(await site.cacher.purge({ tag: "taga" })).toBe(1);
  expect(await site.cacher.purge({ prefix: "http://a.example/" })).toBe(2);
});
