import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { cachedSite, counting } from "../../testing/cached-site.ts";

const stale = { "cache-control": "max-age=60, stale-while-revalidate=400" };
const paths = Array.from({ length: 50 }, (_, i) => `/${i}`);

test("what was stored together is not validated together, but soon after", async () => {
  await using site = await cachedSite(counting(stale), ".revalidationJitter = 1m");
  for (const path of paths) await site.get(path);
  site.wait(60);
  const asked = [];
  for (let second = 0; second <= 60; second += 20) {
    for (const path of paths) expect((await site.get(path)).headers["cache-status"]).toContain("hit");
    await setImmediate();
    asked.push(site.asked() - paths.length);
    site.wait(20);
  }
  expect(asked[0]).toBeLessThan(10);
  expect(asked[1]).toBeGreaterThan(3);
  expect(asked[1]).toBeLessThan(40);
  expect(asked[3]).toBe(paths.length);
});

test("without jitter, the first request for what is stale has it validated", async () => {
  await using site = await cachedSite(counting(stale), ".revalidationJitter = 0s");
  for (const path of paths) await site.get(path);
  site.wait(60);
  for (const path of paths) await site.get(path);
  await setImmediate();
  expect(site.asked()).toBe(2 * paths.length);
});
