// Servers that answer without reading the whole request, and close: their system then resets the connection.

import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { createServer as createSecureServer } from "node:tls";
import { expect, test } from "vitest";
import { answer } from "../../testing/fcgi-program.ts";
import { certificateFolder, testAuthority } from "../../testing/certificates.ts";
import { frame } from "../../testing/frame-client.ts";
import { FrameNode, proxyToHTTP2 } from "../../testing/frame-node.ts";
import { proxyTo, type TestProxy } from "../../testing/proxy.ts";
import { frameType, settingId } from "../../http2/frames.ts";

const mebibyte = 1024 * 1024;
const upload = `POST / HTTP/1.1\r\nhost: a.example\r\ncontent-length: ${mebibyte}\r\n\r\n${"x".repeat(mebibyte)}`;
const refusal = "HTTP/1.1 413 Content Too Large\r\ncontent-length: 9\r\n\r\ntoo large";

/** Reads the beginning of a request only, answers it, and closes. */
function refuse(socket: Socket, bytes: string | Uint8Array): void {
  socket.on("error", () => {});
  socket.once("data", () => {
    socket.pause();
    socket.write(bytes, () => socket.destroy());
  });
}

async function listen(server: Server): Promise<{ address: string } & AsyncDisposable> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("no port was given");
  return { address: `127.0.0.1:${address.port}`, [Symbol.asyncDispose]: async () => void server.close() };
}

/** What comes of ten uploads at once. */
async function outcomes(proxy: TestProxy): Promise<unknown[]> {
  const answers = await Promise.all(Array.from({ length: 10 }, () => proxy.ask(upload)));
  return [...new Set(answers.map(({ status, text }) => `${status} ${text}`))];
}

test("the answer of an HTTP/1 node that closes with the upload unread reaches the client", async () => {
  await using node = await listen(createServer((socket) => refuse(socket, refusal)));
  await using proxy = await proxyTo([node.address]);
  expect(await outcomes(proxy)).toEqual(["413 too large"]);
});

test("the answer of such a node reaches the client by TLS, too", async () => {
  await using folder = await certificateFolder();
  const authority = await testAuthority();
  const certified = await authority.issue({ names: ["127.0.0.1"] });
  const backend = { tlsMode: true, tlsCA: await folder.write("ca.crt", authority.cert) };
  await using node = await listen(createSecureServer(certified, (socket) => refuse(socket, refusal)));
  await using proxy = await proxyTo([node.address], { backend });
  expect(await outcomes(proxy)).toEqual(["413 too large"]);
});

test("an answer that ends with its connection is broken off where that was reset", async () => {
  await using node = await listen(createServer((socket) => refuse(socket, "HTTP/1.1 200 OK\r\n\r\nhello")));
  await using proxy = await proxyTo([node.address]);
  const client = await proxy.connect();
  client.send(upload);
  await expect(client.response("POST")).rejects.toThrow();
});

test("the output of a FastCGI program that closes with the upload unread reaches the client", async () => {
  const output = answer("status: 413 Content Too Large\r\ncontent-type: text/plain\r\n\r\ntoo large");
  await using node = await listen(createServer((socket) => refuse(socket, output)));
  const signs = { backend: "fcgiBackend", handlet: "fcgiRelay" };
  const script = { webRoot: "/srv", checkScript: false, splitPathInfo: [] };
  await using proxy = await proxyTo([node.address], { signs, proxy: script });
  expect(await outcomes(proxy)).toEqual(["413 too large"]);
});

test("the output of an SCGI program that says its length and closes with the upload unread reaches the client", async () => {
  const output = "status: 413 Content Too Large\r\ncontent-length: 9\r\n\r\ntoo large";
  await using node = await listen(createServer((socket) => refuse(socket, output)));
  const signs = { backend: "scgiBackend", handlet: "scgiRelay" };
  const script = { webRoot: "/srv", checkScript: false, splitPathInfo: [] };
  await using proxy = await proxyTo([node.address], { signs, proxy: script });
  expect(await outcomes(proxy)).toEqual(["413 too large"]);
  // Nor is that held against the node.
  expect(proxy.log.filter((line) => line.includes("node"))).toEqual([]);
});

test("the answer of an HTTP/2 node that closes with the upload unread reaches the client", async () => {
  await using node = await FrameNode.listen(
    async (conn) => {
      conn.send(frame(frameType.windowUpdate, 0, 0, 100 * mebibyte));
      const { id } = await conn.head();
      const { socket } = conn.raw;
      socket.pause();
      conn.answer(id, { ":status": "413" }, "too large");
      socket.end(() => socket.destroy());
    },
    { [settingId.initialWindowSize]: 100 * mebibyte, [settingId.maxConcurrentStreams]: 1 },
  );
  await using proxy = await proxyToHTTP2([node], { backend: { http2MaxConns: 100 } });
  expect(await outcomes(proxy)).toEqual(["413 too large"]);
});
