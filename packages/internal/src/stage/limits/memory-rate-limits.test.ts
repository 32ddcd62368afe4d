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
