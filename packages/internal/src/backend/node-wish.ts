// What is known of a request when a node is chosen for it.

/** All that balancers may look at. */
export interface NodeWish {
  /** What `hash` and `ipHash` go by: equal ones go to the same node, as far as that can be. */
  readonly key: string;
  /** The node that the client is tied to, by its tag; "" if none. */
  readonly stickTo: string;
  /** Nodes that were tried already for this request, by their ids: they are left out. */
  readonly tried: readonly string[];
}
