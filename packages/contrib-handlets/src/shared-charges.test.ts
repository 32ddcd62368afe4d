import { expect, test } from "vitest";
import { GcraTable } from "./gcra.ts";
import { SharedCharges } from "./shared-charges.ts";

type Listener = (message: unknown) => void;

/** Two workers whose messages arrive at once. */
function twoWorkers() {
  const listeners: Listener[][] = [[], []];
  return [0, 1].map((slot) => ({
    path: "webapp.a/rule/limiter",
    workers: {
      slot,
      count: 2,
      isPrimary: slot === 0,
      isDraining: false,
      onChange: () => () => {},
      broadcast: (_topic: string, message: unknown) => {
        for (const listener of listeners[1 - slot] ?? []) listener(structuredClone(message));
      },
      subscribe(_topic: string, listener: Listener) {
        listeners[slot]?.push(listener);
        return () => void listeners[slot]?.splice(0);
      },
      sumCounts: () => Promise.resolve([]),
      secret: () => Promise.resolve(Buffer.alloc(0)),
      renewSecret() {},
      onSecret: () => () => {},
    },
  }));
}

test("what one worker lets through, the other one counts", async () => {
  const now = 1000;
  const limiters = twoWorkers().map((context) => {
    const table = new GcraTable({ rate: { interval: 1000, burst: 5 }, maxKeys: 10, forgot() {} });
    const heard: string[] = [];
    const charges = new SharedCharges(context, (key, count) => {
      heard.push(key);
      table.charge(key, count, now);
    });
    charges.open();
    return { table, charges, heard };
  });
  const [first, second] = limiters;
  if (first === undefined || second === undefined) throw new Error("there are two");
  for (let i = 0; i < 3; i++) {
    expect(first.table.take("ada", now).conforms).toBe(true);
    first.charges.add("ada");
  }
  first.charges.add("bob");
  await expect.poll(() => second.heard).toEqual(["ada", "bob"]);
  expect(second.table.take("ada", now)).toMatchObject({ conforms: true, remaining: 1 });
  for (const { charges } of limiters) charges.close();
});

test("what another worker lets through uses up the burst, and makes nobody wait longer", () => {
  const table = new GcraTable({ rate: { interval: 1000, burst: 2 }, maxKeys: 10, forgot() {} });
  table.charge("ada", 100, 0);
  expect(table.take("ada", 0).conforms).toBe(false);
  expect(table.take("ada", 1000).conforms).toBe(true);
});
