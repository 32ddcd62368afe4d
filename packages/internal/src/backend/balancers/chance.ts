// random and p2c: random choice by weight.

import type { Balanced, Balancer, Explained } from "../balancer.ts";
import type { SelectionHint } from "../selection-hint.ts";

/** A random number, at least 0 and below 1. */
export type Chance = () => number;

/** Chooses at random, in proportion to the weights. Independent processes do not synchronize. */
export class Random implements Balancer {
  readonly #chance: Chance;

  constructor(chance: Chance = Math.random) {
    this.#chance = chance;
  }

  choose<Node extends Balanced>(_wish: SelectionHint, candidates: readonly Node[]): Node | undefined {
    return draw(candidates, this.#chance);
  }

  explain<Node extends Balanced>(): Explained<Node> {
    return { node: undefined, why: "chance decides" };
  }
}

/**
 * Draws two nodes at random and takes the one with fewer requests per weight. Nearly as even as `leastConn`. If many
 * processes balance over the same nodes, they do not all choose the same idle node (Mitzenmacher, The Power of Two
 * Choices, 2001).
 */
export class PowerOfTwo implements Balancer {
  readonly #chance: Chance;

  constructor(chance: Chance = Math.random) {
    this.#chance = chance;
  }

  choose<Node extends Balanced>(_wish: SelectionHint, candidates: readonly Node[]): Node | undefined {
    const one = draw(candidates, this.#chance);
    const other = draw(candidates, this.#chance, one);
    if (one === undefined || other === undefined) return one;
    return loadOf(other) < loadOf(one) ? other : one;
  }

  explain<Node extends Balanced>(): Explained<Node> {
    return { node: undefined, why: "the less busy one of two that chance picks" };
  }
}

/** Requests per unit of weight, including the new one. */
export function loadOf({ active, weight }: Balanced): number {
  return (active + 1) / weight;
}

function draw<Node extends Balanced>(nodes: readonly Node[], chance: Chance, but?: Node): Node | undefined {
  let total = 0;
  for (const node of nodes) if (node !== but) total += node.weight;
  let left = chance() * total;
  let last: Node | undefined;
  for (const node of nodes) {
    if (node === but) continue;
    last = node;
    left -= node.weight;
    if (left < 0) break;
  }
  return last;
}
