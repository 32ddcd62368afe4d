// roundRobin: nodes in turn, each in proportion to its weight, evenly spread (nginx's smooth weighted round robin).

import type { Balanced, Balancer, Explained } from "../balancer.ts";
import type { SelectionHint } from "../selection-hint.ts";

/**
 * In each turn, every candidate gains its weight. The highest sum is chosen and reduced by the total of all weights.
 * Weights 5, 1, 1 give a a b a c a a, not a a a a a b c.
 */
export class RoundRobin implements Balancer {
  readonly #credits = new WeakMap<Balanced, number>();

  choose<Node extends Balanced>(_wish: SelectionHint, candidates: readonly Node[]): Node | undefined {
    let total = 0;
    let richest: Node | undefined;
    let most = -Infinity;
    for (const node of candidates) {
      const { weight } = node;
      const credit = (this.#credits.get(node) ?? 0) + weight;
      this.#credits.set(node, credit);
      total += weight;
      if (credit > most) {
        most = credit;
        richest = node;
      }
    }
    if (richest !== undefined) this.#credits.set(richest, most - total);
    return richest;
  }

  explain<Node extends Balanced>(_wish: SelectionHint, candidates: readonly Node[]): Explained<Node> {
    return { node: highest(candidates, (node) => (this.#credits.get(node) ?? 0) + node.weight), why: "it is its turn" };
  }
}

/** The first node with the highest score. */
export function highest<Node>(nodes: readonly Node[], score: (node: Node) => number): Node | undefined {
  let found: Node | undefined;
  let most = -Infinity;
  for (const node of nodes) {
    const its = score(node);
    if (its <= most) continue;
    most = its;
    found = node;
  }
  return found;
}
