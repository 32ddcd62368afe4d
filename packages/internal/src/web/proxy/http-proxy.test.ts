import { expect, test } from "vitest";
import { RawBackend } from "../../testing/raw-backend.ts";
import { request } from "../../testing/raw-client.ts";
import { proxyTo } from "../../testing/proxy.ts";

test("passes a request on, and the answer back", async () => {
  await using backend = await RawBackend.answering(({ line }, conn) =>
    conn.answer(
      line,
      "content-type: text/x\r\nx-one: 1\r\nX-Two: a\r\nx-two: b\r\nset-cookie: a=1\r\nset-cookie: b=2\r\n",
    ),
  );
  await using proxy = await proxyTo([backend.address]);
  const answer = await proxy.ask("GET /a%20b/./c?d=/../e");
  expect(answer).toMatchObject({ status: 200, text: "GET /a%20b/c?d=/../e HTTP/1.1", framing: "sized" });
  expect(answer.fields.filter(([name]) => name !== "date")).toEqual([
    ["content-type", "text/x"],
    ["x-one", "1"],
    ["x-two", "a"],
    ["x-two", "b"],
    ["set-cookie", "a=1"],
    ["set-cookie", "b=2"],
    ["content-length", "29"],
  ]);
});

test("keeps the connection for the next request", async () => {
  await using backend = await RawBackend.answering((_, conn, number) => conn.answer(String(number)));
  await using proxy = await proxyTo([backend.address]);
  for (let i = 0; i < 3; i++) expect((await proxy.ask("GET /")).text).toBe("0");
});

test.each([
  ["HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok", "it says close"],
  ["HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok", "it is of HTTP/1.0"],
  ["HTTP/1.1 200 OK\r\ncontent-length: 2\r\nkeep-alive: timeout=1\r\n\r\nok", "it is kept for a second only"],
  ["HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok, and more", "more came than the answer"],
  ["HTTP/1.1 204 No Content\r\n\r\nok", "content came where there is none"],
  ["HTTP/1.1 304 Not Modified\r\ncontent-length: 2\r\n\r\nok", "a 304 came with its content"],
])("never uses a connection again after %j: %s", async (bytes) => {
  await using backend = await RawBackend.answering((_, conn) => conn.send(bytes));
  await using proxy = await proxyTo([backend.address]);
  for (let i = 1; i <= 2; i++) {
    expect([200, 204, 304]).toContain((await proxy.ask("GET /")).status);
    expect(backend.conns.length).toBe(i);
  }
});

test("a kept connection is closed when it was idle for aliveTimeout, and none is kept with keepConns = 0", async () => {
  await using backend = await RawBackend.answering((_, conn, number) => conn.answer(String(number)));
  await using brief = await proxyTo([backend.address], { backend: { aliveTimeout: 50 } });
  expect((await brief.ask("GET /")).text).toBe("0");
  expect(await backend.conns[0]?.ended()).toBe(true);
  await using keepless = await proxyTo([backend.address], { backend: { keepConns: 0 } });
  expect((await keepless.ask("GET /")).text).toBe("1");
  expect(await backend.conns[1]?.ended()).toBe(true);
  await using own = await proxyTo([{ address: backend.address, keepConns: 0 }]);
  expect((await own.ask("GET /")).text).toBe("2");
  expect(await backend.conns[2]?.ended()).toBe(true);
});

test("an upload of 2 MB is passed on: the backend has a limit of its own", async () => {
  const sizes: number[] = [];
  await using backend = await RawBackend.answering(({ content }, conn) => {
    sizes.push(content.length);
    conn.answer("ok");
  });
  await using proxy = await proxyTo([backend.address]);
  const size = 2 << 20;
  expect(await proxy.ask(request("POST /", { "content-length": String(size) }, "x".repeat(size)))).toMatchObject({
    status: 200,
  });
  expect(sizes).toEqual([size]);
});

test("bytes that come unasked end a kept connection", async () => {
  await using backend = await RawBackend.answering((_, conn, number) => conn.answer(String(number)));
  await using proxy = await proxyTo([backend.address]);
  expect((await proxy.ask("GET /")).text).toBe("0");
  const [first] = backend.conns;
  first?.send("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nforged");
  expect(await first?.ended()).toBe(true);
  expect((await proxy.ask("GET /")).text).toBe("1");
});

test("fields of the connection end here, those that it names too; Via and the client's claims are made anew", async () => {
  const lines: (readonly string[])[] = [];
  await using backend = await RawBackend.answering(({ lines: received }, conn) => {
    lines.push(received);
    conn.answer(
      "",
      "connection: x-inner\r\nx-inner: 1\r\nkeep-alive: timeout=60\r\nproxy-connection: keep-alive\r\nx-kept: 2\r\n",
    );
  });
  await using proxy = await proxyTo([backend.address]);
  const fields = {
    "X-Kept": "1",
    connection: "keep-alive, X-Outer, upgrade",
    "x-outer": "1",
    te: "trailers",
    upgrade: "h2c",
    "keep-alive": "timeout=5",
    "proxy-connection": "keep-alive",
    proxy: "http://evil.example",
    via: "1.0 other",
    "x-forwarded-for": "10.0.0.1",
    "x-forwarded-proto": "https",
    "x-real-ip": "10.0.0.1",
    forwarded: "for=10.0.0.1",
    accept: "*/*",
  };
  const answer = await proxy.ask(request("GET /", fields));
  expect(lines[0]?.map((line) => line.replace(/hemi-\w+/, "hemi-x"))).toEqual([
    "host: test.example",
    "X-Kept: 1",
    "accept: */*",
    "via: 1.0 other, 1.1 hemi-x",
    "x-forwarded-for: 127.0.0.1",
    "x-forwarded-host: test.example",
    "x-forwarded-proto: http",
    'forwarded: for=127.0.0.1;host="test.example";proto=http',
  ]);
  expect(answer.fields.map(([name]) => name).toSorted()).toEqual(["content-length", "date", "x-kept"]);
});

test("content goes through both ways, sized and in chunks, with trailers", async () => {
  await using backend = await RawBackend.answering(({ content, headers, trailers }, conn) => {
    const length = headers["content-length"] ?? headers["transfer-encoding"] ?? "none";
    const text = `${length} ${content} ${trailers.join()}`;
    conn.send(
      `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-end\r\n\r\n${text.length.toString(16)}\r\n${text}\r\n0\r\nx-end: yes\r\ncontent-length: 5\r\n\r\n`,
    );
  });
  await using proxy = await proxyTo([backend.address]);
  const sized = await proxy.ask(request("POST /", {}, "abc"));
  expect(sized).toMatchObject({ text: "3 abc ", framing: "chunked", trailers: { "x-end": "yes" } });
  expect(sized.trailers["content-length"]).toBeUndefined();
  const chunks = "1\r\na\r\n2\r\nbc\r\n0\r\nX-Sum: 1\r\nhost: evil\r\n\r\n";
  const chunked = await proxy.ask(request("POST /", { "transfer-encoding": "chunked" }, chunks));
  expect(chunked.text).toBe("chunked abc x-sum: 1");
  expect(backend.conns.length).toBe(1);
});

test.each([
  ["HEAD", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n", { "content-length": "5" }],
  ["HEAD", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", {}],
  ["GET", "HTTP/1.1 204 No Content\r\n\r\n", {}],
  ["GET", 'HTTP/1.1 304 Not Modified\r\netag: "x"\r\n\r\n', { etag: '"x"' }],
])("%s and %j have no content", async (method, bytes, headers) => {
  await using backend = await RawBackend.answering((_, conn) => conn.send(bytes));
  await using proxy = await proxyTo([backend.address]);
  const { date: _, ...received } = (await proxy.ask(`${method} /`)).headers;
  expect(received).toEqual(headers);
  // The next one shows that nothing was left over.
  await proxy.ask(`${method} /`);
  expect(backend.conns.length).toBe(1);
});

test("an answer without a length ends with its connection", async () => {
  await using backend = await RawBackend.answering((_, conn) => {
    conn.send("HTTP/1.1 200 OK\r\n\r\nall of it");
    conn.socket.end();
  });
  await using proxy = await proxyTo([backend.address]);
  expect(await proxy.ask("GET /")).toMatchObject({ text: "all of it", framing: "chunked" });
});

test("1xx answers pass, but for 100", async () => {
  await using backend = await RawBackend.answering((_, conn) =>
    conn
      .send(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\nlink: </b>\r\nconnection: x\r\n\r\n",
      )
      .answer("ok"),
  );
  await using proxy = await proxyTo([backend.address]);
  const { interims, text } = await proxy.ask("GET /");
  expect(interims.map(({ status, headers }) => ({ status, headers }))).toEqual([
    { status: 103, headers: { link: "</a>, </b>" } },
  ]);
  expect(text).toBe("ok");
});

test("events come as they are sent, the head before any of them", async () => {
  await using backend = await RawBackend.listen(async (conn) => {
    await conn.request();
    conn.send("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n");
    await new Promise((resolve) => (next = () => resolve(undefined)));
    conn.send("data: 1\n\n");
    await new Promise((resolve) => (next = () => resolve(undefined)));
    conn.socket.end("data: 2\n\n");
  });
  let next = () => {};
  await using proxy = await proxyTo([backend.address]);
  await using client = await proxy.connect();
  client.send(request("GET /"));
  expect((await client.head()).status).toBe(200);
  next();
  expect(await client.through("data: 1\n\n")).toContain("data: 1");
  next();
  expect(await client.through("data: 2\n\n")).toContain("data: 2");
});

test("a client that goes on gets a 100 from us once its content is wanted", async () => {
  await using backend = await RawBackend.answering(({ content, headers }, conn) =>
    conn.answer(`${content} ${headers["expect"] ?? ""}`),
  );
  await using proxy = await proxyTo([backend.address]);
  await using client = await proxy.connect();
  client.send(request("POST /", { expect: "100-continue", "content-length": "3" }));
  expect((await client.head()).status).toBe(100);
  expect((await client.send("abc").response()).text).toBe("abc ");
});

test("a slow client holds the backend back", async () => {
  const pieces = 2000;
  let sent = 0;
  await using backend = await RawBackend.listen(async (conn) => {
    await conn.request();
    conn.send(`HTTP/1.1 200 OK\r\ncontent-length: ${pieces * 65536}\r\n\r\n`);
    for (; sent < pieces; sent++) {
      if (!conn.socket.write(Buffer.alloc(65536))) await new Promise((resolve) => conn.socket.once("drain", resolve));
    }
  });
  await using proxy = await proxyTo([backend.address]);
  await using client = await proxy.connect();
  client.socket.pause();
  client.send(request("GET /"));
  // Until nothing moves any more: what is sent fills the buffers of the system, and no others.
  for (let last = -1; sent !== last || sent === 0;) {
    last = sent;
    for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
  }
  expect(sent).toBeLessThan(pieces / 2);
  client.socket.resume();
  expect((await client.response()).content.length).toBe(pieces * 65536);
});
