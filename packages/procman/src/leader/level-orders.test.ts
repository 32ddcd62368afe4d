import { expect, test, vi } from "vitest";
import { readLevelArguments } from "../commands/log-level.ts";
import { levelText, readLevelOrder } from "../observe/level-order.ts";
import { LevelOrders } from "./level-orders.ts";

test("a level ends by itself, by default after five minutes", () => {
  vi.useFakeTimers({ now: 0 });
  try {
    const ended: string[] = [];
    const orders = new LevelOrders((level) => ended.push(levelText(level)));
    orders.set({ level: "debug", path: "webapp.shop" });
    orders.set({ level: "warn", period: 1000 });
    expect(orders.all.map(levelText)).toEqual([
      "debug for webapp.shop until 00:05:00 UTC",
      "warn for everything until 00:00:01 UTC",
    ]);
    vi.advanceTimersByTime(1000);
    expect(orders.all).toHaveLength(1);
    // Once more: the time begins anew.
    orders.set({ level: "debug", path: "webapp.shop" });
    vi.advanceTimersByTime(299_999);
    expect(orders.all).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(orders.all).toEqual([]);
    expect(ended).toEqual(["warn for everything until 00:00:01 UTC", "debug for webapp.shop until 00:05:01 UTC"]);
    orders.set({ level: "debug" });
    orders.set({ level: null });
    expect(orders.all).toEqual([]);
    for (let i = 0; i < 32; i++) orders.set({ level: "debug", path: `webapp.${i}` });
    expect(() => orders.set({ level: "debug", path: "webapp.more" })).toThrow("32 components have levels");
    orders.close();
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});

test.each([
  [{ level: "loud" }, "level is one of debug, info, warn, error, or null"],
  [{ level: "debug", path: 1 }, "path is the path of a component"],
  [{ level: "debug", period: 0 }, "period is a number of ms up to 86400000"],
  [{ level: "debug", period: 86_400_001 }, "period is a number of ms"],
])("a client that sends %j is told what is wrong", (params, message) => {
  expect(() => readLevelOrder(params)).toThrow(message);
});

test.each([
  ["", {}],
  ["debug", { level: "debug", path: "webapp.shop", period: 5000 }],
  ["default", { level: null, path: "webapp.shop", period: 5000 }],
  ["debgu", "there is no level debgu; did you mean debug?"],
  ["debug info", "log-level takes one level"],
])("hemi log-level %s", (args, expected) => {
  const rest = args.split(" ").filter((arg) => arg !== "");
  const read = () => readLevelArguments({ rest, path: "webapp.shop", period: 5000 });
  if (typeof expected === "string") expect(read).toThrow(expected);
  else expect(read()).toEqual(expected);
});
