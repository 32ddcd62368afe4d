import { expect, test } from "vitest";
import { startAheadOnIdleCPUs } from "./processes-ahead.ts";

test.each([
  ["one CPU", 1, [0]],
  ["two CPUs, for the leader and the first worker", 2, [0]],
  ["four CPUs", 4, [0, 1, 2]],
  ["more CPUs than workers", 64, [0, 1, 2, 3]],
])("other workers do not delay the start of the first one: %s", (_, cpus, expected) => {
  const started: number[] = [];
  const slots = [0, 1, 2, 3].map((number) => ({ startAhead: () => void started.push(number) }));
  startAheadOnIdleCPUs(slots, cpus);
  expect(started).toEqual(expected);
});
