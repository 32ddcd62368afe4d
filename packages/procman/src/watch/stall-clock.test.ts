import { expect, test } from "vitest";
import { StallClock } from "./stall-clock.ts";

test("a loop that does not turn stands still", () => {
  const clock = new StallClock(500, 0);
  for (const now of [500, 1000, 1500]) clock.look(now, 7);
  expect(clock.stood).toBe(1000);
});

test("a loop that turns again, or may stand, has not stood", () => {
  const clock = new StallClock(500, 0);
  clock.look(500, 7);
  clock.look(1000, 7);
  expect(clock.stood).toBe(500);
  clock.look(1500, 8);
  expect(clock.stood).toBe(0);
  clock.look(2000, 0);
  clock.look(2500, 0);
  expect(clock.stood).toBe(0);
});

test("the time in which the machine or the process stood as a whole does not count", () => {
  const clock = new StallClock(500, 0);
  clock.look(500, 7);
  // The thread is the first one that runs again.
  expect(clock.look(60_500, 7)).toBe(1000);
  expect(clock.stood).toBe(1000);
});

test("the time in which the loop waits for a processor does not count, also if it is told late", () => {
  const clock = new StallClock(500, 0, 7000);
  clock.look(500, 7, 7000);
  clock.look(1000, 7, 7450);
  expect(clock.stood).toBe(50);
  clock.look(1500, 7, 7450);
  clock.look(2000, 7, 8400);
  expect(clock.stood).toBe(100);
  // An endless loop gets its share of the processor.
  for (const [now, queued] of [
    [2500, 8650],
    [3000, 8900],
    [3500, 9150],
  ] as const)
    clock.look(now, 7, queued);
  expect(clock.stood).toBe(850);
  clock.look(4000, 8, 9600);
  clock.look(4500, 8, 9600);
  expect(clock.stood).toBe(500);
});
