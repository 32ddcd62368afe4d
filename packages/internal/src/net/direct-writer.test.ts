import { once } from "node:events";
import * as net from "node:net";
import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { DirectWriter } from "./direct-writer.ts";

/** A connected pair; nothing is read from `peer` before someone asks. */
async function connect(): Promise<{ socket: net.Socket; peer: net.Socket } & Disposable> {
  const server = net.createServer({ pauseOnConnect: true }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  const socket = net.connect(address.port);
  const [peer] = (await once(server, "connection")) as [net.Socket];
  if (socket.connecting) await once(socket, "connect");
  server.close();
  return {
    socket,
    peer,
    [Symbol.dispose]() {
      socket.destroy();
      peer.destroy();
    },
  };
}

async function textOf(peer: net.Socket): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of peer) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString("latin1");
}

test("texts and bytes come in the order of their writes, with those of the stream between, to a slow reader", async () => {
  using pair = await connect();
  const { socket, peer } = pair;
  const writer = new DirectWriter(socket);
  let expected = "";
  let mayGoOn = true;
  // Until neither the system nor the stream takes more: the last ones are not sent at once.
  for (let i = 0; mayGoOn; i++) {
    const text = `${i}:é${"x".repeat(8000)}\n`;
    mayGoOn = i % 2 === 0 ? writer.write(text) : writer.writeBytes(Buffer.from(text, "latin1"));
    if (i % 3 === 0) socket.write(`(${i})`, "latin1");
    expected += i % 3 === 0 ? `${text}(${i})` : text;
  }
  expect(socket.writableNeedDrain).toBe(true);
  const drained = once(socket, "drain");
  const read = textOf(peer);
  await drained;
  expect(writer.write("last")).toBe(true);
  socket.end();
  expect((await read) === `${expected}last`).toBe(true);
});

test.each<[string, (writer: DirectWriter) => boolean]>([
  ["text", (writer) => writer.write("text")],
  ["bytes", (writer) => writer.writeBytes(new Uint8Array(9))],
])("a write of %s to a peer that has reset the connection destroys the socket with the error", async (_what, write) => {
  using pair = await connect();
  const { socket, peer } = pair;
  const writer = new DirectWriter(socket);
  const failed = once(socket, "error");
  socket.on("error", () => undefined);
  peer.resetAndDestroy();
  await once(peer, "close");
  while (!socket.destroyed) {
    write(writer);
    await new Promise(setImmediate);
  }
  const [error] = (await failed) as [NodeJS.ErrnoException];
  expect(["EPIPE", "ECONNRESET"]).toContain(error.code);
  expect(write(writer)).toBe(false);
});

test("what is written before the connection stands, or to another kind of stream, goes through the stream", async () => {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  const socket = net.connect(address.port);
  const writer = new DirectWriter(socket);
  writer.write("one ");
  writer.writeBytes(Buffer.from("two"));
  socket.end();
  const [peer] = (await once(server, "connection")) as [net.Socket];
  expect(await textOf(peer)).toBe("one two");
  server.close();

  const stream = new PassThrough() as unknown as net.Socket;
  const piped = new DirectWriter(stream);
  piped.write("text");
  piped.writeBytes(Buffer.from(" and bytes"));
  expect(String(stream.read())).toBe("text and bytes");
});
