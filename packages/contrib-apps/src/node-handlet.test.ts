// What is Hemi's own about nodeHandlet. What it shares with a server of Node.js is in node-contract.test.ts.

import { spawnSync } from "node:child_process";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { connect } from "node:http2";
import type { Socket } from "node:net";
import { Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { ContentFailure } from "./content-failure.ts";
import type { NodeApp } from "./index.ts";
import { exchange, open, until } from "./testing/client.ts";
import { current } from "./testing/node-app.ts";
import { serve } from "./testing/serve.ts";

function serveApp(app: NodeApp, { passOn = false, server = "" } = {}) {
  current.app = app;
  return serve(`nodeHandlet { .module = "node-app.ts" .passOn = ${passOn} }`, server);
}

describe("an app that fails", () => {
  test.each<[how: string, app: NodeApp]>([
    ["throws", () => Promise.reject(new Error("the reason")).catch((error: unknown) => Promise.reject(error as Error))],
    [
      "throws at once",
      () => {
        throw new Error("the reason");
      },
    ],
    [
      "throws after it has set fields",
      (_req, res) => {
        res.setHeader("x-secret", "1").writeHead(200);
        throw new Error("the reason");
      },
    ],
  ])("and %s gives 500, with a line in the log and nothing to the client", async (_how, app) => {
    await using site = await serveApp(app);
    const answer = await site.ask({ url: "/" });
    expect(answer.status).toBe(500);
    expect(answer.headers).not.toHaveProperty("x-secret");
    expect(answer.text).not.toContain("reason");
    expect(site.sink.lines.join("")).toMatch(/ERROR.*nodeHandlet.*failed at GET \/.*the reason/is);
  });

  test("in the middle of its answer breaks it off", async () => {
    await using site = await serveApp(async (_req, res) => {
      res.write("some");
      await new Promise((resolve) => setImmediate(resolve));
      throw new Error("the reason");
    });
    await expect(site.ask({ url: "/" })).rejects.toThrow("broken off");
    expect(site.sink.lines.join("")).toContain("the reason");
  });

  test("after its answer is complete stands in the log, and the answer stands", async () => {
    await using site = await serveApp((_req, res) => {
      res.end("all");
      throw new Error("the reason");
    });
    expect(await site.ask({ url: "/" })).toMatchObject({ status: 200, text: "all" });
    expect(site.sink.lines.join("")).toContain("the reason");
  });

  test("and writes on afterwards changes nothing", async () => {
    const errors: unknown[] = [];
    await using site = await serveApp((_req, res) => {
      setImmediate(() => {
        res.write("more", (error) => errors.push(error));
        res.end(() => errors.push("ended"));
      });
      throw new Error("the reason");
    });
    expect((await site.ask({ url: "/" })).status).toBe(500);
    await expect.poll(() => errors).toHaveLength(2);
    expect(errors[0]).toMatchObject({ code: "ERR_STREAM_DESTROYED" });
  });

  test("and hangs gives 503, and learns that it is too late", async () => {
    const seen = Promise.withResolvers<unknown>();
    await using site = await serveApp(
      (_req, res) => {
        res.on("close", () => res.write("late", (error) => seen.resolve(error)));
      },
      { server: ".handleTimeout = 20ms" },
    );
    expect(await exchange(site.port, "GET / HTTP/1.1")).toMatch(/^HTTP\/1\.1 503 /);
    expect(await seen.promise).toMatchObject({ code: "ERR_STREAM_DESTROYED" });
  });

  test.each([
    ["less", "ab"],
    ["more", "abcdefgh"],
  ])("to send what it announced, but %s, breaks its answer off", async (_what, content) => {
    await using site = await serveApp((_req, res) => {
      res.setHeader("content-length", 5);
      res.end(content);
    });
    await expect(site.ask({ url: "/" })).rejects.toThrow("broken off");
    expect(site.sink.lines.join("")).toMatch(/HEMI_USAGE|announced/);
  });

  test("by writing after its end is told in the log, where nobody listens for the error", async () => {
    await using site = await serveApp((_req, res) => {
      res.end("all");
      res.write("more");
    });
    expect((await site.ask({ url: "/" })).text).toBe("all");
    await expect.poll(() => site.sink.lines.join("")).toContain("write after end");
  });

  test.each([99, 100, 199, 1000])("by the status %i gets a RangeError", async (status) => {
    await using site = await serveApp((_req, res) => {
      try {
        res.writeHead(status);
      } catch (error) {
        res.end(String(error instanceof RangeError));
      }
    });
    expect((await site.ask({ url: "/" })).text).toBe("true");
  });
});

describe("content", () => {
  const tooLarge = `${(2 << 20).toString(16)}\r\n${"x".repeat(2 << 20)}\r\n0\r\n\r\n`;

  test("above maxContentSize is an error that an app can answer", async () => {
    await using site = await serveApp((req, res) => {
      req.on("aborted", () => res.end("aborted"));
      req.on("error", (error) => {
        res.statusCode = error instanceof ContentFailure ? error.statusCode : 500;
        res.end("told");
      });
      req.resume();
    });
    const answer = await exchange(site.port, `POST / HTTP/1.1\ntransfer-encoding: chunked\n\n${tooLarge}`);
    expect(answer).toMatch(/^HTTP\/1\.1 413 .*told$/s);
  });

  test("that is broken gives 400 if the app hands the error on", async () => {
    await using site = await serveApp(async (req) => {
      for await (const _piece of req);
    });
    expect(await exchange(site.port, "POST / HTTP/1.1\ntransfer-encoding: chunked\n\nzz\r\n")).toMatch(
      /^HTTP\/1\.1 400 /,
    );
  });

  const broken = "POST / HTTP/1.1\ntransfer-encoding: chunked\n\nzz\r\n";
  const sizedTooLarge = `POST / HTTP/1.1\ncontent-length: ${2 << 20}\n\n${"x".repeat(2 << 20)}`;
  const chunkedTooLarge = `POST / HTTP/1.1\ntransfer-encoding: chunked\n\n${tooLarge}`;
  const endsEarly = "POST / HTTP/1.1\ncontent-length: 10\n\nabc";

  test("that fails is answered for by the engine if the app hears of it and answers nothing", async () => {
    await using site = await serveApp((req) => {
      req.on("error", () => {});
      req.resume();
    });
    expect(await exchange(site.port, broken)).toMatch(/^HTTP\/1\.1 400 /);
    expect(site.sink.lines.join("")).toContain("the content of the request is broken");
  });

  test("that fails may be answered by the app later", async () => {
    await using site = await serveApp((req, res) => {
      req.on("error", () => setTimeout(() => res.writeHead(422).end("told"), 10)).resume();
    });
    expect(await exchange(site.port, broken)).toMatch(/^HTTP\/1\.1 422 .*told/s);
  });

  /** Apps as they are written: they read, and have no thought for what could go wrong. */
  const carelessApps: readonly [how: string, app: NodeApp][] = [
    ['on("data")', (req, res) => req.on("data", () => {}).on("end", () => res.end("read"))],
    ['on("end")', (req, res) => req.resume().on("end", () => res.end("read"))],
    ['on("readable")', (req, res) => req.on("readable", () => void req.read()).on("end", () => res.end("read"))],
    [
      "pipe",
      (req, res) => req.pipe(new Writable({ write: (_piece, _coding, done) => done() })).on("finish", () => res.end()),
    ],
    ["pipe to the answer", (req, res) => req.pipe(res)],
  ];

  describe.each(carelessApps)("that fails, read by %s,", (_how, app) => {
    test.each([
      ["is larger than maxContentSize says", sizedTooLarge, 413, "larger than the 1048576 bytes of maxContentSize"],
      ["has a broken chunk", broken, 400, ""],
    ])("where it %s, is answered by the engine", async (_why, request, status, reason) => {
      await using site = await serveApp(app);
      expect(await exchange(site.port, request)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
      expect(site.sink.lines.join("")).toContain(reason);
    });

    test("is answered or broken off by the engine where its end is too large", async () => {
      await using site = await serveApp(app);
      const answer = await exchange(site.port, chunkedTooLarge).catch(() => "");
      if (!answer.startsWith("HTTP/1.1 200 ")) expect(answer).toMatch(/^(?:HTTP\/1\.1 413 |$)/);
      expect(answer).not.toMatch(/0\r\n\r\n$/);
      expect(site.sink.lines.join("")).toContain("maxContentSize");
    });
  });

  test("that stays away is answered for with 408, and the log says how long it was waited for", async () => {
    await using site = await serveApp((req, res) => req.resume().on("end", () => res.end("read")), {
      server: ".contentTimeout = 50ms",
    });
    const socket = await open(site.port, endsEarly);
    expect(await until(socket, "\r\n\r\n")).toMatch(/^HTTP\/1\.1 408 /);
    expect(site.sink.lines.join("")).toContain("no content came for 50 ms");
    socket.destroy();
  });

  test("that ends early with its connection hangs nothing", async () => {
    await using site = await serveApp((req, res) => req.resume().on("end", () => res.end("read")));
    const socket = await open(site.port, endsEarly);
    socket.end();
    expect(await text(socket)).toBe("");
  });

  test("that fails leaves the answer to an app that listens for the error, and the log says why", async () => {
    await using site = await serveApp((req, res) => {
      req.resume().on("error", () => setImmediate(() => res.writeHead(422).end("its own")));
    });
    expect(await exchange(site.port, sizedTooLarge)).toMatch(/^HTTP\/1\.1 422 .*its own$/s);
    expect(site.sink.lines.join("")).toMatch(/POST \/.*maxContentSize/);
  });

  test("that fails after the app has answered changes nothing", async () => {
    await using site = await serveApp((req, res) => {
      res.end("answered");
      req.resume();
    });
    expect(await exchange(site.port, broken)).toMatch(/^HTTP\/1\.1 200 .*answered$/s);
  });

  test("that came without a word on its length has one in the fields, and the host is there", async () => {
    await using site = await serveApp((req, res) => res.end(JSON.stringify(req.headers)));
    const { text } = await site.ask({ method: "POST", url: "http://A.example/", content: "hello" });
    expect(JSON.parse(text)).toEqual({ host: "a.example", "content-length": "5" });
  });

  test("of an answer to HEAD is measured, and not sent", async () => {
    await using site = await serveApp((_req, res) => res.end("content"));
    expect(await exchange(site.port, "HEAD / HTTP/1.1")).toMatch(/content-length: 7\r\n.*\r\n\r\n$/s);
  });
});

describe("what Express does to its requests and responses", () => {
  test("does not lose what stands on the object itself", async () => {
    const { IncomingMessage, ServerResponse } = await import("node:http");
    const events: string[] = [];
    await using site = await serveApp(async (req, res) => {
      Object.setPrototypeOf(req, Object.create(IncomingMessage.prototype) as object);
      Object.setPrototypeOf(res, Object.create(ServerResponse.prototype) as object);
      res.on("finish", () => events.push("finish"));
      let text = "";
      for await (const piece of req as AsyncIterable<Buffer>) text += piece.toString();
      res.writeEarlyHints({ link: "</a>; rel=preload" });
      res.writeHead(201, { "x-a": "1" });
      res.write(text);
      res.end("!", () => events.push(`ended ${res.writableFinished}`));
    });
    const answer = await exchange(site.port, "POST / HTTP/1.1\ncontent-length: 5\n\nhello");
    expect(answer).toMatch(/^HTTP\/1\.1 103 .*\r\n\r\nHTTP\/1\.1 201 .*x-a: 1\r\n/s);
    expect(answer).toContain("hello");
    expect(events).toEqual(["ended true", "finish"]);
  });
});

describe("an app with passOn", () => {
  const passing = (act: (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => unknown) =>
    serveApp((req, res, next) => act(req, res, next ?? (() => {})), { passOn: true });

  test("leaves the request to the next handlet or rule by next(), and what it set is forgotten", async () => {
    await using site = await passing((_req, res, next) => {
      res.setHeader("x-a", "1");
      next();
    });
    const answer = await site.ask({ url: "/" });
    expect(answer.text).toBe("next");
    expect(answer.headers).not.toHaveProperty("x-a");
  });

  test("may do so later, and may answer instead", async () => {
    await using site = await passing((req, res, next) => {
      if (req.url === "/mine") setImmediate(() => res.end("mine"));
      else setImmediate(next);
    });
    expect((await site.ask({ url: "/mine" })).text).toBe("mine");
    expect((await site.ask({ url: "/other" })).text).toBe("next");
  });

  test("gives 500 for an error that it hands on, throws, or rejects with", async () => {
    await using site = await passing((req, _res, next) => {
      if (req.url === "/next") return next(new Error("handed on"));
      if (req.url === "/text") return next("a text");
      if (req.url === "/throw") throw new Error("thrown");
      return Promise.reject(new Error("rejected"));
    });
    for (const [url, reason] of Object.entries({
      "/next": "handed on",
      "/text": "a text",
      "/throw": "thrown",
      "/reject": "rejected",
    })) {
      expect((await site.ask({ url })).status).toBe(500);
      expect(site.sink.lines.join("")).toContain(reason);
    }
  });

  test("gives the status of an error that has one", async () => {
    await using site = await passing((_req, _res, next) => next(Object.assign(new Error("too much"), { status: 413 })));
    expect((await site.ask({ url: "/" })).status).toBe(413);
    expect(site.sink.lines.join("")).not.toMatch(/ error /);
  });

  test("may not have sent anything", async () => {
    await using site = await passing((_req, res, next) => {
      res.write("x");
      next();
    });
    await expect(site.ask({ url: "/" })).rejects.toThrow("broken off");
    expect(site.sink.lines.join("")).toContain("returned false after it had begun to answer");
  });

  test("answers with 404 itself where it has read the content, and says so at debug", async () => {
    await using site = await passing(async (req, res, next) => {
      for await (const _piece of req);
      res.setHeader("x-a", "1");
      next();
    });
    const answer = await site.ask({ method: "POST", url: "/", content: "x" });
    expect(answer.status).toBe(404);
    expect(answer.headers).not.toHaveProperty("x-a");
    expect((await site.ask({ url: "/" })).text).toBe("next");
    const told = site.sink.lines.filter((line) => line.includes("the app has read the content and called next()"));
    expect(told).toHaveLength(1);
    expect(site.sink.lines.join("")).not.toMatch(/ (?:error|warn) /i);
  });

  test("lets go of the request when the client leaves", async () => {
    const asked = Promise.withResolvers<void>();
    const closed = Promise.withResolvers<void>();
    await using site = await passing((_req, res) => {
      res.on("close", closed.resolve);
      asked.resolve();
    });
    const socket = await open(site.port, "GET / HTTP/1.1");
    await asked.promise;
    socket.destroy();
    await closed.promise;
  });
});

test("an app without passOn gets no third argument", async () => {
  await using site = await serveApp((_req, res, ...rest) => res.end(String(rest[0])));
  expect((await site.ask({ url: "/" })).text).toBe("undefined");
});

describe("on a connection of HTTP/2", () => {
  test("requests at once have sockets of their own, and destroying one breaks only its own exchan off", async () => {
    const sockets: Socket[] = [];
    await using site = await serveApp((req, res) => {
      sockets.push(req.socket);
      if (req.url === "/broken") setImmediate(() => req.socket.destroy());
      else setImmediate(() => res.end("whole"));
    });
    const session = connect(`http://127.0.0.1:${site.port}`);
    const ends = ["/whole", "/broken"].map((path) => text(session.request({ ":path": path })));
    const [whole, broken] = await Promise.allSettled(ends);
    expect(whole).toEqual({ status: "fulfilled", value: "whole" });
    expect(broken?.status).toBe("rejected");
    expect(await text(session.request({ ":path": "/next" }))).toBe("whole");
    session.destroy();
    expect(new Set(sockets.slice(0, 2)).size).toBe(2);
    expect(sockets[2]).toBe(sockets[0]);
  });

  test("the socket is encrypted where a trusted proxy says so of this request", async () => {
    const app: NodeApp = (req, res) => res.end(String("encrypted" in req.socket));
    await using site = await serveApp(app, { server: '.trustForwarded = ("127.0.0.1")' });
    const session = connect(`http://127.0.0.1:${site.port}`);
    const answers: string[] = [];
    for (const scheme of ["http", "https", "http"]) answers.push(await text(session.request({ ":scheme": scheme })));
    for (const proto of ["https", "http"]) answers.push(await text(session.request({ "x-forwarded-proto": proto })));
    session.destroy();
    expect(answers).toEqual(["false", "true", "false", "true", "false"]);
  });
});

test("a socket whose end is awaited, or that has a timeout, is not that of the next request", async () => {
  const sockets: Socket[] = [];
  await using site = await serveApp((req, res) => {
    sockets.push(req.socket);
    if (req.url === "/awaited") req.socket.once("close", () => {});
    if (req.url === "/timed") req.socket.setTimeout(60_000);
    res.end();
  });
  const session = connect(`http://127.0.0.1:${site.port}`);
  for (const path of ["/awaited", "/timed", "/"]) await text(session.request({ ":path": path }));
  session.destroy();
  expect(new Set(sockets).size).toBe(3);
  expect(sockets.map((socket) => socket.destroyed)).toEqual([true, true, false]);
});

test("who listens for the end of the socket hears of the end of the exchan", async () => {
  const closed = Promise.withResolvers<void>();
  await using site = await serveApp((req, res) => {
    req.socket.once("close", () => closed.resolve());
    res.end();
  });
  expect((await site.ask({ url: "/" })).status).toBe(200);
  await closed.promise;
});

test.each([
  [
    "no-default.ts",
    "must export a function (req, res), or an app of Koa or Fastify as its default; it has no default export",
  ],
  ["no-app.ts", "its default export is an object of fetch, other"],
  ["throws.ts", "cannot be loaded: a module that throws"],
])("the stage does not start with the module %s", async (module, reason) => {
  await expect(serve(`nodeHandlet { .module = "${module}" }`)).rejects.toThrow(reason);
});

test("neither node:http nor fetch is loaded by the package alone", () => {
  const index = new URL("./index.ts", import.meta.url).href;
  const script = `await import(${JSON.stringify(index)}); console.log(process.moduleLoadList.includes("NativeModule http"))`;
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ["--conditions=@hemi/source", "--input-type=module", "--eval", script],
    { cwd: fileURLToPath(new URL(".", import.meta.url)), encoding: "utf8" },
  );
  expect(stderr).toBe("");
  expect(stdout).toBe("false\n");
});

test("events that come once are awaited as on any stream", async () => {
  await using site = await serveApp(async (req, res) => {
    req.resume();
    await once(req, "end");
    res.end("ended");
  });
  expect((await site.ask({ method: "POST", url: "/", content: "x" })).text).toBe("ended");
});
