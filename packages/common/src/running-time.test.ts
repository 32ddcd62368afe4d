import { afterEach, expect, test, vi } from "vitest";
import { afterRunning, whileRunning } from "./running-time.ts";

afterEach(() => void vi.useRealTimers());

/** Whether it is over, after each of these times. */
function overAfter(ms: number, times: readonly number[]): readonly boolean[] {
  vi.useFakeTimers();
  let isOver = false;
  afterRunning(ms, () => (isOver = true));
  return times.map((time) => {
    vi.advanceTimersByTime(time);
    return isOver;
  });
}

test.each([8, 4000, 3_600_000, 2 ** 40])("%i ms of a process that runs are over then, and not before", (ms) => {
  expect(overAfter(ms, [ms - 1, 2])).toEqual([false, true]);
});

test.each([0, -1])("%i ms are over at once, and set no timer of less than 0 ms", (ms) => {
  expect(overAfter(ms, [2])).toEqual([true]);
  const set = vi.spyOn(globalThis, "setTimeout");
  afterRunning(ms, () => {});
  expect(set.mock.calls.map(([, delay]) => delay)).toEqual([0]);
  set.mockRestore();
});

test("a pause of the process counts for a quarter of the time at most", () => {
  vi.useFakeTimers();
  let isOver = false;
  afterRunning(800, () => (isOver = true));
  vi.advanceTimersByTime(100);
  // As after SIGSTOP: the clock has gone on, and the timers are due.
  const { now } = performance;
  const paused = vi.spyOn(performance, "now").mockImplementation(() => now.call(performance) + 60_000);
  vi.advanceTimersByTime(599);
  expect(isOver).toBe(false);
  vi.advanceTimersByTime(2);
  expect(isOver).toBe(true);
  paused.mockRestore();
});

test("what is forgotten does not come", () => {
  vi.useFakeTimers();
  let isOver = false;
  const forget = afterRunning(100, () => (isOver = true));
  vi.advanceTimersByTime(50);
  forget();
  vi.advanceTimersByTime(1000);
  expect([isOver, vi.getTimerCount()]).toEqual([false, 0]);
});

test("what looks while the process runs sees the slices of the time, and its end once", () => {
  vi.useFakeTimers();
  const seen: number[] = [];
  whileRunning(100, 4, (ran) => seen.push(ran));
  vi.advanceTimersByTime(1000);
  expect(seen).toEqual([25, 50, 75, 100]);
});
