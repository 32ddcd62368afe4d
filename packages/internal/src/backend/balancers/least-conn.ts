// leastConn: the node with the fewest requests or connections per weight.

import type { Balanced, Balancer, Explained } from "../balancer.ts";
import type { SelectionHint } from "../selection-hint.ts";
import { loadOf } from "./chance.ts";
import { highest, RoundRobin } from "./round-robin.ts";

/** Takes equal nodes in turn; otherwise the first node would get the whole of a light load. */
export class LeastConn implements Balancer {
  readonly #turns = new RoundRobin();

  choose<Node extends Balanced>(wish: SelectionHint, candidates: readonly Node[]): Node | undefined {
    return this.#turns.choose(wish, leastBusy(candidates));
  }

  explain<Node extends Balanced>(wish: SelectionHint, candidates: readonly Node[]): Explained<Node> {
    const least = leastBusy(candidates);
    const { node } = this.#turns.explain(wish, least);
    const why =
      least.length === 1 ? "has the fewest connections for its weight" : "it is its turn among the least busy";
    return { node, why };
  }
}

function leastBusy<Node extends Balanced>(candidates: readonly Node[]): readonly Node[] {
  const best = highest(candidates, (node) => -loadOf(node));
  if (best === undefined) return candidates;
  const load = loadOf(best);
  return candidates.filter((node) => loadOf(node) === load);
}
