// Servers of PostgreSQL that do as much as a test needs, or the wrong thing.

import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { authenticationOk, int32, message, readyIdle } from "../protocol/messages.ts";

/** Gives what it receives to `answer`. */
export async function fakeServer(answer: (received: Buffer, socket: Socket) => void) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => undefined).on("close", () => sockets.delete(socket)));
    socket.on("data", (bytes) => answer(bytes, socket));
  }).listen(0, "127.0.0.1");
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

/** What a server says to whom it lets in. */
export const welcome = Buffer.concat([
  authenticationOk,
  message("S", "TimeZone\0UTC\0"),
  message("K", int32(1), int32(2)),
  readyIdle,
]);

/** Lets everyone in, and answers each Query with its text as a tag. */
export function friendly(received: Buffer, socket: Socket): void {
  if (received[0] === 0) socket.write(welcome);
  else if (received[0] === 81) socket.write(Buffer.concat([message("C", received.subarray(5)), readyIdle]));
}
