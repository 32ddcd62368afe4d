import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { array, assert, constantFrom, nat, property, record } from "fast-check";
import { expect, test } from "vitest";
import { Roster, SeatedRoster } from "./roster.ts";

test("behaves as a set, apart from the order", () => {
  const objects = Array.from({ length: 8 }, (_, id) => ({ id }));
  const step = record({ call: constantFrom("add", "delete", "has"), of: nat(objects.length - 1) });
  assert(
    property(array(step), (steps) => {
      const roster = new Roster<object>();
      const set = new Set<object>();
      for (const { call, of } of steps) {
        const object = objects[of] ?? {};
        if (call === "add") {
          roster.add(object);
          set.add(object);
        } else if (call === "delete") expect(roster.delete(object)).toBe(set.delete(object));
        expect(roster.has(object)).toBe(set.has(object));
        expect(roster.size).toBe(set.size);
        expect(new Set(roster)).toEqual(set);
      }
    }),
  );
});

test("members that leave while it is gone through do not hide others", () => {
  const roster = new Roster<{ id: number }>();
  for (let id = 0; id < 5; id++) roster.add({ id });
  const seen: number[] = [];
  for (const member of roster) {
    seen.push(member.id);
    roster.delete(member);
  }
  expect(seen.toSorted()).toEqual([0, 1, 2, 3, 4]);
  expect(roster.size).toBe(0);
});

test("members that have left are garbage for the young collections", () => {
  setFlagsFromString("--expose-gc");
  const collect: NonNullable<typeof global.gc> = runInNewContext("gc");
  const roster = new Roster<number[]>();
  const open: number[][] = [];
  const come = (): void => {
    const member = new Array<number>(1_000).fill(1.5);
    roster.add(member);
    open.push(member);
    const first = open.length > 8 ? open.shift() : undefined;
    if (first !== undefined) roster.delete(first);
  };
  for (let i = 0; i < 20; i++) come();
  // What there is now is old.
  collect({ type: "major" });
  const before = getHeapStatistics().used_heap_size;
  for (let i = 0; i < 5_000; i++) {
    come();
    if (i % 50 === 49) collect({ type: "minor" });
  }
  // All of them: 40 MB.
  expect(getHeapStatistics().used_heap_size - before).toBeLessThan(10e6);
});

test("members that know their place behave as those of a set", () => {
  const members = Array.from({ length: 8 }, (_, id) => ({ id, place: -1 }));
  const step = record({ isAdded: constantFrom(true, false), of: nat(members.length - 1) });
  assert(
    property(array(step), (steps) => {
      for (const member of members) member.place = -1;
      const roster = new SeatedRoster<{ id: number; place: number }>();
      const set = new Set<{ id: number; place: number }>();
      for (const { isAdded, of } of steps) {
        const member = members[of] ?? { id: -1, place: -1 };
        if (isAdded) {
          roster.add(member);
          set.add(member);
        } else expect(roster.delete(member)).toBe(set.delete(member));
        expect(roster.size).toBe(set.size);
        expect(new Set(roster)).toEqual(set);
      }
    }),
  );
});
