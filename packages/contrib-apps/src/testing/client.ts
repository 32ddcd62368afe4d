// For tests: a client that sends what it is told, and gives what comes.

import { once } from "node:events";
import { connect, type Socket } from "node:net";

/**
 * Sends a request and reads to the end of the connection. Lines end with `\n` in `text`; `host` and `connection: close`
 * are added.
 */
export async function exchange(port: number, text: string): Promise<string> {
  const socket = await open(port, text);
  const pieces: Buffer[] = [];
  for await (const piece of socket as AsyncIterable<Buffer>) pieces.push(piece);
  return Buffer.concat(pieces).toString("latin1");
}

/** Sends a request and leaves the rest to the caller. */
export async function open(port: number, text: string): Promise<Socket> {
  const [head = "", content = ""] = text.split(/\n\n(.*)/s);
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  await once(socket, "connect");
  const lines = [...head.split("\n"), "host: shop.example:8080", "connection: close"];
  socket.write(Buffer.from(lines.join("\r\n") + "\r\n\r\n" + content, "latin1"));
  return socket;
}

/** Reads until `wanted` has come. */
export async function until(socket: Socket, wanted: string): Promise<string> {
  let text = "";
  while (!text.includes(wanted)) {
    const [piece] = (await once(socket, "data")) as [Buffer];
    text += piece.toString("latin1");
  }
  return text;
}
