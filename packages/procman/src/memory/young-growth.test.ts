import { beforeEach, expect, test } from "vitest";
import { YoungGrowth, type YoungGeneration } from "./young-growth.ts";

const MB = 1024 * 1024;

/** A young generation that a test works on. */
class WorkedYoungGeneration implements YoungGeneration {
  active = 0;
  semiSpace = MB;
  mayGrow = false;
  collected: ((duration: number) => void) | undefined;

  activeTime(): number {
    return this.active;
  }

  size(): number {
    return this.semiSpace;
  }

  letGrow(mayGrow: boolean): void {
    this.mayGrow = mayGrow;
  }

  watch(collected: (duration: number) => void): () => void {
    expect(this.collected, "one watch at a time").toBeUndefined();
    this.collected = collected;
    return () => (this.collected = undefined);
  }

  /** Of the given time, this share is work, and this share of the work is collections, which grow it as V8 does. */
  work(time: number, busy: number, collecting: number): void {
    this.active += time * busy;
    for (let i = 0; i < 10; i++) {
      if (this.mayGrow) this.semiSpace *= 2;
      this.collected?.((time * busy * collecting) / 10);
    }
  }
}

let young: WorkedYoungGeneration;
let growth: YoungGrowth;

beforeEach(() => {
  young = new WorkedYoungGeneration();
  growth = new YoungGrowth(young, 8 * MB);
});

/** Works for some looks. Returns how long that took. */
function workFor(looks: number, busy: number, collecting: number): number {
  let total = 0;
  for (let i = 0; i < looks; i++) {
    const wait = growth.look();
    young.work(wait, busy, collecting);
    total += wait;
  }
  return total;
}

test("it grows step by step while collections take much of the time, to its limit", () => {
  const sizes = [];
  for (let i = 0; i < 12; i++) {
    workFor(1, 1, 0.25);
    sizes.push(young.semiSpace / MB);
  }
  expect([...new Set(sizes)]).toEqual([1, 2, 4, 8]);
  expect(young.mayGrow).toBe(false);
});

test("it stops where collections take little", () => {
  for (let i = 0; i < 20; i++) workFor(1, 1, 0.25 / (young.semiSpace / MB));
  expect(young.semiSpace).toBe(4 * MB);
  expect(young.mayGrow).toBe(false);
});

test.each([
  ["little of the work is collections", 1, 0.05],
  ["the process is hardly busy", 0.1, 0.5],
])("it stays as small as it is where %s", (_name, busy, collecting) => {
  workFor(50, busy, collecting);
  expect(young.semiSpace).toBe(MB);
});

test("collections of a process with nothing to do are not watched", () => {
  expect(workFor(10, 0, 0)).toBe(20_000);
  expect(young.collected).toBeUndefined();
});

test("collections of a busy process are watched for a small part of the time", () => {
  const total = workFor(40, 1, 0.05);
  const watched = total - 20 * 2000;
  expect(watched / total).toBeLessThan(0.1);
  expect(watched).toBeGreaterThan(0);
});

test("what V8 has not made larger within a sample stays as it is", () => {
  workFor(2, 1, 0.25);
  const wait = growth.look();
  expect(young.mayGrow).toBe(true);
  // It works without a collection.
  young.active += wait;
  expect(growth.look()).toBe(2000);
  expect(young).toMatchObject({ mayGrow: false, collected: undefined });
});

test("its end leaves nothing under way", () => {
  workFor(2, 1, 0.25);
  growth.look();
  expect(young.mayGrow).toBe(true);
  growth.end();
  expect(young).toMatchObject({ mayGrow: false, collected: undefined });
});
