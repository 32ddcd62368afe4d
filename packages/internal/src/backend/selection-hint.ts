// What is known of a request when a node is chosen for it.

import type { Endpoint } from "../net/peer.ts";

/** All that balancers may look at. */
export interface SelectionHint {
  /** What `hash` and `ipHash` go by: equal ones go to the same node, as far as that can be. */
  readonly key: string;
  /** The node that the client is tied to, by its tag; "" if none. */
  readonly stickTo: string;
  /** Nodes that were tried already for this request, by their ids: they are left out. */
  readonly tried: readonly string[];
  /** Whom it is done for, for nodes that are told by the PROXY protocol. */
  readonly from?: Endpoint;
}
