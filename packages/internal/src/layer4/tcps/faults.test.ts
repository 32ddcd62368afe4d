// What clients, proxies and nodes do wrong, or on purpose, at a tcpsRouter.

import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { Duplex } from "node:stream";
import * as tls from "node:tls";
import { expect, test } from "vitest";
import { pack } from "../../component/pack.ts";
import { certificateFolder } from "../../testing/certificates.ts";
import { RawBackend } from "../../testing/raw-backend.ts";
import { named, route, router, to } from "../../testing/route.ts";
import { defineDealet, type DealetPart } from "../kinds.ts";
import { tcpsDealet, type TcpsConn, type TcpsDealet } from "./dealet.ts";

/** A ClientHello as node:tls sends it. */
async function clientHello(options: tls.ConnectionOptions): Promise<Buffer> {
  const sent = Promise.withResolvers<Buffer>();
  const wire = new Duplex({
    read() {},
    write(bytes: Buffer, _encoding, done) {
      sent.resolve(bytes);
      done();
    },
  });
  const socket = tls.connect({ ...options, socket: wire }).on("error", () => {});
  const hello = await sent.promise;
  socket.destroy();
  return hello;
}

/** The same message in records of at most `size` bytes. */
function inRecords(hello: Buffer, size: number): Buffer {
  const records: Buffer[] = [];
  for (let at = 5; at < hello.length; at += size) {
    const piece = hello.subarray(at, at + size);
    records.push(Buffer.of(0x16, 3, 1, piece.length >> 8, piece.length & 255), piece);
  }
  return Buffer.concat(records);
}

/** With the extension of GREASE (RFC 8701), and one that looks like ECH, before all others. */
function withUnknownExtensions(hello: Buffer): Buffer {
  const added = Buffer.from("0a0a000100" + "fe0d0004deadbeef", "hex");
  // Record, message, version, random, session id, ciphers, compression.
  let at = 5 + 4 + 34;
  at += 1 + (hello[at] ?? 0);
  at += 2 + hello.readUInt16BE(at);
  at += 1 + (hello[at] ?? 0);
  const changed = Buffer.concat([hello.subarray(0, at + 2), added, hello.subarray(at + 2)]);
  changed.writeUInt16BE(hello.readUInt16BE(at) + added.length, at);
  changed.writeUInt16BE(hello.readUInt16BE(3) + added.length, 3);
  changed.writeUIntBE(hello.readUIntBE(6, 3) + added.length, 6, 3);
  return changed;
}

const bySni = (a: RawBackend, other: RawBackend, props = "") =>
  to("a", a) +
  to("o", other) +
  router(
    'case $serverName == "a.example" && $nextProto == "h2" { tcpsProxy { .toBackend = "a" } } case { tcpsProxy { .toBackend = "o" } }',
    props,
  );

test.each<[string, (hello: Buffer) => Buffer]>([
  ["in one record", (hello) => hello],
  ["in records of 7 bytes", (hello) => inRecords(hello, 7)],
  ["with GREASE and ECH", withUnknownExtensions],
])("the server name of a ClientHello %s is found, and the node gets every byte", async (_how, change) => {
  await using a = await named("a");
  await using other = await named("o");
  await using site = await route(bySni(a, other));
  await using client = await site.connect();
  const hello = change(await clientHello({ servername: "A.example", ALPNProtocols: ["h2", "http/1.1"] }));
  client.send(hello);
  expect(await client.exactly(2 + hello.length)).toEqual(Buffer.concat([Buffer.from("a:"), hello]));
});

test("a ClientHello may come in single bytes", async () => {
  await using a = await named("a");
  await using other = await named("o");
  await using site = await route(bySni(a, other));
  await using client = await site.connect();
  const hello = await clientHello({ servername: "a.example", ALPNProtocols: ["h2"] });
  await client.sendByteByByte(hello.toString("latin1"));
  expect((await client.exactly(2)).toString()).toBe("a:");
});

test.each<[string, Buffer]>([
  ["not TLS", Buffer.from("hello")],
  ["a record of another type", Buffer.from("1503010002", "hex")],
  ["too large a ClientHello", Buffer.concat([Buffer.from("16030140000100ffff", "hex"), Buffer.alloc(20_000)])],
])("what is %s has no server name, and goes to the next case", async (_what, bytes) => {
  await using a = await named("a");
  await using other = await named("o");
  await using site = await route(bySni(a, other));
  await using client = await site.connect();
  client.send(bytes);
  expect((await client.exactly(2)).toString()).toBe("o:");
});

test("a client that ends in the middle of its ClientHello is decided by what it sent", async () => {
  await using a = await named("a");
  await using other = await named("o");
  await using site = await route(bySni(a, other));
  await using client = await site.connect();
  client.send(Buffer.of(0x16, 3, 1)).end();
  expect((await client.toTheEnd()).toString("latin1")).toBe("o:\x16\x03\x01");
});

test("many connections that send nothing are closed after sniffTimeout, and maxConns holds", async () => {
  await using site = await route(router('case $protocol == "ssh" {}', ".sniffTimeout = 10ms .maxConns = 100"));
  const clients = await Promise.all(Array.from({ length: 300 }, () => site.connect()));
  for (const client of clients) expect(["end", "reset"]).toContain(await client.ending());
  expect(site.log.join("\n")).toContain("maxConns");
});

test("a client may have maxConnsPerClient connections", async () => {
  await using node = await named("n");
  await using site = await route(
    to("n", node) + router('case { tcpsProxy { .toBackend = "n" } }', ".maxConnsPerClient = 1"),
  );
  await using first = await site.connect();
  await first.exactly(2);
  await using second = await site.connect();
  expect(["end", "reset"]).toContain(await second.ending());
});

const proxied = (node: RawBackend, props: string) =>
  to("n", node) + router('case $srcHost == "192.0.2.7" { tcpsProxy { .toBackend = "n" } }', props);

test("a PROXY header of a trusted address names the client; that of another one is bytes of the client", async () => {
  await using node = await named("n");
  const header = "PROXY TCP4 192.0.2.7 192.0.2.1 5000 443\r\n";
  await using trusting = await route(proxied(node, '.proxyProtocol = ("127.0.0.1")'));
  await using known = await trusting.connect();
  expect((await known.send(`${header}x`).exactly(3)).toString()).toBe("n:x");
  await using plain = await route(proxied(node, ""));
  await using liar = await plain.connect();
  expect(["end", "reset"]).toContain(await liar.send(header).ending());
});

test.each(["PROXY TCP4 1.2.3.4", "PROXY TCP4 999.2.0.7 192.0.2.1 5000 443\r\n", `PROXY ${"x".repeat(200)}`])(
  "a PROXY header such as %j closes the connection",
  async (header) => {
    await using node = await named("n");
    await using site = await route(proxied(node, '.proxyProtocol = ("127.0.0.1") .proxyHeaderTimeout = 10ms'));
    await using client = await site.connect();
    expect(["end", "reset"]).toContain(await client.send(header).ending());
  },
);

test("a client behind a PROXY header is not read while a dealet has not decided", async () => {
  const waiting: TcpsConn[] = [];
  const dealet = defineDealet({
    sign: "waitingDealet",
    props: {},
    offers: [tcpsDealet],
    create: (): DealetPart & TcpsDealet => ({
      takeConn: (conn) => {
        waiting.push(conn);
        return new Promise((resolve) => conn.onClose(() => resolve(true)));
      },
    }),
  });
  const use = [pack("test", [dealet])];
  await using site = await route(router("case { waitingDealet {} }", '.proxyProtocol = ("127.0.0.1")'), { use });
  const header = "PROXY TCP4 192.0.2.7 192.0.2.1 5000 443\r\n";
  await using client = await site.connect();
  client.send(header);
  await expect.poll(() => waiting.length).toBe(1);
  await new Promise((resolve) => client.socket.write(Buffer.alloc(32 * 1024), resolve));
  // Once this one is there, the bytes of the first would have been read, too.
  await using other = await site.connect();
  other.send(header);
  await expect.poll(() => waiting.length).toBe(2);
  expect(waiting[0]?.link.received).toBe(0);
});

test("a node that never reads slows its client down, and idleTimeout ends both", async () => {
  await using node = await RawBackend.listen((conn) => Promise.resolve(conn.socket.pause()));
  await using site = await route(
    to("n", node) + router('case { tcpsProxy { .toBackend = "n" .idleTimeout = 300ms } }'),
  );
  await using client = await site.connect();
  const piece = Buffer.alloc(64 * 1024);
  // It would take all of this if there were no bound.
  for (let i = 0; i < 4096; i++) client.socket.write(piece);
  expect(await client.ending()).toBe("reset");
  expect(client.socket.bytesWritten - client.socket.writableLength).toBeLessThan(64 * 1024 * 1024);
  await site.stage.quit(1000);
  expect(site.log.join("\n")).toMatch(/client 127\.0\.0\.1 port [1-9]\d*: its connection was ended: idleTimeout/);
});

test("connections of a node that health checks find down are closed, if so configured", async () => {
  let isWell = true;
  await using node = await RawBackend.listen(async (conn) => {
    const line = await conn.through("\n");
    if (line === "ping\n") conn.socket.end(isWell ? "pong" : "no");
    else conn.send("served");
  });
  const health =
    '.healthCheck = "expect" .healthSend = "ping\n" .healthExpect = "pong" .healthInterval = 10ms .healthFall = 1 .healthTimeout = 10s';
  await using site = await route(
    to("n", node, health) + router('case { tcpsProxy { .toBackend = "n" .onNodeDown = "close" } }'),
  );
  await using client = await site.connect();
  expect((await client.send("x\n").exactly(6)).toString()).toBe("served");
  isWell = false;
  expect(await client.ending()).toBe("reset");
  await site.stage.quit(1000);
  expect(site.log.join("\n")).toMatch(/client 127\.0\.0\.1 port [1-9]\d*: its connection was ended: nodeDown/);
});

test("nodes may be reached by TLS, with the PROXY header before it", async () => {
  await using folder = await certificateFolder();
  const { tlsCert, tlsKey } = await folder.issue("n", { names: ["n.example"] });
  const server = tls.createServer({ cert: await readFile(tlsCert), key: await readFile(tlsKey) });
  server.on("secureConnection", (socket) => socket.on("error", () => {}).end("secured"));
  let header = "";
  await using node = await RawBackend.listen(({ socket }) => {
    socket.removeAllListeners("data").once("data", (bytes: Buffer) => {
      const size = bytes.indexOf("\r\n") + 2;
      header = bytes.toString("latin1", 0, size);
      socket.pause();
      if (size < bytes.length) socket.unshift(bytes.subarray(size));
      server.emit("connection", socket);
    });
    return Promise.resolve();
  });
  const secure = '.tlsMode = true .tlsServerName = "n.example" .tlsVerify = false .proxyProtocol = "v1"';
  await using site = await route(to("n", node, secure) + router('case { tcpsProxy { .toBackend = "n" } }'));
  await using client = await site.connect();
  expect((await client.exactly(7)).toString()).toBe("secured");
  expect(header).toMatch(/^PROXY TCP4 127\.0\.0\.1 /);
});

test("over TLS, a side that breaks off takes the other one with it, and not the process", async () => {
  await using folder = await certificateFolder();
  const { tlsCert, tlsKey } = await folder.issue("a", { names: ["a.example"] });
  const secured: tls.TLSSocket[] = [];
  const server = tls.createServer({ cert: await readFile(tlsCert), key: await readFile(tlsKey) }, (socket) => {
    secured.push(
      socket
        .on("error", () => {})
        .on("end", () => socket.destroy())
        .resume(),
    );
    socket.write("n:");
  });
  await using node = await RawBackend.listen(({ socket }) => {
    socket.removeAllListeners("data");
    server.emit("connection", socket);
    return Promise.resolve();
  });
  await using site = await route(
    to("n", node, '.tlsMode = true .tlsServerName = "a.example" .tlsVerify = false') +
      router(
        'case { tcpsProxy { .toBackend = "n" } }',
        `.tlsMode = true .tlsCert = "${tlsCert}" .tlsKey = "${tlsKey}"`,
      ),
  );
  const options = { servername: "a.example", rejectUnauthorized: false };
  await using client = await site.connect(options);
  await client.exactly(2);
  const atNode = once(secured[0] ?? server, "close");
  client.reset();
  await atNode;
  await using second = await site.connect(options);
  await second.exactly(2);
  secured[1]?.destroy();
  await second.ending();
  await using third = await site.connect(options);
  expect((await third.exactly(2)).toString()).toBe("n:");
});

test.each(["received", "ended", "closed"] as const)(
  "what `%s` of a dealet throws ends its connection, with its reason in the log",
  async (method) => {
    const throwing = defineDealet({
      sign: "throwingDealet",
      props: {},
      offers: [tcpsDealet],
      create: (): DealetPart & TcpsDealet => ({
        takeConn(conn) {
          const user = { received: () => {}, ended: () => conn.link.end(), drained: () => {}, closed: () => {} };
          user[method] = () => {
            throw new Error("a mistake of a dealet");
          };
          conn.begin(user);
          return true;
        },
      }),
    });
    await using site = await route(router("case { throwingDealet {} }"), { use: [pack("test", [throwing])] });
    await using client = await site.connect();
    client.send("x").end();
    await client.ending();
    const lines = (): string => site.log.join("");
    await expect.poll(lines).toContain("error tcpsRouter.main/case/throwingDealet failed at client");
    expect(lines()).toContain("a mistake of a dealet");
    await expect.poll(lines).toContain("its connection was ended: error");
  },
);
