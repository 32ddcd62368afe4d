import { Deadlines } from "@hemi/common";
import { expect, test } from "vitest";
import { Refusals, tellingInterval } from "./refusals.ts";

function make() {
  const clock = { now: 0 };
  const deadlines = new Deadlines({ now: () => clock.now });
  const told: string[] = [];
  const refusals = new Refusals({
    makeDeadline: (onExpired) => deadlines.add(onExpired),
    tell: (count, latest) => told.push(`${count} ${latest}`),
  });
  return {
    told,
    refusals,
    refuse: (...addresses: string[]) => addresses.forEach((address) => refusals.add(address)),
    pass(ms: number) {
      clock.now += ms;
      deadlines.sweep();
    },
    [Symbol.dispose]: () => deadlines.close(),
  };
}

test("the first refusal is told at once, those within the interval after it together", () => {
  using world = make();
  world.refuse("a", "b", "c");
  expect(world.told).toEqual(["1 a"]);
  world.pass(tellingInterval / 2);
  world.refuse("d");
  expect(world.told).toEqual(["1 a"]);
  world.pass(tellingInterval);
  expect(world.told).toEqual(["1 a", "3 d"]);
});

test("as long as there are refusals they are told once an interval, and after a quiet one at once", () => {
  using world = make();
  for (let i = 0; i < 3; i++) {
    world.refuse("a", "b");
    world.pass(tellingInterval + 500);
  }
  expect(world.told).toEqual(["1 a", "1 b", "2 b", "2 b"]);
  world.pass(tellingInterval + 500);
  world.refuse("c");
  expect(world.told.at(-1)).toBe("1 c");
});

test("what is left to be told is told at the end, once", () => {
  using world = make();
  world.refuse("a", "b");
  world.refusals.close();
  world.refusals.close();
  world.pass(2 * tellingInterval);
  expect(world.told).toEqual(["1 a", "1 b"]);
});
