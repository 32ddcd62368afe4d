// A capability of servers: they take connections that another component of the stage has accepted.

import type { Socket } from "node:net";
import { capability } from "../component/capability.ts";
import type { Peer } from "../net/peer.ts";
import type { TlsFacts } from "../net/tls/tls-facts.ts";

/** Takes connections that it has not accepted itself. */
export interface ConnTaker {
  /**
   * Serves the connection as if it had come in at the server's own address: with its TLS, its codecs and its limits.
   * The socket is paused, and everything that was received is still to be read from it. `peer` names the client. `tls`:
   * TLS was terminated already, so the server makes no handshake. Returns false if the socket was destroyed instead.
   */
  takeConn(socket: Socket, peer: Peer, tls: TlsFacts | undefined): boolean;
}

/** Takes connections that another component has accepted. */
export const connTaker = capability<ConnTaker>("conn-taker");
