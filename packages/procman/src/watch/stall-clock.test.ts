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

test("time in which the loop waits for a processor counts for a quarter, also if it is told late", () => {
  const clock = new StallClock(500, 0, 7000);
  clock.look(500, 7, 7000);
  clock.look(1000, 7, 7450);
  expect(clock.stood).toBe(125);
  clock.look(1500, 7, 7450);
  expect(clock.stood).toBe(550);
  clock.look(2000, 7, 8400);
  expect(clock.stood).toBe(375);
  // An endless loop gets its share of the processor.
  clock.look(2500, 7, 8500);
  clock.look(3000, 7, 8600);
  expect(clock.stood).toBe(900);
  clock.look(3500, 8, 9000);
  clock.look(4000, 8, 9000);
  expect(clock.stood).toBe(500);
});
