// sticky: a client stays with the node that served it first.

import type { Balanced, Balancer, Explained } from "../balancer.ts";
import type { SelectionHint } from "../selection-hint.ts";
import { RoundRobin } from "./round-robin.ts";

/** Who is tied to no node, or to one that cannot take it, goes where it is the turn; tying it is for whoever speaks its protocol. */
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
