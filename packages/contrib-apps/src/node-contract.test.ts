// The contract of (req, res) apps: what they see and send inside Hemi is what they see and send on a server of Node.js.

import { once } from "node:events";
import { Agent, get, type IncomingMessage, type ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { expect, test } from "vitest";
import { inHemi, inNode, type Story } from "./testing/both-sides.ts";
import { open, until } from "./testing/client.ts";

type Note = (...what: unknown[]) => void;

/** Notes the events that tell how an exchan ended. */
function watch(req: IncomingMessage, res: ServerResponse, note: Note): void {
  for (const name of ["end", "aborted", "error", "close"]) req.on(name, (error) => note("req", name, error ?? ""));
  for (const name of ["prefinish", "finish", "error", "close"]) res.on(name, (error) => note("res", name, error ?? ""));
}

function tried(note: Note, act: () => unknown): void {
  try {
    note(act());
  } catch (error) {
    note(error, error instanceof TypeError, error instanceof RangeError);
  }
}

function read(req: IncomingMessage): Buffer | null {
  return req.read(2) as Buffer | null;
}

/** What apps still look at. */
function deprecated(message: object, name: string): unknown {
  return Reflect.get(message, name);
}

async function contentOf(req: IncomingMessage): Promise<string> {
  let text = "";
  for await (const piece of req as AsyncIterable<Buffer | string>) text += piece.toString();
  return text;
}

const chunkedPost =
  "POST / HTTP/1.1\ntransfer-encoding: chunked\n\n5\r\nhello\r\n6\r\n world\r\n0\r\nx-sum: 1\r\nx-sum: 2\r\n\r\n";

/** Says when the client may do something. */
function noted(notes: readonly string[], wanted: string): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (notes.includes(wanted)) resolve();
      else setImmediate(look);
    };
    look();
  });
}

async function leaveWhen(port: number, text: string, notes: readonly string[], wanted: string): Promise<string> {
  const socket = await open(port, text);
  await noted(notes, wanted);
  socket.destroy();
  return "";
}

/** The sockets that apps have seen. */
const met = new WeakSet<object>();

async function answerOf(port: number, path: string, agent: Agent): Promise<string> {
  const [answer] = (await once(get({ port, path, agent }), "response")) as [IncomingMessage];
  return text(answer);
}

const stories: { readonly [name: string]: Story } = {
  "the request has its head": {
    request:
      "GET /a/b?c=d%20e HTTP/1.1\nX-One: 1\nx-one: 2\nCookie: a=1\ncookie: b=2\nUser-Agent: u\nuser-agent: v\nset-cookie: s",
    app(req, res, note) {
      note(req.method, req.url, req.httpVersion, req.httpVersionMajor, req.httpVersionMinor);
      const { connection: _c, ...headers } = req.headers;
      note(headers);
      note(req.headersDistinct["x-one"], req.headersDistinct["user-agent"]);
      note(req.rawHeaders.map((text, i) => (i % 2 === 0 ? text.toLowerCase() : text)));
      note(
        req.socket === deprecated(req, "connection"),
        deprecated(req, "aborted"),
        req.destroyed,
        req.readable,
        req.trailers,
      );
      res.end();
    },
  },
  "the request has no content": {
    async app(req, res, note) {
      watch(req, res, note);
      note(await contentOf(req), req.complete, req.readableEnded);
      res.end("done");
    },
  },
  "the request has content and trailers": {
    request: chunkedPost,
    async app(req, res, note) {
      watch(req, res, note);
      note(req.complete, req.rawTrailers);
      req.setEncoding("utf8");
      note(await contentOf(req), req.complete, req.trailers, req.rawTrailers, req.trailersDistinct);
      res.end("done");
    },
  },
  "the content is left unread": {
    request: "POST / HTTP/1.1\ncontent-length: 5\n\nhello",
    isUnordered: true,
    app(req, res, note) {
      watch(req, res, note);
      res.end("done");
    },
  },
  "the content is read by events": {
    request: "POST / HTTP/1.1\ncontent-length: 5\n\nhello",
    app(req, res, note) {
      req.on("data", (piece: Buffer) => note(Buffer.isBuffer(piece), piece.toString()));
      req.on("end", () => res.end("done"));
    },
  },
  "the content is read by calls": {
    request: "POST / HTTP/1.1\ncontent-length: 5\n\nhello",
    app(req, res, note) {
      req.on("readable", () => {
        for (let piece = read(req); piece !== null; piece = read(req)) note(piece.toString());
      });
      req.on("end", () => res.end("done"));
    },
  },
  "the content is held back while nobody wants it": {
    request: `POST / HTTP/1.1\ncontent-length: 1000000\n\n${"x".repeat(1_000_000)}`,
    async app(req, res, note) {
      req.pause();
      await new Promise((resolve) => setImmediate(resolve));
      note(req.readableLength < 500_000);
      note((await contentOf(req)).length);
      res.end();
    },
  },
  "the content is sent back as it comes": {
    request: chunkedPost,
    app: (req, res) => pipeline(req, res),
  },
  "the client waits for 100": {
    async app(req, res, note) {
      note(req.headers.expect, await contentOf(req));
      res.end("done");
    },
    async client(port) {
      const socket = await open(port, "POST / HTTP/1.1\nexpect: 100-continue\ncontent-length: 2");
      const interim = await until(socket, "\r\n\r\n");
      socket.write("hi");
      return interim + (await until(socket, "done"));
    },
  },
  "fields are set, looked at and removed": {
    app(_req, res, note) {
      note(res.headersSent, res.statusCode, res.getHeaders(), res.getHeaderNames());
      res.setHeader("X-One", 1);
      res.setHeader("x-two", ["a", "b"]);
      res.setHeader("X-Gone", "x").removeHeader("x-gone");
      res.appendHeader("X-Two", "c");
      res.setHeaders(new Map([["x-three", "3"]]));
      note(res.getHeader("x-one"), res.getHeader("X-TWO"), res.hasHeader("x-gone"), res.getHeaderNames());
      note(res.getHeaders());
      res.setHeader("set-cookie", ["a=1", "b=2"]);
      res.end("fields");
      note(res.headersSent, res.getHeader("x-one"), res.statusMessage);
    },
  },
  "fields are wrong": {
    app(_req, res, note) {
      tried(note, () => res.setHeader("bad name", "x"));
      tried(note, () => res.setHeader("x", "a\r\nb: c"));
      tried(note, () => res.setHeader("x", undefined as unknown as string));
      tried(note, () => res.writeHead(99));
      tried(note, () => res.writeHead(200, { "x y": "z" }));
      res.end();
      tried(note, () => res.setHeader("x", "y"));
      tried(note, () => res.removeHeader("x"));
      tried(note, () => res.appendHeader("x", "y"));
      tried(note, () => res.writeHead(201));
      tried(note, () => res.flushHeaders());
    },
  },
  "writeHead has an object": {
    app(_req, res, note) {
      res.setHeader("x-a", "1").setHeader("x-b", "2");
      note(res.writeHead(201, { "X-B": "3", "x-c": ["4", "5"] }) === res, res.headersSent, res.statusCode);
      res.end("created");
    },
  },
  "writeHead has a reason and a list": {
    app(_req, res, note) {
      res.setHeader("x-a", "1");
      res.writeHead(202, "Accepted", ["x-a", "2", "x-b", "3", "x-b", "4"]);
      note(res.statusMessage, res.getHeader("x-b"));
      res.end();
    },
  },
  "writeHead has nothing to add to": {
    app: (_req, res) => void res.writeHead(200, ["x-b", "3", "x-b", "4"]).end("list"),
  },
  "the status is set": {
    app(_req, res) {
      res.statusCode = 404;
      res.end("nothing");
    },
  },
  "the status has no meaning": {
    app: (_req, res, note) => (note(res.writeHead(600).statusMessage), void res.end("beyond")),
  },
  "the status has no meaning, and has a reason": {
    app: (_req, res) => void res.writeHead(999, "Out of This World").end("beyond"),
  },
  "the reason is set": {
    app(_req, res) {
      res.statusCode = 404;
      res.statusMessage = "Gone Fishing";
      res.end("nothing");
    },
  },
  "the reason is wrong": {
    app(_req, res, note) {
      tried(note, () => res.writeHead(200, "a\r\nx: y"));
      res.statusMessage = "OK";
      res.end();
    },
  },
  "the client is to ask for another protocol": {
    app: (_req, res) => void res.writeHead(426, { Upgrade: "websocket", Connection: "Upgrade" }).end(),
  },
  "the head is flushed before the content": {
    async app(_req, res, note) {
      res.setHeader("x-a", "1");
      res.flushHeaders();
      note(res.headersSent);
      await new Promise((resolve) => setImmediate(resolve));
      res.end("later");
    },
  },
  "the content comes in pieces": {
    async app(req, res, note) {
      watch(req, res, note);
      note(res.write("a", () => note("a taken")));
      note(res.write(Buffer.from("b")));
      note(res.write("63", "hex", () => note("c taken")));
      note(res.write(new Uint8Array([0x64]), () => note("d taken")));
      await new Promise((resolve) => setImmediate(resolve));
      note(res.writableEnded, res.writableFinished);
      res.end("ZQ==", "base64", () => note("ended", res.writableEnded, res.writableFinished));
      note(res.writableEnded, res.writableFinished, deprecated(res, "finished"));
    },
  },
  "the content has a length": {
    app(_req, res) {
      res.setHeader("Content-Length", 6);
      res.write("abc");
      res.end("def");
    },
  },
  "the content is text beyond ASCII": {
    app(_req, res) {
      res.setHeader("content-type", "text/plain; charset=utf-8");
      res.end("héllo ✓");
    },
  },
  "there is no content": { app: (_req, res) => void res.end() },
  "text without a type stays so": { app: (_req, res) => void res.end("text") },
  "HEAD without content": { request: "HEAD / HTTP/1.1", app: (_req, res) => void res.end() },
  "HEAD with a length": {
    request: "HEAD / HTTP/1.1",
    app(_req, res, note) {
      res.setHeader("content-length", "7");
      note(res.write("dropped", () => note("taken")));
      res.end();
    },
  },
  "304 with content": {
    app(_req, res) {
      res.statusCode = 304;
      res.setHeader("etag", '"1"');
      res.end("dropped");
    },
  },
  "204 in pieces": {
    app(_req, res, note) {
      res.writeHead(204);
      note(res.write("dropped"));
      res.end();
    },
  },
  "trailers are added": {
    app(_req, res) {
      res.setHeader("trailer", "x-sum");
      res.write("content");
      res.addTrailers({ "x-sum": "7" });
      res.end();
    },
  },
  "interim answers come first": {
    app(_req, res, note) {
      res.writeEarlyHints({ link: ["</a.css>; rel=preload", "</b.js>; rel=preload"], "x-hint": "1" }, () =>
        note("hinted"),
      );
      res.writeProcessing();
      res.end("final");
      tried(note, () => res.writeEarlyHints({ link: "</c>; rel=preload" }));
    },
  },
  "the answer is ended twice": {
    async app(req, res, note) {
      watch(req, res, note);
      res.end("once", () => note("first"));
      res.end(() => note("second"));
      res.end("twice", (error?: Error | null) => note("third", error));
      await once(res, "close");
      res.end(() => note("never"));
      res.end((error?: Error | null) => note("late", error));
    },
  },
  "something is written after the end": {
    async app(req, res, note) {
      watch(req, res, note);
      res.end("all");
      note(res.write("more", (error) => note("more", error)));
      await once(res, "close");
      note(res.write("late", (error) => note("late", error)));
    },
  },
  "what is written is no content": {
    app(_req, res, note) {
      tried(note, () => res.write(null));
      tried(note, () => res.write(7));
      tried(note, () => res.write({}));
      tried(note, () => void res.end(7));
      note(res.headersSent);
      res.end("well");
    },
  },
  "the ends of both are waited for": {
    async app(req, res, note) {
      watch(req, res, note);
      res.end("done");
      await once(res, "close");
      note(res.destroyed, res.closed, res.errored ?? null, res.socket ?? null, res.writableNeedDrain);
    },
  },
  "the socket is looked at": {
    async app(req, res, note) {
      const { socket } = req;
      note(socket.remoteAddress, typeof socket.remotePort, socket.remoteFamily);
      note(socket.localAddress, typeof socket.localPort, socket.localFamily);
      const address = socket.address();
      note("port" in address && address.port === socket.localPort, { ...address, port: 0 });
      note(socket.readable, socket.writable, socket.destroyed, "encrypted" in socket);
      note(socket === res.socket, socket === deprecated(res, "connection"));
      res.end();
    },
  },
  "a connection brings two requests": {
    app(req, res, note) {
      note(req.url, met.has(req.socket), req.socket === res.socket, req.socket.destroyed);
      met.add(req.socket);
      res.end(req.url);
    },
    async client(port) {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      try {
        return (await answerOf(port, "/1", agent)) + (await answerOf(port, "/2", agent));
      } finally {
        agent.destroy();
      }
    },
  },
  "the response is destroyed": {
    app(req, res, note) {
      watch(req, res, note);
      res.write("some");
      setImmediate(() => {
        note(res.destroy() === res, res.destroyed);
        note(res.write("more", (error) => note(error)));
      });
    },
    isUnordered: true,
    client: async (port) => ((await readAll(port)).includes("0\r\n\r\n") ? "whole" : "broken off"),
  },
  "the socket is destroyed": {
    app(req, res, note) {
      watch(req, res, note);
      req.socket.on("close", () => note("socket close"));
      setImmediate(() => req.socket.destroy());
    },
    isUnordered: true,
    client: (port) => readAll(port),
  },
  "the request is destroyed": {
    request: "POST / HTTP/1.1\ncontent-length: 5\n\nhel",
    app(req, res, note) {
      watch(req, res, note);
      setImmediate(() => req.destroy(new Error("enough")));
    },
    isUnordered: true,
    client: (port) => readAll(port, "POST / HTTP/1.1\ncontent-length: 5\n\nhel"),
  },
  "the client leaves while it is waited for": {
    app(req, res, note) {
      watch(req, res, note);
      req.signal.addEventListener("abort", () => note("signal"));
      res.on("close", () =>
        note(res.writableEnded, res.writableFinished, res.destroyed, req.destroyed, deprecated(req, "aborted")),
      );
      note("asked");
    },
    isUnordered: true,
    client: (port, notes) => leaveWhen(port, "GET / HTTP/1.1", notes, "asked"),
  },
  "the client leaves in the middle of its content": {
    async app(req, res, note) {
      watch(req, res, note);
      req.on("data", () => note("data"));
      await once(res, "close");
      note(
        req.complete,
        res.write("x", (error) => note(error)),
      );
    },
    isUnordered: true,
    client: (port, notes) => leaveWhen(port, "POST / HTTP/1.1\ncontent-length: 9\n\nhello", notes, "data"),
  },
  "the client leaves while content is piped to it": {
    async app(_req, res, note) {
      const source = new Readable({ read: () => void source.push(Buffer.alloc(65536)) });
      await pipeline(source, res).catch((error: unknown) => note(error));
      note(source.destroyed);
    },
    async client(port) {
      const socket = await open(port, "GET / HTTP/1.1");
      await until(socket, "\r\n\r\n");
      socket.destroy();
      return "";
    },
  },
  "the client is slow": {
    async app(_req, res, note) {
      let written = 0;
      while (res.write(Buffer.alloc(65536))) written++;
      note(written < 1000, res.writableNeedDrain, res.writableLength > 0);
      note("full");
      await once(res, "drain");
      note("drained", res.writableNeedDrain);
      res.end();
    },
    async client(port, notes) {
      const socket = await open(port, "GET / HTTP/1.1");
      socket.pause();
      await noted(notes, "full");
      socket.resume();
      await once(socket, "end");
      return "";
    },
  },
  "a source is piped, that fails": {
    async app(req, res, note) {
      watch(req, res, note);
      async function* failing(): AsyncIterable<string> {
        yield "some";
        await new Promise((resolve) => setImmediate(resolve));
        throw new Error("no more");
      }
      await pipeline(failing, res).catch((error: unknown) => note(error));
    },
    isUnordered: true,
    client: async (port) => ((await readAll(port)).includes("0\r\n\r\n") ? "whole" : "broken off"),
  },
  "nothing is sent for as long as setTimeout says": {
    app(_req, res, note) {
      res.setTimeout(10, () => {
        note("timeout");
        res.end("late");
      });
    },
  },
  "nobody listens for the timeout": {
    app(req, res, note) {
      watch(req, res, note);
      req.socket.setTimeout(10);
    },
    isUnordered: true,
    client: (port) => readAll(port),
  },
};

async function readAll(port: number, text = "GET / HTTP/1.1"): Promise<string> {
  const socket = await open(port, text);
  let answer = "";
  socket.on("data", (piece: Buffer) => (answer += piece.toString("latin1")));
  await once(socket, "close");
  return answer;
}

test.each(Object.entries(stories))("%s: as in Node.js", async (_name, story) => {
  const inside = await inHemi(story);
  expect(inside).toEqual(await inNode(story));
});

test.each([413, 418, 422, 509, 599])("the status %i has the reason phrase of Node.js", async (status) => {
  const story: Story = { app: (_req, res) => void res.writeHead(status).end() };
  expect(await inHemi(story)).toEqual(await inNode(story));
});
