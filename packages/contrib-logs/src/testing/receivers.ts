// For tests: receivers of lines. They throw away nothing and forgive nothing.

import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { createServer as createTlsServer, type TlsOptions } from "node:tls";
import { parseMessage, takeFrames, type SyslogMessage } from "./rfc5424.ts";

export interface Receiver extends AsyncDisposable {
  /** As a configuration has it. */
  readonly address: string;
  readonly messages: readonly SyslogMessage[];
}

/** Each datagram is a message. */
export async function receiveDatagrams(port = 0): Promise<Receiver> {
  const messages: SyslogMessage[] = [];
  const socket = createSocket("udp4", (bytes) => messages.push(parseMessage(bytes)));
  socket.bind(port, "127.0.0.1");
  await once(socket, "listening");
  return {
    address: `127.0.0.1:${socket.address().port}`,
    messages,
    [Symbol.asyncDispose]: () => Promise.resolve(socket.close()).then(() => undefined),
  };
}

/** Messages by octet counting, at a port or at the path of a UNIX socket. `tls`: over TLS. */
export async function receiveFrames(at: number | string = 0, tls?: TlsOptions): Promise<Receiver> {
  const messages: SyslogMessage[] = [];
  const taking = (socket: Socket): void => {
    let rest: Buffer = Buffer.alloc(0);
    socket.on("data", (bytes: Buffer) => {
      const taken = takeFrames(Buffer.concat([rest, bytes]));
      ({ rest } = taken);
      messages.push(...taken.messages.map(parseMessage));
    });
  };
  return { ...(await receiveStream(at, taking, tls)), messages };
}

export interface Stream extends AsyncDisposable {
  readonly address: string;
}

export async function receiveStream(
  at: number | string,
  connected: (socket: Socket) => void,
  tls?: TlsOptions,
): Promise<Stream> {
  const sockets = new Set<Socket>();
  const accepted = (socket: Socket): void => {
    sockets.add(socket.on("error", () => {}).on("close", () => sockets.delete(socket)));
    connected(socket);
  };
  const server = tls === undefined ? createServer(accepted) : createTlsServer(tls, accepted);
  server.listen(typeof at === "number" ? { port: at, host: "127.0.0.1" } : { path: at });
  await once(server, "listening");
  const address = server.address();
  return {
    address: typeof address === "object" && address !== null ? `127.0.0.1:${address.port}` : String(address),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
