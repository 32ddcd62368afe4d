// Clients that die in the middle of something, clients that never get further, and servers that fail over.

import { once } from "node:events";
import type { Socket } from "node:net";
import { expect, test } from "vitest";
import { int32, message } from "./protocol/messages.ts";
import { startupMessage } from "./protocol/startup.ts";
import { fakeServer, friendly } from "./testing/fake-server.ts";
import { ann, proxy } from "./testing/proxied.ts";

test("a client that dies in a COPY, or with queries behind each other, takes its server with it", async () => {
  const received: string[] = [];
  let busy: Socket | undefined;
  await using server = await fakeServer((bytes, socket) => {
    const text = bytes.toString("latin1");
    received.push(text);
    // A request to cancel.
    if (bytes.length === 16) return void socket.end();
    if (bytes[0] === 81) busy = socket;
    if (text.includes("copy")) socket.write(message("G", Buffer.of(0, 0, 0)));
    else if (bytes[0] === 0 || text.includes("select")) friendly(bytes, socket);
  });
  await using site = await proxy(server.port, ".poolSize = 1");
  const copying = Buffer.concat([message("Q", "copy t from stdin\0"), message("d", "1\n")]);
  const queries = Buffer.concat([message("Q", "slow 1\0"), message("Q", "slow 2\0")]);
  for (const [last, bytes] of [
    ["1\n", copying],
    ["slow 2", queries],
  ] as const) {
    const dying = site.client();
    await dying.logIn("of-the-user");
    await dying.next(7);
    dying.send(bytes);
    await expect.poll(() => received.join("")).toContain(last);
    if (busy === undefined) throw new Error("no server");
    const closed = once(busy, "close");
    dying.socket.destroy();
    await closed;
  }
  const next = site.client();
  await next.logIn("of-the-user");
  next.send(message("Q", "select 1\0"));
  await next.next(9);
  expect(next.types).toBe("RRRRSKZCZ");
  next.socket.destroy();
});

test("clients that never finish their login are sent away", async () => {
  await using server = await fakeServer(friendly);
  await using site = await proxy(server.port, ".loginTimeout = 100ms");
  const silent = Array.from({ length: 50 }, () => site.client());
  const asked = Array.from({ length: 50 }, () => site.client());
  for (const client of asked) client.send(startupMessage("ann", "shop", new Map()));
  for (const client of [...silent, ...asked]) {
    expect(await client.error()).toMatchObject({ text: "the login took too long" });
  }
  const client = site.client();
  await client.logIn("of-the-user");
  await client.next(7);
  client.socket.destroy();
});

test("a client that asks for encryption by GSS does without, and goes on", async () => {
  await using server = await fakeServer(friendly);
  await using site = await proxy(server.port);
  const client = site.client();
  client.socket.write(Buffer.concat([int32(8), int32(80_877_104)]));
  const [answer] = (await once(client.socket, "data")) as [Buffer];
  expect(answer.toString()).toBe("N");
  client.socket.destroy();
});

test("a server that is gone is passed over for the next one", async () => {
  const gone = await fakeServer(friendly);
  await gone[Symbol.asyncDispose]();
  await using server = await fakeServer(friendly);
  const nodes = `, ["address": "127.0.0.1:${server.port}", "backup": true]`;
  await using site = await proxy(gone.port, "", ann, { nodes });
  const client = site.client();
  await client.logIn("of-the-user");
  await client.next(7);
  expect(client.types).toBe("RRRRSKZ");
  client.socket.destroy();
});

test("a database may be at other servers, and have another name there", async () => {
  const seen: string[] = [];
  const named = (name: string) =>
    fakeServer((bytes, socket: Socket) => {
      if (bytes[0] === 0) seen.push(`${name} ${bytes.toString("latin1", 8).split("\0")[3] ?? ""}`);
      friendly(bytes, socket);
    });
  await using main = await named("main");
  await using other = await named("other");
  const backends = `tcpsBackend "other" { .nodes = (["address": "127.0.0.1:${other.port}"]) }`;
  const props = '.databases = (["name": "stock", "toBackend": "other", "serverName": "stock_2"]) .pooling = "session"';
  await using site = await proxy(main.port, props, "", { backends });
  for (const database of ["shop", "stock"]) {
    const client = site.client();
    client.send(startupMessage("ann", database, new Map()));
    await client.next(4);
    client.socket.destroy();
  }
  expect(seen).toEqual(["main shop", "other stock_2"]);
});

test("a server that lets the proxy wait is given up, and its client is told", async () => {
  await using server = await fakeServer(() => undefined);
  await using site = await proxy(server.port, ".queueTimeout = 100ms");
  const client = site.client();
  await client.logIn("of-the-user");
  expect(["08006", "53300"]).toContain((await client.error()).state);
  await expect.poll(() => server.sockets.size).toBe(0);
});
