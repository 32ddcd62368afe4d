// random and p2c: by chance, with regard to weights.

import type { Balanced, Balancer, Explained } from "../balancer.ts";
import type { SelectionHint } from "../selection-hint.ts";

/** A number from 0 to below 1. */
export type Chance = () => number;

/** By chance, as often as its weight says. Processes that know nothing of each other do not fall into step. */
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
 * Draws two by chance, and takes the one with fewer requests for its weight: nearly as even as `leastConn`, and, where many processes
 * balance over the same nodes, without all of them running to the one that looks idle (Mitzenmacher, The Power of Two Choices, 2001).
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

/** Requests for each unit of weight, the one that is to come included. */
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
