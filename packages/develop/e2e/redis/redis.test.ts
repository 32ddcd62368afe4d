// The connection to Redis: what is told at the start, limits, locks, Sentinels, clusters.

import { execFile } from "node:child_process";
import { createServer } from "node:http";
import { once } from "node:events";
import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { lockServiceTests, rateLimitStoreTests } from "@hemi/internal/testing";
import { expect, test } from "vitest";
import { freePort, startPeer } from "../../src/peer-process.ts";
import { peer } from "../../src/peers.ts";
import { anyRedis, clusterFor, redisAt, redisFor, redisIn, redisSite, watchedFor } from "./redis-site.ts";

/** Two programs with one Redis. */
async function makePair() {
  const redis = await anyRedis();
  const sites = [await redisSite(redisAt(redis.address)), await redisSite(redisAt(redis.address))] as const;
  return {
    one: redisIn(sites[0]),
    other: redisIn(sites[1]),
    async [Symbol.asyncDispose]() {
      for (const site of sites) await site[Symbol.asyncDispose]();
      await redis[Symbol.asyncDispose]();
    },
  };
}

const limits = rateLimitStoreTests(async () => {
  const { one, other, [Symbol.asyncDispose]: dispose } = await makePair();
  const wait = (time: number) => new Promise<void>((resolve) => setTimeout(resolve, time));
  return { store: one, other, wait, [Symbol.asyncDispose]: dispose };
});

const locks = lockServiceTests(async () => {
  const { one, other, [Symbol.asyncDispose]: dispose } = await makePair();
  return { service: one, other, [Symbol.asyncDispose]: dispose };
});

test.for([...limits, ...locks])("$name", async ({ run }, context) => {
  peer("redis-server", context);
  await run();
});

test("tokens of locks rise, even if Redis has lost everything", async (context) => {
  await using redis = await redisFor(context);
  await using site = await redisSite(redisAt(redis.address));
  const first = await redisIn(site).acquireLock("backup", { ttl: 60_000 });
  await redis.stop();
  await redis.start();
  await expect
    .poll(
      () =>
        redisIn(site)
          .acquireLock("backup", { ttl: 60_000 })
          .catch(() => undefined),
      { timeout: 10_000 },
    )
    .toMatchObject({ name: "backup" });
  await using again = await redisIn(site).acquireLock("other", { ttl: 60_000 });
  expect(again?.token).toBeGreaterThan(first?.token ?? Infinity);
  await expect(first?.renew()).rejects.toThrow("was lost");
});

test("limits and bans are forgotten when they are over", async (context) => {
  await using redis = await redisFor(context);
  await using site = await redisSite(redisAt(redis.address));
  const rate = { interval: 10, burst: 10 };
  await redisIn(site).takeTokens("a", { rate, spent: 0, wanted: 1 });
  await redisIn(site).strike("b", { count: 1, limit: 1, window: 20, ban: 20 });
  await expect.poll(() => redis.call("KEYS", "*")).toEqual([]);
});

test("a clock of Redis that is set back by an hour prolongs no ban, no debt and no lock by it", async (context) => {
  await using redis = await redisFor(context);
  await using site = await redisSite(redisAt(redis.address));
  const demand = { rate: { interval: 1000, burst: 5 }, spent: 5, wanted: 0 };
  await redisIn(site).takeTokens("a", demand);
  await redisIn(site).strike("a", { count: 1, limit: 1, window: 60_000, ban: 60_000 });
  await redisIn(site).acquireLock("l", { ttl: 60_000 });
  // What was stored is from an hour ahead then.
  const hour = 3_600_000;
  const [limit = "", lock = ""] = ((await redis.call("KEYS", "*")) as string[]).toSorted();
  for (const field of ["arrival", "until", "ban", "at"]) await redis.call("HINCRBYFLOAT", limit, field, hour);
  await redis.call("HINCRBYFLOAT", lock, "until", hour);
  const after = await redisIn(site).takeTokens("a", { ...demand, spent: 0 });
  expect(after.bannedFor).toBeGreaterThan(50_000);
  expect(after.bannedFor).toBeLessThanOrEqual(60_000);
  expect(after.fullAfter).toBeLessThanOrEqual(5000);
  await using again = await redisIn(site).acquireLock("l", { ttl: 60_000 });
  expect(again?.name).toBe("l");
});

test("a lock is kept over a clock of Redis that jumps ahead, unless somebody else gets it first", async (context) => {
  await using redis = await redisFor(context);
  await using site = await redisSite(redisAt(redis.address));
  const lock = (await redisIn(site).acquireLock("l", { ttl: 60_000 })) ?? expect.fail();
  const [key = ""] = (await redis.call("KEYS", "*")) as string[];
  await redis.call("HINCRBYFLOAT", key, "until", -3_600_000);
  await lock.renew();
  expect(await redisIn(site).acquireLock("l", { ttl: 60_000 })).toBeUndefined();
  await redis.call("HINCRBYFLOAT", key, "until", -3_600_000);
  await using next = (await redisIn(site).acquireLock("l", { ttl: 60_000 })) ?? expect.fail();
  await expect(lock.renew()).rejects.toThrow("somebody else has it");
  expect(next.token).toBeGreaterThan(lock.token);
});

test("a wrong password is told at its prop, and so is a missing one", async (context) => {
  await using redis = await redisFor(context, ["--requirepass", "right"]);
  await expect(redisSite(redisAt(redis.address, '.password = "wrong"'))).rejects.toThrow(
    /WRONGPASS[^]*\.password = "wrong"/,
  );
  await expect(redisSite(redisAt(redis.address))).rejects.toThrow(/NOAUTH/);
  await using site = await redisSite(redisAt(redis.address, '.password = "right"'));
  expect(site.log.join("")).not.toContain("right");
});

test("what is no Redis is told at the start", async () => {
  const server = createServer((_, response) => void response.end("hello")).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" ? address?.port : 0;
  await expect(redisSite(redisAt(`127.0.0.1:${port}`))).rejects.toThrow("what listens there is no Redis");
  server.closeAllConnections();
  server.close();
});

test("a program starts while Redis is down, and finds it when it comes", async (context) => {
  await using redis = await redisFor(context);
  await redis.stop();
  await using site = await redisSite(redisAt(redis.address));
  expect(site.log.join("\n")).toContain("the program starts without Redis");
  const demand = { rate: { interval: 1000, burst: 5 }, spent: 0, wanted: 1 };
  await expect(redisIn(site).takeTokens("a", demand)).rejects.toThrow("Redis is down");
  await redis.start();
  await expect
    .poll(
      () =>
        redisIn(site)
          .takeTokens("a", demand)
          .catch(() => undefined),
      { timeout: 10_000 },
    )
    .toMatchObject({ granted: 1 });
});

test("what does not fit together is told by check", async () => {
  const address = "127.0.0.1:1";
  const wrong = [
    ['.mode = "sentinel"', "set .masterName"],
    ['.masterName = "m"', "only Sentinels know masters by name"],
    ['.mode = "cluster" .database = 1', "a cluster has only database 0"],
    ['.username = "u"', "a user needs a password"],
    ['.tlsCA = "ca.pem"', "set .tlsMode = true"],
  ] as const;
  for (const [props, message] of wrong) await expect(redisSite(redisAt(address, props))).rejects.toThrow(message);
  const two = 'redis "r" { .addresses = ("127.0.0.1:1", "127.0.0.1:2") }';
  await expect(redisSite(two)).rejects.toThrow("one server has one");
});

test("TLS with the certificate of its own authority", async (context) => {
  const openssl = peer("openssl", context);
  const program = peer("redis-server", context);
  await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-redis-tls-"));
  const [key, cert] = [join(folder.path, "key.pem"), join(folder.path, "cert.pem")];
  const request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=redis";
  const names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert];
  await promisify(execFile)(openssl, [...request.split(" "), ...names]);
  const port = await freePort();
  const tls = ["--tls-port", String(port), "--port", "0", "--tls-cert-file", cert, "--tls-key-file", key];
  const args = [...tls, "--tls-auth-clients", "no", "--save", "", "--dir", folder.path];
  await using _server = await startPeer(program, args, port);
  await using site = await redisSite(redisAt(`127.0.0.1:${port}`, `.tlsMode = true .tlsCA = "${cert}"`));
  await using lock = await redisIn(site).acquireLock("a", { ttl: 60_000 });
  expect(lock).toBeDefined();
  expect(site.log.join("\n")).not.toContain("starts without Redis");
});

test("a cluster stores everything", async (context) => {
  await using redis = await clusterFor(context);
  await using site = await redisSite(redisAt(redis.address, '.mode = "cluster"'));
  await using lock = await redisIn(site).acquireLock("a", { ttl: 60_000 });
  expect(lock).toBeDefined();
  expect(await redisIn(site).acquireLock("a", { ttl: 60_000 })).toBeUndefined();
});

test("a node of a cluster that stands still holds up its own slots, and no others", async (context) => {
  await using still = await clusterFor(context, [0, 8191]);
  await using good = await clusterFor(context, [8192, 16_383]);
  await still.call("CLUSTER", "MEET", "127.0.0.1", good.port);
  for (const { call } of [still, good]) {
    await expect.poll(() => call("CLUSTER", "INFO"), { timeout: 15_000 }).toContain("cluster_state:ok");
  }
  const props = '.mode = "cluster" .commandTimeout = 1s .stallTimeout = 60s';
  await using site = await redisSite(redisAt(still.address, props));
  const demand = { rate: { interval: 1000, burst: 1000 }, spent: 0, wanted: 1 };
  const outcomes = async () => {
    const asked = Array.from({ length: 20 }, (_, i) => redisIn(site).takeTokens(`key ${i}`, demand));
    const outcomeOf = (error: unknown) => (String(error).includes("is overdue") ? "refused" : "late");
    const all = await Promise.all(asked.map((taken) => taken.then(() => "granted", outcomeOf)));
    return [...new Set(all)].toSorted();
  };
  // While it connects to a node, ioredis sends what is for it to any other one.
  await expect.poll(outcomes, { timeout: 20_000 }).toEqual(["granted"]);
  await still.call("CLIENT", "PAUSE", 60_000, "ALL");
  await expect.poll(outcomes, { timeout: 20_000 }).toEqual(["granted", "refused"]);
});

test("after a failover, the new master is found", { timeout: 60_000 }, async (context) => {
  await using redis = await watchedFor(context);
  await using site = await redisSite(redis.components);
  const lock = () =>
    redisIn(site)
      .acquireLock("a", { ttl: 1000 })
      .catch(() => undefined);
  expect(await lock()).toBeDefined();
  await redis.master.stop();
  await expect.poll(lock, { timeout: 40_000, interval: 200 }).toBeDefined();
  expect(await redis.replica.call("INFO", "replication")).toContain("role:master");
});
