import type { Strike, TokenDemand } from "@hemi/hemi/base";
import { expect, test } from "vitest";
import type { PassedLimits } from "../channel/shared-calls.ts";
import { OtherLeadersTokens, ProgramLimits, type CountingLeader } from "./program-limits.ts";
import type { TokenLeases } from "./token-leases.ts";

const rate = { interval: 3_600_000, burst: 100 };
const ban: Strike = { count: 1, limit: 2, window: 3_600_000, ban: 3_600_000 };

/** Limits of a leader, as another one reaches them over a channel, until it has ended. */
function reached(limits: CountingLeader) {
  const channel = { isOpen: true };
  const over = async <Result>(call: () => Promise<Result>): Promise<Result> => {
    await new Promise(setImmediate);
    if (!channel.isOpen) throw new Error("the other process has ended");
    const result = await call();
    await new Promise(setImmediate);
    return result;
  };
  const leader: CountingLeader = {
    takeTokens: (demands) => over(() => limits.takeTokens(demands)),
    strike: (strikes) => over(() => limits.strike(strikes)),
  };
  return { leader, over, end: () => void (channel.isOpen = false) };
}

/** The limits of a leader, and of the one that gets ready to take over from it. */
function twoLeaders(before = new ProgramLimits()) {
  let hasPassedOn = false;
  const tokensOfNew = new OtherLeadersTokens(before);
  const { leader: asOld, end: endOld } = reached({
    takeTokens: (demands) => (hasPassedOn ? Promise.resolve(null) : tokensOfNew.take(demands)),
    strike: (strikes) => (hasPassedOn ? Promise.resolve(null) : before.strike(strikes)),
  });
  const after = new ProgramLimits(asOld);
  const tokensOfOld = new OtherLeadersTokens(after);
  const {
    leader: asNew,
    over,
    end: endNew,
  } = reached({ takeTokens: (demands) => tokensOfOld.take(demands), strike: (strikes) => after.strike(strikes) });
  const passOn = () => {
    hasPassedOn = true;
    return before.passOn(asNew, (passed: PassedLimits) => over(() => Promise.resolve(after.receive(passed))));
  };
  return { before, after, tokensOfNew, tokensOfOld, passOn, endOld, endNew };
}

async function take(worker: TokenLeases, demand: Partial<TokenDemand>, key = "client") {
  const [grant] = await worker.take([{ key, demand: { rate, spent: 0, wanted: 0, ...demand } }]);
  return grant ?? expect.fail("there is no answer");
}

async function left(limits: ProgramLimits, key?: string): Promise<number> {
  return (await take(limits.leases(), {}, key)).remaining;
}

async function strike(limits: ProgramLimits) {
  const [count] = await limits.strike([{ key: "client", strike: ban }]);
  return count ?? expect.fail("there is no answer");
}

test("two leaders count together before, while and after the program is handed over", async () => {
  const { before, after, passOn } = twoLeaders();
  const [oldWorker, newWorker] = [before.leases(), after.leases()];
  await take(oldWorker, { spent: 10 });
  await take(newWorker, { spent: 10 });
  expect([await left(before), await left(after)]).toEqual([80, 80]);
  const passed = passOn();
  await Promise.all([take(oldWorker, { spent: 10 }), take(newWorker, { spent: 10 }), passed]);
  expect([await left(before), await left(after)]).toEqual([60, 60]);
  await take(oldWorker, { spent: 10 });
  await take(newWorker, { spent: 10 });
  expect([await left(before), await left(after)]).toEqual([40, 40]);
});

test("strikes add up over two leaders to one ban, which holds in both and outlives the old one", async () => {
  const { before, after, passOn, endOld } = twoLeaders();
  await strike(before);
  const passed = passOn();
  const [{ bannedFor }] = await Promise.all([strike(after), passed]);
  expect(bannedFor).toBe(ban.ban);
  expect((await take(before.leases(), { wanted: 1 })).granted).toBe(0);
  endOld();
  expect((await take(after.leases(), { wanted: 1 })).granted).toBe(0);
});

test("a client that is banned is banned by the workers of a leader that does not lead yet", async () => {
  const { before, after } = twoLeaders();
  await strike(before);
  await strike(before);
  expect(await take(after.leases(), { wanted: 1 })).toMatchObject({
    granted: 0,
    bannedFor: expect.closeTo(ban.ban, -4),
  });
});

test("more clients than one message holds are passed on", async () => {
  const { before, after, passOn } = twoLeaders();
  const worker = before.leases();
  const keys = Array.from({ length: 12_001 }, (_, number) => `client ${number}`);
  await worker.take(keys.map((key) => ({ key, demand: { rate, spent: 60, wanted: 0 } })));
  await passOn();
  expect([await left(after, keys[0]), await left(after, keys.at(-1))]).toEqual([40, 40]);
});

test("tokens that workers of the old leader have leased go back to where both count", async () => {
  const { before, after, tokensOfOld, passOn, endOld } = twoLeaders();
  const [early, late] = [before.leases(), before.leases()];
  await take(early, { wanted: 20 });
  await passOn();
  await take(late, { wanted: 30 });
  expect(await left(after)).toBe(50);
  early.end();
  await expect.poll(() => left(after)).toBe(70);
  endOld();
  tokensOfOld.end();
  await expect.poll(() => left(after)).toBe(100);
});

test("if the new leader does not take over, the old one counts, and has back what the new workers have leased", async () => {
  const { before, after, tokensOfNew, passOn, endNew } = twoLeaders();
  await take(after.leases(), { spent: 10, wanted: 20 });
  endNew();
  await expect(passOn()).rejects.toThrow("has ended");
  before.goOn();
  tokensOfNew.end();
  await expect.poll(() => left(before)).toBe(90);
});

test("if the new leader has ended, the workers of the old one are limited until they end, too", async () => {
  const { before, passOn, endNew } = twoLeaders();
  await take(before.leases(), { spent: 90 });
  await passOn();
  endNew();
  expect((await take(before.leases(), { wanted: 20 })).granted).toBe(10);
});

test("three leaders in a row count together", async () => {
  const first = twoLeaders();
  await first.passOn();
  const second = twoLeaders(first.after);
  await second.passOn();
  await take(first.before.leases(), { spent: 10 });
  await take(first.after.leases(), { spent: 10 });
  await take(second.after.leases(), { spent: 10 });
  expect([await left(first.before), await left(first.after), await left(second.after)]).toEqual([70, 70, 70]);
});
