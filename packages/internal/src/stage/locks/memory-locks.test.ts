import { expect, test } from "vitest";
import { lockServiceTests } from "../../testing/lock-service-tests.ts";
import { keepLock } from "./keep-lock.ts";
import { LockTable, MemoryLocks } from "./memory-locks.ts";

function makeServices() {
  const table = new LockTable();
  return {
    service: new MemoryLocks(table),
    other: new MemoryLocks(table),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

test.concurrent.each(lockServiceTests(() => Promise.resolve(makeServices())))("$name", ({ run }) => run());

test("all locks of an owner that has ended are free at once", () => {
  const table = new LockTable();
  const [ended, alive] = [{}, {}];
  table.acquire("a", 60_000, ended);
  table.acquire("b", 60_000, alive);
  table.releaseAll(ended);
  expect(table.acquire("a", 60_000, alive)).toBeDefined();
  expect(table.acquire("b", 60_000, alive)).toBeUndefined();
});

test("tokens rise over a restart of the process that has the table", () => {
  const before = new LockTable().acquire("a", 1000, {}) ?? Infinity;
  expect(new LockTable().acquire("a", 1000, {})).toBeGreaterThanOrEqual(before);
});

test("work under a lock goes on beyond the time of the lock, and nobody else does it meanwhile", async () => {
  const { service, other } = makeServices();
  const done = Promise.withResolvers<void>();
  const work = keepLock(service, "job", () => done.promise, { ttl: 1000 });
  const short = await service.acquireLock("beside it", { ttl: 1500 });
  await new Promise((resolve) => short?.signal.addEventListener("abort", resolve));
  expect(await keepLock(other, "job", () => Promise.resolve("twice"))).toBeUndefined();
  done.resolve();
  await work;
  expect(await keepLock(other, "job", () => Promise.resolve("then"))).toEqual({ result: "then" });
});

test("work under a lock that is lost is told so by its signal", async () => {
  const table = new LockTable();
  const locks = new MemoryLocks(table);
  const reason = await keepLock(
    locks,
    "job",
    (signal) => {
      table.releaseAll(locks);
      return new Promise((resolve) => signal.addEventListener("abort", () => resolve(signal.reason)));
    },
    { ttl: 1000 },
  );
  expect(String(reason?.result)).toContain("the lock job was lost: somebody else has it");
});

test("a lock for longer than a timer of Node.js can wait is held, and can be renewed", async () => {
  const { service } = makeServices();
  const lock = (await service.acquireLock("a", { ttl: 60 * 24 * 3_600_000 })) ?? expect.fail();
  const short = await service.acquireLock("beside it", { ttl: 1000 });
  await new Promise((resolve) => short?.signal.addEventListener("abort", resolve));
  expect(lock.signal.aborted).toBe(false);
  await lock.renew();
  await lock.release();
});
