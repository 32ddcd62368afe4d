// Whatever the event loop, or a library, calls of an app outside of the engine's own calls: what it throws ends no
// process.

import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { describe, expect, test } from "vitest";
import { exchange, open, until } from "./testing/client.ts";
import { watchEscapes } from "./testing/escapes.ts";
import { current as currentFetch } from "./testing/any-fetch-app.ts";
import { current } from "./testing/node-app.ts";
import { serve } from "./testing/serve.ts";
import { current as currentUpgrade } from "./testing/upgrade-app.ts";

type Throw = () => void;
type Client = (port: number) => Promise<unknown>;

/** What the client may see: the status of the engine's answer, the app's own answer, or no answer. */
type Seen = "500" | "the app's answer" | "nothing";

interface Case {
  readonly app: (req: IncomingMessage, res: ServerResponse, fail: Throw) => unknown;
  readonly seen: Seen;
  /** Default: `exchange` of a GET. */
  readonly client?: Client;
}

const post = "POST / HTTP/1.1\ncontent-length: 5\n\nhello";
const posting: Client = (port) => exchange(port, post);

/** Leaves once the app has been asked: after the bytes that it has sent, if it has. */
const leaving =
  (text = "GET / HTTP/1.1", wanted = ""): Client =>
  async (port) => {
    const asked = once(signs, "asked");
    const socket = await open(port, text);
    await asked;
    if (wanted !== "") await until(socket, wanted);
    socket.destroy();
    return "";
  };

const slow: Client = async (port) => {
  const full = once(signs, "full");
  const socket = await open(port, "GET / HTTP/1.1");
  socket.pause();
  await full;
  socket.resume();
  await once(socket, "close");
  return "";
};

const signs = new EventTarget();
const sign = (name: string) => signs.dispatchEvent(new Event(name));

async function fill(res: ServerResponse, callback?: Throw): Promise<void> {
  while (res.write(Buffer.alloc(65536), callback)) await new Promise((resolve) => setImmediate(resolve));
  sign("full");
}

const cases: { readonly [callback: string]: Case } = {
  'a listener of "data"': { app: (req, _res, fail) => req.on("data", fail), client: posting, seen: "500" },
  'a listener of "readable"': { app: (req, _res, fail) => req.on("readable", fail), client: posting, seen: "500" },
  'a listener of "end"': { app: (req, _res, fail) => req.resume().on("end", fail), client: posting, seen: "500" },
  'a listener of "end" without content': { app: (req, _res, fail) => req.resume().on("end", fail), seen: "500" },
  'an asynchronous listener of "end"': {
    app: (req, _res, fail) => req.resume().on("end", later(fail)),
    client: posting,
    seen: "500",
  },
  'a listener of "end", in the middle of the answer,': {
    app: (req, res, fail) => (res.write("x"), req.resume().on("end", fail)),
    client: posting,
    seen: "nothing",
  },
  'a listener of the "error" of broken content': {
    app: (req, _res, fail) => req.resume().on("error", fail),
    client: (port) => exchange(port, "POST / HTTP/1.1\ntransfer-encoding: chunked\n\nzz\r\n"),
    seen: "500",
  },
  'a listener of the "close" of a request': {
    app: (req, res, fail) => (req.on("close", fail), res.end("all")),
    seen: "the app's answer",
  },
  'a listener of "aborted"': {
    app: (req, _res, fail) => (req.on("aborted", fail), sign("asked")),
    client: leaving(post.replace("5", "9")),
    seen: "nothing",
  },
  "the signal": {
    app: (req, _res, fail) => (req.signal.addEventListener("abort", fail), sign("asked")),
    client: leaving(),
    seen: "nothing",
  },
  "onabort of the signal": {
    app: (req, _res, fail) => ((req.signal.onabort = fail), sign("asked")),
    client: leaving(),
    seen: "nothing",
  },
  'a listener of "finish"': {
    app: (_req, res, fail) => (res.on("finish", fail), res.end("all")),
    seen: "the app's answer",
  },
  'an asynchronous listener of "finish"': {
    app: (_req, res, fail) => (res.on("finish", later(fail)), res.end("all")),
    seen: "the app's answer",
  },
  'a listener of "prefinish"': {
    app: (_req, res, fail) => (res.on("prefinish", fail), setImmediate(() => res.end("all"))),
    seen: "the app's answer",
  },
  'a listener of the "close" of a response': {
    app: (_req, res, fail) => (res.on("close", fail), res.end("all")),
    seen: "the app's answer",
  },
  'a listener of "close" when the client leaves': {
    app: (_req, res, fail) => (res.on("close", fail), sign("asked")),
    client: leaving(),
    seen: "nothing",
  },
  'an "error" that nobody listens for': {
    app: (_req, res, fail) => setImmediate(() => res.emit("error", thrownBy(fail))),
    seen: "500",
  },
  'a listener of "drain"': {
    app: (_req, res, fail) => (res.on("drain", fail), fill(res)),
    client: slow,
    seen: "nothing",
  },
  "a callback of write": {
    app: (_req, res, fail) => setImmediate(() => (res.write("x", fail), void 0)),
    seen: "nothing",
  },
  "a callback of write, for a client that was slow,": {
    app: (_req, res, fail) => fill(res, fail),
    client: slow,
    seen: "nothing",
  },
  "a callback of write after the end": {
    app: (_req, res, fail) => (res.end("all"), res.write("more", fail)),
    seen: "the app's answer",
  },
  "a callback of end": { app: (_req, res, fail) => void res.end("all", fail), seen: "the app's answer" },
  "a callback of writeEarlyHints": {
    app: (_req, res, fail) => res.writeEarlyHints({ link: "</a.css>; rel=preload" }, fail),
    seen: "500",
  },
  "a callback of setTimeout": { app: (_req, res, fail) => res.setTimeout(1, fail), seen: "500" },
  'a listener of the "timeout" of the socket': {
    app: (req, _res, fail) => req.socket.setTimeout(1).on("timeout", fail),
    seen: "nothing",
  },
  "a callback of setTimeout of the socket": {
    app: (req, _res, fail) => req.socket.setTimeout(1, fail),
    seen: "nothing",
  },
  'a listener of the "close" of the socket': {
    app: (req, res, fail) => (req.socket.on("close", fail), res.end("all")),
    seen: "the app's answer",
  },
  "a callback of write of the socket": {
    app: (req, res, fail) => (req.socket.write("x", fail), setImmediate(() => res.end("all"))),
    seen: "nothing",
  },
};

/** As an asynchronous listener: its promise rejects. */
function later(fail: Throw): () => unknown {
  return () => Promise.resolve().then(fail);
}

/** The error itself, for what takes one. */
function thrownBy(fail: Throw): Error {
  try {
    fail();
  } catch (error) {
    return error as Error;
  }
  throw new Error("nothing was thrown");
}

/** Runs a client against an app that throws, and shows that the server goes on, and that the log says why. */
async function goesOn(handlet: string, client: Client): Promise<string> {
  using escaped = watchEscapes();
  await using site = await serve(handlet);
  const answer = await client(site.port).catch(() => "");
  await expect.poll(() => site.sink.lines.join("")).toContain("the app's reason");
  await escaped.settle();
  expect(escaped.errors).toEqual([]);
  current.app = (_req, res) => res.end("goes on");
  currentFetch.fetch = () => new Response("goes on");
  expect((await site.ask({ url: "/" })).text).toMatch(/goes on|a page/);
  return String(answer);
}

function fail(): never {
  throw new Error("the app's reason");
}

describe("nodeHandlet serves on after a throw of", () => {
  test.each(Object.entries(cases))(
    "%s",
    async (_name, { app, client = (port) => exchange(port, "GET / HTTP/1.1"), seen }) => {
      current.app = (req, res) => void app(req, res, fail);
      const answer = await goesOn('nodeHandlet { .module = "node-app.ts" }', client);
      if (seen === "500") expect(answer).toMatch(/^(?:HTTP\/1\.1 103 .*\r\n\r\n)?HTTP\/1\.1 500 /s);
      else if (seen === "the app's answer") expect(answer).toMatch(/^HTTP\/1\.1 200 .*all$/s);
      else expect(answer).not.toMatch(/0\r\n\r\n$/);
      expect(answer).not.toContain("reason");
    },
  );

  test.each([true, false])("a thenable, which gives no promise (synchronously: %s)", async (isAtOnce) => {
    current.app = () => ({
      then: (_taken: unknown, failed: (error: unknown) => void) => {
        if (isAtOnce) fail();
        setImmediate(() => failed(thrownBy(fail)));
      },
    });
    const answer = await goesOn('nodeHandlet { .module = "node-app.ts" }', (port) => exchange(port, "GET / HTTP/1.1"));
    expect(answer).toMatch(/^HTTP\/1\.1 500 /);
  });
});

describe("an upgrade in nodeHandlet serves on after a throw of", () => {
  const asking = "GET /x HTTP/1.1\nconnection: upgrade\nupgrade: echo";
  const switching = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n";

  test.each<[callback: string, upgrade: typeof currentUpgrade.upgrade]>([
    ['a listener of "data"', (_req, socket) => (socket.on("data", fail), socket.write(switching))],
    ['an asynchronous listener of "data"', (_req, socket) => (socket.on("data", later(fail)), socket.write(switching))],
    ['a listener of "end"', (_req, socket) => (socket.resume().on("end", fail), socket.end(switching))],
    ['a listener of "close"', (_req, socket) => (socket.resume().on("close", fail), socket.write(switching))],
    ["a callback of write", (_req, socket) => socket.write(switching, fail)],
    ["a callback of end", (_req, socket) => void socket.end(switching, fail)],
    ['a listener of the "end" of the request', (req) => req.resume().on("end", fail)],
    [
      'a listener of the "close" of the request',
      (req, socket) => (req.resume().on("close", fail), socket.write(switching)),
    ],
  ])("%s", async (name, upgrade) => {
    currentUpgrade.upgrade = upgrade;
    await goesOn('nodeHandlet { .module = "upgrade-app.ts" }', async (port) => {
      const socket = await open(port, `${asking}\n\nearly`);
      await once(socket, "data");
      if (name.includes('"end"')) socket.end();
      else socket.resetAndDestroy();
    });
  });
});

describe.each([
  ["real", ""],
  ["light", ".overrideGlobalObjects = true"],
])("fetchHandlet with %s objects serves on after a throw of", (_sort, settings) => {
  test.each<[callback: string, listen: (signal: AbortSignal) => void]>([
    ["a listener of the signal", (signal) => signal.addEventListener("abort", fail)],
    ["an asynchronous listener of the signal", (signal) => signal.addEventListener("abort", later(fail))],
    ["a listener that is an object", (signal) => signal.addEventListener("abort", { handleEvent: fail })],
    ["onabort", (signal) => void (signal.onabort = fail)],
  ])("%s", async (_name, listen) => {
    currentFetch.fetch = (request) => {
      listen(request.signal);
      sign("asked");
      return new Promise(() => {});
    };
    await goesOn(`fetchHandlet { .module = "any-fetch-app.ts" ${settings} }`, leaving());
  });
});

test("a listener that is taken off the signal is not called", async () => {
  const heard: string[] = [];
  currentFetch.fetch = ({ signal }) => {
    const first = () => void heard.push("first");
    signal.addEventListener("abort", first);
    signal.addEventListener("abort", () => void heard.push("second"));
    signal.removeEventListener("abort", first);
    signal.removeEventListener("abort", () => {});
    sign("asked");
    return new Promise(() => {});
  };
  await using site = await serve('fetchHandlet { .module = "any-fetch-app.ts" }');
  await leaving()(site.port);
  await expect.poll(() => heard).toEqual(["second"]);
});
