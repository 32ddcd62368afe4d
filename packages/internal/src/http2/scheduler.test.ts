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

test("the order holds while many streams come and go", () => {
  const scheduler = new Scheduler<string>();
  const names = Array.from({ length: 200 }, (_, i) => `${i}`);
  for (const name of names) scheduler.add(name, whole);
  const sent: (string | undefined)[] = [];
  const leave = (count: number): void => {
    for (let i = 0; i < count; i++) {
      const stream = scheduler.next();
      sent.push(stream);
      scheduler.remove(stream ?? "");
    }
  };
  leave(150);
  scheduler.remove("160");
  scheduler.add("late", whole);
  scheduler.add("urgent", { urgency: 0, isIncremental: false });
  leave(51);
  expect(sent).toEqual([...names.slice(0, 150), "urgent", ...names.slice(150, 160), ...names.slice(161), "late"]);
  expect(scheduler.isEmpty).toBe(true);
  expect(scheduler.next()).toBeUndefined();
});
