import { once } from "node:events";
import { connect } from "node:http2";
import { expect, test, vi } from "vitest";
import { exchange } from "./testing/client.ts";
import { heard } from "./testing/hono-ws-app.ts";
import { watchEscapes } from "./testing/escapes.ts";
import { serve } from "./testing/serve.ts";

const hono = 'fetchHandlet { .module = "hono-ws-app.ts" }';

async function open(port: number, path: string, subprotocols: readonly string[] = []) {
  const ws = new WebSocket(`ws://127.0.0.1:${port}${path}`, [...subprotocols]);
  ws.binaryType = "arraybuffer";
  const messages: unknown[] = [];
  ws.addEventListener("message", ({ data }) => messages.push(data));
  await once(ws, "open");
  return { ws, messages };
}

async function closingOf(ws: WebSocket): Promise<CloseEvent> {
  const [event] = (await once(ws, "close")) as [CloseEvent];
  return event;
}

test("a WebSocket of a Hono app is opened, speaks, and is closed", async () => {
  await using site = await serve(hono);
  const { ws, messages } = await open(site.port, "/echo/x", ["a", "b"]);
  ws.send("one");
  ws.send(new Uint8Array([1, 2]));
  await expect
    .poll(() => messages)
    .toEqual(["hello at /echo/x by b from 127.0.0.1", "you said one", new Uint8Array([1, 2]).buffer]);
  const closing = closingOf(ws);
  ws.send("bye");
  expect(await closing).toMatchObject({ code: 4001, reason: "as you wish" });
  await expect.poll(() => heard.at(-1)).toBe("4001  3");
});

test("what its handler throws closes it with 1011, and is in the log", async () => {
  await using site = await serve(hono);
  const { ws } = await open(site.port, "/echo/x");
  const closing = closingOf(ws);
  ws.send("throw");
  expect((await closing).code).toBe(1011);
  expect(site.sink.lines.join("")).toMatch(/fetchHandlet.*failed at a WebSocket of \/echo\/x.*thrown on purpose/s);
});

test("what an asynchronous onOpen rejects with closes it with 1011, and goes to the app's error handler", async () => {
  const told = vi.spyOn(console, "error").mockImplementation(() => {});
  await using site = await serve(hono);
  const ws = new WebSocket(`ws://127.0.0.1:${site.port}/fails/open`);
  expect((await closingOf(ws)).code).toBe(1011);
  expect(told).toHaveBeenCalledWith(expect.objectContaining({ message: "open failed on purpose" }));
  told.mockRestore();
});

test("what an asynchronous onClose rejects with is in the log, and the server goes on", async () => {
  using escaped = watchEscapes();
  await using site = await serve(hono);
  const { ws } = await open(site.port, "/fails/close");
  ws.close(1000);
  await expect.poll(() => site.sink.lines.join("")).toContain("close failed on purpose");
  await escaped.settle();
  expect(escaped.errors).toEqual([]);
  expect((await site.ask({ url: "/plain" })).text).toBe("a page");
});

test("handlers that give back a number do not end the process", async () => {
  using escaped = watchEscapes();
  await using site = await serve(hono);
  const { ws, messages } = await open(site.port, "/arrow");
  ws.send("one");
  ws.send("two");
  await expect.poll(() => messages).toEqual(["heard", "heard"]);
  ws.close(1000);
  await expect.poll(() => heard.at(-1)).toBe("arrow closed");
  await escaped.settle();
  expect(escaped.errors).toEqual([]);
  expect(site.sink.lines.join("")).not.toMatch(/ error /);
});

test("a message that is larger than it may be closes it with 1009", async () => {
  await using site = await serve(hono);
  const { ws } = await open(site.port, "/echo/x");
  const closing = closingOf(ws);
  ws.send("x".repeat(101));
  expect((await closing).code).toBe(1009);
});

test("a request for a WebSocket where the app has none gets its answer, and others come to what stands behind", async () => {
  await using site = await serve(hono);
  const wanting = "connection: upgrade\nupgrade: websocket\nsec-websocket-version: 13";
  const key = "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==";
  expect(await exchange(site.port, `GET /plain HTTP/1.1\n${wanting}\n${key}\n\n`)).toMatch(/200 OK.*a page$/s);
  expect(await exchange(site.port, "GET /echo/x HTTP/1.1\n\n")).toMatch(/200 OK.*no WebSocket wanted$/s);
});

test.each([
  ["without a key", "", 400, "date: "],
  ["of another origin", "\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\norigin: https://evil.example", 403, "date: "],
  ["of another version", "\nsec-websocket-version: 8", 400, "sec-websocket-version: 13"],
])("a handshake %s is refused", async (_, fields, status, expected) => {
  await using site = await serve(hono);
  const version = fields.includes("version") ? "" : "\nsec-websocket-version: 13";
  const wanting = `connection: upgrade\nupgrade: websocket${version}`;
  const answer = await exchange(site.port, `GET /echo/x HTTP/1.1\n${wanting}${fields}\n\n`);
  expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  expect(answer).toContain(expected);
});

test("a WebSocket is opened on a stream of HTTP/2", async () => {
  await using site = await serve(hono);
  const session = connect(`http://127.0.0.1:${site.port}`);
  await once(session, "remoteSettings");
  const asked = { ":method": "CONNECT", ":protocol": "websocket", ":path": "/echo/x", "sec-websocket-version": "13" };
  const stream = session.request(asked);
  const [frame] = (await once(stream, "data")) as [Buffer];
  expect(frame.subarray(2).toString()).toMatch(/^hello at \/echo\/x/);
  stream.destroy();
  session.destroy();
});

test("any fetch app may open one by its second argument", async () => {
  await using site = await serve('fetchHandlet { .module = "fetch-ws-app.ts" }');
  const { ws, messages } = await open(site.port, "/");
  ws.send("one");
  await expect.poll(() => messages).toEqual(["you said one"]);
  const closing = closingOf(ws);
  const quit = site.stage.quit(5000);
  expect((await closing).code).toBe(1001);
  await quit;
});
