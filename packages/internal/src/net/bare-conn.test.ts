import { channel } from "node:diagnostics_channel";
import { once } from "node:events";
import * as net from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { RawBackend } from "../testing/raw-backend.ts";
import { BareConn } from "./bare-conn.ts";
import { Link, type LinkUser } from "./link.ts";
import { Listeners } from "./listener.ts";
import { peerOf, peerOnDemand } from "./peer.ts";
import { tcpHandles } from "./tcp-handles.ts";

type Kind = "bare" | "socket";

/** A client, and the connection that a listener has accepted of it. */
async function accept(kind: Kind, host = "127.0.0.1") {
  const share = await new Listeners().share({ host, port: 0 }, { path: "test", stage: {} });
  while (tcpHandles() === undefined) await turn();
  const { promise, resolve } = Promise.withResolvers<net.Socket | BareConn>();
  share.accept(resolve, kind === "bare" ? resolve : undefined);
  const client = net.connect({ host, port: share.port, allowHalfOpen: true });
  client.on("error", () => {});
  const [accepted] = await Promise.all([promise, once(client, "connect")]);
  return {
    client,
    accepted,
    async [Symbol.asyncDispose]() {
      client.destroy();
      accepted.destroy();
      await share.release();
    },
  };
}

async function acceptBare() {
  const pair = await accept("bare");
  const { accepted } = pair;
  if (!(accepted instanceof BareConn)) throw new Error("it has a socket");
  return { ...pair, accepted };
}

/** Keeps what it is told. */
class Recorder implements LinkUser {
  text = "";
  readonly told: string[] = [];
  readonly ends = Promise.withResolvers<void>();
  readonly closes = Promise.withResolvers<void>();
  #drains = Promise.withResolvers<void>();

  received(bytes: Buffer): void {
    this.text += bytes.toString("latin1");
  }
  ended(): void {
    this.told.push("ended");
    this.ends.resolve();
  }
  drained(): void {
    this.told.push("drained");
    this.#drains.resolve();
    this.#drains = Promise.withResolvers();
  }
  closed(): void {
    this.told.push("closed");
    this.closes.resolve();
  }
  async drain(): Promise<void> {
    await this.#drains.promise;
  }
  async has(text: string): Promise<void> {
    while (this.text !== text) await turn();
  }
}

/** All that a client is sent until the end. */
async function textOf(client: net.Socket): Promise<string> {
  let text = "";
  client.on("data", (bytes: Buffer) => (text += bytes.toString("latin1")));
  await once(client, "end");
  return text;
}

/** What people see of an error. */
function seen(error: Error | undefined): object {
  return Object.assign({}, error, { message: error?.message });
}

describe.each(["bare", "socket"] as const)("a link of an accepted connection (%s)", (kind) => {
  test("passes both ways, and each side may end first", async () => {
    await using pair = await accept(kind);
    const user = new Recorder();
    const link = new Link(() => pair.accepted, user);
    link.hold(true);
    pair.client.end("question");
    link.hold(false);
    await user.ends.promise;
    expect(user.text).toBe("question");
    const answer = textOf(pair.client);
    link.write(Buffer.from("ans"), true);
    link.write(Buffer.from("wer"), false);
    link.end();
    expect(await answer).toBe("answer");
    await user.closes.promise;
    expect([link.received, link.sent, link.isComplete, user.told]).toEqual([8, 6, true, ["ended", "closed"]]);
  });

  test("may be shut while its peer still sends", async () => {
    await using pair = await accept(kind);
    const user = new Recorder();
    const link = new Link(() => pair.accepted, user);
    link.hold(false);
    link.write(Buffer.from("bye"), false);
    link.end();
    expect(await textOf(pair.client)).toBe("bye");
    pair.client.end("still here");
    await user.closes.promise;
    expect([user.text, link.isComplete]).toEqual(["still here", true]);
  });

  test("is written at the pace of a slow peer, and loses nothing", async () => {
    await using pair = await accept(kind);
    const user = new Recorder();
    const link = new Link(() => pair.accepted, user);
    link.hold(false);
    const piece = Buffer.alloc(60_000, "x");
    let size = 0;
    while (link.write(piece, size % 3 === 0)) size += piece.length;
    size += piece.length;
    expect([link.needsDrain, link.unsent > 0]).toEqual([true, true]);
    let got = 0;
    pair.client.on("data", (bytes: Buffer) => (got += bytes.length));
    await user.drain();
    expect([link.needsDrain, link.unsent]).toEqual([false, 0]);
    link.end();
    await once(pair.client, "end");
    expect(got).toBe(size);
  });

  test("reads nothing while it is held, and everything after that", async () => {
    await using pair = await accept(kind);
    const user = new Recorder();
    const link = new Link(() => pair.accepted, user);
    link.hold(false);
    pair.client.write("first");
    await user.has("first");
    link.hold(true);
    pair.client.end("second");
    await once(pair.client, "finish");
    for (let turns = 0; turns < 10; turns++) await turn();
    expect([user.text, link.hasEnded]).toEqual(["first", false]);
    link.hold(false);
    await user.ends.promise;
    expect(user.text).toBe("firstsecond");
  });

  test("learns why its peer broke it, and that it is closed, once", async () => {
    await using pair = await accept(kind);
    const user = new Recorder();
    const link = new Link(() => pair.accepted, user);
    link.hold(false);
    pair.client.resetAndDestroy();
    await user.closes.promise;
    expect(seen(link.error)).toMatchObject({ message: "read ECONNRESET", code: "ECONNRESET", syscall: "read" });
    expect([link.isComplete, link.isDestroyed, user.told]).toEqual([false, true, ["closed"]]);
  });

  test("learns that what it writes is not taken", async () => {
    await using pair = await accept(kind);
    const user = new Recorder();
    const link = new Link(() => pair.accepted, user);
    link.hold(true);
    pair.client.resetAndDestroy();
    await once(pair.client, "close");
    for (let turns = 0; turns < 10; turns++) {
      link.write(Buffer.from("anybody?"), false);
      await turn();
    }
    await user.closes.promise;
    expect(seen(link.error)).toMatchObject({ code: "ECONNRESET", syscall: "write", message: "write ECONNRESET" });
  });

  test("is reset so that its peer learns of it", async () => {
    await using pair = await accept(kind);
    const user = new Recorder();
    const link = new Link(() => pair.accepted, user);
    const failed = once(pair.client, "error");
    link.reset();
    expect(await failed).toEqual([expect.objectContaining({ code: "ECONNRESET" })]);
    await user.closes.promise;
    expect(link.write(Buffer.from("too late"), false)).toBe(false);
  });

  test("breaks if it is written to behind its end", async () => {
    await using pair = await accept(kind);
    const user = new Recorder();
    const link = new Link(() => pair.accepted, user);
    link.end();
    link.write(Buffer.from("one more"), false);
    await user.closes.promise;
    expect(seen(link.error)).toMatchObject({ code: "ERR_STREAM_WRITE_AFTER_END", message: "write after end" });
  });

  test.each(["127.0.0.1", "::1"])("knows the addresses of both ends: %s", async (host) => {
    await using pair = await accept(kind, host);
    const { localPort, remotePort } = pair.client;
    const peer = peerOnDemand(pair.accepted);
    expect(peer).toMatchObject({ address: host, port: localPort });
    expect(peer.local).toEqual({ address: host, port: remotePort });
  });
});

test("knows no addresses any more once it is closed", async () => {
  await using pair = await acceptBare();
  pair.accepted.destroy();
  expect(peerOf(pair.accepted)).toMatchObject({ address: "", port: 0, local: undefined });
});

test("it is no socket for those who need none", async () => {
  await using bare = await accept("bare");
  expect(bare.accepted).toBeInstanceOf(BareConn);
  await using other = await accept("socket");
  expect(other.accepted).toBeInstanceOf(net.Socket);
});

test.each(["net.server.socket", "net.client.socket"])("whoever follows %s gets sockets to see", async (name) => {
  await using backend = await RawBackend.listen(() => Promise.resolve());
  const follow = (): void => {};
  const share = await new Listeners().share({ host: "127.0.0.1", port: 0 }, { path: "test", stage: {} });
  while (tcpHandles() === undefined) await turn();
  channel(name).subscribe(follow);
  try {
    const { promise, resolve } = Promise.withResolvers<net.Socket | BareConn>();
    share.accept(resolve, resolve);
    const client = net.connect({ host: "127.0.0.1", port: share.port });
    expect(await promise).toBeInstanceOf(net.Socket);
    client.destroy();
    expect(BareConn.dial("127.0.0.1", backend.port)).toBeUndefined();
  } finally {
    channel(name).unsubscribe(follow);
    await share.release();
  }
});

describe("one that becomes a socket", () => {
  test("goes on where it was, in both directions", async () => {
    await using pair = await acceptBare();
    const user = new Recorder();
    const link = new Link(() => pair.accepted, user);
    link.hold(false);
    pair.client.write("one ");
    await user.has("one ");
    const piece = Buffer.alloc(100_000, "x");
    while (link.write(piece, false)) await turn();
    const { socket } = link;
    expect([socket, link.needsDrain, link.unsent > 0]).toEqual([link.socket, true, true]);
    link.write(Buffer.from("end"), false);
    pair.client.end("two");
    await user.ends.promise;
    expect(user.text).toBe("one two");
    // Not all is sent: it must not be closed as a whole.
    link.end();
    const text = await textOf(pair.client);
    expect([text.length, text.slice(-3)]).toEqual([link.sent, "end"]);
    await user.closes.promise;
    expect(user.told.filter((what) => what !== "drained")).toEqual(["ended", "closed"]);
    expect(link.isComplete).toBe(true);
  });

  test("stays held, and ends once", async () => {
    await using pair = await acceptBare();
    const user = new Recorder();
    const link = new Link(() => pair.accepted, user);
    const { socket } = link;
    pair.client.end("late");
    await once(pair.client, "finish");
    for (let turns = 0; turns < 10; turns++) await turn();
    expect(user.text).toBe("");
    link.hold(false);
    await user.ends.promise;
    expect(user.text).toBe("late");
    link.end();
    await user.closes.promise;
    expect([socket.destroyed, user.told]).toEqual([true, ["ended", "closed"]]);
  });

  test("is not told of an end again", async () => {
    await using pair = await acceptBare();
    const user = new Recorder();
    const link = new Link(() => pair.accepted, user);
    link.hold(false);
    pair.client.end("all");
    await user.ends.promise;
    const answer = textOf(pair.client);
    link.socket.write("answer");
    link.end();
    expect(await answer).toBe("answer");
    await user.closes.promise;
    expect([user.told, link.isComplete]).toEqual([["ended", "closed"], true]);
  });

  test("is a destroyed one if it was closed before", async () => {
    await using pair = await acceptBare();
    const user = new Recorder();
    const link = new Link(() => pair.accepted, user);
    link.destroy();
    expect(link.socket.destroyed).toBe(true);
    await user.closes.promise;
    await turn();
    expect(user.told).toEqual(["closed"]);
  });

  test("is given away with what is unread, and its close is still heard of", async () => {
    await using pair = await acceptBare();
    const closes = Promise.withResolvers<void>();
    pair.accepted.once("close", closes.resolve);
    const user = new Recorder();
    const link = new Link(() => pair.accepted, user);
    link.hold(false);
    pair.client.write("unread");
    await user.has("unread");
    const socket = link.release(Buffer.from("unread"));
    expect(socket.isPaused()).toBe(true);
    pair.client.end(", and more");
    expect(await textOf(socket.resume())).toBe("unread, and more");
    socket.end();
    await closes.promise;
    expect(user.told).toEqual([]);
  });
});

describe("one that is dialled", () => {
  test("is held until it is used, and sends small pieces at once", async () => {
    await using backend = await RawBackend.listen(({ socket }) => Promise.resolve(socket.end("hello")));
    const user = new Recorder();
    const connects = Promise.withResolvers<void>();
    const link = new Link(() => dialBare("127.0.0.1", backend.port), user);
    link.watchedBy({ linkConnected: connects.resolve, linkClosed: () => {} }, "connect");
    await connects.promise;
    while (backend.conns[0]?.socket.writableFinished !== true) await turn();
    for (let turns = 0; turns < 10; turns++) await turn();
    expect(user.text).toBe("");
    link.hold(false);
    await user.ends.promise;
    expect(user.text).toBe("hello");
    link.end();
    await user.closes.promise;
    expect(link.isComplete).toBe(true);
  });

  test.each([
    ["nobody listens", "127.0.0.1"],
    ["nobody listens, over IPv6", "::1"],
    ["nobody can be reached so", "255.255.255.255"],
  ])("fails as a socket does: %s", async (_, host) => {
    await using backend = await RawBackend.listen(() => Promise.resolve());
    const { port } = backend;
    await backend[Symbol.asyncDispose]();
    const user = new Recorder();
    const link = new Link(() => dialBare(host, port), user);
    const [error] = (await once(net.connect({ host, port }), "error").catch((thrown: unknown) => [thrown])) as [Error];
    await user.closes.promise;
    // Where no local address was chosen, the runtime appends one of zeros.
    const message = error.message.replace(" - Local (0.0.0.0:0)", "");
    expect(seen(link.error)).toEqual({ ...seen(error), message });
    expect(user.told).toEqual(["closed"]);
  });

  test("may be given up while it is dialled", async () => {
    await using backend = await RawBackend.listen(() => Promise.resolve());
    const user = new Recorder();
    const link = new Link(() => dialBare("127.0.0.1", backend.port), user);
    link.watchedBy({ linkConnected: () => void user.told.push("connected"), linkClosed: () => {} }, "connect");
    link.destroy();
    await user.closes.promise;
    expect([link.error, user.told]).toEqual([undefined, ["closed"]]);
  });

  test("is left to sockets if the host is a name", () => {
    expect(BareConn.dial("localhost", 80)).toBeUndefined();
  });
});

function dialBare(host: string, port: number): BareConn {
  const conn = BareConn.dial(host, port);
  if (conn === undefined) throw new Error("only sockets can dial here");
  return conn;
}
