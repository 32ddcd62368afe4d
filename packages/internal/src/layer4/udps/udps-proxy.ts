// udpsProxy: joins sessions of clients with the nodes of a backend.

import { backendKind } from "../../backend/kind.ts";
import { prop } from "../../component/prop.ts";
import { defineDealet, type DealetPart } from "../kinds.ts";
import { udpsNodes } from "./datagram-backend.ts";
import { DatagramProxy } from "./datagram-proxy.ts";
import { udpsDealet, type UdpsDealet } from "./dealet.ts";

const props = {
  /** The backend whose nodes get the datagrams: all those of a session go to the same node. */
  toBackend: prop.reference(backendKind, { offering: udpsNodes, required: true, inherited: true }),
  /** The key of a backend with `balancer = "hash"`: equal keys go to the same node. Default: the client's address. */
  hashOn: prop.template(),
  /** Number of other nodes that are tried if a node cannot be reached. */
  maxRetries: prop.integer({ default: 2, max: 100, reload: "live" }),
  /**
   * Ends a session as soon as there were this many answers for each of its datagrams: 1 for DNS. It frees a socket at
   * once, which is otherwise kept for `idleTimeout` of the router. 0: the number is not known.
   */
  expectedAnswers: prop.integer({ default: 0, max: 1_000_000, reload: "live" }),
  /** What happens to the sessions of a node that health checks find down. A closed one begins anew, at another node. */
  onNodeDown: prop.choice(["keep", "close"], { default: "close", reload: "live" }),
  /** Another backend that gets a copy of each datagram. Its answers are dropped. */
  mirrorTo: prop.reference(backendKind, { offering: udpsNodes, reload: "live" }),
};

/**
 * Passes the datagrams of a session on to a node of a backend, and its answers back, from the address that the client
 * has sent to.
 */
export const udpsProxy = defineDealet({
  sign: "udpsProxy",
  props,
  offers: [udpsDealet],
  create: (context): DealetPart & UdpsDealet => new DatagramProxy(context),
});
