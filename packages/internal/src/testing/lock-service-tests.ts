// The contract of LockService, as tests that every lock service has to pass.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import type { Lock, LockService } from "../stage/locks/lock-service.ts";
import type { ContractTest } from "./contract-test.ts";

/** A lock service for one test. */
export interface LockServiceSubject extends AsyncDisposable {
  readonly service: LockService;
  /** The same service, as another process uses it. */
  readonly other: LockService;
}

/** The tests for one service. `make` is called for each; other names may be locked. */
export function lockServiceTests(make: () => Promise<LockServiceSubject>): readonly ContractTest[] {
  const test = (name: string, run: (subject: LockServiceSubject, lock: string) => Promise<void>): ContractTest => ({
    name,
    async run() {
      await using subject = await make();
      await run(subject, `test ${randomUUID()}`);
    },
  });
  return [
    test("one of all processes gets a lock", async ({ service, other }, name) => {
      const all = await Promise.all(
        Array.from({ length: 10 }, (_, i) => (i % 2 === 0 ? service : other).acquireLock(name, { ttl: 60_000 })),
      );
      const held = all.filter((lock) => lock !== undefined);
      assert.deepEqual(
        held.map((lock) => [lock.name, lock.signal.aborted]),
        [[name, false]],
      );
      for (const lock of held) await lock.release();
    }),
    test("locks of different names do not concern each other", async ({ service, other }, name) => {
      await using _one = await acquired(service, name);
      await using _two = await acquired(other, `${name} ü`);
    }),
    test("what is released can be acquired at once, with a higher token", async ({ service, other }, name) => {
      let last = -1;
      for (const one of [service, other, service, other]) {
        const lock = await acquired(one, name);
        assert.ok(Number.isSafeInteger(lock.token) && lock.token > last, `${lock.token} after ${last}`);
        last = lock.token;
        await lock.release();
        await lock.release();
        assert.equal(lock.signal.aborted, false);
      }
    }),
    test("a lock that is not renewed expires: its holder is told, and another one can have it", async (subject, name) => {
      const { service, other } = subject;
      const lock = await acquired(service, name, 1000);
      await aborted(lock.signal);
      assert.match(String(lock.signal.reason), new RegExp(`the lock ${name} was lost`));
      await using next = await eventually(other, name);
      assert.ok(next.token > lock.token);
      await assert.rejects(lock.renew());
      // Releasing what is lost takes nothing from the next holder.
      await lock.release();
      assert.equal(await service.acquireLock(name, { ttl: 60_000 }), undefined);
      await next.renew();
    }),
    test("a lock that is renewed is held beyond its time", async ({ service, other }, name) => {
      await using lock = await acquired(service, name, 1000);
      const timer = setInterval(() => void lock.renew().catch(() => {}), 200);
      try {
        // Each of these lives as long as the lock would without being renewed.
        for (let i = 0; i < 2; i++) {
          const short = await acquired(service, `${name} ${i}`, 1000);
          await aborted(short.signal);
          assert.equal(await other.acquireLock(name, { ttl: 1000 }), undefined);
        }
      } finally {
        clearInterval(timer);
      }
      assert.equal(lock.signal.aborted, false);
    }),
    test("a released lock cannot be renewed", async ({ service }, name) => {
      const lock = await acquired(service, name);
      await lock.release();
      await assert.rejects(lock.renew());
    }),
  ];
}

async function acquired(service: LockService, name: string, ttl = 60_000): Promise<Lock> {
  const lock = await service.acquireLock(name, { ttl });
  assert.ok(lock !== undefined, `${name} is not free`);
  return lock;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** The holder may learn of the end a little before the service does. */
async function eventually(service: LockService, name: string): Promise<Lock> {
  for (;;) {
    const lock = await service.acquireLock(name, { ttl: 60_000 });
    if (lock !== undefined) return lock;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
