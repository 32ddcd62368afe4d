// For tests, of contribs too: a server of Node.js at a free port.

import { once } from "node:events";
import type { Server, Socket } from "node:net";

/** Disposing of it ends its connections. */
export interface Listening extends AsyncDisposable {
  readonly port: number;
  /** Those that are open; below TLS, if the server speaks it. */
  readonly sockets: ReadonlySet<Socket>;
}

/** Lets a server listen at a free port of 127.0.0.1: one of node:net, or of what is built on it. */
export async function listening(server: Server): Promise<Listening> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket.on("error", () => undefined).on("close", () => sockets.delete(socket)));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return {
    port: address !== null && typeof address === "object" ? address.port : 0,
    sockets,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
