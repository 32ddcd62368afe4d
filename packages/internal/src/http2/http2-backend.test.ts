import { once } from "node:events";
import { expect, test } from "vitest";
import { proxyTo } from "../testing/proxy.ts";
import { errorCode, frameFlag, frameType, settingId } from "./frames.ts";
import { frame, settings } from "../testing/frame-client.ts";
import { FrameNode, proxyToHTTP2 } from "../testing/frame-node.ts";

const post = (content: string, path = "/") =>
  `POST ${path} HTTP/1.1\r\nhost: a.example\r\ncontent-length: ${content.length}\r\n\r\n${content}`;

/** A node that answers all requests with their path. */
function pathNode(): Promise<FrameNode> {
  return FrameNode.listen(async (conn) => {
    for (;;) {
      const { id, headers } = await conn.head();
      conn.answer(id, {}, headers[":path"]);
    }
  });
}

test("a request has its pseudo-fields, its fields in lower case, and none that belong to a connection", async () => {
  const heads: Readonly<Record<string, string>>[] = [];
  await using node = await FrameNode.listen(async (conn) => {
    const { id, headers } = await conn.head();
    heads.push(headers);
    conn.answer(id, { "x-a": "1" }, "hi");
  });
  await using proxy = await proxyToHTTP2([node]);
  const request =
    "GET /p?q HTTP/1.1\r\nHost: A.example\r\nX-Inner: 1\r\nConnection: x-gone\r\nX-Gone: 1\r\nCookie: a=1\r\n\r\n";
  expect(await proxy.ask(request)).toMatchObject({ status: 200, text: "hi", headers: { "x-a": "1" } });
  expect(heads[0]).toMatchObject({
    ":method": "GET",
    ":scheme": "http",
    ":authority": "a.example",
    ":path": "/p?q",
    "x-inner": "1",
    cookie: "a=1",
    te: "trailers",
  });
  for (const name of ["host", "connection", "x-gone", "content-length"]) expect(heads[0]?.[name]).toBeUndefined();
});

test("a node is asked for by its own name where the client says no host (HTTP/1.0)", async () => {
  await using node = await FrameNode.listen(async (conn) => {
    const { id, headers } = await conn.head();
    conn.answer(id, {}, headers[":authority"]);
  });
  await using proxy = await proxyToHTTP2([node]);
  expect((await proxy.ask("GET / HTTP/1.0\r\n\r\n")).text).toBe(node.address);
});

test("content goes to the node as its windows allow, and trailers behind it", async () => {
  await using node = await FrameNode.listen(
    async (conn) => {
      const { id, isEnd } = await conn.head();
      expect(isEnd).toBe(false);
      const first = await conn.nextOfType(frameType.data, id);
      expect(first.payload.toString()).toBe("abc");
      conn.send(frame(frameType.windowUpdate, 0, id, 100));
      expect((await conn.nextOfType(frameType.data, id)).payload.toString()).toBe("defg");
      const { headers } = await conn.head();
      conn.answer(id, {}, `sum ${headers["x-sum"]}`);
    },
    { [settingId.initialWindowSize]: 3 },
  );
  await using proxy = await proxyToHTTP2([node]);
  const request =
    "POST / HTTP/1.1\r\nhost: a.example\r\ntransfer-encoding: chunked\r\n\r\n7\r\nabcdefg\r\n0\r\nx-sum: 7\r\n\r\n";
  expect((await proxy.ask(request)).text).toBe("sum 7");
});

test("an answer is passed on with its hints, its content, and its trailers", async () => {
  await using node = await FrameNode.listen(async (conn) => {
    const { id } = await conn.head();
    conn.send(frame(frameType.headers, frameFlag.endHeaders, id, conn.block({ ":status": "100" })));
    conn.send(frame(frameType.headers, frameFlag.endHeaders, id, conn.block({ ":status": "103", link: "</a>" })));
    conn.begin(id).send(conn.data(id, "one "));
    await conn.roundTrip();
    conn.send(conn.data(id, "two"));
    const last = frameFlag.endHeaders | frameFlag.endStream;
    conn.send(frame(frameType.headers, last, id, conn.block({ "x-sum": "7" })));
  });
  await using proxy = await proxyToHTTP2([node]);
  const got = await proxy.ask("GET /");
  expect(got).toMatchObject({ text: "one two", trailers: { "x-sum": "7" } });
  expect(got.interims.map(({ status }) => status)).toEqual([103]);
});

test("many requests share a connection, and another is made when it has all that its node takes", async () => {
  const asked: [conn: number, id: number][] = [];
  const { promise: threeCame, resolve } = Promise.withResolvers<void>();
  await using node = await FrameNode.listen(
    async (conn, index) => {
      for (;;) {
        const { id } = await conn.head();
        asked.push([index, id]);
        if (asked.length === 3) resolve();
        void threeCame.then(() => conn.answer(id, {}, String(index)));
      }
    },
    { [settingId.maxConcurrentStreams]: 2 },
  );
  await using proxy = await proxyToHTTP2([node]);
  const answers = await Promise.all([proxy.ask("GET /"), proxy.ask("GET /"), proxy.ask("GET /")]);
  expect(answers.map(({ text }) => text).toSorted()).toEqual(["0", "0", "1"]);
  expect(asked.toSorted()).toEqual([
    [0, 1],
    [0, 3],
    [1, 1],
  ]);
});

test("who finds all connections full waits, and is refused with 503 after queueTimeout", async () => {
  await using node = await FrameNode.listen(
    async (conn) => {
      const first = await conn.head();
      await conn.nextOfType(frameType.ping);
      conn.answer(first.id, {}, "late");
    },
    { [settingId.maxConcurrentStreams]: 1 },
  );
  await using proxy = await proxyToHTTP2([node], {
    backend: { http2MaxConns: 1, queueTimeout: 50, pingInterval: 300 },
  });
  const [first, second] = await Promise.all([proxy.ask("GET /"), proxy.ask("GET /")]);
  expect([first.status, second.status].toSorted()).toEqual([200, 503]);
  expect(proxy.log.join("\n")).toContain("none of its connections could take it for 50 ms");
});

test("a request that waits for a stream gets the next that is free", async () => {
  await using node = await FrameNode.listen(
    async (conn) => {
      for (let i = 0; i < 3; i++) {
        const { id } = await conn.head();
        conn.answer(id, {}, String(id));
      }
    },
    { [settingId.maxConcurrentStreams]: 1 },
  );
  await using proxy = await proxyToHTTP2([node], { backend: { http2MaxConns: 1 } });
  const answers = await Promise.all([proxy.ask("GET /"), proxy.ask("GET /"), proxy.ask("GET /")]);
  expect(answers.map(({ text }) => text).toSorted()).toEqual(["1", "3", "5"]);
});

test("a stream that the node refuses is asked for again, whatever the method", async () => {
  await using node = await FrameNode.listen(async (conn) => {
    const refused = await conn.head();
    conn.send(frame(frameType.rstStream, 0, refused.id, errorCode.refusedStream));
    const again = await conn.head();
    conn.answer(again.id, {}, await conn.content(again.id));
  });
  await using proxy = await proxyToHTTP2([node], { proxy: { bufferClientContent: true } });
  expect((await proxy.ask(post("once"))).text).toBe("once");
});

test("what a node that leaves has not looked at goes to another connection; what it has is finished", async () => {
  const { promise: bothCame, resolve } = Promise.withResolvers<void>();
  await using node = await FrameNode.listen(async (conn, index) => {
    const first = await conn.head();
    if (index === 1) return void conn.answer(first.id, {}, "by the second");
    await conn.head();
    resolve();
    conn.goawayWith(first.id, errorCode.noError);
    conn.answer(first.id, {}, "by the first");
  });
  await using proxy = await proxyToHTTP2([node], { proxy: { bufferClientContent: true } });
  const answers = await Promise.all([proxy.ask(post("a")), proxy.ask(post("b")), bothCame]);
  expect([answers[0].text, answers[1].text].toSorted()).toEqual(["by the first", "by the second"]);
  expect(await node.conns[0]?.goaway()).toBe("NO_ERROR");
});

test("a POST that a node may have seen is not made twice", async () => {
  let requests = 0;
  await using node = await FrameNode.listen(async (conn) => {
    await conn.head();
    requests++;
    conn.raw.socket.destroy();
  });
  await using proxy = await proxyToHTTP2([node, node].slice(0, 1), { proxy: { bufferClientContent: true } });
  expect((await proxy.ask(post("a"))).status).toBe(502);
  expect(requests).toBe(1);
  expect(proxy.log.join("\n")).toContain("a POST may not be done twice");
});

test("a client that leaves has its stream given up, and the connection goes on", async () => {
  const { promise: came, resolve } = Promise.withResolvers<void>();
  const codes: string[] = [];
  await using node = await FrameNode.listen(async (conn) => {
    const slow = await conn.head();
    resolve();
    codes.push(await conn.reset(slow.id));
    const { id } = await conn.head();
    conn.answer(id, {}, "next");
  });
  await using proxy = await proxyToHTTP2([node]);
  const client = await proxy.connect();
  client.send("GET /slow HTTP/1.1\r\nhost: a.example\r\n\r\n");
  await came;
  client.reset();
  expect((await proxy.ask("GET /next")).text).toBe("next");
  expect(codes).toEqual(["CANCEL"]);
  expect(node.conns.length).toBe(1);
});

test("a client that reads slowly stops its own stream, and no other", async () => {
  const size = 1024 * 1024;
  const { promise: slowId, resolve } = Promise.withResolvers<number>();
  let sent = 0;
  await using node = await FrameNode.listen(async (conn) => {
    const slow = await conn.head();
    conn.begin(slow.id, { "content-length": String(size * 16) });
    // As much as the stream's window takes: no WINDOW_UPDATE is looked for.
    for (; sent < 65_536; sent += 16_384) conn.send(conn.data(slow.id, Buffer.alloc(16_384)));
    resolve(slow.id);
    for (;;) {
      const { id } = await conn.head();
      conn.begin(id).send(conn.data(id, Buffer.alloc(16_384)), conn.data(id, "", true));
    }
  });
  await using proxy = await proxyToHTTP2([node]);
  const client = await proxy.connect();
  client.socket.pause();
  client.send("GET /slow HTTP/1.1\r\nhost: a.example\r\n\r\n");
  await slowId;
  for (let i = 0; i < 8; i++) expect((await proxy.ask("GET /")).content.length).toBe(16_384);
  expect(node.conns.length).toBe(1);
});

const wrongAnswers: readonly [what: string, answer: (id: number) => Readonly<Record<string, string>>, log: string][] = [
  ["no status", () => ({ ":status": "" }), "its status is not from 100 to 999"],
  ["a status of 99", () => ({ ":status": "099" }), "its status is not from 100 to 999"],
  ["101", () => ({ ":status": "101" }), "it switches protocols"],
  ["a field of HTTP/1", () => ({ connection: "close" }), "a field that belongs to a connection of HTTP/1"],
  ["a pseudo-field of requests", () => ({ ":path": "/" }), "a pseudo-field that no answer has"],
  ["a length that is none", () => ({ "content-length": "+1" }), "content-length is not a number"],
  ["less content than announced", () => ({ "content-length": "9" }), "not as long as it said"],
  ["more content than announced", () => ({ "content-length": "1" }), "not as long as it said"],
];

test.each(wrongAnswers)("an answer with %s is a 502 with its reason in the log", async (_, make, why) => {
  await using node = await FrameNode.listen(async (conn) => {
    const { id } = await conn.head();
    conn.answer(id, make(id), "four");
  });
  await using proxy = await proxyToHTTP2([node], { proxy: { maxRetries: 0 } });
  const { status } = await proxy.ask("GET /");
  expect(status).toBe(502);
  expect(proxy.log.join("\n")).toContain(why);
});

test("a stream whose answer is malformed, or longer than it said, is reset before its end", async () => {
  const codes: string[] = [];
  await using node = await FrameNode.listen(async (conn) => {
    for (;;) {
      const { id, headers } = await conn.head();
      if (headers[":path"] === "/long") conn.begin(id, { "content-length": "1" }).send(conn.data(id, "xy"));
      else conn.begin(id, { upgrade: "x" });
      codes.push(await conn.reset(id));
    }
  });
  await using proxy = await proxyToHTTP2([node], { proxy: { maxRetries: 0 } });
  for (const path of ["/long", "/malformed"]) expect((await proxy.ask(`GET ${path}`)).status).toBe(502);
  await expect.poll(() => codes).toEqual(["CANCEL", "PROTOCOL_ERROR"]);
});

const mistakes: readonly [what: string, frames: (id: number) => Buffer, code: string][] = [
  ["PUSH_PROMISE", (id) => frame(frameType.pushPromise, frameFlag.endHeaders, id, "\0\0\0\x02"), "PROTOCOL_ERROR"],
  ["DATA on no stream", () => frame(frameType.data, 0, 0, "x"), "PROTOCOL_ERROR"],
  ["DATA on a stream that has not begun", () => frame(frameType.data, 0, 99, "x"), "PROTOCOL_ERROR"],
  ["a window that overflows", () => frame(frameType.windowUpdate, 0, 0, 0x7fffffff), "FLOW_CONTROL_ERROR"],
  [
    "a block that cannot be decoded",
    (id) => frame(frameType.headers, frameFlag.endHeaders, id, "\xff\xff\xff\xff\xff\xff"),
    "COMPRESSION_ERROR",
  ],
  ["a frame that is too large", (id) => frame(frameType.data, 0, id, Buffer.alloc(16_385)), "FRAME_SIZE_ERROR"],
  [
    "PRIORITY_UPDATE",
    (id) => frame(frameType.priorityUpdate, 0, 0, Buffer.from([0, 0, 0, id, 0x75])),
    "PROTOCOL_ERROR",
  ],
  [
    "SETTINGS that may not be",
    () => frame(frameType.settings, 0, 0, settings({ [settingId.initialWindowSize]: 2 ** 31 })),
    "FLOW_CONTROL_ERROR",
  ],
];

test.each(mistakes)("%s ends the connection with its code, and the request with 502", async (_, make, code) => {
  await using node = await FrameNode.listen(async (conn) => {
    const { id } = await conn.head();
    conn.send(make(id));
  });
  await using proxy = await proxyToHTTP2([node], { proxy: { maxRetries: 0 } });
  expect((await proxy.ask("GET /")).status).toBe(502);
  expect(await node.conns[0]?.goaway()).toBe(code);
});

const floods: readonly [what: string, frame: (id: number) => Buffer][] = [
  ["PING", () => frame(frameType.ping, 0, 0, "12345678")],
  ["SETTINGS", () => frame(frameType.settings, 0, 0)],
  ["empty DATA", (id) => frame(frameType.data, 0, id)],
];

test.each(floods)("a flood of %s is stopped by http2MaxIdleFrames", async (_, make) => {
  await using node = await FrameNode.listen(async (conn) => {
    const { id } = await conn.head();
    conn.begin(id);
    conn.send(Buffer.concat(Array.from({ length: 200 }, () => make(id))));
  });
  await using proxy = await proxyToHTTP2([node], { backend: { http2MaxIdleFrames: 100 }, proxy: { maxRetries: 0 } });
  await proxy.ask("GET /").catch(() => undefined);
  expect(await node.conns[0]?.goaway()).toBe("ENHANCE_YOUR_CALM");
});

test("1xx answers without end are stopped by maxInterims, a head without end by http2MaxContinuations", async () => {
  await using node = await FrameNode.listen(async (conn) => {
    for (;;) {
      const { id, headers } = await conn.head();
      const hint = () => frame(frameType.headers, frameFlag.endHeaders, id, conn.block({ ":status": "103" }));
      if (headers[":path"] === "/hints") for (let i = 0; i < 30; i++) conn.send(hint());
      else {
        conn.send(frame(frameType.headers, 0, id, "\x88"));
        for (let i = 0; i < 30; i++) conn.send(frame(frameType.continuation, 0, id, ""));
      }
    }
  });
  await using proxy = await proxyToHTTP2([node], { proxy: { maxRetries: 0 } });
  expect((await proxy.ask("GET /hints")).status).toBe(502);
  expect((await proxy.ask("GET /endless")).status).toBe(502);
  expect(proxy.log.join("\n")).toContain("which is maxInterims");
  expect(await node.conns[0]?.goaway()).toBe("ENHANCE_YOUR_CALM");
});

test("a node that says nothing is a 504; one that does not even answer a PING is given up before", async () => {
  await using silent = await FrameNode.listen(async (conn) => {
    for (;;) {
      const { payload } = await conn.nextOfType(frameType.ping);
      conn.send(frame(frameType.ping, frameFlag.ack, 0, payload));
    }
  });
  await using gone = await FrameNode.listen(() => {});
  const backend = { readTimeout: 300, pingInterval: 20, pingTimeout: 50 };
  await using toSilent = await proxyToHTTP2([silent], { backend, proxy: { maxRetries: 0 } });
  expect((await toSilent.ask("GET /")).status).toBe(504);
  expect(toSilent.log.join("\n")).toContain("nothing of its answer came for 300 ms");
  await using toGone = await proxyToHTTP2([gone], {
    backend: { ...backend, readTimeout: 30_000 },
    proxy: { maxRetries: 0 },
  });
  expect((await toGone.ask("GET /")).status).toBe(504);
  expect(toGone.log.join("\n")).toContain("it did not answer a PING within 50 ms");
});

test("a node that takes nothing of the content is a 504 after writeTimeout", async () => {
  await using node = await FrameNode.listen(() => {}, { [settingId.initialWindowSize]: 0 });
  await using proxy = await proxyToHTTP2([node], { backend: { writeTimeout: 100 }, proxy: { maxRetries: 0 } });
  expect((await proxy.ask(post("a"))).status).toBe(504);
  expect(proxy.log.join("\n")).toContain("it took nothing of the request for 100 ms");
});

test("a node that sends no SETTINGS, or is no server of HTTP/2, cannot be dialled", async () => {
  await using node = await FrameNode.listen((conn) => {
    conn.raw.send("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
  });
  await using proxy = await proxyToHTTP2([node], { proxy: { maxRetries: 0 } });
  // Its SETTINGS were right, what followed was not.
  expect((await proxy.ask("GET /")).status).toBe(502);
  const { RawBackend } = await import("../testing/raw-backend.ts");
  await using mute = await RawBackend.listen(() => Promise.resolve());
  await using other = await proxyTo([mute.address], {
    signs: { backend: "http2Backend", handlet: "httpProxy" },
    backend: { dialTimeout: 100 },
    proxy: { maxRetries: 0 },
  });
  expect((await other.ask("GET /")).status).toBe(504);
  expect(other.log.join("\n")).toContain("it did not send its SETTINGS within 100 ms");
});

test("a connection that the node has closed meanwhile is no matter for the next request", async () => {
  await using node = await FrameNode.listen(async (conn) => {
    const { id } = await conn.head();
    conn.answer(id, {}, "first");
    await conn.roundTrip();
    conn.raw.socket.end();
  });
  await using proxy = await proxyToHTTP2([node]);
  expect((await proxy.ask("GET /")).text).toBe("first");
  const [conn] = node.conns;
  if (conn !== undefined && !conn.raw.socket.closed) await once(conn.raw.socket, "close");
  expect((await proxy.ask("GET /")).text).toBe("first");
  expect(node.conns.length).toBe(2);
});

test("an idle connection is closed after aliveTimeout, with a GOAWAY", async () => {
  await using node = await pathNode();
  await using proxy = await proxyToHTTP2([node], { backend: { aliveTimeout: 50 } });
  expect((await proxy.ask("GET /a")).text).toBe("/a");
  expect(await node.conns[0]?.goaway()).toBe("NO_ERROR");
});

test("health is asked for by a request over HTTP/2", async () => {
  const { promise: asked, resolve } = Promise.withResolvers<Readonly<Record<string, string>>>();
  await using node = await FrameNode.listen(async (conn) => {
    const { id, headers } = await conn.head();
    if (headers[":path"] === "/up") resolve(headers);
    conn.answer(id, { ":status": headers[":path"] === "/up" ? "500" : "200" }, "x");
  });
  const backend = { healthCheck: "http", healthPath: "/up", healthInterval: 10, healthFall: 1 };
  await using proxy = await proxyToHTTP2([node], { backend });
  expect(await asked).toMatchObject({ ":authority": node.address, "user-agent": "hemi-health" });
  await expect.poll(() => proxy.log.join("\n")).toContain("at last: it answered 500");
  expect((await proxy.ask("GET /")).status).toBe(503);
});

test("the PROXY protocol cannot be combined with it, and the configuration says why", async () => {
  await using node = await pathNode();
  await expect(proxyToHTTP2([node], { backend: { proxyProtocol: "v2" } })).rejects.toThrow(/for many clients/);
});

const handshake =
  "GET /chat HTTP/1.1\r\nhost: a.example\r\nconnection: upgrade\r\nupgrade: websocket\r\n" +
  "sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

test("a WebSocket goes to the node by extended CONNECT: bytes both ways, and each side ends it", async () => {
  const heads: Readonly<Record<string, string>>[] = [];
  await using node = await FrameNode.listen(
    async (conn) => {
      const { id, isEnd, headers } = await conn.head();
      expect(isEnd).toBe(false);
      heads.push(headers);
      conn.begin(id, { "sec-websocket-protocol": "chat" });
      const { payload } = await conn.nextOfType(frameType.data, id);
      conn.send(conn.data(id, `got ${payload.toString()}`, true));
      await conn.content(id);
      const { id: next } = await conn.head();
      conn.answer(next, {}, "next");
    },
    { [settingId.enableConnectProtocol]: 1 },
  );
  await using proxy = await proxyToHTTP2([node], { socklet: { sign: "sockProxy" } });
  const client = await proxy.connect();
  client.send(handshake);
  const { status, headers } = await client.head();
  expect(status).toBe(101);
  expect(headers).toMatchObject({
    "sec-websocket-accept": "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
    "sec-websocket-protocol": "chat",
  });
  expect(heads[0]).toMatchObject({ ":method": "CONNECT", ":protocol": "websocket", ":path": "/chat" });
  expect(heads[0]?.["sec-websocket-key"]).toBeUndefined();
  client.send("hello");
  expect((await client.exactly(9)).toString()).toBe("got hello");
  client.end();
  // The stream is over, and its connection serves on.
  expect((await proxy.ask("GET /next")).text).toBe("next");
  expect(node.conns.length).toBe(1);
});

test("a node that takes no extended CONNECT gives a WebSocket 502, and one that refuses it passes its answer on", async () => {
  await using plain = await pathNode();
  await using toPlain = await proxyToHTTP2([plain], { socklet: { sign: "sockProxy" } });
  expect((await toPlain.ask(handshake)).status).toBe(502);
  expect(toPlain.log.join("\n")).toContain("it takes no tunnels over HTTP/2");
  await using refusing = await FrameNode.listen(
    async (conn) => {
      const { id } = await conn.head();
      conn.answer(id, { ":status": "403" }, "no");
    },
    { [settingId.enableConnectProtocol]: 1 },
  );
  await using toRefusing = await proxyToHTTP2([refusing], { socklet: { sign: "sockProxy" } });
  expect(await toRefusing.ask(handshake)).toMatchObject({ status: 403, text: "no" });
});
