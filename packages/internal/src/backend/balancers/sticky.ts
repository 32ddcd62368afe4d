// sticky: a client stays with the node that served its first request.

import type { Balanced, Balancer, Explained } from "../balancer.ts";
import type { SelectionHint } from "../selection-hint.ts";
import { RoundRobin } from "./round-robin.ts";

/**
 * A client without a tie, or with a tie to an unavailable node, gets a node in turn. The user of the backend ties it to
 * that node in its protocol.
 */
export class Sticky implements Balancer {
  readonly #turns = new RoundRobin();

  choose<Node extends Balanced>(wish: SelectionHint, candidates: readonly Node[]): Node | undefined {
    return tied(wish, candidates) ?? this.#turns.choose(wish, candidates);
  }

  explain<Node extends Balanced>(wish: SelectionHint, candidates: readonly Node[]): Explained<Node> {
    const node = tied(wish, candidates);
    return node === undefined ? this.#turns.explain(wish, candidates) : { node, why: "the client is tied to it" };
  }
}

function tied<Node extends Balanced>({ stickTo }: SelectionHint, candidates: readonly Node[]): Node | undefined {
  return stickTo === "" ? undefined : candidates.find(({ tag }) => tag === stickTo);
}
