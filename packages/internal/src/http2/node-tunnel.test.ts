// WebSockets, or what else a client leaves HTTP for, on streams of a connection to a node (RFC 8441).

import { once } from "node:events";
import { expect, test } from "vitest";
import type { TestProxy } from "../testing/proxy.ts";
import type { RawClient } from "../testing/raw-client.ts";
import { errorCode, frameType, settingId } from "./frames.ts";
import { frame } from "../testing/frame-client.ts";
import { FrameNode, proxyToHTTP2, type FrameNodeConn } from "../testing/frame-node.ts";

const upgrade =
  "GET /chat HTTP/1.1\r\nhost: a.example\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n" +
  "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

function tunnelNode(serve: (conn: FrameNodeConn, index: number) => Promise<void>): Promise<FrameNode> {
  return FrameNode.listen(serve, { [settingId.enableConnectProtocol]: 1 });
}

const options = { socklet: { sign: "sockProxy", props: { maxRetries: 0 } }, backend: { http2MaxConns: 1 } };

/** A client whose upgrade has been accepted. */
async function upgraded(proxy: TestProxy): Promise<RawClient> {
  const client = (await proxy.connect()).send(upgrade);
  expect((await client.head()).status).toBe(101);
  return client;
}

test("a tunnel carries bytes both ways, ends on each side by itself, and leaves the connection to others", async () => {
  await using node = await tunnelNode(async (conn) => {
    const { id, headers } = await conn.head();
    expect(headers).toMatchObject({ ":method": "CONNECT", ":protocol": "websocket", ":path": "/chat" });
    expect(headers["sec-websocket-key"]).toBeUndefined();
    conn.begin(id).send(conn.data(id, "hello"));
    const text = await conn.content(id);
    conn.send(conn.data(id, `you said ${text}`, true));
    const next = await conn.head();
    conn.answer(next.id, {}, "next");
  });
  await using proxy = await proxyToHTTP2([node], options);
  const client = await upgraded(proxy);
  expect((await client.exactly(5)).toString()).toBe("hello");
  client.send("bye").end();
  expect((await client.exactly(12)).toString()).toBe("you said bye");
  expect(await client.ending()).toBe("end");
  expect((await proxy.ask("GET /")).text).toBe("next");
  expect(node.conns[0]?.passedOfType(frameType.rstStream)).toEqual([]);
});

test("a node that ends its side first may still be sent to", async () => {
  const { promise: said, resolve } = Promise.withResolvers<string>();
  await using node = await tunnelNode(async (conn) => {
    const { id } = await conn.head();
    conn.begin(id).send(conn.data(id, "", true));
    resolve(await conn.content(id));
  });
  await using proxy = await proxyToHTTP2([node], options);
  const client = await upgraded(proxy);
  expect(await client.ending()).toBe("end");
  client.send("to the last").end();
  expect(await said).toBe("to the last");
});

test.each([
  [
    "resets the stream",
    (conn: FrameNodeConn, id: number) => conn.send(frame(frameType.rstStream, 0, id, errorCode.cancel)),
  ],
  ["says that it has not looked at it", (conn: FrameNodeConn) => conn.goawayWith(0, errorCode.noError)],
  ["closes the connection", (conn: FrameNodeConn) => conn.raw.socket.destroy()],
  [
    "goes on behind its end",
    (conn: FrameNodeConn, id: number) => conn.send(conn.data(id, "", true), conn.data(id, "x")),
  ],
])("a tunnel is broken off when its node %s, and another can be had", async (_, breakOff) => {
  const { promise: accepted, resolve } = Promise.withResolvers<void>();
  let tunnels = 0;
  await using node = await tunnelNode(async (conn) => {
    for (;;) {
      const { id } = await conn.head();
      conn.begin(id);
      if (++tunnels > 1) conn.send(conn.data(id, "again"));
      else {
        await accepted;
        breakOff(conn, id);
      }
    }
  });
  await using proxy = await proxyToHTTP2([node], options);
  const client = await upgraded(proxy);
  resolve();
  expect(await client.ending()).toMatch(/^(?:end|reset)$/);
  client.reset();
  expect((await (await upgraded(proxy)).exactly(5)).toString()).toBe("again");
});

test("a client that leaves has its tunnel given up, and so has the stage that quits", async () => {
  const { promise: secondCame, resolve } = Promise.withResolvers<void>();
  const codes: string[] = [];
  await using node = await tunnelNode(async (conn) => {
    const first = await conn.head();
    conn.begin(first.id);
    codes.push(await conn.reset(first.id));
    const second = await conn.head();
    conn.begin(second.id);
    resolve();
  });
  await using proxy = await proxyToHTTP2([node], options);
  const client = await upgraded(proxy);
  client.reset();
  await upgraded(proxy);
  await secondCame;
  const socket = node.conns[0]?.raw.socket;
  await Promise.all([proxy.stage.quit(1), socket !== undefined && once(socket, "close")]);
  expect(codes).toEqual(["CANCEL"]);
});

test("a node that answers instead is passed on, and its stream given up", async () => {
  const codes: string[] = [];
  await using node = await tunnelNode(async (conn) => {
    const { id } = await conn.head();
    conn.answer(id, { ":status": "403" }, "not you");
    codes.push(await conn.reset(id));
  });
  await using proxy = await proxyToHTTP2([node], options);
  expect(await proxy.ask(upgrade)).toMatchObject({ status: 403, text: "not you" });
  await expect.poll(() => codes).toEqual(["CANCEL"]);
});

test("a node that takes a tunnel's bytes slowly stops its client", async () => {
  const { promise: isStuck, resolve } = Promise.withResolvers<void>();
  const size = 20 * 1024 * 1024;
  await using node = await tunnelNode(async (conn) => {
    const { id } = await conn.head();
    conn.begin(id);
    await isStuck;
    conn.send(frame(frameType.windowUpdate, 0, 0, 2 ** 30), frame(frameType.windowUpdate, 0, id, 2 ** 30));
    conn.send(conn.data(id, String((await conn.content(id)).length), true));
  });
  await using proxy = await proxyToHTTP2([node], options);
  const client = await upgraded(proxy);
  client.send(Buffer.alloc(size)).end();
  let before = 0;
  const stopped = (): boolean => {
    const left = client.socket.writableLength;
    const isSame = left === before && left > 0;
    before = left;
    return isSame;
  };
  await expect.poll(stopped, { interval: 100, timeout: 4000 }).toBe(true);
  resolve();
  expect((await client.exactly(8)).toString()).toBe(String(size));
});
