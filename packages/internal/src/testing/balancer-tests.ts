// The contract that every balancer keeps.

import { describe, expect, test } from "vitest";
import type { Balanced, Balancer } from "../backend/balancer.ts";
import type { SelectionHint } from "../backend/selection-hint.ts";

export interface TestNode extends Balanced {
  weight: number;
  active: number;
}

export function testNode(id: string, weight = 1): TestNode {
  return { id, tag: `tag-${id}`, weight, active: 0 };
}

export function wishFor(key: string, stickTo = ""): SelectionHint {
  return { key, stickTo, tried: [] };
}

/** How often each node is chosen, by its id. Each chosen one is done before the next choice, unless `keeps`. */
export function tally(
  balancer: Balancer,
  nodes: readonly TestNode[],
  wishes: Iterable<SelectionHint>,
  keeps = false,
): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const node of nodes) counts[node.id] = 0;
  for (const wish of wishes) {
    const node = balancer.choose(wish, nodes);
    if (node === undefined) continue;
    counts[node.id] = (counts[node.id] ?? 0) + 1;
    if (keeps) node.active++;
  }
  return counts;
}

export function* manyWishes(count: number): Iterable<SelectionHint> {
  for (let i = 0; i < count; i++) yield wishFor(`key ${i}`);
}

/** Runs the contract for balancers that `make` makes: each one new. */
export function balancerTests(name: string, make: () => Balancer): void {
  describe(`the balancer ${name}`, () => {
    test("chooses one of the candidates, and none where there are none", () => {
      const balancer = make();
      expect(balancer.choose(wishFor("a"), [])).toBeUndefined();
      const nodes = [testNode("a"), testNode("b"), testNode("c")];
      for (const wish of manyWishes(100)) expect(nodes).toContain(balancer.choose(wish, nodes));
      const [only] = nodes;
      expect(balancer.choose(wishFor("x"), nodes.slice(0, 1))).toBe(only);
    });

    test("gives each node about as much as its weight says", () => {
      const nodes = [testNode("a", 1), testNode("b", 2), testNode("c", 5)];
      const counts = tally(make(), nodes, manyWishes(8000), true);
      for (const { id, weight } of nodes) {
        expect(counts[id]).toBeGreaterThan(weight * 900);
        expect(counts[id]).toBeLessThan(weight * 1100);
      }
    });

    test("goes on when nodes come and go", () => {
      const balancer = make();
      const [a, b, c] = [testNode("a"), testNode("b"), testNode("c")];
      tally(balancer, [a, b], manyWishes(10));
      expect(Object.keys(tally(balancer, [b, c], manyWishes(100)))).toEqual(["b", "c"]);
    });

    test("explains what it would choose, and changes nothing by it", () => {
      const nodes = [testNode("a", 3), testNode("b", 2), testNode("c", 1)];
      const balancer = make();
      for (const wish of manyWishes(50)) {
        const first = balancer.explain(wish, nodes);
        const second = balancer.explain(wish, nodes);
        expect(second).toEqual(first);
        expect(first.why).not.toBe("");
        const chosen = balancer.choose(wish, nodes);
        // Chance cannot be foretold.
        if (first.node !== undefined) expect(chosen).toBe(first.node);
      }
    });
  });
}
