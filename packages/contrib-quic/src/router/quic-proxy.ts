// quicProxy: passes the datagrams of connections on to the nodes of a backend.

import {
  backendKind,
  DatagramProxy,
  defineDealet,
  prop,
  udpsDealet,
  udpsNodes,
  type DealetPart,
  type UdpsDealet,
} from "@hemi/internal";

const props = {
  /** The backend whose nodes get the connections: a `quicBackend`, or a `udpsBackend`. */
  toBackend: prop.reference(backendKind, { offering: udpsNodes, required: true, inherited: true }),
  /** The key of a backend with `balancer = "hash"`: equal keys go to the same node. Default: the client's address. */
  hashOn: prop.template(),
  /** Number of other nodes that are tried if a node cannot be reached. */
  maxRetries: prop.integer({ default: 2, max: 100, reload: "live" }),
  /** What happens to the connections of a node that health checks find down. Clients of closed ones begin anew. */
  onNodeDown: prop.choice(["keep", "close"], { default: "close", reload: "live" }),
};

/**
 * Passes the datagrams of a QUIC connection on to a node of a backend, and its answers back. TLS is between the client
 * and the node. A client whose address changes keeps its node: see `quicRouter`. The node sees another address of
 * the router then, and validates it by itself (RFC 9000 8.2).
 */
export const quicProxy = defineDealet({
  sign: "quicProxy",
  props,
  offers: [udpsDealet],
  create: (context): DealetPart & UdpsDealet => new DatagramProxy(context),
});
