import { once } from "node:events";
import * as net from "node:net";
import { expect, test } from "vitest";
import { AcceptedSocket } from "./accepted-socket.ts";

interface Pair extends AsyncDisposable {
  readonly client: net.Socket;
  readonly accepted: AcceptedSocket;
}

/** A client and what a server has accepted of it, taken over. */
async function connect(): Promise<Pair> {
  const server = net.createServer({ allowHalfOpen: true }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  const taken = Promise.withResolvers<net.Socket>();
  server.on("connection", (socket) => taken.resolve(AcceptedSocket.takeOver(socket)));
  const client = net.connect({ port: address.port, allowHalfOpen: true });
  const accepted = await taken.promise;
  // The server counts what was taken over no more: it ends before the connection does.
  await new Promise((resolve) => server.close(resolve));
  if (!(accepted instanceof AcceptedSocket)) throw new Error("this runtime does not let sockets be taken over");
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

/** Settles with what has come once it is as much as `size` bytes. */
function collect(size: number): { readonly take: (bytes: Buffer) => void; readonly all: Promise<string> } {
  const all = Promise.withResolvers<string>();
  let text = "";
  const take = (bytes: Buffer): void => {
    text += bytes.toString("latin1");
    if (text.length >= size) all.resolve(text);
  };
  return { take, all: all.promise };
}

test("it is the stream that the accepted socket was", async () => {
  await using pair = await connect();
  const { client, accepted } = pair;
  expect(accepted.remotePort).toBe(client.localPort);
  client.end("one two");
  let text = "";
  for await (const piece of accepted) text += String(piece);
  expect(text).toBe("one two");
  expect(accepted.destroyed).toBe(false);
  accepted.end("three");
  expect(String(await once(client, "data"))).toBe("three");
});

test("what its stream holds is not overwritten by what other sockets read", async () => {
  await using first = await connect();
  await using second = await connect();
  first.accepted.pause();
  first.client.write("x".repeat(1000));
  await once(first.accepted, "readable");
  const { take, all } = collect(1000);
  second.accepted.readDirectly(take);
  second.client.write("y".repeat(1000));
  expect(await all).toBe("y".repeat(1000));
  expect(String(first.accepted.read())).toBe("x".repeat(1000));
});

test("a stream that nobody reads takes what fits and sees its end; all of the rest follows once it is read", async () => {
  await using pair = await connect();
  const { client, accepted } = pair;
  accepted.pause();
  const size = 8 * 1024 * 1024;
  const sent = Buffer.alloc(size, "abcdefg");
  client.end(sent);
  await once(accepted, "readable");
  expect(accepted.readableLength).toBeLessThan(256 * 1024);
  const pieces: Buffer[] = [];
  accepted.on("data", (piece: Buffer) => pieces.push(piece)).resume();
  await once(accepted, "end");
  expect(Buffer.concat(pieces).equals(sent)).toBe(true);

  await using idle = await connect();
  idle.accepted.pause();
  idle.client.end();
  await once(idle.accepted, "end");
});

test("a direct reader gets what comes, behind what the stream had already", async () => {
  await using pair = await connect();
  const { client, accepted } = pair;
  client.write("first ");
  await once(accepted, "readable");
  const { take, all } = collect(12);
  accepted.on("data", take);
  accepted.readDirectly(take);
  client.write("second");
  expect(await all).toBe("first second");
});

test("a direct reader that pauses gets nothing until it resumes", async () => {
  await using pair = await connect();
  await using other = await connect();
  const { client, accepted } = pair;
  const { take, all } = collect(1);
  let isPaused = true;
  accepted.readDirectly((bytes) => {
    expect(isPaused).toBe(false);
    take(bytes);
  });
  accepted.pause();
  client.write("later");
  // Once this has come, the other would have as well.
  const { take: takeOther, all: allOfOther } = collect(1);
  other.accepted.readDirectly(takeOther);
  other.client.write("now");
  expect(await allOfOther).toBe("now");
  isPaused = false;
  accepted.resume();
  expect(await all).toBe("later");
});

test("a direct reader may leave the rest to the stream", async () => {
  await using pair = await connect();
  const { client, accepted } = pair;
  const head = collect(4);
  accepted.readDirectly((bytes) => {
    head.take(bytes);
    accepted.pause();
    accepted.readAsStream();
  });
  client.write("head");
  expect(await head.all).toBe("head");
  client.end("the rest");
  let text = "";
  for await (const piece of accepted) text += String(piece);
  expect(text).toBe("the rest");
});

test.each(["something", ""])("what has read %j already stays as it is", async (text) => {
  await using server = net.createServer({ allowHalfOpen: true }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  const client = net.connect(address.port).end(text);
  const [accepted] = (await once(server, "connection")) as [net.Socket];
  await once(accepted, text === "" ? "end" : "readable");
  expect(AcceptedSocket.takeOver(accepted)).toBe(accepted);
  client.destroy();
  accepted.destroy();
});

test("what has no handle to take over stays as it is", () => {
  const socket = new net.Socket();
  expect(AcceptedSocket.takeOver(socket)).toBe(socket);
  socket.destroy();
});
