// Routers as their clients see them: what is told apart by the first bytes, and who gets the connection.

import { channel } from "node:diagnostics_channel";
import { expect, test } from "vitest";
import { bootWith } from "../../boot.ts";
import { openErrorLog } from "../../log/error-log.ts";
import { MemorySink } from "../../log/sink.ts";
import { certificateFolder, testAuthority } from "../../testing/certificates.ts";
import { RawBackend } from "../../testing/raw-backend.ts";
import { RawClient, request } from "../../testing/raw-client.ts";
import { named, route, router, to, web } from "../../testing/route.ts";
import type { RouterPart } from "../kinds.ts";

test("bytes pass both ways, and each side may shut its end first", async () => {
  await using node = await RawBackend.listen(async (conn) => {
    const { socket } = conn;
    let size = 0;
    socket.on("data", (bytes: Buffer) => (size += bytes.length));
    socket.on("end", () => socket.end(`got ${size}`));
  });
  await using site = await route(`${to("b", node)} ${router('case { tcpsProxy { .toBackend = "b" } }')}`);
  await using client = await site.connect();
  client.send(Buffer.alloc(3_000_000, "x")).end();
  expect((await client.toTheEnd()).toString()).toBe("got 3000000");
});

test("a program that follows the sockets of the process sees those of a router, too", async () => {
  await using node = await named("b");
  await using site = await route(`${to("b", node)} ${router('case { tcpsProxy { .toBackend = "b" } }')}`);
  let followed = 0;
  const follow = (): void => {
    followed++;
  };
  channel("net.server.socket").subscribe(follow);
  try {
    await using client = await site.connect();
    client.send("x");
    expect((await client.exactly(3)).toString()).toBe("b:x");
    // The node's, and the router's.
    expect(followed).toBe(2);
  } finally {
    channel("net.server.socket").unsubscribe(follow);
  }
});

test("connections are told apart by their first bytes, which may come one by one", async () => {
  await using ssh = await named("ssh");
  await using other = await named("other");
  await using site = await route(
    to("s", ssh) +
      to("o", other) +
      router('case $protocol == "ssh" { tcpsProxy { .toBackend = "s" } } case { tcpsProxy { .toBackend = "o" } }'),
  );
  await using client = await site.connect();
  await client.sendByteByByte("SSH-2.0-x");
  expect((await client.exactly(13)).toString()).toBe("ssh:SSH-2.0-x");
  await using second = await site.connect();
  second.send("SSX");
  expect((await second.exactly(9)).toString()).toBe("other:SSX");
});

test("a client that says nothing is silent after sniffTimeout", async () => {
  await using node = await named("mysql");
  await using site = await route(
    to("m", node) + router('case $protocol == "silent" { tcpsProxy { .toBackend = "m" } }', ".sniffTimeout = 10ms"),
  );
  await using client = await site.connect();
  expect((await client.exactly(6)).toString()).toBe("mysql:");
});

test("a connection that no case takes is closed, and the log says so", async () => {
  await using site = await route(router('case $srcHost == "192.0.2.1" { handOver { .toServer = "w" } }') + web());
  await using client = await site.connect();
  await client.ending();
  expect(site.log.join("\n")).toMatch(/client 127\.0\.0\.1 port [1-9]\d*: its connection was ended: notTaken/);
});

test("a web server gets a connection with its first bytes, and knows the client", async () => {
  await using site = await route(web() + router('case $protocol == "http" { handOver { .toServer = "w" } }'));
  await using client = await site.connect();
  await client.sendByteByByte(request("GET /"));
  expect((await client.response()).content.toString()).toBe(`http ${client.socket.localPort}`);
  client.send(request("GET /"));
  expect((await client.response()).status).toBe(200);
});

test("a web server makes the handshake of a connection that was told by its ClientHello", async () => {
  await using folder = await certificateFolder();
  const { tlsCert, tlsKey } = await folder.issue("a", { names: ["a.example"] });
  await using node = await named("b");
  const certificate = `.tlsCert = "${tlsCert}" .tlsKey = "${tlsKey}"`;
  await using site = await route(
    web(".tlsMode = true", certificate) +
      to("b", node) +
      router(
        'case $serverName == "a.example" && $nextProto == "http/1.1" { handOver { .toServer = "w" } } case { tcpsProxy { .toBackend = "b" } }',
      ),
  );
  const { cert: ca } = await testAuthority();
  await using client = await site.connect({ ca, servername: "a.example", ALPNProtocols: ["http/1.1"] });
  client.send(request("GET /", { host: "a.example" }));
  expect((await client.response()).content.toString()).toMatch(/^https /);
});

test("a router terminates TLS, and its cases know the server name and the protocol", async () => {
  await using folder = await certificateFolder();
  const { tlsCert, tlsKey } = await folder.issue("a", { names: ["a.example"] });
  await using node = await named("n");
  const tls = `.tlsMode = true .tlsCert = "${tlsCert}" .tlsKey = "${tlsKey}" .alpn = ("imap")`;
  const condition = '$transport == "tls" && $serverName == "a.example" && $nextProto == "imap"';
  await using site = await route(to("n", node) + router(`case ${condition} { tcpsProxy { .toBackend = "n" } }`, tls));
  const { cert: ca } = await testAuthority();
  await using client = await site.connect({ ca, servername: "a.example", ALPNProtocols: ["imap"] });
  client.send("x");
  expect((await client.exactly(3)).toString()).toBe("n:x");
});

test("a node that cannot be reached is passed over for another one", async () => {
  const gone = await named("gone");
  await gone[Symbol.asyncDispose]();
  await using node = await named("n");
  const backend = `tcpsBackend "b" { .nodes = (["address": "${gone.address}"], ["address": "${node.address}"]) }`;
  await using site = await route(backend + router('case { tcpsProxy { .toBackend = "b" } }'));
  for (let i = 0; i < 3; i++) {
    await using client = await site.connect();
    expect((await client.exactly(2)).toString()).toBe("n:");
  }
});

test("a reset of either side resets the other one", async () => {
  await using node = await named("n");
  await using site = await route(to("n", node) + router('case { tcpsProxy { .toBackend = "n" } }'));
  await using client = await site.connect();
  await client.exactly(2);
  node.conns[0]?.socket.resetAndDestroy();
  expect(await client.ending()).toBe("reset");
  const told = /client 127\.0\.0\.1 port [1-9]\d*: its connection was ended: nodeAborted/;
  while (!site.log.some((line) => told.test(line))) await new Promise((resolve) => setImmediate(resolve));
  await using second = await site.connect();
  await second.exactly(2);
  second.reset();
  expect(await node.conns[1]?.ended()).toBe(true);
});

test("a node gets the PROXY header of the client before anything else", async () => {
  await using node = await RawBackend.listen(async (conn) => conn.socket.end(await conn.through("\r\n")));
  await using site = await route(
    to("n", node, '.proxyProtocol = "v1"') + router('case { tcpsProxy { .toBackend = "n" } }'),
  );
  await using client = await site.connect();
  expect(await client.through("\r\n")).toContain(`PROXY TCP4 127.0.0.1 127.0.0.1 ${client.socket.localPort} `);
});

test("a reload that changes another case leaves established connections alone", async () => {
  await using node = await named("n");
  const config = (other: string) =>
    `stage { ${to("n", node)} ${router(`case "other" $srcHost == "${other}" { tcpsProxy { .toBackend = "n" } } case "rest" { tcpsProxy { .toBackend = "n" } }`)} }`;
  const stage = await bootWith([]).bootText(config("192.0.2.1"), { log: openErrorLog({ sink: new MemorySink() }) });
  await stage.start();
  const { listensOn }: RouterPart = stage.find("tcpsRouter.main")?.part ?? {};
  const port = Number(/:(\d+)$/.exec(listensOn?.[0] ?? "")?.[1]);
  try {
    await using client = await RawClient.connect({ port, host: "127.0.0.1" });
    await client.exactly(2);
    const { departed } = await stage.reload({ text: config("192.0.2.2") });
    await departed;
    client.send("still");
    expect((await client.exactly(5)).toString()).toBe("still");
  } finally {
    await stage.quit(1000);
  }
});

test("a reload that changes the certificate of a router leaves established connections alone", async () => {
  await using folder = await certificateFolder();
  const issued = [await folder.issue("a", { names: ["a.example"] }), await folder.issue("b", { names: ["b.example"] })];
  await using node = await named("n");
  const config = (number: number): string => {
    const { tlsCert, tlsKey } = issued[number] ?? { tlsCert: "/no/such.crt", tlsKey: "/no/such.key" };
    const tls = `.tlsMode = true .tlsCert = "${tlsCert}" .tlsKey = "${tlsKey}"`;
    return `stage { ${to("n", node)} ${router('case { tcpsProxy { .toBackend = "n" } }', tls)} }`;
  };
  const stage = await bootWith([]).bootText(config(0), { log: openErrorLog({ sink: new MemorySink() }) });
  await stage.start();
  const { listensOn }: RouterPart = stage.find("tcpsRouter.main")?.part ?? {};
  const port = Number(/:(\d+)$/.exec(listensOn?.[0] ?? "")?.[1]);
  const { cert: ca } = await testAuthority();
  const connect = (servername: string) => RawClient.connect({ port, host: "127.0.0.1" }, { ca, servername });
  try {
    await using client = await connect("a.example");
    await client.exactly(2);
    const { created, dropped } = await stage.reload({ text: config(1) });
    expect([created, dropped]).toEqual([[], []]);
    await using second = await connect("b.example");
    await second.exactly(2);
    await expect(stage.reload({ text: config(2) })).rejects.toThrow(/no\/such/);
    await using third = await connect("b.example");
    await third.exactly(2);
    client.send("still");
    expect((await client.exactly(5)).toString()).toBe("still");
  } finally {
    await stage.quit(1000);
  }
});
