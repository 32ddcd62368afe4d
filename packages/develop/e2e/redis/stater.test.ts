// Sessions in Redis.

import { setImmediate } from "node:timers/promises";
import type { Request, Response } from "@hemi/hemi";
import { staterTests } from "@hemi/internal/testing";
import { expect, test } from "vitest";
import { peer } from "../../src/peers.ts";
import { slowPathTo, type RedisServer } from "../../src/redis.ts";
import { anyRedis, redisAt, redisFor, redisSite, staterIn, webapp } from "./redis-site.ts";

const stater = (props = '.onDown = "refuse"') => `redisStater "s" { .redis = "r" ${props} }`;

/** Sessions are so much older then. */
async function grow(redis: RedisServer, seconds: number): Promise<void> {
  for (const key of (await redis.call("KEYS", "hemi:session:*")) as string[]) {
    const left = Number(await redis.call("PTTL", key)) - seconds * 1000;
    await redis.call("HINCRBY", key, "created", -seconds * 1000);
    await redis.call("PEXPIRE", key, left);
  }
}

async function makeStater() {
  const redis = await anyRedis();
  const site = await redisSite(redisAt(redis.address) + stater());
  return {
    stater: staterIn(site),
    wait: (seconds: number) => grow(redis, seconds),
    async [Symbol.asyncDispose]() {
      await site[Symbol.asyncDispose]();
      await redis[Symbol.asyncDispose]();
    },
  };
}

test.for(staterTests(makeStater))("$name", async ({ run }, context) => {
  peer("redis-server", context);
  await run();
});

/** Counts the visits of a client, and tells what it knows at /known; /login gives the session another token. */
async function visits(req: Request, resp: Response): Promise<true> {
  const { session } = req;
  if (req.path === "/login") await session.rotate();
  const count = req.path === "/known" ? await session.get("visits") : await session.update("visits", more);
  resp.send(String(count));
  return true;
}

const more = (before: unknown) => Number(before ?? 0) + 1;

const shop = (address: string, props?: string, redisProps?: string) =>
  redisSite(redisAt(address, redisProps) + stater(props) + webapp("app {}", '.withStater = "s"'), visits);

function cookieOf(response: { readonly headers: ReadonlyMap<string, unknown> | object }): string {
  return /session=[\w-]+/.exec(JSON.stringify(Object.fromEntries(headersOf(response.headers))))?.[0] ?? "";
}

function headersOf(headers: object): Iterable<readonly [string, unknown]> {
  return Symbol.iterator in headers ? (headers as Iterable<readonly [string, unknown]>) : Object.entries(headers);
}

test("two programs see each other's sessions, and lose no change of each other", async (context) => {
  await using redis = await redisFor(context);
  await using one = await shop(redis.address);
  await using two = await shop(redis.address);
  const cookie = cookieOf(await one.get("/"));
  expect(cookie).not.toBe("");
  await Promise.all([one, two].flatMap((site) => Array.from({ length: 10 }, () => site.get("/", cookie))));
  expect((await two.get("/known", cookie)).text).toBe("21");
  const next = cookieOf(await two.get("/login", cookie));
  expect((await one.get("/known", cookie)).text).toBe("undefined");
  expect((await one.get("/known", next)).text).toBe("22");
});

test("who reads Redis cannot use its sessions", async (context) => {
  await using redis = await redisFor(context);
  await using site = await shop(redis.address);
  const [, token = ""] = cookieOf(await site.get("/")).split("=");
  const [key = ""] = (await redis.call("KEYS", "*")) as string[];
  const seen = [key, ...((await redis.call("HGETALL", key)) as string[])].join(" ");
  expect(seen).not.toContain(token.slice(22));
});

test("a session that is too large is refused, and stays as it was", async (context) => {
  await using redis = await redisFor(context);
  await using site = await redisSite(redisAt(redis.address) + stater('.onDown = "refuse" .maxSessionSize = 1K'));
  const written = await staterIn(site).write(undefined, [{ name: "a", json: "1" }]);
  const token = typeof written === "object" && "token" in written ? written.token : "";
  const large = [{ name: "b", json: "1".repeat(2000) }];
  await expect(staterIn(site).write(token, large)).rejects.toThrow("maxSessionSize is 1024");
  expect((await staterIn(site).find(token))?.size).toBe(1);
});

test("while Redis is down, requests get what onDown says, and their sessions when it is back", async (context) => {
  await using redis = await redisFor(context);
  await using refusing = await shop(redis.address);
  await using reading = await shop(redis.address, '.onDown = "readOnly"');
  await using anonymous = await shop(redis.address, '.onDown = "anonymous"');
  const cookie = cookieOf(await refusing.get("/"));
  await redis.stop();
  await expect.poll(async () => (await refusing.get("/known", cookie)).status).toBe(503);
  expect((await reading.get("/known", cookie)).text).toBe("undefined");
  expect((await reading.get("/", cookie)).status).toBe(503);
  expect((await anonymous.get("/", cookie)).text).toBe("1");
  await redis.start();
  for (const site of [refusing, reading, anonymous]) {
    await expect.poll(async () => (await site.get("/")).status, { timeout: 10_000 }).toBe(200);
    await expect.poll(async () => cookieOf(await site.get("/")), { timeout: 10_000 }).not.toBe("");
  }
});

test("Redis that is ended and started again under load leaves no request without an answer", async (context) => {
  await using redis = await redisFor(context);
  await using site = await shop(redis.address);
  const statuses = new Set<number>();
  let isOver = false;
  const clients = Array.from({ length: 20 }, async () => {
    while (!isOver) {
      statuses.add((await site.get("/")).status);
      await setImmediate();
    }
  });
  await expect.poll(() => statuses.has(200)).toBe(true);
  await redis.stop();
  await expect.poll(() => statuses.has(503)).toBe(true);
  await redis.start();
  statuses.clear();
  await expect.poll(() => statuses.has(200), { timeout: 10_000 }).toBe(true);
  isOver = true;
  await Promise.all(clients);
  expect([...statuses].every((status) => status === 200 || status === 503)).toBe(true);
  // One pair of lines for the connection, whatever the number of requests.
  const told = site.log.filter((line) => line.includes("redis.r"));
  expect(told.filter((line) => line.includes("Redis is down"))).toHaveLength(1);
  expect(told.filter((line) => line.includes("Redis answers again"))).toHaveLength(1);
});

test("no request waits for a Redis that stands still, and they go on when it does", async (context) => {
  await using redis = await redisFor(context);
  await using path = await slowPathTo(redis.port);
  await using site = await shop(path.address, undefined, ".commandTimeout = 100ms .stallTimeout = 300ms");
  let cookie = "";
  // On a machine that does much else, the first answers of Redis may be late.
  await expect.poll(async () => (cookie = cookieOf(await site.get("/")))).not.toBe("");
  path.delay = Infinity;
  const during = await Promise.all(Array.from({ length: 50 }, () => site.get("/known", cookie)));
  expect(new Set(during.map(({ status }) => status))).toEqual(new Set([503]));
  path.delay = 0;
  await expect.poll(async () => (await site.get("/known", cookie)).text, { timeout: 10_000 }).toBe("1");
});

test("a full Redis refuses changes, and still tells what it has", async (context) => {
  await using redis = await redisFor(context);
  await using site = await shop(redis.address);
  const cookie = cookieOf(await site.get("/"));
  await redis.call("CONFIG", "SET", "maxmemory", "1");
  expect((await site.get("/known", cookie)).text).toBe("1");
  expect((await site.get("/", cookie)).status).toBe(503);
  await redis.call("CONFIG", "SET", "maxmemory", "0");
  expect((await site.get("/", cookie)).text).toBe("2");
});
