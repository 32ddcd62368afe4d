// How links end whose peer is slow, with a socket and without one.

import { once } from "node:events";
import * as net from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { BareConn } from "./bare-conn.ts";
import { Link, type LinkUser } from "./link.ts";
import { Listeners } from "./listener.ts";
import { tcpHandles } from "./tcp-handles.ts";

/** A client that reads nothing yet, and the link of the connection that a listener has accepted of it. */
async function accept(kind: "bare" | "socket") {
  const share = await new Listeners().share({ host: "127.0.0.1", port: 0 }, { path: "test", stage: {} });
  while (tcpHandles() === undefined) await turn();
  const { promise, resolve } = Promise.withResolvers<net.Socket | BareConn>();
  share.accept(resolve, kind === "bare" ? resolve : undefined);
  const client = net.connect({ host: "127.0.0.1", port: share.port, allowHalfOpen: true });
  const errors: (string | undefined)[] = [];
  client.on("error", (error: NodeJS.ErrnoException) => errors.push(error.code));
  const [accepted] = await Promise.all([promise, once(client, "connect")]);
  expect(accepted instanceof BareConn).toBe(kind === "bare");
  const user = new Recorder();
  const link = new Link(() => accepted, user);
  link.hold(false);
  return {
    client,
    errors,
    link,
    user,
    async [Symbol.asyncDispose]() {
      client.destroy();
      link.destroy();
      await share.release();
    },
  };
}

class Recorder implements LinkUser {
  readonly told: string[] = [];
  readonly closes = Promise.withResolvers<void>();

  received(): void {}
  ended(): void {
    this.told.push("ended");
  }
  drained(): void {
    this.told.push("drained");
  }
  closed(): void {
    this.told.push("closed");
    this.closes.resolve();
  }
}

/** More than the system takes of what nobody reads. */
const much = Buffer.alloc(20_000_000, "x");

/** How many bytes a client is sent until the end, and reads only now. */
async function sizeOf(client: net.Socket): Promise<number> {
  let size = 0;
  client.on("data", (bytes: Buffer) => (size += bytes.length));
  await once(client, "end");
  return size;
}

describe.each(["bare", "socket"] as const)("a link that has ended, but is not all sent (%s)", (kind) => {
  test("may be reset, and its peer learns of it", async () => {
    await using pair = await accept(kind);
    pair.link.write(much, false);
    pair.link.end();
    await turn();
    pair.link.reset();
    await pair.user.closes.promise;
    await new Promise((resolve) => pair.client.resume().once("close", resolve));
    expect(pair.errors).toEqual(["ECONNRESET"]);
    expect(pair.user.told).toEqual(["closed"]);
  });

  test("closes if it is reset while the system shuts it", async () => {
    await using pair = await accept(kind);
    pair.link.write(Buffer.from("bye"), false);
    pair.link.end();
    // Now a socket tells the system.
    await new Promise<void>((resolve) => process.nextTick(resolve));
    pair.link.reset();
    await pair.user.closes.promise;
    expect(pair.user.told).toEqual(["closed"]);
  });

  test.each(["before", "after"])(
    "loses nothing if somebody asks for its socket, %s its peer has ended",
    async (when) => {
      await using pair = await accept(kind);
      const { client, link, user } = pair;
      link.write(much, false);
      link.end();
      if (when === "after") client.end();
      while (when === "after" && !link.hasEnded) await turn();
      expect([link.socket.writableFinished, link.socket.destroyed, link.isComplete]).toEqual([false, false, false]);
      if (when === "before") client.end();
      while (!link.hasEnded) await turn();
      expect(await sizeOf(client)).toBe(much.length);
      await user.closes.promise;
      expect([user.told, link.isComplete]).toEqual([["ended", "closed"], true]);
    },
  );

  test("asks for no more", async () => {
    await using pair = await accept(kind);
    expect(pair.link.write(much, false)).toBe(false);
    pair.link.end();
    expect(pair.link.needsDrain).toBe(false);
    expect(await sizeOf(pair.client)).toBe(much.length);
    pair.client.end();
    await pair.user.closes.promise;
    expect(pair.user.told).toEqual(["ended", "closed"]);
  });

  test("says nothing once it is given away", async () => {
    await using pair = await accept(kind);
    expect(pair.link.write(much, false)).toBe(false);
    const socket = pair.link.release(Buffer.alloc(0));
    const size = sizeOf(pair.client);
    socket.end();
    expect(await size).toBe(much.length);
    expect(pair.user.told).toEqual([]);
  });

  test("is complete also if it is ended twice", async () => {
    await using pair = await accept(kind);
    pair.client.end();
    while (!pair.link.hasEnded) await turn();
    pair.link.end();
    pair.link.end();
    await pair.user.closes.promise;
    expect(pair.link.isComplete).toBe(true);
  });
});
