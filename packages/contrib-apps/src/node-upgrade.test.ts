import { once } from "node:events";
import { ServerResponse } from "node:http";
import { connect } from "node:http2";
import { Socket } from "node:net";
import { describe, expect, test } from "vitest";
import type { NodeUpgradeListener } from "./index.ts";
import { exchange, open, until } from "./testing/client.ts";
import { serve } from "./testing/serve.ts";
import { current } from "./testing/upgrade-app.ts";

function serveUpgrade(upgrade: NodeUpgradeListener) {
  current.upgrade = upgrade;
  return serve(`nodeHandlet { .module = "upgrade-app.ts" }`);
}

const asksForEcho = "GET /x HTTP/1.1\nconnection: upgrade\nupgrade: echo";

describe("ws", () => {
  test("opens WebSockets by handleUpgrade, and its app answers other requests", async () => {
    await using site = await serve(`nodeHandlet { .module = "ws-app.ts" }`);
    const ws = new WebSocket(`ws://127.0.0.1:${site.port}/`);
    await once(ws, "open");
    const message = once(ws, "message");
    ws.send("hello");
    expect(await message).toMatchObject([{ data: "you said hello" }]);
    ws.close(1000);
    expect(await once(ws, "close")).toMatchObject([{ code: 1000, wasClean: true }]);
    expect(await site.ask({ url: "/" })).toMatchObject({ status: 200, text: "a page" });
  });

  test("refuses bad handshakes in its own words", async () => {
    await using site = await serve(`nodeHandlet { .module = "ws-app.ts" }`);
    const answer = await exchange(site.port, "GET / HTTP/1.1\nconnection: upgrade\nupgrade: websocket\n\n");
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(answer).toContain("Sec-WebSocket-Key");
  });

  test("opens WebSockets on streams of HTTP/2", async () => {
    await using site = await serve(`nodeHandlet { .module = "ws-app.ts" }`);
    const session = connect(`http://127.0.0.1:${site.port}`);
    await once(session, "remoteSettings");
    const stream = session.request({
      ":method": "CONNECT",
      ":protocol": "websocket",
      ":path": "/",
      "sec-websocket-version": "13",
    });
    const [headers] = (await once(stream, "response")) as [Record<string, unknown>];
    expect(headers[":status"]).toBe(200);
    expect(headers["sec-websocket-accept"]).toBeUndefined();
    // A text of two bytes with a mask of zeros.
    stream.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]));
    const [frame] = (await once(stream, "data")) as [Buffer];
    expect(frame.subarray(2).toString()).toBe("you said hi");
    stream.destroy();
    session.destroy();
  });
});

describe("@fastify/websocket", () => {
  const fastify = `nodeHandlet { .module = "fastify-ws-app.ts" }`;

  test("opens WebSockets though the module exports its app alone", async () => {
    await using site = await serve(fastify);
    const ws = new WebSocket(`ws://127.0.0.1:${site.port}/echo`);
    await once(ws, "open");
    const message = once(ws, "message");
    ws.send("hello");
    expect(await message).toMatchObject([{ data: "127.0.0.1 said hello" }]);
    ws.close(1000);
    expect(await once(ws, "close")).toMatchObject([{ code: 1000 }]);
    expect(await site.ask({ url: "/page" })).toMatchObject({ status: 200, text: "a page" });
  });

  test("answers a handshake for what it has no route for by its own 404", async () => {
    await using site = await serve(fastify);
    const answer = await exchange(site.port, "GET /nothing HTTP/1.1\nconnection: upgrade\nupgrade: websocket");
    expect(answer).toMatch(/^HTTP\/1\.1 404 .*Route GET:\/nothing not found/s);
  });
});

describe("an app that speaks its own protocol", () => {
  test("gets what came behind the head, and each side ends by itself", async () => {
    await using site = await serveUpgrade((req, socket, head) => {
      socket.write("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\nx-a: b\r\n\r\n");
      socket.write(`${req.url} ${head.length} `);
      socket.on("data", (piece) => socket.write(piece));
      socket.on("end", () => socket.end("bye"));
    });
    const client = await open(site.port, `${asksForEcho}\n\nearly`);
    const text = await until(client, "early");
    expect(text).toMatch(/^HTTP\/1\.1 101 .*\r\nx-a: b\r\n.*\/x 0 early$/s);
    client.end();
    expect(await until(client, "bye")).toBe("bye");
  });

  test("may write its head in crumbs", async () => {
    await using site = await serveUpgrade((_req, socket) => {
      for (const byte of "HTTP/1.1 101 OK\r\nupgrade: echo\r\n\r\nhello") socket.write(byte);
      socket.end();
    });
    expect(await exchange(site.port, asksForEcho)).toMatch(/\r\nupgrade: echo\r\n\r\nhello$/);
  });

  test("may answer otherwise, and the client's pipe is not left open", async () => {
    await using site = await serveUpgrade((_req, socket) => {
      socket.end("HTTP/1.1 403 Not You\r\ncontent-type: text/plain\r\nupgrade: other\r\n\r\nnot you");
    });
    const answer = await exchange(site.port, asksForEcho);
    expect(answer).toMatch(/^HTTP\/1\.1 403 Not You\r\n/);
    expect(answer).toContain("upgrade: other\r\n");
    expect(answer).toContain("not you");
  });

  test.each<[how: string, answer: (res: ServerResponse) => void, framing: string]>([
    ["as a whole", (res) => void res.end("not you"), "content-length: 7"],
    ["in pieces", (res) => (res.write("not "), setImmediate(() => res.end("you"))), "transfer-encoding: chunked"],
  ])("may answer otherwise by a ServerResponse that it gives the socket to, %s", async (_how, answer, framing) => {
    await using site = await serveUpgrade((req, socket) => {
      const res = new ServerResponse(req);
      if (socket instanceof Socket) res.assignSocket(socket);
      answer(res);
    });
    const text = await exchange(site.port, asksForEcho);
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(text).toContain(framing);
    expect(text.replace(/\r\n[0-9a-f]+\r\n/g, "")).toContain("not you");
    expect(site.sink.lines.join("")).not.toMatch(/ error /);
  });

  test.each<[how: string, text: string]>([
    ["no head", "hello\r\n\r\n"],
    ["a 101 for what nobody asked for", "HTTP/1.1 101 OK\r\nupgrade: other\r\n\r\n"],
    ["a 101 for nothing", "HTTP/1.1 101 OK\r\n\r\n"],
    ["a field that is none", "HTTP/1.1 101 OK\r\nupgrade: echo\r\nno field\r\n\r\n"],
    ["a head without end", "x".repeat(70_000)],
  ])("and writes %s has the connection broken off, with a line in the log", async (_how, text) => {
    await using site = await serveUpgrade((_req, socket) => void socket.write(text));
    expect(await exchange(site.port, asksForEcho).catch(() => "")).toBe("");
    expect(site.sink.lines.join("")).toMatch(/ERROR.*nodeHandlet.*failed at an upgrade of \/x/is);
  });

  test.each<[how: string, upgrade: NodeUpgradeListener]>([
    [
      "throws",
      () => {
        throw new Error("the reason");
      },
    ],
    ["rejects", () => Promise.reject(new Error("the reason"))],
  ])("and %s gives 500", async (_how, upgrade) => {
    await using site = await serveUpgrade(upgrade);
    expect(await exchange(site.port, asksForEcho)).toMatch(/^HTTP\/1\.1 500 /);
    expect(site.sink.lines.join("")).toContain("the reason");
  });

  test("may end its socket again, as ws does when the client ends after it", async () => {
    const again = Promise.withResolvers<undefined>();
    await using site = await serveUpgrade((_req, socket) => {
      socket.on("end", () => socket.end(() => again.resolve(undefined))).resume();
      socket.end("HTTP/1.1 101 OK\r\nupgrade: echo\r\n\r\nbye");
    });
    expect(await exchange(site.port, asksForEcho)).toMatch(/bye$/);
    await again.promise;
    expect(site.sink.lines.join("")).not.toMatch(/ error /);
  });

  test("hears when its client leaves", async () => {
    const closed = Promise.withResolvers<undefined>();
    await using site = await serveUpgrade((_req, socket) => {
      socket.on("close", () => closed.resolve(undefined));
      socket.write("HTTP/1.1 101 OK\r\nupgrade: echo\r\n\r\n");
    });
    const client = await open(site.port, asksForEcho);
    await until(client, "\r\n\r\n");
    client.resetAndDestroy();
    await closed.promise;
  });
});

test("an app without upgrade answers as if nobody had asked", async () => {
  await using site = await serve(`nodeHandlet { .module = "express-app.ts" }`);
  expect(await exchange(site.port, asksForEcho)).toMatch(/^HTTP\/1\.1 [24]/);
});
