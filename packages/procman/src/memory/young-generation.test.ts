import { expect, test } from "vitest";
import { youngGenerationOptions } from "./young-generation.ts";

test("a process that is started gets a small young generation", () => {
  expect(youngGenerationOptions([], undefined)).toEqual(["--max-semi-space-size=2"]);
  const others = ["--conditions=x", "--max-old-space-size=512"];
  expect(youngGenerationOptions(others, others.join(" "))).toEqual(["--max-semi-space-size=2"]);
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
