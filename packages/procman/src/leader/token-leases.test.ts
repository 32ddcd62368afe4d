import { MemoryRateLimits } from "@hemi/hemi/base";
import { expect, test } from "vitest";
import { TokenLeases } from "./token-leases.ts";

const rate = { interval: 60_000, burst: 100 };

function limits() {
  const limits = new MemoryRateLimits({ now: () => 1000 });
  const left = (key = "a") => limits.takeNow(key, { rate, spent: 0, wanted: 0 }).remaining;
  return { left, worker: new TokenLeases(limits), other: new TokenLeases(limits) };
}

test("the tokens that a worker holds go back into their buckets when it has ended, once", () => {
  const { left, worker, other } = limits();
  worker.take("a", { rate, spent: 20, wanted: 20, leased: 0 });
  worker.take("b", { rate, spent: 0, wanted: 5 });
  other.take("a", { rate, spent: 0, wanted: 10 });
  expect([left("a"), left("b")]).toEqual([50, 95]);
  worker.giveBack();
  worker.giveBack();
  expect([left("a"), left("b")]).toEqual([70, 100]);
});

test("what a worker has used or given back of its tokens does not go back once more", () => {
  const { left, worker } = limits();
  worker.take("used", { rate, spent: 0, wanted: 20 });
  worker.take("used", { rate, spent: 0, wanted: 10, leased: 4 });
  worker.take("back", { rate, spent: 0, wanted: 20 });
  worker.take("back", { rate, spent: -15, wanted: 0, leased: 0 });
  expect([left("used"), left("back")]).toEqual([70, 95]);
  worker.giveBack();
  expect([left("used"), left("back")]).toEqual([84, 95]);
});
