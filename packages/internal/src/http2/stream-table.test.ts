import { array, assert, constantFrom, nat, property, record } from "fast-check";
import { expect, test } from "vitest";
import { StreamTable } from "./stream-table.ts";

test("holds what a map would hold, whatever identifiers share a slot", () => {
  const step = record({ call: constantFrom("add", "add", "delete"), id: nat(60).map((n) => 2 * (n % 20) * 8 + 1) });
  assert(
    property(array(step, { maxLength: 200 }), (steps) => {
      const table = new StreamTable<{ id: number }>();
      const map = new Map<number, { id: number }>();
      for (const { call, id } of steps) {
        if (call === "add") {
          const stream = { id };
          table.add(stream);
          map.set(id, stream);
        } else expect(table.delete(id)).toBe(map.delete(id));
        expect(table.size).toBe(map.size);
        for (const known of [1, id, 17]) expect(table.get(known)).toBe(map.get(known));
        expect(new Set(table.values())).toEqual(new Set(map.values()));
      }
      table.clear();
      expect([table.size, table.values()]).toEqual([0, []]);
    }),
  );
});
