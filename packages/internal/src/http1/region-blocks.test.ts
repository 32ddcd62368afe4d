import { expect, test } from "vitest";
import { RegionBlock } from "./region-blocks.ts";

test("large blocks are few: who asks for one more gets a small one, until one is given back", () => {
  const lent = Array.from({ length: 100 }, () => RegionBlock.lend(true));
  const sizes = lent.map(({ bytes }) => bytes.length);
  expect(new Set(sizes)).toEqual(new Set([512 * 1024, 64 * 1024]));
  expect(sizes.reduce((sum, size) => sum + size)).toBe(8 * 512 * 1024 + 92 * 64 * 1024);
  const [first] = lent;
  first?.giveBack();
  expect(RegionBlock.lend(true)).toBe(first);
  for (const block of lent) block.giveBack();
});

test("a block that was given back is lent again, and to one at a time", () => {
  const block = RegionBlock.lend(false);
  block.giveBack();
  const [one, other] = [RegionBlock.lend(false), RegionBlock.lend(false)];
  expect(one).toBe(block);
  expect(other).not.toBe(block);
});
