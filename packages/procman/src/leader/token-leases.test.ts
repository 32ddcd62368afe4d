import { MemoryRateLimits, type TokenDemand } from "@hemi/hemi/base";
import { expect, test } from "vitest";
import { TokenLeases } from "./token-leases.ts";

const rate = { interval: 60_000, burst: 100 };

function limits() {
  const limits = new MemoryRateLimits({ now: () => 1000 });
  const leases = () =>
    new TokenLeases(async (demands) => demands.map(({ key, demand }) => limits.takeNow(key, demand)));
  const [worker, other] = [leases(), leases()];
  const take = (from: TokenLeases, key: string, demand: Omit<TokenDemand, "rate">) =>
    from.take([{ key, demand: { rate, ...demand } }]);
  return {
    left: (key = "a") => limits.takeNow(key, { rate, spent: 0, wanted: 0 }).remaining,
    worker,
    take: (key: string, demand: Omit<TokenDemand, "rate">) => take(worker, key, demand),
    takeByOther: (key: string, demand: Omit<TokenDemand, "rate">) => take(other, key, demand),
  };
}

test("the tokens that a worker holds go back into their buckets when it has ended, once", async () => {
  const { left, worker, take, takeByOther } = limits();
  await take("a", { spent: 20, wanted: 20, leased: 0 });
  await take("b", { spent: 0, wanted: 5 });
  await takeByOther("a", { spent: 0, wanted: 10 });
  expect([left("a"), left("b")]).toEqual([50, 95]);
  worker.end();
  worker.end();
  expect([left("a"), left("b")]).toEqual([70, 100]);
});

test("what a worker has used or given back of its tokens does not go back once more", async () => {
  const { left, worker, take } = limits();
  await take("used", { spent: 0, wanted: 20 });
  await take("used", { spent: 0, wanted: 10, leased: 4 });
  await take("back", { spent: 0, wanted: 20 });
  await take("back", { spent: -15, wanted: 0, leased: 0 });
  expect([left("used"), left("back")]).toEqual([70, 95]);
  worker.end();
  expect([left("used"), left("back")]).toEqual([84, 95]);
});

test("tokens that were under way to a worker when it ended go back", async () => {
  const { left, worker, take } = limits();
  const taking = take("a", { spent: 10, wanted: 20 });
  worker.end();
  await taking;
  expect(left("a")).toBe(90);
});
