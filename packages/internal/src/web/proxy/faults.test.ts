import { describe, expect, test } from "vitest";
import type { BackendConn } from "../../testing/raw-backend.ts";
import { RawBackend } from "../../testing/raw-backend.ts";
import { request } from "../../testing/raw-client.ts";
import { proxyTo } from "../../testing/proxy.ts";

/** An address that nothing listens on. */
async function refusing(): Promise<string> {
  await using backend = await RawBackend.answering(() => {});
  return backend.address;
}

const short = { dialTimeout: 200, readTimeout: 200, writeTimeout: 200, queueTimeout: 200 };

describe("a backend that does wrong", () => {
  test("refuses: 502, and the log says which node and why", async () => {
    const address = await refusing();
    await using proxy = await proxyTo([address]);
    expect((await proxy.ask("GET /x")).status).toBe(502);
    expect(proxy.log.join("\n")).toContain(`GET /x: node ${address}: it cannot be connected to: connect ECONNREFUSED`);
  });

  test("accepts and says nothing: 504", async () => {
    await using backend = await RawBackend.answering(() => {});
    await using proxy = await proxyTo([backend.address], { backend: short });
    expect((await proxy.ask("GET /")).status).toBe(504);
    expect(proxy.log.join("\n")).toContain("nothing of its answer came for 200 ms");
  });

  test("says nothing more in the middle of its content: the answer is broken off", async () => {
    await using backend = await RawBackend.answering((_, conn) =>
      conn.send("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhal"),
    );
    await using proxy = await proxyTo([backend.address], { backend: short });
    await expect(proxy.ask("GET /")).rejects.toThrow("wanted was 6 bytes more");
  });

  test.each([
    ["is no HTTP", "SSH-2.0-OpenSSH_9.2\r\n"],
    ["has both lengths", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"],
    ["has two lengths", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\nok"],
    ["has a length that is none", "HTTP/1.1 200 OK\r\ncontent-length: 0x2\r\n\r\nok"],
    ["has an unknown coding", "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n"],
    [
      "has its coding twice",
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
    ["is of HTTP/1.0 with a coding", "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"],
    ["has a folded line", "HTTP/1.1 200 OK\r\na: b\r\n c\r\n\r\n"],
    ["has a space within a field name", "HTTP/1.1 200 OK\r\ntransfer encoding: chunked\r\n\r\n0\r\n\r\n"],
    ["has a bare LF", "HTTP/1.1 200 OK\na: b\n\n"],
    ["has a bare LF within a value", "HTTP/1.1 200 OK\r\na: b\nset-cookie: c=d\r\n\r\n"],
    ["has a bare CR", "HTTP/1.1 200 OK\r\na: b\rc\r\n\r\n"],
    ["has a NUL", "HTTP/1.1 200 OK\r\na: b\0c\r\n\r\n"],
    ["has a status that is none", "HTTP/1.1 99 Low\r\n\r\n"],
    ["has four digits of status", "HTTP/1.1 2000 OK\r\n\r\n"],
    ["is of another version", "HTTP/2.0 200 OK\r\n\r\n"],
    ["switches protocols unasked", "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"],
    ["is too large", `HTTP/1.1 200 OK\r\na: ${"x".repeat(40_000)}\r\n\r\n`],
    ["has too many fields", `HTTP/1.1 200 OK\r\n${"a: b\r\n".repeat(300)}\r\n`],
    ["ends in its head", "HTTP/1.1 200 OK\r\na: b\r\n"],
  ])("its head %s: 502, and nothing of it reaches the client", async (_, bytes) => {
    await using backend = await RawBackend.answering((_, conn) => conn.send(bytes).socket.end());
    await using proxy = await proxyTo([backend.address]);
    const answer = await proxy.ask("GET /");
    expect(answer).toMatchObject({ status: 502, text: "502 Bad Gateway\n" });
  });

  test.each(["HTTP/1.1 600 High", "HTTP/1.1 999 Higher Still", "HTTP/1.1 404 Gone Fishing", "HTTP/1.1 200 OK"])(
    "its status line %s reaches the client as it is",
    async (line) => {
      await using backend = await RawBackend.answering((_, conn) => conn.send(`${line}\r\ncontent-length: 0\r\n\r\n`));
      await using proxy = await proxyTo([backend.address]);
      const { status, reason } = await proxy.ask("GET /");
      expect(`HTTP/1.1 ${status} ${reason}`).toBe(line);
    },
  );

  test("sends 1xx answers for ever: 502", async () => {
    await using backend = await RawBackend.answering(async (_, conn) => {
      while (!conn.socket.destroyed) {
        conn.send("HTTP/1.1 102 Processing\r\n\r\n");
        await new Promise((resolve) => setImmediate(resolve));
      }
    });
    await using proxy = await proxyTo([backend.address]);
    expect((await proxy.ask("GET /")).status).toBe(502);
    expect(proxy.log.join("\n")).toContain("more than 20 1xx answers came");
  });

  test.each([
    ["in its head", "HTTP/1.1 200 O", 502],
    ["before anything", "", 502],
  ])("resets the connection %s: 502", async (_, bytes, status) => {
    await using backend = await RawBackend.answering((_, conn) => reset(conn, bytes));
    await using proxy = await proxyTo([backend.address]);
    expect((await proxy.ask("GET /")).status).toBe(status);
  });

  test.each([
    ["resets it in sized content", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhal"],
    ["resets it in chunks", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhal\r\n"],
    ["resets it in content without a length", "HTTP/1.1 200 OK\r\n\r\nhal"],
  ])("%s: the answer is visibly broken off", async (_, bytes) => {
    await using backend = await RawBackend.answering((_, conn) => reset(conn, bytes));
    await using proxy = await proxyTo([backend.address]);
    await expect(proxy.ask("GET /")).rejects.toThrow();
    expect(proxy.log.join("\n")).toContain("its answer is broken off");
  });

  test.each([
    ["too little sized content", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhal"],
    ["chunks without a last one", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhal\r\n"],
    [
      "a chunk that is longer than its size",
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhalf\r\n0\r\n\r\n",
    ],
    ["a chunk size that is none", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n-1\r\nx\r\n"],
  ])("sends %s: the answer is visibly broken off", async (_, bytes) => {
    await using backend = await RawBackend.answering((_, conn) => conn.send(bytes).socket.end());
    await using proxy = await proxyTo([backend.address]);
    await expect(proxy.ask("GET /")).rejects.toThrow();
  });

  test("sends too much content: the client gets what was announced, and the rest is nobody's answer", async () => {
    await using backend = await RawBackend.answering((_, conn) =>
      conn.send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nforged"),
    );
    await using proxy = await proxyTo([backend.address]);
    await using client = await proxy.connect();
    client.send(request("GET /1") + request("GET /2"));
    expect((await client.responses(2)).map(({ text }) => text)).toEqual(["ok", "ok"]);
  });

  test("answers before the request is done: the answer arrives, and the connection is not used again", async () => {
    await using backend = await RawBackend.listen(async (conn) => {
      await conn.head();
      conn.send("HTTP/1.1 413 Content Too Large\r\ncontent-length: 3\r\n\r\nno!");
    });
    await using proxy = await proxyTo([backend.address]);
    await using client = await proxy.connect();
    client.send(request("POST /", { "content-length": "1000" }) + "x");
    expect(await client.response()).toMatchObject({ status: 413, text: "no!" });
    expect(await backend.conns[0]?.through("x")).toBe("x");
    expect(await backend.conns[0]?.ended()).toBe(true);
  });

  test("closes a kept connection as it is reused: an idempotent request does not notice", async () => {
    await using backend = await RawBackend.listen(async (conn, number) => {
      await conn.request();
      conn.answer(String(number));
      // The next one on the same connection meets a closed door.
      await conn.head();
      conn.socket.destroy();
    });
    await using proxy = await proxyTo([backend.address]);
    expect((await proxy.ask("GET /")).text).toBe("0");
    expect((await proxy.ask("GET /")).text).toBe("1");
    expect((await proxy.ask(request("PUT /"))).text).toBe("2");
    expect(proxy.log.join("\n")).toContain("another attempt is made");
    expect((await proxy.ask(request("POST /"))).status).toBe(502);
    expect(proxy.log.join("\n")).toContain("not tried again: it was sent, and a POST may not be done twice");
  });

  test("has closed a kept connection when an upload begins: the upload takes another one", async () => {
    await using backend = await RawBackend.listen(async (conn, number) => {
      await conn.request();
      conn.answer(String(number));
    });
    await using proxy = await proxyTo([backend.address]);
    await using client = await proxy.connect();
    expect((await client.send(request("GET /")).response()).text).toBe("0");
    client.send(request("PUT /", { "content-length": "4" }) + "data");
    // The proxy reads the request first, and the end of its connection in the same turn.
    backend.conns[0]?.socket.destroy();
    expect(await client.response()).toMatchObject({ status: 200, text: "1" });
  });
});

test("a node that was restarted is reached, however many connections to it were kept", async () => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  await using first = await RawBackend.answering(async (_, conn) => {
    await released;
    conn.answer("old");
    // Nobody looks at what comes next: it meets a closed door.
    conn.socket.once("data", () => conn.socket.resetAndDestroy());
  });
  await using proxy = await proxyTo([first.address]);
  const many = Array.from({ length: 8 }, () => proxy.ask("GET /"));
  await expect.poll(() => first.conns.length).toBe(8);
  release();
  await Promise.all(many);
  first.stopListening();
  await using _second = await RawBackend.listen(async (conn) => {
    await conn.request();
    conn.answer("new");
  }, first.port);
  expect((await proxy.ask("GET /")).text).toBe("new");
});

describe("a client that leaves", () => {
  test.each([
    ["while the node is silent", "", ""],
    ["before its own content is complete", "POST", ""],
    ["in the middle of the answer", "", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhal"],
    ["in the middle of chunks", "", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhal\r\n"],
  ])("%s: the node's connection is closed", async (_, method, bytes) => {
    const { promise: came, resolve } = Promise.withResolvers<BackendConn>();
    await using backend = await RawBackend.listen(async (conn) => {
      await conn.head();
      conn.send(bytes);
      resolve(conn);
    });
    await using proxy = await proxyTo([backend.address]);
    await using client = await proxy.connect();
    client.send(method === "" ? request("GET /") : request("POST /", { "content-length": "10" }) + "part");
    const conn = await came;
    if (bytes !== "") await client.through("hal");
    if (method !== "") await conn.exactly(4);
    client.reset();
    expect(await conn.ended()).toBe(true);
  });

  test("before its node is connected to: the attempt is given up", async () => {
    await using backend = await RawBackend.answering((_, conn) => conn.answer(""));
    await using proxy = await proxyTo([backend.address]);
    for (const bytes of [request("GET /"), request("POST /", { "content-length": "10" })]) {
      const client = await proxy.connect();
      // The bytes and the reset come in one go: the node is dialled when the client has left.
      client.send(bytes);
      client.reset();
    }
    expect((await proxy.ask("GET /")).status).toBe(200);
    expect(proxy.log.filter((line) => / (?:warn|error) /.test(line))).toEqual([]);
  });

  test("in the middle of chunks of its own: the node gets no end", async () => {
    const { promise: came, resolve } = Promise.withResolvers<BackendConn>();
    await using backend = await RawBackend.listen(async (conn) => {
      await conn.head();
      resolve(conn);
    });
    await using proxy = await proxyTo([backend.address]);
    await using client = await proxy.connect();
    client.send(`${request("POST /", { "transfer-encoding": "chunked" })}4\r\npart\r\n`);
    const conn = await came;
    expect(await conn.exactly(9)).toBe("4\r\npart\r\n");
    client.end();
    expect(await conn.ended()).toBe(true);
  });

  test("before a node has a place for it: it stands in nobody's way", async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const { promise: came, resolve } = Promise.withResolvers<void>();
    await using backend = await RawBackend.answering(async ({ line }, conn) => {
      resolve();
      await released;
      conn.answer(line);
    });
    await using proxy = await proxyTo([backend.address], { backend: { maxConnsPerNode: 1, queueTimeout: 60_000 } });
    await using first = await proxy.connect();
    await using second = await proxy.connect();
    await using third = await proxy.connect();
    first.send(request("GET /1"));
    await came;
    second.send(request("GET /2"));
    third.send(request("GET /3"));
    second.reset();
    release();
    expect((await first.response()).text).toBe("GET /1 HTTP/1.1");
    expect((await third.response()).text).toBe("GET /3 HTTP/1.1");
  });
});

function reset(conn: BackendConn, bytes: string): void {
  conn.socket.write(bytes, () => conn.socket.resetAndDestroy());
}

test("an upload that comes too slowly gives its node free", async () => {
  const ended = Promise.withResolvers<boolean>();
  await using backend = await RawBackend.listen(async (conn) => {
    await conn.head();
    await conn.exactly(2);
    ended.resolve(await conn.ended());
  });
  await using proxy = await proxyTo([backend.address], { server: { minContentRate: 1_000_000, contentRateGrace: 0 } });
  await using client = await proxy.connect();
  client.send(request("POST /", { "content-length": "100" }) + "ab");
  await expect.poll(() => backend.conns.length).toBe(1);
  client.send("c");
  expect(await client.response()).toMatchObject({ status: 408 });
  expect(await ended.promise).toBe(true);
  expect(proxy.log.join("")).toContain("its content came at less than 1000000 bytes a second");
});
