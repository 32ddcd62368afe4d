import { expect, test } from "vitest";
import { isYoungGenerationChosen, youngGenerationOptions } from "./young-generation.ts";

test("a process that is started gets a small young generation, and one thread that collects it", () => {
  const small = ["--max-semi-space-size=8", "--semi-space-growth-factor=1", "--no-parallel-scavenge"];
  expect(youngGenerationOptions([], undefined)).toEqual(small);
  const others = ["--conditions=x", "--max-old-space-size=512"];
  expect(youngGenerationOptions(others, others.join(" "))).toEqual(small);
});

test.each([
  "--max-semi-space-size=16",
  "--max_semi_space_size=16",
  "--semi-space-growth-factor=4",
  "--min-semi-space-size=4",
])("a size that the user has chosen wins: %s", (option) => {
  expect(youngGenerationOptions(["--no-warnings", option], undefined)).toEqual([]);
  expect(youngGenerationOptions([], `--no-warnings ${option} --conditions=x`)).toEqual([]);
});

test("the options that this program has given to a process are not the user's", () => {
  expect(isYoungGenerationChosen(youngGenerationOptions([], ""), "")).toBe(false);
  expect(isYoungGenerationChosen([...youngGenerationOptions([], ""), "--max-semi-space-size=4"], "")).toBe(true);
});
