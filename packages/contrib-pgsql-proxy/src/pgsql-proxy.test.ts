// pgsqlProxy before clients and servers that lie or break off. Real ones are in packages/develop/e2e.

import { once } from "node:events";
import { mkdtempDisposable, readFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer } from "node:tls";
import { makeCertificate } from "@hemi/internal/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import { int32, message, MessageReader, authenticationOk, readyIdle } from "./protocol/messages.ts";
import { startupMessage, tlsRequest } from "./protocol/startup.ts";
import { fakeServer, friendly } from "./testing/fake-server.ts";
import { ann, proxy } from "./testing/proxied.ts";

test("a session is split at every byte, and a query answered", async () => {
  await using server = await fakeServer(friendly);
  await using site = await proxy(server.port);
  const client = site.client();
  await client.logIn("of-the-user", 1);
  client.send(message("Q", "x\0"), 1);
  await client.next(9);
  expect(client.types).toBe("RRRRSKZCZ");
  client.socket.end(message("X"));
});

test("an idleTimeout that a reload makes shorter holds for sessions that are idle, and for no other", async () => {
  const answer = Promise.withResolvers<void>();
  await using server = await fakeServer((received, socket) => {
    void (received[0] === 0 ? Promise.resolve() : answer.promise).then(() => friendly(received, socket));
  });
  await using site = await proxy(server.port);
  const [idle, busy] = [site.client(), site.client()];
  for (const client of [idle, busy]) {
    await client.logIn("of-the-user");
    await client.next(7);
  }
  busy.send(message("Q", "x\0"));
  await expect.poll(() => server.sockets.size).toBe(1);
  await site.reload(".idleTimeout = 1ms");
  expect(await idle.error()).toMatchObject({ text: "the session was idle for too long" });
  answer.resolve();
  await busy.next(9);
  expect(busy.types.slice(7, 9)).toBe("CZ");
});

test("a wrong password is refused, and no log has one", async () => {
  await using server = await fakeServer((_, socket) => socket.write(message("E", "SFATAL\0C28P01\0Mno\0\0")));
  await using site = await proxy(server.port);
  const wrong = site.client();
  await wrong.logIn("a-wrong-one");
  expect(await wrong.error()).toMatchObject({ state: "28P01" });
  const right = site.client();
  await right.logIn("of-the-user");
  expect(await right.error()).toEqual({ state: "28P01", text: "the server refused the proxy" });
  expect(site.log.join("\n")).toContain("it refused the login of ann: 28P01 no");
  expect(site.log.join("\n")).not.toMatch(/of-the|a-wrong/);
});

test("a server that sends something malformed costs its client the session", async () => {
  await using server = await fakeServer((received, socket) => {
    if (received[0] === 0) friendly(received, socket);
    else socket.write(Buffer.from([90, 0, 0, 0, 1]));
  });
  await using site = await proxy(server.port);
  const client = site.client();
  await client.logIn("of-the-user");
  await client.next(7);
  client.send(message("Q", "x\0"));
  expect(await client.error()).toMatchObject({ state: "08006" });
});

test("a server without TLS is not used if TLS is demanded", async () => {
  await using server = await fakeServer((_, socket) => socket.write("N"));
  await using site = await proxy(server.port, '.serverTls = "require"');
  const client = site.client();
  await client.logIn("of-the-user");
  expect(await client.error()).toMatchObject({ text: "the server has no TLS" });
});

test("a connection to a server by TLS that is over leaves its place at the node to another", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "pgsql-"));
  makeCertificate(folder.path, "server");
  const [cert, key] = await Promise.all(["crt", "key"].map((type) => readFile(join(folder.path, `server.${type}`))));
  const secure = createServer({ cert, key }).on("secureConnection", (socket) => {
    socket
      .on("error", () => undefined)
      .on("data", (bytes: Buffer) => {
        if (bytes.includes("die")) socket.destroy();
        else friendly(bytes, socket);
      });
  });
  await using server = await fakeServer((received, socket) => {
    if (!received.equals(tlsRequest)) return;
    socket.removeAllListeners("data").pause().write("S");
    secure.emit("connection", socket);
  });
  await using site = await proxy(server.port, '.serverTls = "require"', ann, {
    backend: ".maxConnsPerNode = 1 .queueTimeout = 10ms",
  });
  const first = site.client();
  await first.logIn("of-the-user");
  await first.next(7);
  first.send(message("Q", "die\0"));
  expect(await first.error()).toMatchObject({ state: "08006" });
  const second = site.client();
  await second.logIn("of-the-user");
  await second.next(7);
  second.send(message("Q", "x\0"));
  await expect.poll(() => second.types).toBe("RRRRSKZCZ");
});

test("bytes behind a request for TLS, and lengths that lie, are refused", async () => {
  await using server = await fakeServer(friendly);
  await using site = await proxy(server.port);
  for (const first of [Buffer.concat([tlsRequest, message("Q", "x\0")]), Buffer.concat([int32(-1), int32(0)])]) {
    const client = site.client();
    client.send(first);
    expect(await client.error()).toMatchObject({ state: "08P01" });
  }
  const client = site.client();
  await client.logIn("of-the-user");
  await client.next(7);
  client.send(Buffer.concat([Buffer.from("Q"), int32(0x7fffffff)]));
  expect(await client.error()).toMatchObject({ state: "08P01" });
});

test("no bytes of a client do anything else than end its session", async () => {
  await using server = await fakeServer(friendly);
  await using site = await proxy(server.port, ".loginTimeout = 300ms");
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 40 }), async (bytes) => {
      const client = site.client();
      client.send(startupMessage("ann", "shop", new Map()));
      client.socket.end(Buffer.from(bytes));
      await once(client.socket, "close");
    }),
    { numRuns: 50 },
  );
  const client = site.client();
  await client.logIn("of-the-user");
  await client.next(7);
  expect(client.types).toBe("RRRRSKZ");
  client.socket.destroy();
});

test("hemi explain tells the backend and how long a client has a server", async () => {
  await using site = await proxy(1, '.databases = (["name": "shop", "toBackend": "db"])');
  const walk = await site.stage.explainConn({ protocol: "tcp" });
  expect(walk.outcome).toMatchObject({ text: "lends it servers of tcpsBackend.db, each for a transaction" });
});

test("a verifier alone, and a name twice, are mistakes of the configuration", async () => {
  const keys = `${"A".repeat(43)}=:${"A".repeat(43)}=`;
  const users = (text: string): string => `.users = (${text})`;
  const verifier = `["name": "a", "password": "SCRAM-SHA-256$4096:AAAA$${keys}"]`;
  await expect(proxy(1, "", users(verifier))).rejects.toThrow("does not suffice to log in");
  const twice = '["name": "a", "password": "x"], ["name": "a", "password": "y"]';
  await expect(proxy(1, "", users(twice))).rejects.toThrow("a stands here twice");
});

/** Like `friendly`, for the extended protocol: each Sync is answered, and the others if they are complete. */
function extended(received: Buffer, socket: Socket): void {
  if (received[0] === 0 || received[0] === 81) return friendly(received, socket);
  const reader = new MessageReader({
    maxMessageSize: 1_000_000,
    message(type) {
      const answers: Record<string, Buffer> = {
        P: message("1"),
        B: message("2"),
        E: message("C", "X\0"),
        S: readyIdle,
      };
      const answer = answers[String.fromCharCode(type)];
      if (answer !== undefined) socket.write(answer);
    },
  });
  reader.add(received);
}

const parse = (name: string): Buffer => message("P", `${name}\0select 1\0`, Buffer.alloc(2));

test("a transaction that a client leaves without Sync is not that of the next client", async () => {
  const servers: Socket[] = [];
  await using server = await fakeServer((received, socket) => {
    if (received[0] === 0) servers.push(socket);
    extended(received, socket);
  });
  await using site = await proxy(server.port, ".poolSize = 1");
  const leaving = site.client();
  await leaving.logIn("of-the-user");
  await leaving.next(7);
  const rest = [message("B", Buffer.alloc(8)), message("E", Buffer.alloc(5)), message("H")];
  leaving.send(Buffer.concat([parse(""), ...rest]));
  await leaving.next(10);
  const [first] = servers;
  if (first === undefined) throw new Error("no server");
  const closed = once(first, "close");
  leaving.socket.destroy();
  await closed;
  const next = site.client();
  await next.logIn("of-the-user");
  next.send(message("Q", "x\0"));
  await next.next(9);
  next.socket.destroy();
});

test("a client that does not read its result does not stop the next one that gets its server", async () => {
  const row = message("D", Buffer.alloc(30_000_000));
  await using server = await fakeServer((received, socket) => {
    if (!received.includes("long")) friendly(received, socket);
    else socket.write(Buffer.concat([row, message("C", "SELECT 1\0"), readyIdle]));
  });
  await using site = await proxy(server.port, ".poolSize = 1");
  const [first, next] = [site.client(), site.client()];
  for (const client of [first, next]) {
    await client.logIn("of-the-user");
    await client.next(7);
  }
  first.socket.pause();
  first.send(message("Q", "long\0"));
  next.send(message("Q", "x\0"));
  await next.next(9);
  first.socket.destroy();
  next.socket.destroy();
});

test("a key of a server that is too short costs the connection", async () => {
  await using server = await fakeServer((_, socket) => socket.write(Buffer.concat([authenticationOk, message("K")])));
  await using site = await proxy(server.port);
  const client = site.client();
  await client.logIn("of-the-user");
  expect(await client.error()).toMatchObject({ text: "the server sent something malformed" });
});

test("a client cannot name the statements of other clients", async () => {
  const seen: string[] = [];
  await using server = await fakeServer((received, socket) => {
    seen.push(received.toString("latin1"));
    extended(received, socket);
  });
  await using site = await proxy(server.port);
  const client = site.client();
  await client.logIn("of-the-user");
  await client.next(7);
  client.send(Buffer.concat([message("C", "Shemi_1\0"), message("B", "\0hemi_1\0", Buffer.alloc(6)), message("S")]));
  await expect.poll(() => seen.join("")).toContain("unknown to the proxy");
  expect(seen.join("")).not.toContain("hemi_1");
  client.socket.destroy();
});
