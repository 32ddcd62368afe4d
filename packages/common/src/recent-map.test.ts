import { expect, test } from "vitest";
import { RecentMap } from "./recent-map.ts";

test("a full map forgets the key that was set longest ago", () => {
  const map = new RecentMap<string, number>(2);
  map.set("a", 1);
  map.set("b", 2);
  map.set("a", 3);
  map.set("c", 4);
  expect([map.get("a"), map.get("b"), map.get("c"), map.size]).toEqual([3, undefined, 4, 2]);
  map.delete("a");
  map.set("d", 5);
  expect([map.get("c"), map.get("d"), map.size]).toEqual([4, 5, 2]);
});
