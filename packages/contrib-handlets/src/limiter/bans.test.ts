// Strikes of very many clients.

import { setImmediate } from "node:timers/promises";
import { MemoryRateLimits, onlyWorker, type RateLimitStore } from "@hemi/internal";
import { expect, test } from "vitest";
import { Bans } from "./bans.ts";

test("a flood of strikes leaves room on the connection to the store, and each of them counts", async () => {
  const memory = new MemoryRateLimits();
  let [underWay, most, told] = [0, 0, 0];
  const store: RateLimitStore = {
    takeTokens: (...params) => memory.takeTokens(...params),
    async strike(key, strike) {
      most = Math.max(most, ++underWay);
      told += strike.count;
      await setImmediate();
      underWay--;
      return await memory.strike(key, strike);
    },
  };
  const bans = new Bans({
    workers: onlyWorker,
    topic: () => undefined,
    store: () => store,
    storedKey: (key) => key,
    rule: () => ({ limit: 10, window: 60_000, ban: 60_000 }),
    isLocalWhenDown: () => true,
    began() {},
    failed() {},
    maxKeys: 10_000,
    now: () => performance.now(),
  });
  for (let i = 0; i < 3000; i++) bans.strike(`client ${i}`);
  await expect.poll(() => underWay).toBeGreaterThan(0);
  // They come while the others are being told.
  for (let i = 3000; i < 6000; i++) bans.strike(`client ${i}`);
  await expect.poll(() => told, { timeout: 10_000 }).toBe(6000);
  expect(most).toBeLessThanOrEqual(500);
  bans.close();
});
