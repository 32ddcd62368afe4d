// echoServer: sends back what comes (RFC 862).

import { connTaker, defineServer } from "@hemi/internal";
import { ConnServer, connServerProps } from "./conn-server.ts";

/** Sends back what comes, at the pace of the client. For tests. */
export const echoServer = defineServer({
  sign: "echoServer",
  props: connServerProps,
  check: ConnServer.check,
  offers: [connTaker],
  create: (context): ConnServer =>
    new ConnServer(context, (conn) => {
      const { socket } = conn;
      conn.idleTimeoutChanged = () => void socket.setTimeout(context.props.idleTimeout);
      socket.on("timeout", () => socket.destroy()).setTimeout(context.props.idleTimeout);
      socket.pipe(socket);
    }),
});
