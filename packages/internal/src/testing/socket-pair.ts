// Both ends of a connection, for tests of what happens at a socket.

import { once } from "node:events";
import * as net from "node:net";
import * as tls from "node:tls";
import { testAuthority } from "./certificates.ts";

export type Transport = "TCP" | "TLS";

/** Disposing of it closes both. */
export interface SocketPair extends AsyncDisposable {
  readonly client: net.Socket;
  readonly accepted: net.Socket;
}

/** A client, and what a server has accepted of it. Either may go on when the other has ended. */
export async function connectPair(transport: Transport = "TCP"): Promise<SocketPair> {
  const isSecure = transport === "TLS";
  const listener = isSecure
    ? tls.createServer({ allowHalfOpen: true, ...(await (await testAuthority()).issue({})) })
    : net.createServer({ allowHalfOpen: true });
  const server = listener.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  const taken = Promise.withResolvers<net.Socket>();
  server.on(isSecure ? "secureConnection" : "connection", (socket: net.Socket) => taken.resolve(socket));
  const options = { port: address.port, allowHalfOpen: true };
  const client = isSecure ? tls.connect({ ...options, rejectUnauthorized: false }) : net.connect(options);
  const accepted = await taken.promise;
  server.close();
  return {
    client,
    accepted,
    async [Symbol.asyncDispose]() {
      client.destroy();
      accepted.destroy();
      if (!accepted.closed) await once(accepted, "close");
    },
  };
}
