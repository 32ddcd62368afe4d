import { expect, test } from "vitest";
import { ProgramLocks, type FormerLocks, type LockOwner } from "./program-locks.ts";

interface Owner extends LockOwner {
  state: LockOwner["state"];
}

const owner = (): Owner => ({ state: "ready" });

/** The locks of a leader and of the one that takes over from it. */
function twoLeaders() {
  const before = new ProgramLocks();
  const successor = owner();
  const former: FormerLocks & Owner = {
    state: "ready",
    acquireLock: async (name, ttl) => {
      if (former.state === "ended") throw new Error("the other process has ended");
      return await before.acquire(name, ttl, successor);
    },
    renewLock: (held, ttl) => before.renew(held, ttl),
    releaseLock: (held) => before.release(held),
  };
  return { before, former, successor, after: new ProgramLocks(former) };
}

const hour = 3_600_000;

test("a lock that a worker of the old leader holds is not held twice after a takeover", async () => {
  const { before, after } = twoLeaders();
  const token = (await before.acquire("job", hour, owner())) ?? 0;
  expect(await after.acquire("job", hour, owner())).toBeNull();
  before.release({ name: "job", token });
  const next = await after.acquire("job", hour, owner());
  expect(next).toBeGreaterThan(token);
  expect(await before.acquire("job", hour, owner())).toBeNull();
  expect(await after.renew({ name: "job", token: next ?? 0 }, hour)).toBe(true);
  after.release({ name: "job", token: next ?? 0 });
  expect(await before.acquire("job", hour, owner())).not.toBeNull();
});

test("a lock that was granted during a takeover is still held when the old leader has ended", async () => {
  const { former, after } = twoLeaders();
  const token = (await after.acquire("job", hour, owner())) ?? 0;
  former.state = "ended";
  expect(await after.acquire("job", hour, owner())).toBeNull();
  expect(await after.renew({ name: "job", token }, hour)).toBe(true);
  after.release({ name: "job", token });
  expect(await after.acquire("job", hour, owner())).toBeGreaterThan(token);
});

test("an old leader that ends while it is asked for a lock is asked no more", async () => {
  const { former, after } = twoLeaders();
  const asked = after.acquire("job", hour, owner());
  former.state = "ended";
  expect(await asked).not.toBeNull();
  expect(await after.acquire("job", hour, owner())).toBeNull();
});

test("an old leader that does not answer grants nothing: it may have granted the lock", async () => {
  const silent: FormerLocks = {
    state: "ready",
    acquireLock: () => Promise.reject(new Error("no answer")),
    renewLock: () => Promise.reject(new Error("no answer")),
    releaseLock: () => {},
  };
  await expect(new ProgramLocks(silent).acquire("job", hour, owner())).rejects.toThrow("no answer");
});

test("the locks of a new worker that has ended are free in both leaders, also one that was under way", async () => {
  const { before, after } = twoLeaders();
  const worker = owner();
  await after.acquire("job", hour, worker);
  const late = after.acquire("late", hour, worker);
  worker.state = "ended";
  after.releaseAll(worker);
  expect(await late).toBeNull();
  for (const name of ["job", "late"]) expect(await before.acquire(name, hour, owner())).not.toBeNull();
});

test("the locks of a new leader that failed to take over are free", async () => {
  const { before, successor, after } = twoLeaders();
  await after.acquire("job", hour, owner());
  before.releaseAll(successor);
  expect(await before.acquire("job", hour, owner())).not.toBeNull();
});
