import { once } from "node:events";
import { connect } from "node:http2";
import type { Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { RawBackend, type BackendConn } from "../../testing/raw-backend.ts";
import { request, type RawClient } from "../../testing/raw-client.ts";
import { acceptFor } from "../../http/websocket-keys.ts";
import { webSocketFrame, handshake, nextFrame, serveSocklet, TEXT } from "../../testing/websocket.ts";
import { proxyTo, type ProxyOptions, type Settings, type TestProxy } from "../../testing/proxy.ts";

interface Options extends Omit<ProxyOptions, "socklet"> {
  readonly sock?: Settings;
}

function socketsTo(nodes: readonly string[], { sock = {}, ...options }: Options = {}): Promise<TestProxy> {
  return proxyTo(nodes, { ...options, socklet: { sign: "sockProxy", props: sock } });
}

/** A node that accepts each WebSocket, and leaves what follows to the test. */
function accepting(serve: (conn: BackendConn) => unknown = () => undefined, behind = ""): Promise<RawBackend> {
  return RawBackend.listen(async (conn) => {
    const { headers } = await conn.request();
    conn.send(accepted(headers["sec-websocket-key"]) + behind);
    await serve(conn);
  });
}

const accepted = (key = "", fields = "") =>
  `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nConnection: Upgrade\r\n` +
  `sec-websocket-accept: ${acceptFor(key)}\r\n${fields}\r\n`;

async function echo(conn: BackendConn): Promise<void> {
  for (;;) conn.send(await conn.exactly(1));
}

/** A client whose WebSocket is open. */
async function open(proxy: TestProxy, fields: Readonly<Record<string, string>> = {}): Promise<RawClient> {
  const client = await proxy.connect();
  await client.send(handshake(fields)).through("\r\n\r\n");
  return client;
}

function socketOf({ conns: [conn] }: RawBackend): Socket {
  if (conn === undefined) throw new Error("nobody has come to this node");
  return conn.socket;
}

describe("a WebSocket", () => {
  test("is opened by the node, with keys between each two of them", async () => {
    const asked = Promise.withResolvers<readonly string[]>();
    await using node = await RawBackend.listen(async (conn) => {
      const { lines, headers } = await conn.request();
      asked.resolve(lines);
      conn.send(accepted(headers["sec-websocket-key"], "sec-websocket-protocol: chat\r\nx-node: 1\r\n"));
      await echo(conn);
    });
    await using proxy = await socketsTo([node.address]);
    const client = await proxy.connect();
    client.send(handshake({ "sec-websocket-protocol": "chat", origin: "https://a.example" }));
    const head = await client.through("\r\n\r\n");
    // RFC 6455 1.3.
    expect(head).toContain("\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n");
    expect(head).toContain("\r\nsec-websocket-protocol: chat\r\nx-node: 1\r\n");
    expect(head.match(/^(?:upgrade|connection|date|sec-websocket-accept):/gim)).toHaveLength(4);
    const lines = await asked.promise;
    expect(lines).toContain("upgrade: websocket");
    expect(lines).toContain("connection: upgrade");
    expect(lines).toContain("sec-websocket-version: 13");
    expect(lines).toContain("host: test.example");
    expect(lines).toContain("origin: https://a.example");
    expect(lines).toContain("x-forwarded-for: 127.0.0.1");
    expect(lines.filter((line) => line.startsWith("sec-websocket-key: "))).toHaveLength(1);
    expect(lines).not.toContain("sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==");
    await client.send("hello").through("hello");
  });

  test("is spoken through the proxy by a server and a client that know of nothing", async () => {
    await using chat = await serveSocklet((upgrade) => {
      const ws = upgrade.accept({ message: (message) => ws.send(`you said ${String(message)}`) });
      return true;
    });
    await using proxy = await socketsTo([new URL(chat.url).host]);
    const client = await open(proxy);
    expect(await nextFrame(client.send(webSocketFrame(TEXT, "hello")))).toEqual([TEXT, "you said hello"]);
    const ws = new WebSocket(`ws://127.0.0.1:${proxy.port}/`);
    await once(ws, "open");
    const message = once(ws, "message");
    ws.send("hi");
    expect(await message).toMatchObject([{ data: "you said hi" }]);
    ws.close();
    await once(ws, "close");
  });

  test("has its first bytes behind the heads on both sides", async () => {
    await using node = await accepting(echo, "first");
    await using proxy = await socketsTo([node.address]);
    const client = await proxy.connect();
    client.send(handshake() + "early");
    await client.through("\r\n\r\nfirstearly");
  });

  test("ends in one direction while the other goes on", async () => {
    await using node = await accepting(async (conn) => {
      await conn.through("bye");
      await conn.ended();
      conn.send("still here");
      conn.socket.end();
    });
    await using proxy = await socketsTo([node.address]);
    const client = await open(proxy);
    client.send("bye").end();
    expect(String(await client.toTheEnd())).toBe("still here");
  });

  test("may be shut by the node first", async () => {
    const heard = Promise.withResolvers<string>();
    await using node = await accepting(async (conn) => {
      conn.socket.end("bye");
      heard.resolve(await conn.through("answer"));
    });
    await using proxy = await socketsTo([node.address]);
    const client = await open(proxy);
    expect(String(await client.toTheEnd())).toBe("bye");
    client.send("answer").end();
    expect(await heard.promise).toBe("answer");
  });

  test("breaks for the client when the node dies", async () => {
    await using node = await accepting();
    await using proxy = await socketsTo([node.address]);
    const client = await open(proxy);
    socketOf(node).resetAndDestroy();
    await client.toTheEnd().catch(() => undefined);
  });

  test("breaks for the node when the client dies", async () => {
    await using node = await accepting();
    await using proxy = await socketsTo([node.address]);
    const client = await open(proxy);
    client.reset();
    expect(await node.conns[0]?.ended()).toBe(true);
  });

  test("of a client that speaks of no key for it is refused, and no node hears of it", async () => {
    await using node = await accepting();
    await using proxy = await socketsTo([node.address]);
    expect(await proxy.ask(handshake({ "sec-websocket-key": "short" }))).toMatchObject({ status: 400 });
    expect(await proxy.ask(handshake().replace("GET", "DELETE"))).toMatchObject({ status: 400 });
    expect(node.conns).toHaveLength(0);
  });
});

describe("back pressure", () => {
  const size = 32 * 1024 * 1024;

  test("holds a node whose client reads nothing, and loses nothing", async () => {
    await using node = await accepting((conn) => conn.send(Buffer.alloc(size, "x")));
    await using proxy = await socketsTo([node.address]);
    const client = await proxy.connect();
    client.socket.pause();
    client.send(handshake());
    await expect.poll(() => node.conns.length).toBe(1);
    // Of so much, the kernel takes a part, and the rest stays with the node.
    await stalled(() => socketOf(node).bytesWritten - socketOf(node).writableLength);
    expect(socketOf(node).writableLength).toBeGreaterThan(0);
    client.socket.resume();
    await client.through("\r\n\r\n");
    expect((await client.exactly(size)).length).toBe(size);
  });

  test("holds a client whose node reads nothing, and loses nothing", async () => {
    await using node = await accepting((conn) => conn.socket.pause());
    await using proxy = await socketsTo([node.address]);
    const client = await open(proxy);
    client.send(Buffer.alloc(size, "x"));
    await stalled(() => client.socket.writableLength);
    expect(client.socket.writableLength).toBeGreaterThan(0);
    let received = 0;
    socketOf(node)
      .removeAllListeners("data")
      .on("data", (chunk: Buffer) => (received += chunk.length))
      .resume();
    await expect.poll(() => received, { timeout: 10_000 }).toBe(size);
  });

  /** Waits until a figure is the same twice. */
  async function stalled(figure: () => number): Promise<void> {
    let last = NaN;
    await expect
      .poll(
        () => {
          const isSame = figure() === last;
          last = figure();
          return isSame;
        },
        { interval: 100 },
      )
      .toBe(true);
  }
});

describe("a node", () => {
  test("that answers another status answers the client, with its content", async () => {
    await using node = await RawBackend.answering((_request, conn) =>
      conn.send("HTTP/1.1 403 Forbidden\r\nx-why: rights\r\ncontent-length: 3\r\n\r\nno!"),
    );
    await using proxy = await socketsTo([node.address]);
    const answer = await proxy.ask(handshake());
    expect(answer).toMatchObject({ status: 403, text: "no!" });
    expect(answer.headers["x-why"]).toBe("rights");
  });

  test.each([
    ["no upgrade", "connection: upgrade\r\n", "no protocol"],
    ["another protocol", "connection: upgrade\r\nupgrade: h2c\r\n", "h2c"],
    ["no connection", "upgrade: websocket\r\n", "lacks connection: upgrade"],
    ["no accept", "connection: upgrade\r\nupgrade: websocket\r\n", "sec-websocket-accept"],
    [
      "the accept of another key",
      "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n",
      "sec-websocket-accept",
    ],
  ])("that sends a 101 with %s gets no tunnel", async (_what, fields, reason) => {
    await using node = await RawBackend.answering((_request, conn) =>
      conn.send(`HTTP/1.1 101 Switching Protocols\r\n${fields}\r\nsecret`),
    );
    await using proxy = await socketsTo([node.address], { sock: { maxRetries: 0 } });
    const answer = await proxy.ask(handshake());
    expect(answer.status).toBe(502);
    expect(answer.text).not.toContain("secret");
    expect(proxy.log.join("")).toContain(reason);
  });

  test("that sends bytes before its 101 gets no tunnel", async () => {
    await using node = await RawBackend.answering(({ headers }, conn) =>
      conn.send(`\x81\x05hello${accepted(headers["sec-websocket-key"])}`),
    );
    await using proxy = await socketsTo([node.address], { sock: { maxRetries: 0 } });
    expect(await proxy.ask(handshake())).toMatchObject({ status: 502 });
  });

  test("that hangs up during the handshake leaves it to another one", async () => {
    await using bad = await RawBackend.listen(async (conn) => {
      await conn.request();
      conn.socket.destroy();
    });
    await using good = await accepting(echo);
    await using proxy = await socketsTo([bad.address, good.address]);
    for (let i = 0; i < 2; i++) {
      const client = await open(proxy);
      await client.send("hello").through("hello");
    }
    expect(bad.conns).toHaveLength(1);
  });

  test("that is not there leaves it to another one, and 502 to none", async () => {
    await using gone = await accepting();
    const { address } = gone;
    await gone[Symbol.asyncDispose]();
    await using good = await accepting(echo);
    await using proxy = await socketsTo([address, good.address]);
    await (await open(proxy)).send("hello").through("hello");
    await using alone = await socketsTo([address]);
    expect(await alone.ask(handshake())).toMatchObject({ status: 502 });
  });

  test("that says nothing is given up after readTimeout, with 504", async () => {
    await using node = await RawBackend.listen((conn) => conn.request());
    await using proxy = await socketsTo([node.address], { backend: { readTimeout: 1 } });
    expect(await proxy.ask(handshake())).toMatchObject({ status: 504 });
  });

  test("has open tunnels counted as its work", async () => {
    await using node = await accepting(echo);
    await using proxy = await socketsTo([node.address], { backend: { maxConnsPerNode: 1, queueTimeout: 1 } });
    const client = await open(proxy);
    expect(await proxy.ask(handshake())).toMatchObject({ status: 503 });
    client.reset();
    await expect.poll(async () => (await (await proxy.connect()).send(handshake()).head()).status).toBe(101);
  });

  test("is chosen by the fewest open tunnels", async () => {
    await using a = await accepting(echo);
    await using b = await accepting(echo);
    await using proxy = await socketsTo([a.address, b.address], { backend: { balancer: "leastConn" } });
    for (let i = 0; i < 4; i++) await open(proxy);
    expect([a.conns.length, b.conns.length]).toEqual([2, 2]);
  });

  test("keeps its client by the cookie of its tag", async () => {
    await using a = await accepting(echo);
    await using b = await accepting(echo);
    await using proxy = await socketsTo([a.address, b.address], { backend: { balancer: "sticky" } });
    const { headers } = await (await proxy.connect()).send(handshake()).head();
    const [cookie = ""] = /^hemi-node=[\w-]{12}/.exec(headers["set-cookie"] ?? "") ?? [];
    expect(cookie).not.toBe("");
    for (let i = 0; i < 3; i++) await open(proxy, { cookie });
    expect([a.conns.length, b.conns.length].sort()).toEqual([0, 4]);
  });
});

describe("nothing is smuggled", () => {
  const smuggled = request("GET /secret");

  test.each([
    ["behind an upgrade that the node refuses", "HTTP/1.1 426 Upgrade Required\r\ncontent-length: 0\r\n\r\n"],
    ["behind one that it takes for an ordinary request", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"],
    ["behind one with a 101 that is none", "HTTP/1.1 101 Switching Protocols\r\n\r\n"],
  ])("%s", async (_where, answer) => {
    const asked: string[] = [];
    await using node = await RawBackend.listen(async (conn) => {
      for (;;) {
        asked.push((await conn.request()).line);
        conn.send(answer);
      }
    });
    await using proxy = await socketsTo([node.address], { sock: { maxRetries: 0 } });
    const client = await proxy.connect();
    client.send(handshake({ "sec-websocket-version": "777" }) + smuggled);
    await client.response();
    expect(String(await client.toTheEnd())).toBe("");
    // What was asked before would have come by now.
    await proxy.ask("GET /after");
    expect(asked).toEqual(["GET / HTTP/1.1", "GET /after HTTP/1.1"]);
  });

  test("by a request for a protocol that is not configured: it is an ordinary one", async () => {
    await using node = await RawBackend.answering(({ headers }, conn) => conn.answer(String(headers["upgrade"])));
    await using proxy = await socketsTo([node.address]);
    const asked = request("GET /", { connection: "upgrade", upgrade: "h2c" });
    expect(await proxy.ask(asked)).toMatchObject({ status: 200, text: "undefined" });
  });
});

test("other protocols than WebSocket go through where they are configured", async () => {
  await using node = await RawBackend.listen(async (conn) => {
    const { headers } = await conn.request();
    conn.send(
      `HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: ${headers["upgrade"] ?? ""}\r\n\r\n`,
    );
    await echo(conn);
  });
  await using proxy = await socketsTo([node.address], { sock: { upgrades: ["websocket", "spdy/3.1"] } });
  const client = await proxy.connect();
  client.send(request("POST /exec", { connection: "upgrade", upgrade: "SPDY/3.1", "content-length": "0" }));
  expect(await client.through("\r\n\r\n")).toContain("\r\nupgrade: spdy/3.1\r\n");
  await client.send("hello").through("hello");
});

test("a client that leaves during the handshake leaves the node, too", async () => {
  const asked = Promise.withResolvers<undefined>();
  await using node = await RawBackend.listen(async (conn) => {
    await conn.request();
    asked.resolve(undefined);
  });
  await using proxy = await socketsTo([node.address]);
  const client = await proxy.connect();
  client.send(handshake());
  await asked.promise;
  client.reset();
  expect(await node.conns[0]?.ended()).toBe(true);
});

test("a tunnel without bytes is broken off after idleTimeout", async () => {
  await using node = await accepting(echo);
  await using proxy = await socketsTo([node.address], { sock: { idleTimeout: 1 } });
  const client = await open(proxy);
  await client.toTheEnd().catch(() => undefined);
  expect(await node.conns[0]?.ended()).toBe(true);
  expect(proxy.log.join("")).toContain("was idle for 1 ms");
});

test("tunnels go on while the server drains, until its deadline", async () => {
  await using node = await accepting(echo);
  await using proxy = await socketsTo([node.address]);
  const client = await open(proxy);
  const quit = proxy.stage.quit(60_000);
  await client.send("hello").through("hello");
  client.end();
  socketOf(node).end();
  await quit;
  await using other = await socketsTo([node.address]);
  const late = await open(other);
  await other.stage.quit(1);
  await late.toTheEnd().catch(() => undefined);
});

test("a loop of proxies is found by via", async () => {
  await using proxy = await socketsTo(["127.0.0.1:9"], { sock: { addRequestHeaders: {} } });
  await using node = await RawBackend.answering(async ({ headers }, conn) => {
    const { status } = await proxy.ask(handshake({ via: headers["via"] ?? "" }));
    conn.answer(String(status));
  });
  await using first = await socketsTo([node.address]);
  // Another handlet is no loop.
  expect((await first.ask(handshake())).text).toBe("502");
});

test("a client that speaks HTTP/2 gets its WebSocket on a stream, and the node one of HTTP/1", async () => {
  const asked = Promise.withResolvers<readonly string[]>();
  await using node = await RawBackend.listen(async (conn) => {
    const { lines, headers } = await conn.request();
    asked.resolve(lines);
    conn.send(accepted(headers["sec-websocket-key"]));
    await echo(conn);
  });
  await using proxy = await socketsTo([node.address]);
  const session = connect(`http://127.0.0.1:${proxy.port}`);
  await once(session, "remoteSettings");
  const stream = session.request({
    ":method": "CONNECT",
    ":protocol": "websocket",
    ":path": "/a",
    "sec-websocket-version": "13",
  });
  const [headers] = (await once(stream, "response")) as [Readonly<Record<string, unknown>>];
  expect(headers[":status"]).toBe(200);
  expect(headers["sec-websocket-accept"]).toBeUndefined();
  expect(await asked.promise).toContain("upgrade: websocket");
  stream.write("hello");
  stream.setEncoding("latin1");
  let text = "";
  for await (const piece of stream) if ((text += String(piece)) === "hello") break;
  expect(text).toBe("hello");
  session.destroy();
});
