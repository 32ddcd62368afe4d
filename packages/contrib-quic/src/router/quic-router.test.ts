// quicRouter, quicProxy and quicBackend as their clients see them: nodes are sockets that answer like servers of QUIC.

import { randomBytes } from "node:crypto";
import { bootWith, MemorySink, openErrorLog, type RouterPart } from "@hemi/internal";
import { expect, test } from "vitest";
import contrib from "../index.ts";
import { quicVersion, quicVersion2, readLongHeader } from "../initial/long-header.ts";
import {
  clientHello,
  cryptoFrame,
  initialDatagram,
  shortPacket,
  type InitialOptions,
} from "../testing/initial-packets.ts";
import { PacketEnd, quicNodes, quicRoute, routeQuic } from "../testing/quic-route-site.ts";

/** A first packet that asks for a server. */
function asking(serverName: string, nextProtos: readonly string[] = ["h3"], options?: InitialOptions): Buffer {
  return initialDatagram([cryptoFrame(0, clientHello(serverName, nextProtos))], options);
}

const anyId = () => randomBytes(12);
const toNodes = (props = "") => `case { quicProxy { .toBackend = "n" ${props} } }`;

test.each([quicVersion, quicVersion2])("connections of version %d go by server name and ALPN", async (version) => {
  await using a = await PacketEnd.node("a", anyId);
  await using b = await PacketEnd.node("b", anyId);
  await using rest = await PacketEnd.node("rest", anyId);
  await using site = await routeQuic(
    quicNodes("a", [a]) +
      quicNodes("b", [b]) +
      quicNodes("rest", [rest]) +
      quicRoute(`
        case $serverName == "a.example" && $nextProto == "h3" { quicProxy { .toBackend = "a" } }
        case $serverName $= ".b.example" { quicProxy { .toBackend = "b" } }
        case $transport == "quic" && $protocol == "quic" { quicProxy { .toBackend = "rest" } }`),
  );
  const nodeFor = async (initial: Buffer) => {
    await using client = await site.connect();
    return await client.ask(await client.begin(initial));
  };
  expect(await nodeFor(asking("A.example", ["h3"], { version }))).toBe("a");
  expect(await nodeFor(asking("x.b.example", ["doq"], { version }))).toBe("b");
  expect(await nodeFor(asking("a.example", ["doq"], { version }))).toBe("rest");
  expect(await nodeFor(asking("", [], { version }))).toBe("rest");
});

test("a ClientHello in two datagrams, the second one first, is passed on with both", async () => {
  await using node = await PacketEnd.node("a", anyId);
  await using site = await routeQuic(
    quicNodes("n", [node]) + quicRoute('case $serverName == "a.example" { quicProxy { .toBackend = "n" } }'),
  );
  await using client = await site.connect();
  const hello = clientHello("a.example", ["h3"], 1500);
  const dcid = randomBytes(8);
  const parts = [
    initialDatagram([cryptoFrame(800, hello.subarray(800))], { dcid, number: 1 }),
    initialDatagram([cryptoFrame(0, hello.subarray(0, 800))], { dcid, number: 0 }),
  ];
  for (const part of parts) client.send(part);
  const came = [(await node.next()).bytes, (await node.next()).bytes];
  expect(came.map((bytes, i) => bytes.equals(parts[i] ?? Buffer.alloc(0)))).toEqual([true, true]);
});

test("a client whose address changes keeps its node, which answers to the new address", async () => {
  await using a = await PacketEnd.node("a", anyId);
  await using b = await PacketEnd.node("b", anyId);
  await using site = await routeQuic(quicNodes("n", [a, b]) + quicRoute(toNodes()));
  await using before = await site.connect();
  const id = await before.begin(asking("a.example"));
  const name = await before.ask(id);
  for (let i = 0; i < 3; i++) {
    await using after = await site.connect();
    expect(await after.ask(id)).toBe(name);
  }
  expect(await before.ask(id)).toBe(name);
  // A node that did not see another address would not validate it.
  const node = name === "a" ? a : b;
  const ports = new Set<number>();
  while (node.count > 0) ports.add((await node.next()).port);
  expect(ports.size).toBe(4);
});

test("two connections of one socket go to two nodes", async () => {
  await using a = await PacketEnd.node("a", anyId);
  await using b = await PacketEnd.node("b", anyId);
  await using site = await routeQuic(quicNodes("n", [a, b]) + quicRoute(toNodes()));
  await using client = await site.connect();
  const first = await client.begin(asking("a.example"));
  const second = await client.begin(asking("a.example"));
  expect(new Set([await client.ask(first), await client.ask(second)])).toEqual(new Set(["a", "b"]));
  expect(await client.ask(first)).toBe(await client.ask(first));
});

test("another connection ID from the same address goes on to the same node", async () => {
  await using a = await PacketEnd.node("a", anyId);
  await using b = await PacketEnd.node("b", anyId);
  await using site = await routeQuic(quicNodes("n", [a, b]) + quicRoute(toNodes()));
  await using client = await site.connect();
  const name = await client.ask(await client.begin(asking("a.example")));
  for (let i = 0; i < 3; i++) expect(await client.ask(anyId())).toBe(name);
});

test("with nodeIdSize, another connection ID from another address goes on to the same node", async () => {
  const idOf = (node: number) => () => Buffer.concat([randomBytes(1), Buffer.of(node, node), randomBytes(9)]);
  await using a = await PacketEnd.node("a", idOf(1));
  await using b = await PacketEnd.node("b", idOf(2));
  await using site = await routeQuic(quicNodes("n", [a, b]) + quicRoute(toNodes(), ".nodeIdSize = 2"));
  for (let i = 0; i < 2; i++) {
    await using before = await site.connect();
    const name = await before.ask(await before.begin(asking("a.example")));
    await using after = await site.connect();
    expect(await after.ask(idOf(name === "a" ? 1 : 2)())).toBe(name);
    expect(await after.ask(idOf(name === "a" ? 1 : 2)())).toBe(name);
  }
});

test("with nodeIdSize, a client that has moved is sent all that its node answers", async () => {
  const idOf = () => Buffer.concat([randomBytes(1), Buffer.of(1, 1), randomBytes(9)]);
  await using node = await PacketEnd.node("a", idOf, { answers: 10 });
  await using site = await routeQuic(quicNodes("n", [node]) + quicRoute(toNodes(), ".nodeIdSize = 2"));
  await using before = await site.connect();
  await before.begin(asking("a.example"));
  await using after = await site.connect();
  // At first, no more than three times what it has sent.
  await after.ask(idOf());
  after.send(shortPacket(idOf(), "?"));
  await expect.poll(() => after.count).toBeGreaterThanOrEqual(10);
});

test("after a reload that drops a case, its clients get no way to its node by another address", async () => {
  const idOf = () => Buffer.concat([randomBytes(1), Buffer.of(1, 1), randomBytes(9)]);
  await using node = await PacketEnd.node("a", idOf);
  const config = (cases: string) =>
    `stage { ${quicNodes("n", [node])} ${quicRoute(cases, ".nodeIdSize = 2 .idleTimeout = 500ms")} }`;
  const stage = await bootWith([contrib]).bootText(config('case "a" { quicProxy { .toBackend = "n" } } case "b" {}'), {
    log: openErrorLog({ sink: new MemorySink() }),
  });
  await stage.start();
  try {
    const { listensOn }: RouterPart = stage.find("quicRouter.main")?.part ?? {};
    const port = Number(/:(\d+)$/.exec(listensOn?.[0] ?? "")?.[1]);
    await using client = await PacketEnd.connect(port);
    expect(await client.ask(await client.begin(asking("a.example")))).toBe("a");
    await (
      await stage.reload({ text: config('case "b" {}') })
    ).departed;
    await using moved = await PacketEnd.connect(port);
    const seen = node.count;
    moved.send(shortPacket(idOf(), "?"));
    // Version negotiation comes back behind it.
    const unknown = Buffer.from(asking("a.example"));
    unknown.writeUInt32BE(0xfaceb00c, 1);
    expect(readLongHeader((await moved.send(unknown).next()).bytes)?.version).toBe(0);
    await new Promise((resolve) => setImmediate(resolve));
    expect(node.count).toBe(seen);
  } finally {
    await stage.quit(1000);
  }
});

test("an unknown version is answered by version negotiation, or passed to a case", async () => {
  await using node = await PacketEnd.node("a", anyId);
  const unknown = Buffer.from(asking("a.example"));
  unknown.writeUInt32BE(0xfaceb00c, 1);
  const header = readLongHeader(unknown);
  await using strict = await routeQuic(quicNodes("n", [node]) + quicRoute(toNodes()));
  await using first = await strict.connect();
  const { bytes } = await first.send(unknown).next();
  const negotiated = readLongHeader(bytes);
  expect([negotiated?.version, negotiated?.dcid, negotiated?.scid]).toEqual([0, header?.scid, header?.dcid]);
  expect([bytes.readUInt32BE(bytes.length - 8), bytes.readUInt32BE(bytes.length - 4)]).toEqual([1, quicVersion2]);
  await using lenient = await routeQuic(
    quicNodes("n", [node]) +
      quicRoute(`case $serverName == "" { quicProxy { .toBackend = "n" } }`, '.unknownVersions = "pass"'),
  );
  await using second = await lenient.connect();
  expect(await second.ask(await second.begin(unknown))).toBe("a");
});

test("a hello that is never complete goes to a case for all after sniffTimeout", async () => {
  await using node = await PacketEnd.node("a", anyId);
  await using site = await routeQuic(
    quicNodes("n", [node]) + quicRoute(`case $serverName == "a.example" {} ${toNodes()}`, ".sniffTimeout = 20ms"),
  );
  await using client = await site.connect();
  const cut = initialDatagram([cryptoFrame(0, clientHello("a.example").subarray(0, 40))]);
  expect(await client.ask(await client.begin(cut))).toBe("a");
});

test("nodes that answer no version negotiation are found to be down", async () => {
  await using live = await PacketEnd.node("live", anyId);
  await using mute = await PacketEnd.node("mute", anyId, { answers: 0 });
  const nodes = quicNodes(
    "n",
    [mute],
    '.healthCheck = "quic" .healthInterval = 10ms .healthTimeout = 10ms .healthFall = 1',
  );
  await using site = await routeQuic(nodes + quicNodes("rest", [live]) + quicRoute(toNodes()));
  await expect.poll(() => site.log.join("\n")).toMatch(/is down: .* did not answer as expected/);
});

test("hemi explain tells the case, the dealet and the node", async () => {
  await using node = await PacketEnd.node("a", anyId);
  await using site = await routeQuic(
    quicNodes("n", [node]) + quicRoute('case "shop" $serverName == "a.example" { quicProxy { .toBackend = "n" } }'),
  );
  const walk = await site.stage.explainConn({ protocol: "quic", serverName: "A.example", nextProto: "h3" });
  expect(walk.facts).toEqual({ transport: "quic", serverName: "a.example", nextProto: "h3", protocol: "quic" });
  expect(walk.outcome).toMatchObject({
    type: "taken",
    by: { path: "quicRouter.main/case.shop/quicProxy" },
    text: `sends its datagrams to node 127.0.0.1:${node.port} of quicBackend.n`,
  });
  expect((await site.stage.explainConn({ protocol: "udp" })).outcome.type).toBe("closed");
});

test("a dealet for TCP in a case of a quicRouter is a configuration error", async () => {
  const text = `stage {
    tcpsBackend "t" { .nodes = (["address": "127.0.0.1:1"]) }
    quicRouter "q" { .address = "127.0.0.1:0" case { tcpsProxy { .toBackend = "t" } } }
  }`;
  await expect(bootWith([contrib]).bootText(text)).rejects.toThrow(/tcpsProxy does not handle datagrams/);
});

test("the connection log tells names, node and bytes of a connection", async () => {
  await using node = await PacketEnd.node("a", anyId);
  const format = '$transport + " " + $serverName + " " + $nextProto + " " + $node + " " + $endReason';
  const logged: string[] = [];
  {
    await using site = await routeQuic(
      quicNodes("n", [node]) +
        quicRoute(
          'case $serverName == "a.example" { quicProxy { .toBackend = "n" } }',
          `.connLog = ["file": "-", "format": ${format}] .idleTimeout = 50ms`,
        ),
    );
    await using client = await site.connect();
    await client.begin(asking("a.example"));
    await expect.poll(() => site.log.join("\n")).toContain("idleTimeout");
    logged.push(...site.log);
  }
  expect(logged.join("\n")).toMatch(/its session was ended: idleTimeout/);
});

test("short packets that belong to no connection are dropped", async () => {
  await using node = await PacketEnd.node("a", anyId);
  await using site = await routeQuic(quicNodes("n", [node]) + quicRoute(toNodes()));
  await using stranger = await site.connect();
  stranger.send(shortPacket(anyId(), "lost")).send(Buffer.alloc(0)).send(Buffer.of(0x40)).send(Buffer.of(0xc0));
  await using client = await site.connect();
  await client.ask(await client.begin(asking("a.example")));
  expect((await node.next()).bytes.length).toBeGreaterThanOrEqual(1200);
});
