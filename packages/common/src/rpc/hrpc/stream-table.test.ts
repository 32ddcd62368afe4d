import fc from "fast-check";
import { expect, test } from "vitest";
import { StreamTable } from "./stream-table.ts";

test("streams are found by their numbers as in a map, however long some of them last", () => {
  const steps = fc.array(fc.record({ isNew: fc.boolean(), pick: fc.nat(400) }), { maxLength: 600 });
  fc.assert(
    fc.property(steps, (steps) => {
      const table = new StreamTable<{ readonly id: number }>();
      const map = new Map<number, { readonly id: number }>();
      let next = 1;
      for (const { isNew, pick } of steps) {
        const stream = { id: isNew ? next : 2 * pick + 1 };
        if (isNew) {
          next += 2;
          table.add(stream);
          map.set(stream.id, stream);
        } else expect(table.delete(stream.id)).toBe(map.delete(stream.id));
        expect(table.get(2 * pick + 1)).toBe(map.get(2 * pick + 1));
        expect(table.size).toBe(map.size);
      }
      expect(new Set(table)).toEqual(new Set(map.values()));
    }),
  );
});
