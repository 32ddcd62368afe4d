// What tcpsRouter, tcpsProxy and tcpsBackend can be told to do: certificates by name, ports, rates, mirrors, and what
// nodes are told.

import { createServer } from "node:net";
import { expect, test } from "vitest";
import { certificateFolder, TestAuthority, testAuthority } from "../../testing/certificates.ts";
import { RawBackend } from "../../testing/raw-backend.ts";
import { RawClient } from "../../testing/raw-client.ts";
import { named, route, router, to } from "../../testing/route.ts";
import type { RouterPart } from "../kinds.ts";

const toNode = (props = "") => router(`case { tcpsProxy { .toBackend = "n" ${props} } }`);

test("a client gets the certificate with the name that it asks for, and without a name the first one", async () => {
  await using folder = await certificateFolder();
  const a = await folder.issue("a", { names: ["a.example"] });
  const b = await folder.issue("b", { names: ["b.example", "*.b.example"] });
  await using node = await named("n");
  const tls =
    `.tlsMode = true .tlsCert = "${a.tlsCert}" .tlsKey = "${a.tlsKey}" ` +
    `.tlsSites = (["tlsCert": "${b.tlsCert}", "tlsKey": "${b.tlsKey}"])`;
  await using site = await route(to("n", node) + router('case { tcpsProxy { .toBackend = "n" } }', tls));
  const { cert: ca } = await testAuthority();
  for (const servername of ["a.example", "b.example", "www.b.example"]) {
    await using client = await site.connect({ ca, servername });
    expect((await client.exactly(2)).toString()).toBe("n:");
  }
  await using client = await site.connect({ ca, servername: "", checkServerIdentity: () => undefined });
  expect((await client.exactly(2)).toString()).toBe("n:");
});

test("keys of further certificates have to go with them", async () => {
  const props = '.tlsMode = true .tlsCert = "a.pem" .tlsSites = (["tlsCert": ("b.pem", "c.pem"), "tlsKey": "b.key"])';
  await expect(route(router("", props))).rejects.toThrow("each certificate has a key of its own");
});

test("a router listens on a range of ports", async () => {
  const [first = 0] = await freePorts(3);
  await using node = await named("n");
  await using site = await route(
    to("n", node) +
      `tcpsRouter "main" { .address = "127.0.0.1:${first}-${first + 2}"
         case $dstPort == "${first + 1}" { tcpsProxy { .toBackend = "n" } } }`,
  );
  const { listensOn }: RouterPart = site.stage.find("tcpsRouter.main")?.part ?? {};
  expect(listensOn).toHaveLength(3);
  await using second = await RawClient.connect({ port: first + 1, host: "127.0.0.1" });
  expect((await second.exactly(2)).toString()).toBe("n:");
  await using third = await RawClient.connect({ port: first + 2, host: "127.0.0.1" });
  expect(await third.ending()).toBe("end");
});

test.each([
  [":9-8", "1 to 1000 ports"],
  [":1-60000", "1 to 1000 ports"],
  [":0-10", "takes an address"],
  [":80-99999", "takes an address"],
])("the range of ports in %s is refused", async (address, message) => {
  await expect(route(`tcpsRouter "main" { .address = "${address}" }`)).rejects.toThrow(message);
});

test("a port within the range of another router is claimed twice", async () => {
  const text = 'tcpsRouter "a" { .address = ":9000-9010" } tcpsRouter "b" { .address = "127.0.0.1:9005" }';
  await expect(route(text)).rejects.toThrow("port 9005");
});

test("PROXY headers of version 2 tell the server name, ALPN, and the client's certificate", async () => {
  await using folder = await certificateFolder();
  const { tlsCert, tlsKey } = await folder.issue("a", { names: ["a.example"] });
  const authority = await TestAuthority.create("Clients");
  await using node = await RawBackend.listen(async (conn) => {
    const head = Buffer.from(await conn.exactly(16), "latin1");
    conn.socket.end(head.toString("latin1") + (await conn.exactly(head.readUInt16BE(14))), "latin1");
  });
  const tlsClientCA = await folder.write("ca.pem", authority.cert);
  const tls =
    `.tlsMode = true .tlsCert = "${tlsCert}" .tlsKey = "${tlsKey}" .alpn = ("imap") ` +
    `.tlsClientCert = "required" .tlsClientCA = "${tlsClientCA}"`;
  await using site = await route(
    to("n", node, '.proxyProtocol = "v2"') + router('case { tcpsProxy { .toBackend = "n" } }', tls),
  );
  const client = await authority.issue({ subject: "CN=ann,O=Shop" });
  const secure = { ca: (await testAuthority()).cert, servername: "a.example", ALPNProtocols: ["imap"], ...client };
  await using conn = await site.connect(secure);
  const tlvs = tlvsIn((await conn.toTheEnd()).subarray(28));
  expect(tlvs.get(0x01)?.toString()).toBe("imap");
  expect(tlvs.get(0x02)?.toString()).toBe("a.example");
  const ssl = tlvs.get(0x20) ?? Buffer.alloc(5);
  expect([ssl[0], ssl.readUInt32BE(1)]).toEqual([7, 0]);
  const inner = tlvsIn(ssl.subarray(5));
  expect(inner.get(0x21)?.toString()).toBe("TLSv1.3");
  expect(inner.get(0x22)?.toString()).toBe("ann");
  expect(inner.get(0x28)?.length).toBeGreaterThan(100);
});

test("without termination, a PROXY header of version 2 tells the server name of the ClientHello", async () => {
  await using node = await RawBackend.listen(async (conn) => {
    const head = Buffer.from(await conn.exactly(16), "latin1");
    conn.socket.end(await conn.exactly(head.readUInt16BE(14)), "latin1");
  });
  await using site = await route(
    to("n", node, '.proxyProtocol = "v2"') +
      router('case $serverName == "a.example" { tcpsProxy { .toBackend = "n" } }'),
  );
  await using client = await site.connect();
  client.send(Buffer.from(helloForA, "hex"));
  expect(
    tlvsIn((await client.toTheEnd()).subarray(12))
      .get(0x02)
      ?.toString(),
  ).toBe("a.example");
});

test("equal server names go to the same node", async () => {
  await using a = await named("a");
  await using b = await named("b");
  const nodes = `(["address": "${a.address}"], ["address": "${b.address}"])`;
  await using site = await route(
    `tcpsBackend "n" { .nodes = ${nodes} .balancer = "hash" }` +
      router('case $serverName == "a.example" { tcpsProxy { .toBackend = "n" .hashOn = $serverName } }'),
  );
  const names = new Set<string>();
  for (let i = 0; i < 6; i++) {
    await using client = await site.connect();
    client.send(Buffer.from(helloForA, "hex"));
    names.add((await client.exactly(2)).toString());
  }
  expect(names.size).toBe(1);
});

test.each([
  ["maxUploadRate", "up"],
  ["maxDownloadRate", "down"],
])("%s holds the side that sends", async (prop, direction) => {
  const size = 400_000;
  await using node = await RawBackend.listen(async (conn) => {
    await conn.exactly(direction === "up" ? size : 1);
    conn.socket.end(Buffer.alloc(direction === "up" ? 1 : size));
  });
  await using site = await route(to("n", node) + toNode(`.${prop} = 1M`));
  await using client = await site.connect();
  const before = performance.now();
  client.send(Buffer.alloc(direction === "up" ? size : 1));
  expect((await client.toTheEnd()).length).toBe(direction === "up" ? 1 : size);
  // The last piece is not waited for, and a tenth of a second is free.
  expect(performance.now() - before).toBeGreaterThan(100);
});

test("a mirror gets what the client sends, and what it answers is dropped", async () => {
  await using node = await named("n");
  await using mirror = await RawBackend.listen(async (conn) => {
    conn.send("from the mirror");
    await conn.ended();
  });
  await using site = await route(to("n", node) + to("m", mirror) + toNode('.mirrorTo = "m"'));
  await using client = await site.connect();
  client.send("hello").end();
  expect((await client.toTheEnd()).toString()).toBe("n:hello");
  expect(await mirror.conns[0]?.exactly(5)).toBe("hello");
});

test("what a client sent that has gone before its mirror had a connection still reaches the mirror", async () => {
  await using node = await named("n");
  await using mirror = await RawBackend.listen(({ socket }) => Promise.resolve(socket.on("end", () => socket.end())));
  const backends = to("n", node) + to("m", mirror, ".maxConnsPerNode = 1");
  await using site = await route(backends + toNode('.mirrorTo = "m"'));
  // It has the only connection to the mirror until it ends.
  await using first = await site.connect();
  first.send("first");
  await expect.poll(() => mirror.conns.length).toBe(1);
  await using second = await site.connect();
  second.send("second").end();
  expect((await second.toTheEnd()).toString()).toBe("n:second");
  // Once another one is served, the router knows that the second is over.
  await using third = await site.connect();
  await third.exactly(2);
  first.end();
  await expect.poll(() => mirror.conns.length).toBeGreaterThan(1);
  expect(await mirror.conns[1]?.exactly(6)).toBe("second");
});

test("a mirror that cannot be reached, or does not read, changes nothing for the client", async () => {
  const gone = await named("gone");
  await gone[Symbol.asyncDispose]();
  await using node = await RawBackend.listen(async ({ socket }) => {
    let size = 0;
    socket.removeAllListeners("data");
    socket.on("data", (bytes: Buffer) => (size += bytes.length));
    socket.on("end", () => socket.end(`got ${size}`));
    await Promise.resolve();
  });
  await using stuck = await RawBackend.listen((conn) => Promise.resolve(conn.socket.pause()));
  for (const mirror of [gone, stuck]) {
    await using site = await route(to("n", node) + to("m", mirror) + toNode('.mirrorTo = "m"'));
    await using client = await site.connect();
    client.send(Buffer.alloc(12_000_000)).end();
    expect((await client.toTheEnd()).toString()).toBe("got 12000000");
    await site.stage.quit(1000);
    expect(site.log.join("\n")).toContain("a mirror is given up");
  }
});

test.each([
  ["smtp", "", (isWell: boolean) => (isWell ? "220 a.example\r\n" : "554 no\r\n")],
  ["redis", "", (isWell: boolean) => (isWell ? "+PONG\r\n" : "-LOADING Redis is loading the dataset\r\n")],
  ["postgres", "", (isWell: boolean) => (isWell ? "R\0\0\0\x08\0\0\0\x03" : "E\0\0\0\x13SFATAL\0C57P03\0\0")],
  ["mysql", "", (isWell: boolean) => `\x02\0\0\0\n8\x0a\0\0\x02\xff${isWell ? "\x15\x04" : "\x10\x04"}#28000x`],
  ["expect", '.healthExpect = "+OK"', (isWell: boolean) => (isWell ? "+OK\r\n" : "-ERR\r\n")],
])("the health check %s looks at what the node says first", async (check, props, greeting) => {
  let isWell = true;
  await using node = await RawBackend.listen(async (conn) => {
    conn.socket.end(greeting(isWell), "latin1");
    await conn.ended();
  });
  const health = `.healthCheck = "${check}" ${props} .healthInterval = 10ms .healthFall = 1 .healthRise = 1`;
  await using site = await route(to("n", node, health) + toNode());
  await using client = await site.connect();
  expect((await client.toTheEnd()).toString("latin1")).toBe(greeting(true));
  isWell = false;
  while (!site.log.some((line) => line.includes("is down"))) await new Promise((resolve) => setImmediate(resolve));
  await using second = await site.connect();
  expect(await second.ending()).toMatch(/end|reset/);
});

/** The name a.example, and nothing else that matters. */
const helloForA = (() => {
  const name = Buffer.from("a.example");
  const list = Buffer.concat([Buffer.of(0, name.length + 3, 0, 0, name.length), name]);
  const extensions = Buffer.concat([Buffer.of(0, 0, 0, list.length), list]);
  const body = Buffer.concat([
    Buffer.of(3, 3),
    Buffer.alloc(32),
    Buffer.of(0, 0, 2, 0x13, 1, 1, 0, 0, extensions.length),
    extensions,
  ]);
  const message = Buffer.concat([Buffer.of(1, 0, 0, body.length), body]);
  return Buffer.concat([Buffer.of(0x16, 3, 1, 0, message.length), message]).toString("hex");
})();

function tlvsIn(bytes: Buffer): Map<number, Buffer> {
  const found = new Map<number, Buffer>();
  for (let at = 0; at + 3 <= bytes.length;) {
    const end = at + 3 + bytes.readUInt16BE(at + 1);
    found.set(bytes[at] ?? 0, bytes.subarray(at + 3, end));
    at = end;
  }
  return found;
}

/** Ports in a row that nothing listens on just now. */
async function freePorts(count: number): Promise<readonly number[]> {
  for (let first = 20_000 + Math.floor(Math.random() * 10_000); ; first += count) {
    const ports = Array.from({ length: count }, (_, i) => first + i);
    const areFree = await Promise.all(ports.map(isFree));
    if (areFree.every(Boolean)) return ports;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
