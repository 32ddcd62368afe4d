// What uses Redis as a store of rate limits and as a lock service: the handlet `limiter`, and cronjobs.

import { mkdtempDisposable, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { managedCronjob } from "@hemi/internal";
import { expect, test } from "vitest";
import type { RedisServer } from "../../src/redis.ts";
import { redisAt, redisFor, redisSite, type RedisSite, watchedFor, webapp } from "./redis-site.ts";

const limited = (address: string, props: string, redisProps = "") => limitedBy(redisAt(address, redisProps), props);

const limitedBy = (redis: string, props: string) => {
  const limiter = `limiter "l" { .key = $path .store = "r" ${props} }`;
  return redisSite(redis + webapp(`${limiter} app {}`), (req, resp) => {
    resp.status = req.path === "/missing" ? 404 : 200;
    resp.send("here");
    return true;
  });
};
const statusOf = async (site: RedisSite, path = "/") => (await site.get(path)).status;

test("two machines with one Redis give a client its rate once", async (context) => {
  await using redis = await redisFor(context);
  const props = '.rate = 5 .per = 1h .onDown = "open"';
  await using one = await limited(redis.address, props);
  await using two = await limited(redis.address, props);
  for (let i = 0; i < 5; i++) expect(await statusOf(one)).toBe(200);
  expect(await statusOf(one)).toBe(429);
  // The first request passes by what the second machine knows, and asks Redis.
  await expect.poll(() => statusOf(two), { timeout: 10_000 }).toBe(429);
  // What it let through is owed: none is left for anybody.
  expect(await statusOf(one)).toBe(429);
});

test("a client that one machine has banned is banned by another one with its next request", async (context) => {
  await using redis = await redisFor(context);
  const props = '.strike = ("404") .maxStrikes = 2 .ban = 1h .onDown = "open"';
  await using one = await limited(redis.address, props);
  await using two = await limited(redis.address, props);
  for (let i = 0; i < 2; i++) expect(await statusOf(one, "/missing")).toBe(404);
  await expect.poll(() => statusOf(one, "/missing"), { timeout: 10_000 }).toBe(403);
  await expect.poll(() => statusOf(two, "/missing"), { timeout: 10_000 }).toBe(403);
});

const told =
  ({ log }: RedisSite, text: string) =>
  () =>
    log.filter((line) => line.includes(text) && line.includes("limiter.l"));

const infoOf = async ({ call }: RedisServer, section: string) => String(await call("INFO", section));

/** The statuses of three requests: one beyond the rate. */
const asked = async (site: RedisSite, path: string) => [
  await statusOf(site, path),
  await statusOf(site, path),
  await statusOf(site, path),
];

/** What a client gets that has used up its rate, while the store is down. */
const whileDown = [
  ["open", 200],
  ["closed", 503],
  ["local", 429],
] as const;

test.for(whileDown)(
  "with .onDown = %s, a limiter limits again when Redis is back",
  async ([onDown, during], context) => {
    await using redis = await redisFor(context);
    const at = ".maxRetryInterval = 100ms .commandTimeout = 2s";
    await using site = await limited(redis.address, `.rate = 2 .per = 1h .onDown = "${onDown}"`, at);
    expect(await asked(site, "/before")).toEqual([200, 200, 429]);
    await redis.stop();
    await site.get("/who-finds-out");
    await expect.poll(told(site, "does not answer"), { timeout: 10_000 }).toHaveLength(1);
    expect(await statusOf(site, "/before")).toBe(during);
    await redis.start();
    // Without any request: those that are refused ask nobody.
    await expect.poll(told(site, "answers again"), { timeout: 15_000 }).toHaveLength(1);
    expect(await asked(site, "/after")).toEqual([200, 200, 429]);
  },
);

test.for(whileDown)(
  "with .onDown = %s, a Redis that is full counts as down all the time",
  async ([onDown, during], context) => {
    await using redis = await redisFor(context, ["--maxmemory-policy", "noeviction"]);
    await using site = await limited(redis.address, `.rate = 2 .per = 1h .onDown = "${onDown}"`);
    expect(await asked(site, "/before")).toEqual([200, 200, 429]);
    await redis.call("CONFIG", "SET", "maxmemory", 1);
    await site.get("/who-finds-out");
    await expect.poll(told(site, "does not answer"), { timeout: 10_000 }).toHaveLength(1);
    const refused = async (): Promise<number> =>
      Number(/errorstat_OOM:count=(\d+)/.exec(await infoOf(redis, "errorstats"))?.[1]);
    // It is asked again and again.
    const before = await refused();
    await expect.poll(refused, { timeout: 20_000 }).toBeGreaterThan(before + 2);
    expect(await asked(site, "/before")).toEqual([during, during, during]);
    expect(told(site, "does not answer")()).toHaveLength(1);
    expect(told(site, "answers again")()).toHaveLength(0);
    await redis.call("CONFIG", "SET", "maxmemory", 0);
    await expect.poll(told(site, "answers again"), { timeout: 15_000 }).toHaveLength(1);
    expect(await asked(site, "/after")).toEqual([200, 200, 429]);
  },
);

test.for(whileDown)(
  "with .onDown = %s, no request waits for a Redis that stands still",
  async ([onDown, during], context) => {
    await using redis = await redisFor(context);
    const at = ".commandTimeout = 300ms .stallTimeout = 60s";
    await using site = await limited(redis.address, `.rate = 2 .per = 1h .onDown = "${onDown}"`, at);
    expect(await asked(site, "/before")).toEqual([200, 200, 429]);
    const pid = Number(/process_id:(\d+)/.exec(await infoOf(redis, "server"))?.[1]);
    {
      process.kill(pid, "SIGSTOP");
      using _stopped = { [Symbol.dispose]: () => process.kill(pid, "SIGCONT") };
      await site.get("/who-finds-out");
      await expect.poll(told(site, "does not answer"), { timeout: 10_000 }).toHaveLength(1);
      expect(await asked(site, "/before")).toEqual([during, during, during]);
    }
    await expect.poll(told(site, "answers again"), { timeout: 15_000 }).toHaveLength(1);
    expect(await asked(site, "/after")).toEqual([200, 200, 429]);
  },
);

test.for(whileDown)(
  "with .onDown = %s, a limiter goes on with the replica after a failover",
  async ([onDown, during], context) => {
    await using redis = await watchedFor(context);
    await using site = await limitedBy(redis.components, `.rate = 2 .per = 1h .onDown = "${onDown}"`);
    expect(await asked(site, "/before")).toEqual([200, 200, 429]);
    await expect.poll(() => redis.replica.call("KEYS", "*/before")).toHaveLength(1);
    await redis.master.stop();
    await site.get("/who-finds-out");
    await expect.poll(told(site, "does not answer"), { timeout: 10_000 }).toHaveLength(1);
    expect(await statusOf(site, "/before")).toBe(during);
    await expect.poll(told(site, "answers again"), { timeout: 40_000 }).toHaveLength(1);
    // The replica has counted with the master.
    await expect.poll(() => statusOf(site, "/before")).toBe(429);
    expect(await asked(site, "/after")).toEqual([200, 200, 429]);
  },
);

test("a cronjob with its locks in Redis runs on one of two machines", async (context) => {
  await using redis = await redisFor(context);
  await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-redis-cron-"));
  const notes = join(folder.path, "notes");
  await writeFile(notes, "");
  // Each second, and over before the next one; each run notes its time.
  await writeFile(
    join(folder.path, "job.mjs"),
    `import { appendFileSync } from "node:fs";
    export default (_, { due, token }) => appendFileSync(${JSON.stringify(notes)}, \`\${due} \${token}\\n\`);\n`,
  );
  const job = (name: string) =>
    `moduleCronjob "j" {
      .schedule = "every 1s" .withLock = "r" .onDown = "skip"
      .module = "${folder.path}/job.mjs" .historyFolder = "${folder.path}/${name}"
    }`;
  await using one = await redisSite(redisAt(redis.address) + job("one"));
  await using two = await redisSite(redisAt(redis.address) + job("two"));
  const runs = async () =>
    (await readFile(notes, "utf8"))
      .split("\n")
      .filter(Boolean)
      .map((line) => line.split(" ").map(Number));
  await expect.poll(async () => (await runs()).length, { timeout: 15_000 }).toBeGreaterThanOrEqual(4);
  const dues = (await runs()).map(([due]) => due);
  expect(new Set(dues).size).toBe(dues.length);
  const tokens = (await runs()).map(([, token = 0]) => token);
  expect(tokens).toEqual(tokens.toSorted((one, other) => one - other));
  const outcomes = async ({ stage }: RedisSite) =>
    (await stage.offering(managedCronjob)[0]?.part.history())?.map(({ outcome }) => outcome) ?? [];
  const all = [...(await outcomes(one)), ...(await outcomes(two))];
  expect(all).toContain("elsewhere");
  expect(all).toContain("done");
});

test("a cronjob does not run while its locks in Redis cannot be reached, unless it may", async (context) => {
  await using redis = await redisFor(context);
  await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-redis-cron-"));
  const job = (name: string, onDown: string) =>
    `commandCronjob "${name}" {
      .schedule = "@yearly" .withLock = "r" .onDown = "${onDown}" .command = ("/bin/sh", "-c", "exit 0")
      .historyFolder = "${folder.path}"
    }`;
  await using site = await redisSite(redisAt(redis.address) + job("careful", "skip") + job("eager", "run"));
  const run = async (name: string) =>
    await site.stage
      .offering(managedCronjob)
      .find((job) => job.name === name)
      ?.part.runNow();
  expect(await run("careful")).toMatchObject({ outcome: "done" });
  await redis.stop();
  await expect.poll(async () => (await run("careful"))?.error, { timeout: 10_000 }).toMatch(/Redis/);
  expect(await run("eager")).toMatchObject({ outcome: "done" });
  await redis.start();
  await expect.poll(async () => (await run("careful"))?.outcome, { timeout: 15_000 }).toBe("done");
});
