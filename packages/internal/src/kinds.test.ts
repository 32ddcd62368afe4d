import { expect, test } from "vitest";
import { kinds } from "./kinds.ts";

const names = kinds.map(({ name }) => name);

test("every kind has a name of its own, which is not that of the stage", () => {
  expect(new Set(names).size).toBe(names.length);
  expect(names).not.toContain("stage");
});

test("kinds stand in the stage or in kinds of the table, which are not prepared before them", () => {
  for (const { name, rank, standsIn } of kinds) {
    expect(standsIn.length).toBeGreaterThan(0);
    for (const { owner } of standsIn) {
      if (owner === "stage") continue;
      const found = kinds.find((kind) => kind.name === owner);
      expect(found?.rank, `${owner} around ${name}`).toBeGreaterThanOrEqual(rank);
    }
  }
});

test("the table follows the ranks", () => {
  const ranks = kinds.map(({ rank }) => rank);
  expect(ranks).toEqual([...ranks].sort((a, b) => a - b));
});

test("under a stage, what stands there once has no name, and everything else needs one", () => {
  for (const kind of kinds) {
    const once = "once" in kind && kind.once;
    const standing = kind.standsIn.find(({ owner }) => owner === "stage");
    if (standing !== undefined) expect(standing.naming, kind.name).toBe(once ? "none" : "required");
  }
});
