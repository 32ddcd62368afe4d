// Several processes that count together in one store, which answers when the test says so.

import { setImmediate } from "node:timers/promises";
import { MemoryRateLimits, type RateLimitStore } from "@hemi/internal";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ClientRates } from "./client-rates.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

interface Processes {
  readonly all: readonly ClientRates[];
  readonly banned: string[];
  readonly changes: boolean[];
  /** Lets time go on, in ms. */
  pass(time: number): Promise<void>;
  /** How many of so many requests a process lets through at once. */
  ask(process: number, count: number, key?: string): number;
}

function processes(count: number, rate: { interval: number; burst: number }, wrap = (store: RateLimitStore) => store) {
  let now = 1000;
  const memory = new MemoryRateLimits({ now: () => now });
  const store = wrap(memory);
  const banned: string[] = [];
  const changes: boolean[] = [];
  const all = Array.from(
    { length: count },
    () =>
      new ClientRates({
        rate,
        maxKeys: 1000,
        forgot() {},
        store: () => store,
        storedKey: (key) => `limiter ${key}`,
        banned: (key) => void banned.push(key),
        changed: (isDown) => void changes.push(isDown),
        now: () => now,
      }),
  );
  const made: Processes & { readonly memory: MemoryRateLimits } = {
    all,
    banned,
    changes,
    memory,
    async pass(time) {
      for (let passed = 0; passed < time; passed += 10) {
        now += Math.min(10, time - passed);
        await vi.advanceTimersByTimeAsync(10);
        await setImmediate();
      }
    },
    ask(process, count, key = "a") {
      let passed = 0;
      for (let i = 0; i < count; i++) passed += all[process]?.take(key, now).granted ?? 0;
      return passed;
    },
  };
  return made;
}

test("what a client has used up in one process, it does not have in another one", async () => {
  const { ask, pass } = processes(2, { interval: 600_000, burst: 5 });
  let passed = 0;
  for (let i = 0; i < 20; i++) {
    passed += ask(i % 2, 1);
    await pass(20);
  }
  // What one of them has let through, the other one learns when it asks for the client.
  expect(passed).toBeGreaterThanOrEqual(5);
  expect(passed).toBeLessThanOrEqual(6);
  expect(ask(0, 1, "another client")).toBe(1);
});

test("a client that asks all processes at once may have more for a moment, and gets less after it", async () => {
  const { ask, pass } = processes(3, { interval: 1000, burst: 4 });
  const early = [0, 1, 2].reduce((sum, process) => sum + ask(process, 10), 0);
  expect(early).toBe(12);
  let later = 0;
  for (let i = 0; i < 100; i++) {
    await pass(100);
    for (const process of [0, 1, 2]) later += ask(process, 10);
  }
  // Within 10 s: the burst, and a token each second; one more of each process may be under way.
  expect(early + later).toBeGreaterThanOrEqual(14);
  expect(early + later).toBeLessThanOrEqual(14 + 3);
});

test("a client that keeps to its rate is never refused, however its requests are spread", async () => {
  const { ask, pass } = processes(3, { interval: 100, burst: 1 });
  for (let i = 0; i < 100; i++) {
    expect(ask(i % 3, 1)).toBe(1);
    await pass(100);
  }
});

test("a process that is busy all the time asks seldom, and never tells of more than a full bucket", async () => {
  let questions = 0;
  const counting = (store: RateLimitStore): RateLimitStore => ({
    ...store,
    takeTokens: (key, demand) => (questions++, store.takeTokens(key, demand)),
  });
  const { all, ask, pass } = processes(1, { interval: 0.1, burst: 10_000 }, counting);
  for (let i = 0; i < 100; i++) {
    expect(ask(0, 89)).toBe(89);
    const { remaining, fullAfter } = all[0]?.take("a", 1000 + 10 * i) ?? {};
    expect(remaining).toBeLessThan(10_000);
    expect(fullAfter).toBeGreaterThanOrEqual(0.1);
    await pass(10);
    expect(all[0]?.look("a", 1000 + 10 * (i + 1)).remaining).toBeLessThanOrEqual(10_000);
  }
  // In a second: at first every 10 ms, then as soon as half of what is leased for 250 ms is used.
  expect(questions).toBeGreaterThan(3);
  expect(questions).toBeLessThan(15);
});

test("a busy process leases tokens in advance, gives back what it does not use, and leaves enough to others", async () => {
  const { ask, pass, all, memory } = processes(2, { interval: 600_000, burst: 1000 });
  for (let i = 0; i < 3; i++) {
    expect(ask(0, 50)).toBe(50);
    await pass(20);
  }
  const left = async () =>
    (await memory.takeTokens("limiter a", { rate: { interval: 600_000, burst: 1000 }, spent: 0, wanted: 0 })).remaining;
  // 150 were used, and more are leased.
  expect(await left()).toBeLessThan(850);
  expect(ask(1, 500)).toBe(500);
  await pass(1500);
  expect(await left()).toBe(350);
  for (const rates of all) rates.close();
});

describe("a store that is down", () => {
  test("is noticed, asked seldom, and used again when it answers", async () => {
    let asked = 0;
    let isDown = true;
    const { ask, pass, all, changes } = processes(1, { interval: 600_000, burst: 1000 }, (store) => ({
      strike: (...params) => store.strike(...params),
      takeTokens(...params) {
        asked++;
        return isDown ? Promise.reject(new Error("no answer")) : store.takeTokens(...params);
      },
    }));
    for (let i = 0; i < 50; i++) {
      ask(0, 1);
      await pass(100);
    }
    expect(all[0]?.isDown).toBe(true);
    expect(asked).toBeLessThan(10);
    isDown = false;
    ask(0, 1);
    await pass(1100);
    expect(all[0]?.isDown).toBe(false);
    expect(changes).toEqual([true, false]);
  });

  test("that never answers counts as down after a second, and holds nobody up", async () => {
    const { ask, pass, all } = processes(1, { interval: 600_000, burst: 5 }, (store) => ({
      strike: (...params) => store.strike(...params),
      takeTokens: () => new Promise(() => undefined),
    }));
    expect(ask(0, 3)).toBe(3);
    await pass(900);
    expect(all[0]?.isDown).toBe(false);
    await pass(200);
    expect(all[0]?.isDown).toBe(true);
    expect(ask(0, 5)).toBe(2);
  });
});

test("a store that throws instead of rejecting is down, and asked as seldom", async () => {
  let asked = 0;
  const { ask, pass, changes } = processes(1, { interval: 100, burst: 5 }, (store) => ({
    strike: (...params) => store.strike(...params),
    takeTokens() {
      if (++asked < 1000) throw new Error("a mistake");
      return new Promise(() => undefined);
    },
  }));
  expect(ask(0, 3)).toBe(3);
  await pass(20);
  expect(changes).toEqual([true]);
  await pass(3000);
  expect(asked).toBeLessThan(10);
});

test("a limiter that refuses everything while its store is down notices that it is back", async () => {
  let isDown = true;
  const { ask, pass, all } = processes(1, { interval: 600_000, burst: 1 }, (store) => ({
    strike: (...params) => store.strike(...params),
    takeTokens: (...params) => (isDown ? Promise.reject(new Error("no answer")) : store.takeTokens(...params)),
  }));
  ask(0, 1);
  await pass(50);
  expect(all[0]?.isDown).toBe(true);
  isDown = false;
  // No request is let through, so that none has anything to tell.
  await pass(2100);
  expect(all[0]?.isDown).toBe(false);
});

test("a flood of clients leaves room on the connection to the store, and all are told to it", async () => {
  let [underWay, most, told] = [0, 0, 0];
  const { ask, pass } = processes(1, { interval: 600_000, burst: 5 }, (store) => ({
    strike: (...params) => store.strike(...params),
    async takeTokens(key, demand) {
      most = Math.max(most, ++underWay);
      told += demand.spent;
      await setImmediate();
      underWay--;
      return await store.takeTokens(key, demand);
    },
  }));
  for (let i = 0; i < 10_000; i++) ask(0, 1, `client ${i}`);
  await pass(500);
  expect(most).toBeLessThanOrEqual(1000);
  expect(told).toBe(10_000);
});

test("a ban that another machine has begun is learnt with the next answer, and by an inquiry", async () => {
  const { ask, pass, all, banned, memory } = processes(1, { interval: 100, burst: 5 });
  await memory.strike("limiter a", { count: 1, limit: 1, window: 1000, ban: 60_000 });
  ask(0, 1);
  await pass(20);
  expect(banned).toEqual(["a"]);
  await memory.strike("limiter b", { count: 1, limit: 1, window: 1000, ban: 60_000 });
  all[0]?.inquire("b");
  await pass(20);
  expect(banned).toEqual(["a", "b"]);
});
