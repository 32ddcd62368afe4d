// The interface of balancers.

import type { SelectionHint } from "./selection-hint.ts";

/** A node from the view of balancers. */
export interface Balanced {
  /** Unique in the backend, and the same in every process with the same configuration. */
  readonly id: string;
  /** The id in a form that does not reveal the address. */
  readonly tag: string;
  /** Above 0. Its share of the load; it grows slowly after the node has recovered. */
  readonly weight: number;
  /** The current number of requests or connections. */
  readonly active: number;
}

/** Chooses among nodes. There is one for each backend; it may keep state. */
export interface Balancer {
  /** Chooses one of at least two candidates, and counts the choice. */
  choose<Node extends Balanced>(wish: SelectionHint, candidates: readonly Node[]): Node | undefined;
  /**
   * The node that `choose` would choose, and a short reason such as `has the fewest connections`. Has no side effects.
   * If the choice is random, the node is `undefined`.
   */
  explain<Node extends Balanced>(wish: SelectionHint, candidates: readonly Node[]): Explained<Node>;
}

export interface Explained<Node> {
  readonly node: Node | undefined;
  readonly why: string;
}
