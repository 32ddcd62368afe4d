import { expect, test } from "vitest";
import { Scheduler } from "./scheduler.ts";

const whole = { urgency: 3, isIncremental: false };
const inParts = { urgency: 3, isIncremental: true };

function turns(scheduler: Scheduler<string>, count: number): string {
  return Array.from({ length: count }, () => scheduler.next() ?? "-").join("");
}

test("what is more urgent goes first, what is as urgent in the order that it came in", () => {
  const scheduler = new Scheduler<string>();
  scheduler.add("a", whole);
  scheduler.add("b", whole);
  scheduler.add("c", { urgency: 1, isIncremental: false });
  expect(turns(scheduler, 2)).toBe("cc");
  scheduler.remove("c");
  expect(turns(scheduler, 2)).toBe("aa");
  scheduler.remove("a");
  expect(turns(scheduler, 2)).toBe("bb");
  scheduler.remove("b");
  expect(turns(scheduler, 1)).toBe("-");
  expect(scheduler.isEmpty).toBe(true);
});

test("what is of use in parts goes by turns", () => {
  const scheduler = new Scheduler<string>();
  for (const stream of ["a", "b", "c"]) scheduler.add(stream, inParts);
  expect(turns(scheduler, 6)).toBe("abcabc");
  scheduler.remove("b");
  expect(turns(scheduler, 4)).toBe("acac");
});

test("a stream that is not there is removed without harm", () => {
  const scheduler = new Scheduler<string>();
  scheduler.add("a", whole);
  scheduler.remove("b");
  expect(turns(scheduler, 1)).toBe("a");
});
