import { expect, test } from "vitest";
import { rateLimitStoreTests } from "../../testing/rate-limit-store-tests.ts";
import { MemoryRateLimits } from "./memory-rate-limits.ts";

function makeStore(maxKeys?: number) {
  let now = 1000;
  const store = new MemoryRateLimits({ now: () => now, ...(maxKeys === undefined ? {} : { maxKeys }) });
  return {
    store,
    other: store,
    wait: (time: number) => void (now += time),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

test.each(rateLimitStoreTests(() => Promise.resolve(makeStore())))("$name", ({ run }) => run());

test("a flood of keys does not fill the memory: those that were used longest ago are forgotten", async () => {
  const { store } = makeStore(2);
  const rate = { interval: 60_000, burst: 1 };
  const take = async (key: string) => (await store.takeTokens(key, { rate, spent: 0, wanted: 1 })).granted;
  for (const key of ["a", "b", "c"]) expect(await take(key)).toBe(1);
  expect(await take("c")).toBe(0);
  expect(await take("a")).toBe(1);
});

test("a client that is banned or has spent its rate stays so in another process", () => {
  const before = new MemoryRateLimits({ now: () => 5000 });
  let now = 100;
  const after = new MemoryRateLimits({ now: () => now });
  const demand = { rate: { interval: 1000, burst: 1 }, spent: 0, wanted: 1 };
  const strike = { count: 1, limit: 2, window: 1000, ban: 1000 };
  before.takeNow("spent", demand);
  before.strikeNow("struck", strike);
  before.strikeNow("banned", { ...strike, limit: 1 });
  for (const state of before.states(1)) after.restore(state);
  expect(after.takeNow("spent", demand).granted).toBe(0);
  expect(after.takeNow("banned", demand)).toMatchObject({ granted: 0, bannedFor: 1000 });
  expect(after.strikeNow("struck", strike).bannedFor).toBe(1000);
  now += 1000;
  expect(after.takeNow("spent", demand).granted).toBe(1);
  expect(after.takeNow("banned", demand)).toMatchObject({ granted: 1, bannedFor: 0 });
});

test("all keys are passed on, however many there are, in parts of a limited size", () => {
  const [before, after] = [new MemoryRateLimits(), new MemoryRateLimits()];
  const keys = Array.from({ length: 1001 }, (_, number) => `client ${number}`);
  for (const key of keys) before.strikeNow(key, { count: 1, limit: 1, window: 1000, ban: 60_000 });
  let parts = 0;
  for (const state of before.states(100)) {
    expect(state.bans.length).toBeLessThanOrEqual(100);
    after.restore(state);
    parts++;
  }
  expect(parts).toBe(11);
  const demand = { rate: { interval: 1000, burst: 1 }, spent: 0, wanted: 1 };
  expect(keys.filter((key) => after.takeNow(key, demand).bannedFor === 0)).toEqual([]);
});
