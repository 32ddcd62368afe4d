// The data about a request that a balancer may use.

import type { Endpoint } from "../net/peer.ts";

/** All that balancers may use. */
export interface SelectionHint {
  /** The key of `hash` and `ipHash`: equal keys go to the same node if possible. */
  readonly key: string;
  /** The tag of the node that the client is tied to; "" if none. */
  readonly stickTo: string;
  /** The ids of nodes that were already tried for this request. They are excluded. */
  readonly tried: readonly string[];
  /** The id of the only node that will do, for protocols that say where their data is. Default: any node. */
  readonly only?: string;
  /** The client, for nodes that receive PROXY headers. */
  readonly from?: Endpoint;
}
