// What sock-proxy.test.ts shows of handshakes and tunnels is the same code; this is what httpProxy makes of it.

import { once } from "node:events";
import { connect } from "node:http2";
import { expect, test } from "vitest";
import { bootWith } from "../../boot.ts";
import { acceptFor } from "../../http/websocket-keys.ts";
import { openErrorLog } from "../../log/error-log.ts";
import { MemorySink } from "../../log/sink.ts";
import type { ServerPart } from "../../stage/kinds/server.ts";
import { RawBackend } from "../../testing/raw-backend.ts";
import { RawClient, request } from "../../testing/raw-client.ts";
import { proxyTo } from "../../testing/proxy.ts";
import { webSocketFrame, handshake, nextFrame, serveSocklet, TEXT } from "../../testing/websocket.ts";

/**
 * A node that grants the upgrades that it is asked for, and echoes; other requests get the value of their field
 * `upgrade`.
 */
function granting(): Promise<RawBackend> {
  return RawBackend.listen(async (conn) => {
    for (;;) {
      const { headers } = await conn.request();
      const protocol = headers["upgrade"];
      if (protocol === undefined) {
        conn.answer("as a request");
        continue;
      }
      const accept = `sec-websocket-accept: ${acceptFor(headers["sec-websocket-key"] ?? "")}\r\n`;
      conn.send(`HTTP/1.1 101 Switching Protocols\r\nupgrade: ${protocol}\r\nconnection: upgrade\r\n${accept}\r\n`);
      for (;;) conn.send(await conn.exactly(1));
    }
  });
}

test("a WebSocket becomes a plain GET at httpProxy no more: it is passed on", async () => {
  await using chat = await serveSocklet((upgrade) => {
    const ws = upgrade.accept({ message: (message) => ws.send(`you said ${String(message)}`) });
    return true;
  });
  await using proxy = await proxyTo([new URL(chat.url).host]);
  const client = await proxy.connect();
  const head = await client.send(handshake()).through("\r\n\r\n");
  // RFC 6455 1.3.
  expect(head).toContain("\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n");
  expect(await nextFrame(client.send(webSocketFrame(TEXT, "hello")))).toEqual([TEXT, "you said hello"]);
});

test("so is one of HTTP/2", async () => {
  await using node = await granting();
  await using proxy = await proxyTo([node.address]);
  const session = connect(`http://127.0.0.1:${proxy.port}`);
  try {
    await once(session, "remoteSettings");
    const stream = session.request({ ":method": "CONNECT", ":protocol": "websocket", ":path": "/" });
    const [headers] = (await once(stream, "response")) as [{ readonly ":status": number }];
    expect(headers[":status"]).toBe(200);
    stream.write("x");
    expect(String((await once(stream, "data"))[0])).toBe("x");
  } finally {
    session.destroy();
  }
});

test.each([
  ["h2c", {}],
  ["websocket", { upgrades: [] }],
])("an upgrade to %s with %j is a request as any other", async (upgrade, props) => {
  await using node = await granting();
  await using proxy = await proxyTo([node.address], { proxy: props });
  const asked = request("GET /", { connection: "upgrade", upgrade });
  expect(await proxy.ask(asked)).toMatchObject({ status: 200, text: "as a request" });
});

test("another protocol goes through where it is listed", async () => {
  await using node = await granting();
  await using proxy = await proxyTo([node.address], { proxy: { upgrades: ["spdy/3.1"] } });
  const client = await proxy.connect();
  client.send(request("POST /exec", { connection: "upgrade", upgrade: "SPDY/3.1", "content-length": "0" }));
  expect(await client.through("\r\n\r\n")).toContain("\r\nupgrade: spdy/3.1\r\n");
  await client.send("hello").through("hello");
});

test("without a key it is refused with 400", async () => {
  await using proxy = await proxyTo(["127.0.0.1:9"]);
  expect(await proxy.ask(request("GET /", { connection: "upgrade", upgrade: "websocket" }))).toMatchObject({
    status: 400,
  });
});

test("nothing behind an upgrade that the node refuses is read as a request", async () => {
  const asked: string[] = [];
  await using node = await RawBackend.listen(async (conn) => {
    for (;;) {
      asked.push((await conn.request()).line);
      conn.answer("no");
    }
  });
  await using proxy = await proxyTo([node.address]);
  const client = await proxy.connect();
  client.send(handshake() + request("GET /smuggled"));
  expect(await client.response()).toMatchObject({ status: 200 });
  expect(String(await client.toTheEnd())).toBe("");
  await proxy.ask("GET /after");
  expect(asked).toEqual(["GET / HTTP/1.1", "GET /after HTTP/1.1"]);
});

test("the fields of the answer are edited as those of others", async () => {
  await using node = await granting();
  await using proxy = await proxyTo([node.address], { proxy: { setResponseHeaders: { "x-a": "1" } } });
  const client = await proxy.connect();
  expect(await client.send(handshake()).through("\r\n\r\n")).toContain("\r\nx-a: 1\r\n");
});

test("a tunnel without bytes is broken off after idleTimeout", async () => {
  await using node = await granting();
  await using proxy = await proxyTo([node.address], { proxy: { idleTimeout: 1 } });
  const client = await proxy.connect();
  await client.send(handshake()).through("\r\n\r\n");
  await client.toTheEnd().catch(() => undefined);
  expect(proxy.log.join("")).toContain("was idle for 1 ms");
});

test("an idleTimeout that a reload makes shorter holds for tunnels without bytes", async () => {
  await using node = await granting();
  const config = (props: string) => `stage {
    http1Backend "n" { .nodes = (["address": "${node.address}"]) }
    webapp "all" { .hostnames = ("*") rule { httpProxy { .toBackend = "n" ${props} } } }
    httpxServer "main" { .webapps = ("all") .address = "127.0.0.1:0" }
  }`;
  const sink = new MemorySink();
  const stage = await bootWith([]).bootText(config(""), { log: openErrorLog({ sink }) });
  await using _end = { [Symbol.asyncDispose]: () => stage.quit(1000) };
  await stage.start();
  const { listensOn: [address = ""] = [] }: ServerPart = stage.find("httpxServer.main")?.part ?? {};
  await using client = await RawClient.connect({ port: Number(address.split(":")[1]), host: "127.0.0.1" });
  await client.send(handshake()).through("\r\n\r\n");
  await stage.reload({ text: config(".idleTimeout = 1ms") });
  await client.ending();
  expect(sink.lines.join("\n")).toContain("was idle for 1 ms");
});
