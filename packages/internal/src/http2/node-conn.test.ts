// What goes wrong between us and a node, and what comes of it for the requests of that connection and for others.

import { once } from "node:events";
import { expect, test } from "vitest";
import { RawBackend } from "../testing/raw-backend.ts";
import { proxyTo } from "../testing/proxy.ts";
import { errorCode, frameFlag, frameType, settingId } from "./frames.ts";
import { frame, settings } from "../testing/frame-client.ts";
import { FrameNode, proxyToHTTP2, type FrameNodeConn } from "../testing/frame-node.ts";

const post = (content: string) =>
  `POST / HTTP/1.1\r\nhost: a.example\r\ncontent-length: ${content.length}\r\n\r\n${content}`;
const upgrade =
  "GET / HTTP/1.1\r\nhost: a.example\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n" +
  "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
const mebibyte = 1024 * 1024;

/** More than the system takes of what nobody reads. */
const muchContent = Buffer.alloc(14 * mebibyte);

function sendMuch(conn: FrameNodeConn, id: number): void {
  conn.begin(id);
  for (let at = 0; at < muchContent.length; at += 16_384) {
    const isEnd = at + 16_384 === muchContent.length;
    conn.send(conn.data(id, muchContent.subarray(at, at + 16_384), isEnd));
  }
}

test("frames that go with requests and their content are no flood", async () => {
  await using node = await FrameNode.listen(async (conn) => {
    for (;;) {
      const { id } = await conn.head();
      for (let isEnd = false; !isEnd;) {
        const { flags, payload } = await conn.nextOfType(frameType.data, id);
        isEnd = (flags & frameFlag.endStream) !== 0;
        if (payload.length === 0) continue;
        conn.send(frame(frameType.windowUpdate, 0, 0, payload.length));
        conn.send(frame(frameType.windowUpdate, 0, id, payload.length));
      }
      conn.answer(id, {}, "all of it");
    }
  });
  await using proxy = await proxyToHTTP2([node], { backend: { http2MaxIdleFrames: 12 } });
  expect((await proxy.ask(post("x".repeat(mebibyte)))).text).toBe("all of it");
  for (let i = 0; i < 12; i++) expect((await proxy.ask(post("a"))).text).toBe("all of it");
  expect(node.conns.length).toBe(1);
});

test("a connection that its node leaves stands in nobody's way while it finishes what it has", async () => {
  const { promise: nextCame, resolve } = Promise.withResolvers<void>();
  await using node = await FrameNode.listen(async (conn, index) => {
    const { id } = await conn.head();
    if (index === 1) {
      conn.answer(id, {}, "by the second");
      return resolve();
    }
    conn.goawayWith(id, errorCode.noError).begin(id);
    await nextCame;
    conn.send(conn.data(id, "by the first", true));
  });
  await using proxy = await proxyToHTTP2([node], { backend: { http2MaxConns: 1 } });
  const client = await proxy.connect();
  client.send("GET /long HTTP/1.1\r\nhost: a.example\r\n\r\n");
  await expect.poll(() => node.conns.length).toBe(1);
  await node.conns[0]?.roundTrip();
  expect((await proxy.ask("GET /")).text).toBe("by the second");
  expect((await client.response()).text).toBe("by the first");
});

test("a node that takes no requests at all is a 503 after queueTimeout, and is not dialled without end", async () => {
  await using node = await FrameNode.listen(() => {}, { [settingId.maxConcurrentStreams]: 0 });
  const backend = { http2MaxConns: 2, keepConns: 0, queueTimeout: 50 };
  await using proxy = await proxyToHTTP2([node], { backend });
  expect((await proxy.ask("GET /")).status).toBe(503);
  expect(node.conns.length).toBeLessThanOrEqual(2);
});

test.each([
  ["closes", (conn: FrameNodeConn) => void conn.raw.socket.end()],
  ["leaves", (conn: FrameNodeConn) => void conn.goawayWith(0, errorCode.noError)],
])("a node that %s each connection before it takes any request is a 502, and dialled once", async (_, leave) => {
  await using node = await FrameNode.listen(leave, { [settingId.maxConcurrentStreams]: 0 });
  await using proxy = await proxyToHTTP2([node], { backend: { http2MaxConns: 1 }, proxy: { maxRetries: 0 } });
  expect((await proxy.ask("GET /")).status).toBe(502);
  expect(node.conns.length).toBe(1);
});

test("a request that is let in while others get their streams does not make them be sent twice", async () => {
  const ids: number[] = [];
  const { promise: allCame, resolve } = Promise.withResolvers<void>();
  await using node = await FrameNode.listen(
    async (conn) => {
      await allCame;
      conn.send(frame(frameType.settings, 0, 0, settings({ [settingId.maxConcurrentStreams]: 100 })));
      for (;;) {
        const { id } = await conn.head();
        ids.push(id);
        conn.answer(id, {}, "here");
      }
    },
    { [settingId.maxConcurrentStreams]: 0 },
  );
  await using proxy = await proxyToHTTP2([node], {
    socklet: { sign: "sockProxy", props: { maxRetries: 0 } },
    backend: { http2MaxConns: 1, maxConnsPerNode: 2, maxQueued: 1 },
  });
  // It fails when the node takes requests, because it takes no tunnels: then the one in the queue is let in.
  const tunnel = (await proxy.connect()).send(upgrade);
  await expect.poll(() => node.conns.length).toBe(1);
  const answers = [proxy.ask("GET /"), proxy.ask("GET /"), proxy.ask("GET /")];
  expect((await Promise.race(answers)).status).toBe(503);
  resolve();
  expect((await tunnel.response()).status).toBe(502);
  expect((await Promise.all(answers)).map(({ status }) => status).toSorted()).toEqual([200, 200, 503]);
  await node.conns[0]?.roundTrip();
  expect(ids).toEqual([1, 3]);
});

test("an answer that has come whole reaches a slow client, though its node has closed the connection", async () => {
  const { promise: sent, resolve } = Promise.withResolvers<void>();
  await using node = await FrameNode.listen(async (conn) => {
    const { id } = await conn.head();
    sendMuch(conn, id);
    await conn.roundTrip();
    conn.raw.socket.end();
    await once(conn.raw.socket, "close");
    resolve();
  });
  const backend = { http2StreamWindow: "16M", http2MaxStreamWindow: "16M" };
  await using proxy = await proxyToHTTP2([node], { backend });
  const client = await proxy.connect();
  client.socket.pause();
  client.send("GET / HTTP/1.1\r\nhost: a.example\r\n\r\n");
  await sent;
  client.socket.resume();
  expect((await client.response()).content.length).toBe(muchContent.length);
});

test("a client that writes all before it reads is not stopped by a node that has answered and wants no more", async () => {
  await using node = await FrameNode.listen(async (conn) => {
    const { id } = await conn.head();
    sendMuch(conn, id);
    conn.send(frame(frameType.rstStream, 0, id, errorCode.noError));
  });
  const backend = { http2StreamWindow: "16M", http2MaxStreamWindow: "16M" };
  await using proxy = await proxyToHTTP2([node], { backend, maxContentSize: 32 * mebibyte });
  const client = await proxy.connect();
  client.socket.pause();
  client.send(post("x".repeat(20 * mebibyte)));
  await expect.poll(() => client.socket.writableLength).toBe(0);
  client.socket.resume();
  expect((await client.response()).content.length).toBe(muchContent.length);
});

const wide = { [settingId.initialWindowSize]: 2 ** 30 };

/** A node whose windows are wide, and which reads nothing behind a head. */
function deafNode(): Promise<FrameNode> {
  return FrameNode.listen(async (conn) => {
    conn.send(frame(frameType.windowUpdate, 0, 0, 2 ** 30));
    await conn.head();
    conn.raw.socket.pause();
  }, wide);
}

test("a node that closes its side while it reads nothing has failed at once", async () => {
  await using node = await deafNode();
  await using proxy = await proxyToHTTP2([node], { maxContentSize: 32 * mebibyte });
  const client = await proxy.connect();
  client.send(post("x".repeat(20 * mebibyte)));
  let before = 0;
  const isStuck = (): boolean => {
    const left = client.socket.writableLength;
    const isSame = node.conns.length > 0 && left === before;
    before = left;
    return isSame;
  };
  await expect.poll(isStuck, { interval: 100, timeout: 4000 }).toBe(true);
  node.conns[0]?.raw.socket.end();
  expect((await client.response()).status).toBe(502);
});

test("a connection that has to be left, and whose node reads nothing, is gone after writeTimeout", async () => {
  await using node = await deafNode();
  await using proxy = await proxyToHTTP2([node], {
    maxContentSize: 32 * mebibyte,
    backend: { writeTimeout: 50, aliveTimeout: 50 },
    proxy: { maxRetries: 0 },
  });
  expect((await proxy.ask(post("x".repeat(20 * mebibyte)))).status).toBe(504);
  const [conn] = node.conns;
  const ping = frame(frameType.ping, frameFlag.ack, 0, "12345678");
  await expect.poll(() => conn?.raw.send(ping).socket.destroyed, { timeout: 4000 }).toBe(true);
});

test("a node is not blamed for having its fill, nor for taking no tunnels", async () => {
  const { promise: waited, resolve } = Promise.withResolvers<void>();
  await using node = await FrameNode.listen(
    async (conn) => {
      const first = await conn.head();
      await waited;
      conn.answer(first.id, {}, "first");
      const next = await conn.head();
      conn.answer(next.id, {}, "next");
    },
    { [settingId.maxConcurrentStreams]: 1 },
  );
  await using proxy = await proxyToHTTP2([node], {
    socklet: { sign: "sockProxy", props: { maxRetries: 0 } },
    backend: { http2MaxConns: 1, queueTimeout: 50, maxFails: 1 },
  });
  const answers = [proxy.ask("GET /"), proxy.ask("GET /")];
  expect((await Promise.race(answers)).status).toBe(503);
  resolve();
  expect((await Promise.all(answers)).map(({ status }) => status).toSorted()).toEqual([200, 503]);
  expect((await proxy.ask(upgrade)).status).toBe(502);
  expect(proxy.log.join("\n")).toContain("it takes no tunnels");
  expect((await proxy.ask("GET /")).text).toBe("next");
  expect(proxy.log.join("\n")).not.toContain("would rest");
});

test("a node that sends hints while it works is not silent", async () => {
  await using node = await FrameNode.listen(async (conn) => {
    const { id } = await conn.head();
    for (let i = 0; i < 6; i++) {
      await conn.nextOfType(frameType.ping);
      conn.send(frame(frameType.headers, frameFlag.endHeaders, id, conn.block({ ":status": "103" })));
    }
    conn.answer(id, {}, "at last");
  });
  await using proxy = await proxyToHTTP2([node], {
    backend: { readTimeout: 1000, pingInterval: 100 },
    proxy: { maxRetries: 0 },
  });
  expect((await proxy.ask("GET /")).text).toBe("at last");
});

test("a PING has all of pingTimeout to be answered, whatever requests come and go meanwhile", async () => {
  await using node = await FrameNode.listen(async (conn) => {
    await conn.head();
    await conn.nextOfType(frameType.ping);
    client.reset();
  });
  await using proxy = await proxyToHTTP2([node], {
    backend: { readTimeout: 1000, pingInterval: 20, pingTimeout: 4000 },
    proxy: { maxRetries: 0 },
  });
  const client = await proxy.connect();
  client.send("GET /given-up HTTP/1.1\r\nhost: a.example\r\n\r\n");
  await once(client.socket, "close");
  expect((await proxy.ask("GET /")).status).toBe(504);
  expect(proxy.log.join("\n")).toContain("nothing of its answer came for 1000 ms");
});

test("a node that has begun to answer cannot say that it has not looked at the request", async () => {
  let requests = 0;
  await using node = await FrameNode.listen(async (conn) => {
    for (;;) {
      const { id } = await conn.head();
      requests++;
      const block = conn.block({ ":status": "200" });
      const head = frame(frameType.headers, frameFlag.endHeaders, id, block);
      conn.send(head, frame(frameType.rstStream, 0, id, errorCode.refusedStream));
    }
  });
  await using proxy = await proxyToHTTP2([node], { proxy: { bufferClientContent: true } });
  expect((await proxy.ask(post("once"))).status).toBe(502);
  expect(requests).toBe(1);
});

test("a node that would push ends the connection", async () => {
  await using node = await FrameNode.listen(() => {}, { [settingId.enablePush]: 1 });
  await using proxy = await proxyToHTTP2([node], { proxy: { maxRetries: 0 } });
  expect((await proxy.ask("GET /")).status).toBe(502);
  expect(await node.conns[0]?.goaway()).toBe("PROTOCOL_ERROR");
});

test("a node that speaks HTTP/1 alone is told apart in the log", async () => {
  await using node = await RawBackend.listen(async (peer) => {
    peer.send("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    await once(peer.socket, "close");
  });
  await using proxy = await proxyTo([node.address], {
    signs: { backend: "http2Backend", handlet: "httpProxy" },
    proxy: { maxRetries: 0 },
  });
  expect((await proxy.ask("GET /")).status).toBe(502);
  expect(proxy.log.join("\n")).toContain("it does not speak HTTP/2");
});

test.each([
  ["HEAD", "200"],
  ["GET", "204"],
  ["GET", "304"],
])(
  "an answer to %s with %s and a content-length is complete without content, at once or later",
  async (method, status) => {
    await using node = await FrameNode.listen(async (conn) => {
      for (;;) {
        const { id, headers } = await conn.head();
        const fields = { ":status": status, "content-length": "5" };
        if (headers[":path"] === "/at-once") conn.answer(id, fields);
        else {
          conn.begin(id, fields);
          await conn.roundTrip();
          conn.send(conn.data(id, "", true));
        }
      }
    });
    await using proxy = await proxyToHTTP2([node], { proxy: { maxRetries: 0 } });
    for (const path of ["/at-once", "/later"]) {
      const answer = await proxy.ask(`${method} ${path}`, method);
      expect([answer.status, answer.content.length]).toEqual([Number(status), 0]);
      if (method === "HEAD") expect(answer.headers["content-length"]).toBe("5");
    }
    expect(proxy.log.join("\n")).not.toContain("failed");
  },
);
