import { expect, test } from "vitest";
import { BlockPool } from "./block-pool.ts";

/** A pool whose blocks are numbered. */
function makePool(maxSpare = 100, maxLent = Infinity): BlockPool<number> {
  let made = 0;
  return new BlockPool({ make: () => ++made, maxSpare, maxLent });
}

/** Lends so many blocks, and gives them back. */
function use(pool: BlockPool<number>, count: number): number[] {
  const blocks = Array.from({ length: count }, () => pool.lend());
  for (const block of blocks) pool.giveBack(block);
  return blocks;
}

test("a block that was given back is lent again, and to one at a time", () => {
  const pool = makePool();
  expect(use(pool, 2)).toEqual([1, 2]);
  expect([pool.lend(), pool.lend(), pool.lend()]).toEqual([2, 1, 3]);
});

test("no more than maxSpare blocks are kept", () => {
  const pool = makePool(3);
  use(pool, 10);
  expect(pool.spare).toBe(3);
});

test("a pool is used up when maxLent blocks are lent, until one is given back", () => {
  const pool = makePool(3, 2);
  pool.lend();
  expect(pool.isUsedUp).toBe(false);
  const block = pool.lend();
  expect(pool.isUsedUp).toBe(true);
  pool.giveBack(block);
  expect(pool.isUsedUp).toBe(false);
});

test("blocks that nobody needed within an interval are dropped at its end, the others stay", () => {
  const pool = makePool();
  use(pool, 10);
  pool.trim();
  expect(pool.spare).toBe(10);
  use(pool, 4);
  pool.trim();
  expect(pool.spare).toBe(4);
  use(pool, 4);
  pool.trim();
  expect(pool.spare).toBe(4);
  pool.trim();
  expect(pool.spare).toBe(0);
  expect(use(pool, 1)).toEqual([11]);
});

test("a pool keeps no process alive", () => {
  const before = process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
  use(makePool(), 1);
  expect(process.getActiveResourcesInfo().filter((name) => name === "Timeout")).toHaveLength(before);
});
