// The contract of RateLimitStore, as tests that every store of rate limits has to pass.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import type { RateLimitStore, Strike } from "../stage/limits/rate-limit-store.ts";
import type { ContractTest } from "./contract-test.ts";

/** A store for one test. */
export interface RateLimitStoreSubject extends AsyncDisposable {
  readonly store: RateLimitStore;
  /** The same store, as another process uses it. */
  readonly other: RateLimitStore;
  /** Lets time go on, in milliseconds; a store with a clock of its own really waits. */
  readonly wait: (time: number) => void | Promise<void>;
}

/** The tests for one store. `make` is called for each; the store need not be empty. */
export function rateLimitStoreTests(make: () => Promise<RateLimitStoreSubject>): readonly ContractTest[] {
  const test = (name: string, run: (subject: RateLimitStoreSubject, key: string) => Promise<void>): ContractTest => ({
    name,
    async run() {
      await using subject = await make();
      await run(subject, `test ${randomUUID()}`);
    },
  });
  return [
    test("a key that is not known has a full bucket, and each key has its own", async ({ store }, key) => {
      const first = await store.takeTokens(key, { rate: slow, spent: 0, wanted: 2 });
      assert.deepEqual([first.granted, first.remaining, first.retryAfter, first.bannedFor], [2, 1, 0, 0]);
      const other = await store.takeTokens(`${key} ü`, { rate: slow, spent: 0, wanted: 1 });
      assert.equal(other.remaining, 2);
    }),
    test("it grants what is there, and says how long to wait for more", async ({ store }, key) => {
      const taken = await store.takeTokens(key, { rate: slow, spent: 0, wanted: 10 });
      assert.deepEqual([taken.granted, taken.remaining], [3, 0]);
      assertAbout(taken.retryAfter, slow.interval);
      assertAbout(taken.fullAfter, 3 * slow.interval);
      assert.equal((await store.takeTokens(key, { rate: slow, spent: 0, wanted: 1 })).granted, 0);
    }),
    test("asking for nothing takes nothing", async ({ store }, key) => {
      const grant = await store.takeTokens(key, { rate: slow, spent: 0, wanted: 0 });
      assert.deepEqual(grant, { granted: 0, remaining: 3, retryAfter: 0, fullAfter: 0, bannedFor: 0 });
    }),
    test("what was spent is taken in any case, and paid back later", async ({ store }, key) => {
      const taken = await store.takeTokens(key, { rate: slow, spent: 5, wanted: 1 });
      assert.deepEqual([taken.granted, taken.remaining], [0, 0]);
      assertAbout(taken.retryAfter, 3 * slow.interval);
    }),
    test("tokens that are given back can be taken again", async ({ store }, key) => {
      await store.takeTokens(key, { rate: slow, spent: 0, wanted: 3 });
      const given = await store.takeTokens(key, { rate: slow, spent: -2, wanted: 0 });
      assert.equal(given.remaining, 2);
      const full = await store.takeTokens(key, { rate: slow, spent: -100, wanted: 0 });
      assert.equal(full.remaining, 3);
    }),
    test("tokens come back with time", async ({ store, wait }, key) => {
      await store.takeTokens(key, { rate: quick, spent: 0, wanted: 10 });
      await wait(10 * quick.interval);
      const taken = await store.takeTokens(key, { rate: quick, spent: 0, wanted: 20 });
      assert.equal(taken.granted, 10);
    }),
    test("processes that take at once get no more than there is", async ({ store, other }, key) => {
      const grants = await Promise.all(
        Array.from({ length: 20 }, (_, i) =>
          (i % 2 === 0 ? store : other).takeTokens(key, { rate: { interval: 60_000, burst: 10 }, spent: 0, wanted: 1 }),
        ),
      );
      assert.equal(
        grants.reduce((sum, { granted }) => sum + granted, 0),
        10,
      );
    }),
    test("a changed rate holds from the next demand on", async ({ store }, key) => {
      await store.takeTokens(key, { rate: slow, spent: 0, wanted: 3 });
      const more = { interval: slow.interval, burst: 5 };
      assert.equal((await store.takeTokens(key, { rate: more, spent: 0, wanted: 10 })).granted, 2);
    }),
    test("strikes add up to a ban, which all processes see", async ({ store, other }, key) => {
      assert.deepEqual(await store.strike(key, threeStrikes), { strikes: 1, bannedFor: 0 });
      assert.deepEqual(await other.strike(key, threeStrikes), { strikes: 2, bannedFor: 0 });
      const third = await store.strike(key, threeStrikes);
      assert.equal(third.strikes, 0);
      assertAbout(third.bannedFor, threeStrikes.ban);
      const refused = await other.takeTokens(key, { rate: slow, spent: 0, wanted: 1 });
      assert.equal(refused.granted, 0);
      assertAbout(refused.bannedFor, threeStrikes.ban);
      assert.equal((await other.takeTokens(`${key} 2`, { rate: slow, spent: 0, wanted: 1 })).granted, 1);
    }),
    test("several strikes count at once", async ({ store }, key) => {
      assert.equal((await store.strike(key, { ...threeStrikes, count: 2 })).strikes, 2);
      assert.ok((await store.strike(key, { ...threeStrikes, count: 2 })).bannedFor > 0);
    }),
    test("strikes do not prolong a ban, which ends, and strikes then start from 0", async ({ store, wait }, key) => {
      await store.strike(key, { ...brief, count: 3 });
      const during = await store.strike(key, { ...brief, count: 3, ban: 60_000 });
      assert.equal(during.strikes, 0);
      assert.ok(during.bannedFor > 0 && during.bannedFor <= brief.ban, `${during.bannedFor}`);
      await wait(brief.ban + 1);
      assert.deepEqual(await store.strike(key, threeStrikes), { strikes: 1, bannedFor: 0 });
      assert.equal((await store.takeTokens(key, { rate: slow, spent: 0, wanted: 1 })).bannedFor, 0);
    }),
    test("strikes of an earlier window are forgotten", async ({ store, wait }, key) => {
      await store.strike(key, { ...brief, count: 2 });
      await wait(brief.window + 1);
      assert.deepEqual(await store.strike(key, { ...brief, count: 2 }), { strikes: 2, bannedFor: 0 });
    }),
  ];
}

/** So slow that no token comes back during a test. */
const slow = { interval: 600_000, burst: 3 };
const quick = { interval: 20, burst: 10 };
const threeStrikes: Strike = { count: 1, limit: 3, window: 600_000, ban: 600_000 };
const brief: Strike = { count: 1, limit: 3, window: 200, ban: 200 };

/** Stores with a clock of their own have moved on a little. */
function assertAbout(time: number, expected: number): void {
  assert.ok(time <= expected + 1 && time > expected - 30_000, `${time} is not about ${expected}`);
}
