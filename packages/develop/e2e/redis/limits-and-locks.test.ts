// What uses Redis as a store of rate limits and as a lock service: the handlet `limiter`, and cronjobs.

import { mkdtempDisposable, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { managedCronjob } from "@hemi/internal";
import { expect, test } from "vitest";
import { redisAt, redisFor, redisSite, type RedisSite, webapp } from "./redis-site.ts";

const limited = (address: string, props: string, redisProps = "") => {
  const limiter = `limiter "l" { .key = $path .store = "r" ${props} }`;
  return redisSite(redisAt(address, redisProps) + webapp(`${limiter} app {}`), (req, resp) => {
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

test.for([
  ["open", 200],
  ["closed", 503],
  ["local", 429],
] as const)("with .onDown = %s, a limiter limits again when Redis is back", async ([onDown, during], context) => {
  await using redis = await redisFor(context);
  const at = ".maxRetryInterval = 100ms .commandTimeout = 2s";
  await using site = await limited(redis.address, `.rate = 2 .per = 1h .onDown = "${onDown}"`, at);
  const asked = async (path: string) => [
    await statusOf(site, path),
    await statusOf(site, path),
    await statusOf(site, path),
  ];
  expect(await asked("/before")).toEqual([200, 200, 429]);
  await redis.stop();
  await site.get("/who-finds-out");
  const told = (text: string) => () => site.log.filter((line) => line.includes(text) && line.includes("limiter.l"));
  await expect.poll(told("does not answer"), { timeout: 10_000 }).toHaveLength(1);
  expect(await statusOf(site, "/before")).toBe(during);
  await redis.start();
  // Without any request: those that are refused ask nobody.
  await expect.poll(told("answers again"), { timeout: 15_000 }).toHaveLength(1);
  expect(await asked("/after")).toEqual([200, 200, 429]);
});

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
