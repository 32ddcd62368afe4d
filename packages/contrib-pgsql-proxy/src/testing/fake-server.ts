// Servers of PostgreSQL that do as much as a test needs, or the wrong thing.

import { createServer, type Socket } from "node:net";
import { listening, type Listening } from "@hemi/internal/testing";
import { authenticationOk, int32, message, readyIdle } from "../protocol/messages.ts";

/** Gives what it receives to `answer`. */
export function fakeServer(answer: (received: Buffer, socket: Socket) => void): Promise<Listening> {
  return listening(createServer((socket) => socket.on("data", (bytes) => answer(bytes, socket))));
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
