// mysqlProxy before clients and servers that lie or break off. Real ones are in packages/develop/e2e.

import { once } from "node:events";
import { mkdtempDisposable, readFile } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Metrics } from "@hemi/internal";
import fc from "fast-check";
import { listening } from "@hemi/internal/testing";
import { expect, test } from "vitest";
import { offered } from "./protocol/capabilities.ts";
import { readError } from "./protocol/errors.ts";
import { greetingPacket } from "./protocol/handshake.ts";
import { headSize, int16, packet } from "./protocol/packets.ts";
import { newScramble, proofOf } from "./protocol/passwords.ts";
import { readSwitch } from "./server/server-auth.ts";
import { FakeServer, queriesIn, textResult } from "./testing/fake-server.ts";
import { known, proxy, query, replicas } from "./testing/proxied.ts";

const prepare = 22;

test.each(["", known])("a session is split at every byte, and a query answered: %s", async (users) => {
  await using server = await FakeServer.listen({ answer: () => textResult("found") });
  await using site = await proxy(server, users);
  const client = site.client();
  expect((await client.logIn("geheim", "shop", 1))[0]).toBe(0);
  client.command(query, "select 1", 1);
  await client.next();
  await client.next();
  expect((await client.next()).toString("utf8", headSize + 1)).toBe("found");
  await client.next();
  expect(server.responses[0]).toMatchObject({ user: "ann", database: "shop" });
  client.command(1);
  await client.closed();
});

test("a response that comes byte by byte is passed on, and the next command taken", async () => {
  await using server = await FakeServer.listen({
    answer: (_, socket) => {
      socket.setNoDelay(true);
      for (const byte of textResult("found")) socket.write(Buffer.of(byte));
      return undefined;
    },
  });
  await using site = await proxy(server);
  const client = site.client();
  await client.logIn();
  for (let i = 0; i < 3; i++) {
    client.command(query, `select ${i}`);
    for (let packets = 0; packets < 4; packets++) await client.next();
  }
  expect(queriesIn(server.commands)).toEqual(["select 0", "select 1", "select 2"]);
  client.socket.destroy();
});

test("commands that are sent at once are answered one after the other", async () => {
  await using server = await FakeServer.listen({ answer: (command) => textResult(command.toString("utf8", 1)) });
  await using site = await proxy(server);
  const client = site.client();
  await client.logIn();
  client.send(Buffer.concat(["a", "b", "c"].map((text) => packet(0, Buffer.of(query), text))));
  const rows: string[] = [];
  for (let i = 0; i < 12; i++) {
    const answer = await client.next();
    if (i % 4 === 2) rows.push(answer.toString("utf8", headSize + 1));
  }
  expect(rows).toEqual(["a", "b", "c"]);
  client.socket.destroy();
});

test("a wrong password is refused, whoever knows the right one, and no log has either", async () => {
  await using server = await FakeServer.listen();
  for (const users of ["", known]) {
    await using site = await proxy(server, users);
    const client = site.client();
    expect(readError(await client.logIn("a-wrong-one")).code).toBe(1045);
    await client.closed();
    expect(site.log.join("\n")).not.toMatch(/geheim|a-wrong/);
  }
});

test.each(["", known])("a client that proves itself again before it is let in is refused: %s", async (users) => {
  await using server = await FakeServer.listen();
  await using site = await proxy(server, users);
  const client = site.client();
  await client.next();
  client.respond();
  const { plugin, scramble } = readSwitch((await client.next()).subarray(headSize));
  const proof = packet(3, proofOf(plugin, "geheim", scramble) ?? Buffer.alloc(0));
  client.send(Buffer.concat([proof, proof, proof]));
  expect(readError((await client.next()).subarray(headSize)).code).toBe(1043);
  await client.closed();
  await expect.poll(() => server.sockets.size).toBe(0);
});

test("nothing that a server sends before TLS is taken for a part of what it sends by TLS", async () => {
  const greeting = { threadId: 7, capabilities: offered, scramble: newScramble(), plugin: "mysql_native_password" };
  const first = Buffer.concat([greetingPacket(greeting, "8.0.0-fake", true), Buffer.of(9, 0, 0)]);
  await using server = await listening(createServer((socket) => socket.resume().write(first)));
  await using site = await proxy(server, '.serverTls = "require"');
  expect(readError(await site.client().logIn())).toMatchObject({ code: 1429 });
  expect(site.log.join("\n")).toContain("before TLS");
});

test("a stranger is asked for a password like everyone, and refused", async () => {
  await using server = await FakeServer.listen();
  await using site = await proxy(server, known);
  const client = site.client();
  await client.next();
  client.respond("", "eve");
  expect((await client.next())[headSize]).toBe(0xfe);
  client.send(packet(3, Buffer.alloc(20)));
  expect(readError((await client.next()).subarray(headSize))).toMatchObject({ code: 1045 });
  expect(server.responses).toEqual([]);
});

test("a database that a user may not use is refused at the login, and in the session", async () => {
  await using server = await FakeServer.listen();
  await using site = await proxy(server, known);
  expect(readError(await site.client().logIn("geheim", "stock")).code).toBe(1044);
  const client = site.client();
  await client.logIn("geheim", "shop");
  for (const [code, text] of [
    [2, "stock"],
    [query, "use `stock`"],
    [query, "/* x */ USE stock;"],
    [query, "USE`stock`"],
    [query, `use ${" ".repeat(400)}stock`],
    [query, `/*${"x".repeat(400)}*/ -- y\n use stock`],
    [query, `${" ".repeat(70_000)}use stock`],
    [query, "/*!50000 use stock*/"],
    [query, "use stock --\u0001"],
    [prepare, "use stock"],
  ] as const) {
    client.command(code, text);
    expect(readError((await client.next()).subarray(headSize)).code).toBe(1044);
  }
  expect(server.commands).toEqual([]);
  client.command(query, "use`shop` ; -- x");
  expect((await client.next())[headSize]).toBe(0);
  client.command(query, "select use_count from a use index (b)");
  expect((await client.next())[headSize]).toBe(0);
  client.socket.destroy();
});

test("caching_sha2_password wants the password itself: the proxy encrypts it for the server", async () => {
  await using server = await FakeServer.listen({ plugin: "caching_sha2_password", wantsPassword: true });
  await using site = await proxy(server, known);
  const client = site.client();
  expect((await client.logIn())[0]).toBe(0);
  client.socket.destroy();
});

test("caching_sha2_password is passed on, with the key of the server", async () => {
  await using server = await FakeServer.listen({ plugin: "caching_sha2_password", wantsPassword: true });
  await using site = await proxy(server);
  const client = site.client();
  expect((await client.logIn())[0]).toBe(0);
  expect(client.received.some((answer) => answer.includes("BEGIN PUBLIC KEY"))).toBe(true);
  client.socket.destroy();
});

test("a server that sends something malformed costs its client the session", async () => {
  const first = Buffer.from([3, 0, 0, 0, 10, 1, 1]);
  await using broken = await FakeServer.listen({ first });
  await using site = await proxy(broken);
  expect(readError(await site.client().logIn())).toMatchObject({ code: 1429 });
  for (const answer of [packet(1, Buffer.of(0, 0xfe)), packet(1, Buffer.of(0xfc)), packet(1, Buffer.of(0))]) {
    await using server = await FakeServer.listen({ answer: () => answer });
    await using other = await proxy(server);
    const client = other.client();
    await client.logIn();
    client.command(query, "x");
    await client.closed();
    expect(other.log.join("\n")).toContain("it sent");
  }
});

test("commands for replication, and of other users, are not passed on", async () => {
  await using server = await FakeServer.listen();
  await using site = await proxy(server);
  const client = site.client();
  await client.logIn();
  for (const code of [0x11, 0x12, 0x1e, 0x15, 0x08, 0x20, 0xff]) {
    client.command(code);
    expect(readError((await client.next()).subarray(headSize)).code).toBe(1047);
  }
  expect(server.commands).toEqual([]);
  client.socket.destroy();
});

test("a server that closes while it works is an error of MySQL", async () => {
  await using server = await FakeServer.listen({ answer: (_, socket) => void socket.destroy() });
  await using site = await proxy(server);
  const client = site.client();
  await client.logIn();
  client.command(query, "select 1");
  expect(readError((await client.next()).subarray(headSize))).toMatchObject({ code: 1053 });
  await client.closed();
});

test("without a server, and with one that has too many connections, clients get an error of MySQL", async () => {
  const full = packet(0, Buffer.of(0xff), int16(1040), "Too many connections");
  await using server = await FakeServer.listen({ first: full });
  await using site = await proxy(server);
  expect(readError(await site.client().logIn())).toEqual({ code: 1040, text: "Too many connections" });
  await using nowhere = await proxy({ port: 1 });
  expect(readError(await nowhere.client().logIn())).toMatchObject({ code: 1429 });
});

test("a login that takes too long, and a command out of order, are refused", async () => {
  await using server = await FakeServer.listen();
  await using site = await proxy(server, ".loginTimeout = 50ms");
  const slow = site.client();
  await slow.next();
  expect(readError((await slow.next()).subarray(headSize)).code).toBe(1159);
  const client = site.client();
  await client.logIn();
  client.send(packet(1, Buffer.of(query), "x"));
  expect(readError((await client.next()).subarray(headSize)).code).toBe(1156);
  await client.closed();
});

test("an idleTimeout that a reload makes shorter holds for sessions that are idle, and for no other", async () => {
  const asked = Promise.withResolvers<Socket>();
  await using server = await FakeServer.listen({
    answer(_, socket) {
      asked.resolve(socket);
      return undefined;
    },
  });
  await using site = await proxy(server, known);
  const [idle, busy] = [site.client(), site.client()];
  for (const client of [idle, busy]) await client.logIn();
  busy.command(query, "select 1");
  const socket = await asked.promise;
  await site.reload(`${known} .idleTimeout = 1ms`);
  await idle.closed();
  socket.write(textResult("found"));
  await busy.next();
  await busy.next();
  expect((await busy.next()).toString("utf8", headSize + 1)).toBe("found");
});

test("a client that never reads a result, or never sends its file, is idle", async () => {
  const asksForFile = packet(1, Buffer.of(0xfb), "a-file");
  const endless = Buffer.concat([textResult("").subarray(0, -20), packet(3, Buffer.alloc(16_000_000))]);
  for (const answer of [asksForFile, endless]) {
    await using server = await FakeServer.listen({ answer: () => answer });
    await using site = await proxy(server, ".idleTimeout = 100ms");
    const client = site.client();
    await client.logIn();
    client.socket.pause();
    client.command(query, "load data local");
    await expect.poll(() => server.commands.length).toBe(1);
    await expect.poll(() => server.sockets.size).toBe(0);
    client.socket.destroy();
  }
});

test("no bytes of a client do anything else than end its session", async () => {
  await using server = await FakeServer.listen();
  await using site = await proxy(server, ".loginTimeout = 300ms");
  await fc.assert(
    fc.asyncProperty(fc.boolean(), fc.uint8Array({ minLength: 1, maxLength: 60 }), async (isLoggedIn, bytes) => {
      const client = site.client();
      if (isLoggedIn) await client.logIn();
      client.socket.end(Buffer.from(bytes));
      await client.closed();
    }),
    { numRuns: 60 },
  );
  const client = site.client();
  expect((await client.logIn())[0]).toBe(0);
  client.socket.destroy();
});

test("no bytes of a server do anything else than end the session of its client", async () => {
  let answer = Buffer.alloc(0);
  await using server = await FakeServer.listen({
    answer: (_, socket) => {
      socket.end(answer);
      return undefined;
    },
  });
  await using site = await proxy(server);
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 60 }), async (bytes) => {
      answer = Buffer.from(bytes);
      const client = site.client();
      await client.logIn();
      client.command(query, "x");
      await client.closed();
    }),
    { numRuns: 60 },
  );
});

test("a command that is too large is refused", async () => {
  await using server = await FakeServer.listen();
  await using site = await proxy(server, ".maxCommandSize = 64K");
  const client = site.client();
  await client.logIn();
  client.command(query, "x".repeat(70_000));
  expect(readError((await client.next()).subarray(headSize)).code).toBe(1153);
  await client.closed();
});

test("a client that does not read stops its server", async () => {
  let sent = 0;
  await using server = await FakeServer.listen({
    answer: (_, socket) => {
      const row = packet(3, Buffer.alloc(1_000_000));
      const more = (): void => {
        while (!socket.destroyed && socket.write(row)) sent++;
        socket.once("drain", more);
      };
      socket.write(textResult("").subarray(0, -20));
      more();
      return undefined;
    },
  });
  await using site = await proxy(server);
  const client = site.client();
  await client.logIn();
  client.socket.pause();
  client.command(query, "select 1");
  let before = -1;
  while (before !== sent || sent === 0) {
    before = sent;
    for (let turn = 0; turn < 2000; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
  expect(sent).toBeLessThan(100);
  client.socket.destroy();
  await once(client.socket, "close");
});

test("the log has a line for each session with its counts, and neither log nor metrics have a statement", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-mysql-"));
  const file = join(folder.path, "log");
  const metrics = new Metrics();
  await using server = await FakeServer.listen();
  {
    const router = `.connLog = ["file": "${file}", "format": "json"]`;
    await using site = await proxy(server, known, "", { router, metrics });
    const client = site.client();
    await client.logIn("geheim", "shop");
    client.command(query, "insert a-secret");
    await client.next();
    client.command(1);
    await client.closed();
  }
  const line = await readFile(file, "utf8");
  const notes = { user: "ann", database: "shop", queries: 1, replicaReads: 0, errors: 0 };
  expect(JSON.parse(line)).toMatchObject({ notes, endReason: "complete" });
  expect(line).toContain('"totalTime":');
  expect(`${line}${JSON.stringify(metrics.report())}`).not.toMatch(/geheim|insert|secret/);
  const events = metrics.report().filter(({ group }) => group === "event");
  expect(new Set(events.map(({ labels }) => labels[2]))).toEqual(
    new Set(["login", "loginRefused", "query", "read", "error", "refused", "serverLost"]),
  );
});

test("sessions go to the servers of the first route that fits their user and database", async () => {
  const answering = (text: string) => FakeServer.listen({ answer: () => textResult(text) });
  await using main = await answering("main");
  await using stock = await answering("stock");
  await using ofBob = await answering("of bob");
  const more = [stock, ofBob].map(
    ({ port }, i) => `tcpsBackend "b${i}" { .nodes = (["address": "127.0.0.1:${port}"]) }`,
  );
  const routes = '(["user": "ann", "database": "stock", "toBackend": "b0"], ["user": "bob", "toBackend": "b1"])';
  const users = ["ann", "bob"].map((name) => `["name": "${name}", "password": "geheim"]`).join();
  await using site = await proxy(main, `.users = (${users}) .routes = ${routes}`, more.join(" "));
  for (const [user, database, place] of [
    ["ann", "stock", "stock"],
    ["ann", "shop", "main"],
    ["ann", "", "main"],
    ["bob", "stock", "of bob"],
  ] as const) {
    const client = site.client();
    expect((await client.logIn("geheim", database, undefined, user))[0], user).toBe(0);
    client.command(query, "select 1");
    await client.next();
    await client.next();
    expect((await client.next()).toString("utf8", headSize + 1), `${user} ${database}`).toBe(place);
    client.socket.destroy();
  }
});

test("hemi explain tells the routes, the replicas and the nodes", async () => {
  await using site = await proxy(
    { port: 1 },
    `${known} .toReplicas = "replicas" .routes = (["user": "ann", "database": "stock", "toBackend": "replicas"])`,
    replicas({ port: 2 }),
  );
  const walk = await site.stage.explainConn({ protocol: "tcp" });
  expect(walk.outcome).toMatchObject({ text: "passes its session on to tcpsBackend.db" });
  expect(JSON.stringify(walk)).toContain("the user ann with the database stock goes to tcpsBackend.replicas");
});

test("replicas without passwords, and a name twice, are mistakes of the configuration", async () => {
  await expect(proxy({ port: 1 }, '.toReplicas = "replicas"', replicas({ port: 2 }))).rejects.toThrow(
    "the proxy has to log in for it",
  );
  await expect(proxy({ port: 1 }, '.users = (["name": "a"], ["name": "a"])')).rejects.toThrow("a stands here twice");
});
