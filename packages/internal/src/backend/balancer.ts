// What a balancer is.

import type { SelectionHint } from "./selection-hint.ts";

/** A node as balancers see it. */
export interface Balanced {
  /** Unlike that of the others, and the same in every process with the same configuration. */
  readonly id: string;
  /** The id, for those who should not learn addresses. */
  readonly tag: string;
  /** Above 0; its share, which grows slowly while it is just back. */
  readonly weight: number;
  /** How many requests or connections it has just now. */
  readonly active: number;
}

/** Chooses among nodes. One for each backend; it may remember what it chose. */
export interface Balancer {
  /** Chooses one of the candidates, at least two, and counts it as chosen. */
  choose<Node extends Balanced>(wish: SelectionHint, candidates: readonly Node[]): Node | undefined;
  /**
   * What `choose` would choose, and in a few words why, such as `has the fewest connections`; changes nothing. Where chance decides,
   * the node is `undefined`.
   */
  explain<Node extends Balanced>(wish: SelectionHint, candidates: readonly Node[]): Explained<Node>;
}

export interface Explained<Node> {
  readonly node: Node | undefined;
  readonly why: string;
}
