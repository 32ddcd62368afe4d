import { once } from "node:events";
import { connect, createServer, type AddressInfo } from "node:net";
import fc from "fast-check";
import { afterEach, expect, test, vi } from "vitest";
import { Deadlines } from "./deadlines.ts";

afterEach(() => void vi.useRealTimers());

/** A wheel with a clock that stands still until it is told to go on. */
function makeWheel(resolution = 100) {
  const clock = { ms: 1_000_000 };
  const deadlines = new Deadlines({ resolution, now: () => clock.ms });
  return { clock, deadlines };
}

function standStill(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

test("a deadline expires at the first sweep of the tick after it, and only once", () => {
  const { clock, deadlines } = makeWheel();
  const expired: number[] = [];
  const deadline = deadlines.add(() => expired.push(clock.ms - 1_000_000));
  deadline.set(1050);
  for (clock.ms = 1_000_000; clock.ms < 1_003_000; clock.ms += 50) deadlines.sweep();
  expect(expired).toEqual([1100]);
  expect([deadline.isSet, deadlines.size]).toEqual([false, 0]);
  deadlines.close();
});

test("one that is cleared or moved does not expire at its old time", () => {
  const { clock, deadlines } = makeWheel();
  const expired: string[] = [];
  const [cleared, later, sooner] = ["cleared", "later", "sooner"].map((name) =>
    deadlines.add(() => expired.push(`${name} ${clock.ms - 1_000_000}`)),
  );
  for (const deadline of [cleared, later, sooner]) deadline?.set(500);
  cleared?.clear();
  later?.set(900);
  sooner?.set(200);
  for (; clock.ms < 1_002_000; clock.ms += 100) deadlines.sweep();
  expect(expired).toEqual(["sooner 200", "later 900"]);
  deadlines.close();
});

test("infinity clears, nothing and less than nothing expire at the next sweep, no number is refused", () => {
  const { clock, deadlines } = makeWheel();
  let count = 0;
  const deadline = deadlines.add(() => count++);
  deadline.set(100);
  deadline.set(Infinity);
  expect(deadline.isSet).toBe(false);
  for (const ms of [0, -1, -Infinity]) {
    deadline.set(ms);
    clock.ms += 100;
    deadlines.sweep();
  }
  expect(count).toBe(3);
  expect(() => deadline.set(NaN)).toThrow(RangeError);
  expect(() => new Deadlines({ resolution: 0 })).toThrow(RangeError);
});

test("an expired deadline may be set again from its own callback, and others may be changed from it", () => {
  const { clock, deadlines } = makeWheel();
  const expired: string[] = [];
  const other = deadlines.add(() => expired.push("other"));
  const again = deadlines.add(() => {
    expired.push("again");
    other.clear();
    again.set(0);
  });
  again.set(100);
  other.set(100);
  for (let i = 0; i < 3; i++) {
    clock.ms += 100;
    deadlines.sweep();
  }
  expect(expired).toEqual(["again", "again", "again"]);
  deadlines.close();
});

test("what a callback throws is told, and the others of its sweep expire", () => {
  const clock = { ms: 1_000_000 };
  const told: unknown[] = [];
  const deadlines = new Deadlines({ resolution: 100, now: () => clock.ms, failed: (error) => told.push(error) });
  const bad = deadlines.add(() => {
    throw new Error("no");
  });
  const good = deadlines.add(() => told.push("good"));
  bad.set(100);
  good.set(100);
  clock.ms += 100;
  deadlines.sweep();
  expect(told).toEqual([new Error("no"), "good"]);
  deadlines.close();
});

test("a callback that throws does not cost the others their expiry", () => {
  const { clock, deadlines } = makeWheel();
  const expired: string[] = [];
  const bad = deadlines.add(() => {
    throw new Error("no");
  });
  const good = deadlines.add(() => expired.push("good"));
  bad.set(100);
  good.set(100);
  clock.ms += 100;
  expect(() => deadlines.sweep()).toThrow("no");
  clock.ms += 100;
  deadlines.sweep();
  expect(expired).toEqual(["good"]);
  deadlines.close();
});

test("the timer runs only while a deadline is set, and keeps no process alive", () => {
  vi.useFakeTimers();
  const deadlines = new Deadlines({ resolution: 100, now: () => performance.now() });
  expect(vi.getTimerCount()).toBe(0);
  let expired = 0;
  const deadline = deadlines.add(() => expired++);
  deadline.set(1000);
  expect(vi.getTimerCount()).toBe(1);
  vi.advanceTimersByTime(1100);
  expect([expired, vi.getTimerCount()]).toEqual([1, 0]);
  deadline.set(1000);
  deadline.clear();
  vi.advanceTimersByTime(100);
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
  const before = process.getActiveResourcesInfo();
  const real = new Deadlines();
  real.add(() => {}).set(1000);
  expect(process.getActiveResourcesInfo()).toEqual(before);
  real.close();
});

test("what has arrived while the process stood still is read before a deadline expires", async () => {
  const deadlines = new Deadlines({ resolution: 20 });
  const { promise: first, resolve } = Promise.withResolvers<"expired" | "read">();
  const deadline = deadlines.add(() => resolve("expired"));
  await using server = createServer((socket) => {
    socket.on("data", () => resolve("read"));
    deadline.set(100);
    client.write("in time");
    standStill(200);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const client = connect((server.address() as AddressInfo).port);
  expect(await first).toBe("read");
  client.destroy();
  deadlines.close();
});

test("after closing nothing expires, nothing is kept, and nothing can be set", () => {
  vi.useFakeTimers();
  const deadlines = new Deadlines({ resolution: 100, now: () => performance.now() });
  let expired = 0;
  const all = [10, 1000, 1_000_000].map((ms) => {
    const deadline = deadlines.add(() => expired++);
    deadline.set(ms);
    return deadline;
  });
  deadlines.close();
  deadlines.close();
  all[0]?.set(10);
  vi.advanceTimersByTime(10_000_000);
  expect([expired, deadlines.size, vi.getTimerCount()]).toEqual([0, 0, 0]);
});

test("it does what a plain list of times does, for any order of calls", () => {
  const resolution = 100;
  const duration = fc.oneof(
    fc.integer({ min: 0, max: 3000 }),
    fc.integer({ min: 0, max: 300_000 }),
    fc.double({ min: 0, max: 1000, noNaN: true }),
  );
  const command = fc.oneof(
    fc.record({ act: fc.constant("set" as const), index: fc.nat(7), ms: duration }),
    fc.record({ act: fc.constant("clear" as const), index: fc.nat(7) }),
    fc.record({ act: fc.constant("pass" as const), ms: duration }),
  );
  fc.assert(
    fc.property(fc.array(command, { maxLength: 200 }), (commands) => {
      const { clock, deadlines } = makeWheel(resolution);
      const model = new Map<number, number>();
      let expired: number[] = [];
      const all = Array.from({ length: 8 }, (_, index) => deadlines.add(() => expired.push(index)));
      for (const step of commands) {
        if (step.act === "set") {
          all[step.index]?.set(step.ms);
          model.set(step.index, clock.ms + Math.max(step.ms, 0.001));
        } else if (step.act === "clear") {
          all[step.index]?.clear();
          model.delete(step.index);
        } else {
          clock.ms += step.ms;
          expired = [];
          deadlines.sweep();
          const tick = Math.floor(clock.ms / resolution) * resolution;
          const due = [...model].filter(([, at]) => at <= tick).map(([index]) => index);
          for (const index of due) model.delete(index);
          expect(expired.sort()).toEqual(due.sort());
        }
        expect(deadlines.size).toBe(model.size);
        expect(all.map((deadline) => deadline.isSet)).toEqual(all.map((_, index) => model.has(index)));
      }
      deadlines.close();
    }),
    { numRuns: 500 },
  );
});

test("the time in which the process stood is known at once, and does not come back", () => {
  vi.useFakeTimers();
  const now = performance.now.bind(performance);
  let jumped = 0;
  const paused = vi.spyOn(performance, "now").mockImplementation(() => now() + jumped);
  const deadlines = new Deadlines({ resolution: 100 });
  // Nothing is known of a time without deadlines.
  jumped += 60_000;
  const deadline = deadlines.add(() => undefined);
  deadline.set(600_000);
  vi.advanceTimersByTime(1000);
  expect(deadlines.stood).toBe(0);
  jumped += 60_000;
  expect(deadlines.stood).toBe(59_900);
  vi.advanceTimersByTime(1000);
  expect(deadlines.stood).toBeGreaterThan(59_900);
  expect(deadlines.stood).toBeLessThanOrEqual(60_000);
  jumped += 60_000;
  const { stood } = deadlines;
  deadlines.close();
  jumped += 60_000;
  expect(deadlines.stood).toBe(stood);
  paused.mockRestore();
});
