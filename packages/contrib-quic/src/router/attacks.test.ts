// What attackers send to a quicRouter: floods of first packets, forged addresses, lies.

import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { clientHello, cryptoFrame, initialDatagram, shortPacket } from "../testing/initial-packets.ts";
import { PacketEnd, quicNodes, quicRoute, routeQuic } from "../testing/quic-route-site.ts";

const anyId = () => randomBytes(12);
const whole = () => initialDatagram([cryptoFrame(0, clientHello("a.example", ["h3"]))]);
const cut = () => initialDatagram([cryptoFrame(0, clientHello("a.example", ["h3"]).subarray(0, 30))]);
/** What was sent so far is received: the buffers of the system are small. */
const received = () => new Promise((resolve) => setImmediate(resolve));
const toNode = 'case { quicProxy { .toBackend = "n" } }';
const toNamed = 'case $serverName == "a.example" { quicProxy { .toBackend = "n" } }';

test("a client that has not shown its address is sent three times what it has sent, and no more", async () => {
  await using node = await PacketEnd.node("a", anyId, { answers: 10, size: 1100 });
  await using site = await routeQuic(quicNodes("n", [node]) + quicRoute(toNode));
  await using client = await site.connect();
  const id = await client.begin(whole());
  await client.next();
  await client.next();
  // The node answers ten times; no handshake packet comes in between.
  expect(await client.ask(id)).toBe("a");
  for (let i = 0; i < 9; i++) expect((await client.next()).bytes[0]).toBe(0x40);
  expect(client.count).toBe(0);
});

test("packets with IDs that are guessed do not show an address", async () => {
  await using node = await PacketEnd.node("a", anyId);
  await using site = await routeQuic(quicNodes("n", [node]) + quicRoute(toNode, ".maxSessions = 1"));
  await using forger = await site.connect();
  await forger.begin(whole());
  for (let i = 0; i < 5; i++) expect(await forger.ask(anyId(), "guess")).toBe("a");
  // Its session gives way to that of a client which shows itself.
  await using client = await site.connect();
  expect(await client.ask(await client.begin(whole()))).toBe("a");
});

test("in a flood of first packets from many addresses, connections that are proven live on", async () => {
  await using node = await PacketEnd.node("a", anyId);
  await using site = await routeQuic(quicNodes("n", [node]) + quicRoute(toNode, ".maxSessions = 10"));
  await using old = await site.connect();
  const id = await old.begin(whole());
  expect(await old.ask(id)).toBe("a");
  await using flood = new AsyncDisposableStack();
  for (let i = 0; i < 50; i++) await flood.use(await site.connect()).begin(whole());
  expect(await old.ask(id)).toBe("a");
});

test("hellos that never end give way to those of others", async () => {
  await using node = await PacketEnd.node("a", anyId);
  await using site = await routeQuic(
    quicNodes("n", [node]) + quicRoute(toNamed, ".maxSessions = 5 .sniffTimeout = 1m"),
  );
  await using flooder = await site.connect();
  for (let i = 0; i < 50; i++) {
    flooder.send(cut());
    await received();
  }
  await using client = await site.connect();
  expect(await client.ask(await client.begin(whole()))).toBe("a");
  expect(node.count).toBe(2);
});

test("hellos that never end take maxQueuedSize of memory, and no more", async () => {
  await using node = await PacketEnd.node("a", anyId);
  await using site = await routeQuic(
    quicNodes("n", [node]) + quicRoute(toNamed, ".maxQueuedSize = 64K .sniffTimeout = 1m"),
  );
  await using flooder = await site.connect();
  for (let i = 0; i < 80; i++) {
    flooder.send(cut());
    await received();
  }
  await expect.poll(() => site.log.join("\n")).toContain("maxQueuedSize");
});

test("a huge token, and one whose length lies, do no harm", async () => {
  await using node = await PacketEnd.node("a", anyId);
  await using site = await routeQuic(quicNodes("n", [node]) + quicRoute(toNamed));
  await using client = await site.connect();
  const hello = [cryptoFrame(0, clientHello("a.example"))];
  expect(await client.ask(await client.begin(initialDatagram(hello, { token: randomBytes(30_000) })))).toBe("a");
  const lying = initialDatagram(hello, { token: randomBytes(100) });
  for (const length of [0x7fff, 0x40ff, 0x4000]) {
    lying.writeUInt16BE(length, 23);
    client.send(lying);
  }
  expect(await client.ask(await client.begin(whole()))).toBe("a");
});

test("whatever is sent, a connection before it goes on", async () => {
  await using node = await PacketEnd.node("a", anyId);
  await using site = await routeQuic(quicNodes("n", [node]) + quicRoute(toNamed, '.unknownVersions = "pass"'));
  await using client = await site.connect();
  const id = await client.begin(whole());
  await using attacker = await site.connect();
  const first = whole();
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 60 }),
      fc.nat(first.length - 1),
      fc.nat(255),
      async (bytes, at, value) => {
        const bent = Buffer.from(first);
        bent[at] = value;
        attacker
          .send(bent)
          .send(Buffer.from(bytes))
          .send(Buffer.concat([Buffer.of(0xc0), bytes, Buffer.alloc(1200)]));
        attacker.send(shortPacket(id.subarray(0, bytes.length % 12), "short"));
        await received();
      },
    ),
    { numRuns: 100 },
  );
  expect(await client.ask(id)).toBe("a");
  expect(site.log.filter((line) => line.includes("failed"))).toEqual([]);
});

test("answers to whoever sends to the connection ID of another client are bounded", async () => {
  await using node = await PacketEnd.node("a", anyId, { answers: 20 });
  await using site = await routeQuic(quicNodes("n", [node]) + quicRoute(toNode));
  await using client = await site.connect();
  const id = await client.begin(whole());
  await using victim = await site.connect();
  // The packet has about 20 bytes, each answer some more: not all of them fit in three times as much.
  victim.send(shortPacket(id, "?"));
  await client.ask(id);
  await expect.poll(() => victim.count).toBeLessThanOrEqual(3);
});

test("whoever has one connection takes the room of few others, however many addresses it forges", async () => {
  await using node = await PacketEnd.node("a", anyId);
  await using site = await routeQuic(quicNodes("n", [node]) + quicRoute(toNode, ".maxSessions = 6"));
  await using attacker = await site.connect();
  const id = await attacker.begin(whole());
  expect(await attacker.ask(id)).toBe("a");
  await using forged = new AsyncDisposableStack();
  for (let i = 0; i < 8; i++) {
    const address = forged.use(await site.connect());
    for (let j = 0; j < 2; j++) expect(await address.ask(id)).toBe("a");
  }
  await using client = await site.connect();
  expect(await client.ask(await client.begin(whole()))).toBe("a");
  expect(await attacker.ask(id)).toBe("a");
});

test("a forged first packet turns no packet of a proven client to another node", async () => {
  await using a = await PacketEnd.node("a", anyId);
  await using b = await PacketEnd.node("b", anyId);
  await using site = await routeQuic(quicNodes("n", [a, b]) + quicRoute(toNode));
  await using client = await site.connect();
  const id = await client.begin(whole());
  const name = await client.ask(id);
  // As from an attacker that writes the client's address: nobody uses the ID that the node gives.
  const other = await client.begin(whole());
  expect(await client.ask(anyId())).toBe(name);
  // Once it does, it is the client's last connection.
  const second = await client.ask(other);
  expect([second, await client.ask(anyId())]).toEqual([name === "a" ? "b" : "a", second]);
});
