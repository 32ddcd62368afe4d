import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { finish, finishInSlices, type Steps } from "./steps.ts";

function* sumUpTo(limit: number, seen: (value: number) => void): Steps<number> {
  let sum = 0;
  for (let value = 1; value <= limit; value++) {
    seen(value);
    sum += value;
    yield;
  }
  return sum;
}

// The body throws before it yields.
// eslint-disable-next-line require-yield
function* failing(): Steps<number> {
  throw new Error("no");
}

describe("a computation in steps", () => {
  test("runs to its end at once", () => {
    const seen: number[] = [];
    expect(finish(sumUpTo(4, (value) => seen.push(value)))).toBe(10);
    expect(seen).toEqual([1, 2, 3, 4]);
  });

  test("lets the event loop turn between its slices", async () => {
    const order: string[] = [];
    const sum = finishInSlices(
      sumUpTo(3, (value) => order.push(`step ${value}`)),
      0,
    );
    void sum.then(() => order.push("end"));
    for (let i = 0; i < 5; i++) {
      await turn();
      order.push("turn");
    }
    expect(await sum).toBe(6);
    expect(order.indexOf("turn")).toBeLessThan(order.indexOf("step 3"));
    expect(order).toContain("end");
  });

  test("stays in one turn if a slice has time enough", async () => {
    const seen: number[] = [];
    const sum = finishInSlices(
      sumUpTo(3, (value) => seen.push(value)),
      60_000,
    );
    expect(seen).toEqual([1, 2, 3]);
    expect(await sum).toBe(6);
  });

  test("passes its error on", async () => {
    expect(() => finish(failing())).toThrow("no");
    await expect(finishInSlices(failing())).rejects.toThrow("no");
  });
});
