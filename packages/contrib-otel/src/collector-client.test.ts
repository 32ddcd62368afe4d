import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { expect, test } from "vitest";
import { CollectorClient } from "./collector-client.ts";

/** A collector that does this with what comes; `conns`: so many connections have come, and `open` of them are left. */
async function startRawCollector(answer: (conn: Socket, connNumber: number, requestNumber: number) => void) {
  const open = new Set<Socket>();
  let conns = 0;
  const server = createServer((conn) => {
    const connNumber = ++conns;
    let requests = 0;
    open.add(conn);
    conn.on("error", () => undefined);
    conn.on("close", () => open.delete(conn));
    conn.on("data", (chunk) => {
      if (chunk.includes("POST ")) answer(conn, connNumber, ++requests);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const client = new CollectorClient(
    `http://127.0.0.1:${typeof address === "object" ? (address?.port ?? 0) : 0}/base/`,
  );
  return {
    open,
    conns: () => conns,
    post: (timeout = 60_000) => client.post({ path: "/v1/traces", headers: {}, content: "{}", timeout }),
    client,
    [Symbol.dispose]() {
      client.close();
      for (const conn of open) conn.destroy();
      server.close();
    },
  };
}

const empty = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

test("batches use one connection, which is closed at the end", async () => {
  using collector = await startRawCollector((conn) => conn.write(empty));
  for (let i = 0; i < 5; i++) expect(await collector.post()).toBe(200);
  expect(collector.conns()).toBe(1);
  collector.client.close();
  await expect.poll(() => collector.open.size).toBe(0);
});

test("a kept connection that the collector closes as the next batch comes costs nothing", async () => {
  using collector = await startRawCollector((conn, connNumber, requestNumber) => {
    if (connNumber === 1 && requestNumber === 2) conn.resetAndDestroy();
    else conn.write(empty);
  });
  expect([await collector.post(), await collector.post()]).toEqual([200, 200]);
  expect(collector.conns()).toBe(2);
});

test("a batch that is sent again has a connection of its own", async () => {
  using collector = await startRawCollector((conn, _connNumber, requestNumber) => {
    if (requestNumber === 2) conn.resetAndDestroy();
    else conn.write(empty);
  });
  for (let i = 0; i < 6; i++) expect(await collector.post()).toBe(200);
  expect(collector.conns()).toBe(6);
});

test("a collector that closes each connection is tried once", async () => {
  using collector = await startRawCollector((conn) => conn.destroy());
  await expect(collector.post()).rejects.toThrow("socket hang up");
  expect(collector.conns()).toBe(1);
});

test("a response without end counts by its status, and ends with its connection", async () => {
  using collector = await startRawCollector((conn) => {
    conn.write("HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\n");
    const endless = (): void => {
      while (conn.writable && conn.write(`4000\r\n${"x".repeat(0x4000)}\r\n`));
    };
    conn.on("drain", endless);
    endless();
  });
  expect(await collector.post()).toBe(503);
  await expect.poll(() => collector.open.size).toBe(0);
});

test("a response that dribbles counts by its status at the time limit, and ends with its connection", async () => {
  using collector = await startRawCollector((conn) => {
    conn.write("HTTP/1.1 202 Yes\r\nContent-Length: 1000\r\n\r\n");
    const timer = setInterval(() => conn.write("x"), 5);
    conn.on("close", () => clearInterval(timer));
  });
  expect(await collector.post(100)).toBe(202);
  await expect.poll(() => collector.open.size).toBe(0);
});

test("a head that dribbles is no answer", async () => {
  using collector = await startRawCollector((conn) => {
    conn.write("HTTP/1.1 200 OK\r\nX: ");
    const timer = setInterval(() => conn.write("x"), 5);
    conn.on("close", () => clearInterval(timer));
  });
  await expect(collector.post(100)).rejects.toThrow("no answer within 100 ms");
  await expect.poll(() => collector.open.size).toBe(0);
});
