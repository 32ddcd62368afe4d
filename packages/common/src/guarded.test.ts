import { expect, test } from "vitest";
import { guarded } from "./guarded.ts";

test.each<[string, () => unknown]>([
  [
    "throws",
    () => {
      throw new Error("on purpose");
    },
  ],
  ["returns a promise that rejects", () => Promise.reject(new Error("on purpose"))],
])("what a callback that %s fails with is told, and goes no further", async (_name, run) => {
  const failed = Promise.withResolvers<unknown>();
  guarded(run, failed.resolve);
  expect(await failed.promise).toEqual(new Error("on purpose"));
});

test("a callback that returns anything else has not failed", async () => {
  const told: unknown[] = [];
  for (const result of [undefined, null, 5, { then: 1 }, Promise.resolve()]) {
    guarded(
      () => result,
      (error) => told.push(error),
    );
  }
  await Promise.resolve();
  expect(told).toEqual([]);
});
