// handOver: gives connections to a server of the stage, in the same process.

import { connTaker } from "../../front/conn-taker.ts";
import { prop } from "../../component/prop.ts";
import { serverKind } from "../../stage/kinds/server.ts";
import { defineDealet, type DealetPart } from "../kinds.ts";
import { tcpsDealet, type TcpsDealet } from "./dealet.ts";

/**
 * Gives a connection, with everything received so far, to a server of the stage: without a second hop, and the server
 * knows the real client. The server makes the TLS handshake, if the router has not. It counts the connection from then
 * on, and closes it if it has too many.
 */
export const handOver = defineDealet({
  sign: "handOver",
  props: {
    /** The server, by its name, such as an `httpxServer`. */
    toServer: prop.reference(serverKind, { offering: connTaker, required: true, reload: "live" }),
  },
  offers: [tcpsDealet],
  create: ({ props }): DealetPart & TcpsDealet => ({
    takeConn(conn) {
      const { peer, tls } = conn;
      const socket = conn.release();
      if (socket !== undefined) props.toServer.current.takeConn(socket, peer, tls);
      return true;
    },
    explain: () => ({ takes: "yes", text: `gives it to ${props.toServer.path}` }),
  }),
});
