import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { RawBackend } from "../testing/raw-backend.ts";
import { connectPair } from "../testing/socket-pair.ts";
import { Link, type LinkUser } from "./link.ts";

const nobody: LinkUser = { received: () => {}, ended: () => {}, drained: () => {}, closed: () => {} };

function dial({ port }: RawBackend, user = nobody): Link {
  return new Link((onread) => connect({ port, host: "127.0.0.1", allowHalfOpen: true, onread }), user);
}

/** How many bytes the system has not taken yet of what was written past the stream. */
function queued(socket: Socket): number {
  const handle = Reflect.get(socket, "_handle") as { readonly writeQueueSize: number };
  return handle.writeQueueSize;
}

test("a peer that has shut its side, and reads late, gets all that was written before the end", async () => {
  await using server = await RawBackend.listen(({ socket }) => Promise.resolve(socket.pause().end()));
  const ended = Promise.withResolvers<void>();
  const link = dial(server, { ...nobody, ended: ended.resolve });
  await ended.promise;
  const piece = Buffer.alloc(500, "x");
  while (queued(link.socket) === 0) link.write(piece, true);
  link.end();
  let size = 0;
  const [peer] = server.conns;
  peer?.socket.on("data", (bytes: Buffer) => (size += bytes.length)).resume();
  await once(link.socket, "close");
  while (peer?.socket.readableEnded === false) await once(peer.socket, "end");
  expect(size).toBe(link.sent);
  expect(link.isComplete).toBe(true);
});

test("a link that its watcher starts as it connects is read without a pause", async () => {
  await using server = await RawBackend.listen(({ socket }) => Promise.resolve(socket.end("hello")));
  const received = Promise.withResolvers<string>();
  const link = dial(server, { ...nobody, received: (bytes) => received.resolve(bytes.toString()) });
  let pauses = 0;
  link.socket.on("pause", () => pauses++);
  const linkConnected = (): void => link.holdAfter(() => link.hold(false));
  link.watchedBy({ linkConnected, linkClosed: () => {} }, "connect");
  expect(await received.promise).toBe("hello");
  expect(pauses).toBe(0);
  link.destroy();
});

test("a link that nobody starts as it connects reads nothing until somebody does", async () => {
  await using server = await RawBackend.listen(({ socket }) => Promise.resolve(socket.end("hello")));
  const ended = Promise.withResolvers<void>();
  const link = dial(server, { ...nobody, ended: ended.resolve });
  const linkConnected = (): void => link.holdAfter(() => {});
  link.watchedBy({ linkConnected, linkClosed: () => {} }, "connect");
  await once(link.socket, "connect");
  // The peer's system has sent all of it.
  while (server.conns[0]?.socket.writableFinished !== true) await turn();
  for (let turns = 0; turns < 10; turns++) await turn();
  expect(link.received).toBe(0);
  link.hold(false);
  await ended.promise;
  expect(link.received).toBe(5);
  link.destroy();
});

test("who watches a link learns of the end of a socket that was given away", async () => {
  await using server = await RawBackend.listen(() => Promise.resolve());
  const link = dial(server);
  await once(link.socket, "connect");
  const closed = Promise.withResolvers<void>();
  link.watchedBy({ linkClosed: closed.resolve });
  link.release(Buffer.alloc(0)).destroy();
  await closed.promise;
});

test.each(["received", "ended"] as const)("what `%s` of a user throws resets this connection alone", async (method) => {
  await using server = await RawBackend.listen(async ({ socket }) => {
    socket.end("hello");
    await once(socket, "close");
  });
  const closed = Promise.withResolvers<void>();
  const error = new Error("a mistake");
  const user = { ...nobody, closed: closed.resolve };
  user[method] = () => {
    throw error;
  };
  const link = dial(server, user);
  await closed.promise;
  expect(link.error).toBe(error);
  expect(link.isComplete).toBe(false);
});

test("a user that throws is told so before the connection is reset, and who watches learns of the end all the same", async () => {
  await using server = await RawBackend.listen(() => Promise.resolve());
  const error = new Error("a mistake");
  const told: unknown[] = [];
  const user: LinkUser = {
    ...nobody,
    closed() {
      throw error;
    },
    threw: (thrown) => void told.push("user", thrown),
  };
  const link = dial(server, user);
  const closed = Promise.withResolvers<void>();
  const watcher = {
    linkConnected() {
      throw error;
    },
    linkThrew: (thrown: unknown) => void told.push("watcher", thrown),
    linkClosed: closed.resolve,
  };
  link.watchedBy(watcher, "connect");
  await closed.promise;
  // For `linkConnected`, and for `closed`.
  expect(told).toEqual(["user", error, "watcher", error, "user", error, "watcher", error]);
});

test("who watches a link is told what is thrown at the one that takes its place, over TLS", async () => {
  await using server = await RawBackend.listen(({ socket }) => Promise.resolve(void socket.write("hello")));
  const link = dial(server);
  await once(link.socket, "connect");
  const error = new Error("a mistake");
  const thrown = Promise.withResolvers<unknown>();
  link.watchedBy({ linkClosed: () => {}, linkThrew: thrown.resolve });
  const user = {
    ...nobody,
    received() {
      throw error;
    },
  };
  const successor = link.succeededBy(link.release(Buffer.alloc(0)), user, () => {});
  successor.hold(true);
  successor.hold(false);
  expect(await thrown.promise).toBe(error);
  expect(successor.error).toBe(error);
});

test("what a watcher throws at the end is told, and does not end the process", async () => {
  await using server = await RawBackend.listen(() => Promise.resolve());
  const error = new Error("a mistake");
  const thrown = Promise.withResolvers<unknown>();
  const linkClosed = (): never => {
    throw error;
  };
  const link = dial(server);
  link.watchedBy({ linkClosed, linkThrew: thrown.resolve });
  link.destroy();
  expect(await thrown.promise).toBe(error);
});

test("a user that writes nothing, while TLS decrypts, gets all in order and unchanged", async () => {
  await using pair = await connectPair("TLS");
  const sent = Buffer.alloc(64 * 1024);
  for (let at = 0; at < sent.length; at += 4) sent.writeUInt32BE(at, at);
  const pieces: Buffer[] = [];
  const ended = Promise.withResolvers<void>();
  const link: Link = new Link(() => pair.accepted, {
    ...nobody,
    received(bytes) {
      expect(link.write(Buffer.alloc(0), false)).toBe(true);
      pieces.push(Buffer.from(bytes));
    },
    ended: ended.resolve,
  });
  pair.client.end(sent);
  await ended.promise;
  expect(link.error).toBeUndefined();
  expect(Buffer.concat(pieces).equals(sent)).toBe(true);
});
