import { expect, test } from "vitest";
import { Equality } from "./equality.ts";
import { prop } from "./prop.ts";

test("two dicts whose entries have changed places are not equal, even if their keys are numbers", () => {
  const { type } = prop.dict(prop.string());
  const inOrder = (...keys: string[]) => new Map(keys.map((key) => [key, `value of ${key}`]));
  const areEqual = (before: unknown, after: unknown) => new Equality().areValuesEqual(type, before, after);
  expect(areEqual(inOrder("a", "b"), inOrder("b", "a"))).toBe(false);
  expect(areEqual(inOrder("1", "2"), inOrder("2", "1"))).toBe(false);
  expect(areEqual(inOrder("a", "1"), inOrder("1", "a"))).toBe(false);
  expect(areEqual(inOrder("2", "1"), inOrder("2", "1"))).toBe(true);
});
