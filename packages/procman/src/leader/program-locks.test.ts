import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test, vi } from "vitest";
import type { PassedLocks } from "../channel/shared-calls.ts";
import { ProgramLocks, type GrantingLeader, type LockOwner } from "./program-locks.ts";

interface Owner extends LockOwner {
  state: LockOwner["state"];
}

const owner = (): Owner => ({ state: "ready" });

/** Locks of a leader, as another one reaches them over a channel, until it has ended. */
function reached(locks: ProgramLocks, asker: LockOwner, hasPassedOn: () => boolean) {
  const over = async <Result>(call: () => Result | Promise<Result>): Promise<Result> => {
    await new Promise(setImmediate);
    if (leader.state === "ended") throw new Error("the other process has ended");
    return await call();
  };
  const leader: GrantingLeader & Owner = {
    state: "ready",
    acquireLock: (name, ttl) =>
      over(async () => (hasPassedOn() ? null : { token: await locks.acquire(name, ttl, asker) })),
    renewLock: (held, ttl) => over(() => (hasPassedOn() ? null : locks.renew(held, ttl))),
    releaseLock: (held) => void over(() => locks.release(held)),
  };
  return { leader, over };
}

/** The locks of a leader and of the one that takes over from it. */
function twoLeaders(before = new ProgramLocks()) {
  let hasPassedOn = false;
  const [asNew, asOld] = [owner(), owner()];
  const { leader: former } = reached(before, asNew, () => hasPassedOn);
  const after = new ProgramLocks(former);
  const { leader: next, over } = reached(after, asOld, () => false);
  const passOn = () => {
    hasPassedOn = true;
    return before.passOn(next, (passed: PassedLocks) => over(() => after.receive(passed, asOld)));
  };
  return { before, former, after, next, asNew, passOn };
}

const hour = 3_600_000;

afterEach(() => void vi.useRealTimers());

test("a lock is held once over two leaders, before and after the program is handed over", async () => {
  const { before, after, passOn } = twoLeaders();
  const both = [before, after];
  const taken = async () => await Promise.all(both.map((locks) => locks.acquire("job", hour, owner())));
  const first = { name: "job", token: (await before.acquire("job", hour, owner())) ?? 0 };
  expect(await taken()).toEqual([null, null]);
  await passOn();
  expect(await taken()).toEqual([null, null]);
  expect([await before.renew(first, hour), await before.renew(first, hour)]).toEqual([true, true]);
  before.release(first);
  await new Promise(setImmediate);
  const second = { name: "job", token: (await after.acquire("job", hour, owner())) ?? 0 };
  expect(second.token).toBeGreaterThan(first.token);
  expect(await before.renew(first, hour)).toBe(false);
  expect(await taken()).toEqual([null, null]);
  after.release(second);
  expect(await before.acquire("job", hour, owner())).toBeGreaterThan(second.token);
});

test("a lock that a new worker got before its leader led is held and renewed afterwards", async () => {
  const { before, after, passOn } = twoLeaders();
  const worker = owner();
  const held = { name: "job", token: (await after.acquire("job", hour, worker)) ?? 0 };
  await passOn();
  expect(await before.acquire("job", hour, owner())).toBeNull();
  expect(await after.renew(held, hour)).toBe(true);
  worker.state = "ended";
  after.releaseAll(worker);
  expect(await before.acquire("job", hour, owner())).toBeGreaterThan(held.token);
});

test("locks that are asked for while the program is handed over are granted once", async () => {
  const { before, after, passOn } = twoLeaders();
  const tokens = await Promise.all([
    after.acquire("job", hour, owner()),
    passOn().then(() => null),
    before.acquire("job", hour, owner()),
    after.acquire("job", hour, owner()),
  ]);
  expect(tokens.filter((token) => token !== null)).toHaveLength(1);
});

test("a lock of a worker whose leader was killed after it handed over is not free before its time is over", async () => {
  const { before, former, after, passOn } = twoLeaders();
  await before.acquire("early", hour, owner());
  await passOn();
  await before.acquire("late", hour, owner());
  await before.acquire("short", 20, owner());
  former.state = "ended";
  expect(await after.acquire("early", hour, owner())).toBeNull();
  expect(await after.acquire("late", hour, owner())).toBeNull();
  await sleep(30);
  expect(await after.acquire("short", hour, owner())).not.toBeNull();
});

test("fencing tokens rise over a change of leaders even if the system time goes back", async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: 2_000_000_000_000 });
  const { before, after, passOn } = twoLeaders();
  const token = (await before.acquire("job", 1, owner())) ?? 0;
  vi.setSystemTime(1_000_000_000_000);
  await passOn();
  await sleep(5);
  expect(await after.acquire("job", hour, owner())).toBeGreaterThan(token);
});

test("a leader that does not answer grants nothing: it may have granted the lock", async () => {
  const silent: GrantingLeader = {
    state: "ready",
    acquireLock: () => Promise.reject(new Error("no answer")),
    renewLock: () => Promise.reject(new Error("no answer")),
    releaseLock: () => {},
  };
  await expect(new ProgramLocks(silent).acquire("job", hour, owner())).rejects.toThrow("no answer");
});

test("an old leader that ends while it is asked for a lock is asked no more", async () => {
  const { former, after } = twoLeaders();
  const asked = after.acquire("job", hour, owner());
  former.state = "ended";
  expect(await asked).not.toBeNull();
  expect(await after.acquire("job", hour, owner())).toBeNull();
});

test("the locks of a worker that has ended are free in both leaders, also one that was under way", async () => {
  const { before, after, passOn } = twoLeaders();
  for (const [locks, others] of [
    [after, before],
    [before, after],
  ] as const) {
    const worker = owner();
    await locks.acquire("job", hour, worker);
    const late = locks.acquire("late", hour, worker);
    worker.state = "ended";
    locks.releaseAll(worker);
    expect(await late).toBeNull();
    await new Promise(setImmediate);
    for (const name of ["job", "late"]) {
      const token = (await others.acquire(name, hour, owner())) ?? expect.fail(`${name} is held`);
      others.release({ name, token });
    }
    if (locks === after) await passOn();
  }
});

test("if the new leader fails to take over, its locks are free, and the old leader grants on", async () => {
  const { before, after, next, asNew, passOn } = twoLeaders();
  await after.acquire("job", hour, owner());
  await before.acquire("kept", hour, owner());
  next.state = "ended";
  await expect(passOn()).rejects.toThrow("has ended");
  before.goOn();
  before.releaseAll(asNew);
  expect(await before.acquire("job", hour, owner())).not.toBeNull();
  expect(await before.acquire("kept", hour, owner())).toBeNull();
});

test("three leaders in a row grant a lock once", async () => {
  const first = twoLeaders();
  await first.before.acquire("job", hour, owner());
  await first.passOn();
  const second = twoLeaders(first.after);
  await second.passOn();
  const all = [first.before, first.after, second.after];
  const ask = (name: string) => Promise.all(all.map((locks) => locks.acquire(name, hour, owner())));
  expect(await ask("job")).toEqual([null, null, null]);
  expect((await ask("other")).filter((token) => token !== null)).toHaveLength(1);
});
