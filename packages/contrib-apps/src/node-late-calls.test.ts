// Calls of an app that come too late, each in each state: a timer's throw would end the process.

import compression from "compression";
import express from "express";
import type { ServerResponse } from "node:http";
import { defineReviser, pack } from "@hemi/internal";
import { describe, expect, test } from "vitest";
import type { NodeApp } from "./index.ts";
import { inHemi, inNode, type Story } from "./testing/both-sides.ts";
import { exchange, open } from "./testing/client.ts";
import { current } from "./testing/node-app.ts";
import { serve } from "./testing/serve.ts";

const calls: { readonly [name: string]: (res: ServerResponse) => unknown } = {
  writeHead: (res) => res.writeHead(201, { "x-late": "1" }),
  "writeHead with a list": (res) => res.writeHead(201, "Late", ["x-late", "1"]),
  "setHeader and flushHeaders": (res) => res.setHeader("x-late", "1").flushHeaders(),
  writeContinue: (res) => res.writeContinue(),
  writeProcessing: (res) => res.writeProcessing(),
  writeEarlyHints: (res) => res.writeEarlyHints({ link: "</a.css>; rel=preload" }),
  writeInformation: (res) => res.writeInformation(103, { "x-late": "1" }),
  write: (res) => res.write("late"),
  end: (res) => res.end("late"),
};

/** What became of a call: the code of what it threw, or whether the head counts as sent. */
function outcomeOf(res: ServerResponse, call: (res: ServerResponse) => unknown): string {
  try {
    call(res);
    return `headersSent: ${res.headersSent}`;
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code ?? error);
  }
}

function swallowErrors(res: ServerResponse): void {
  res.on("error", () => {});
}

/** States that a server of Node.js knows. */
function storiesOf(call: (res: ServerResponse) => unknown): { readonly [state: string]: Story } {
  const leaves = async (port: number, notes: readonly string[]) => {
    const socket = await open(port, "GET / HTTP/1.1");
    while (!notes.includes("asked")) await new Promise((resolve) => setImmediate(resolve));
    socket.destroy();
    return "";
  };
  return {
    "the client has left": {
      app(_req, res, note) {
        swallowErrors(res);
        res.on("close", () => note(outcomeOf(res, call)));
        note("asked");
      },
      client: leaves,
    },
    "the client has left in the middle of the answer": {
      app(_req, res, note) {
        swallowErrors(res);
        res.write("some");
        res.on("close", () => note(outcomeOf(res, call)));
        note("asked");
      },
      client: leaves,
    },
    "the app has destroyed it": {
      app(_req, res, note) {
        swallowErrors(res);
        res.on("close", () => note(outcomeOf(res, call)));
        res.destroy();
        note(outcomeOf(res, call));
      },
      client: (port) => exchange(port, "GET / HTTP/1.1").catch(() => ""),
    },
    "it is ended": {
      app(_req, res, note) {
        swallowErrors(res);
        res.on("close", () => note(outcomeOf(res, call)));
        res.end("all");
        note(outcomeOf(res, call));
      },
    },
  };
}

describe.each(Object.entries(calls))("%s", (_name, call) => {
  test.each(Object.entries(storiesOf(call)))("when %s does as in Node.js", async (_state, story) => {
    expect(await inHemi(story)).toEqual(await inNode(story));
  });

  test("when the app was too late for handleTimeout changes nothing", async () => {
    const late = Promise.withResolvers<string>();
    current.app = (_req, res) => void res.on("close", () => late.resolve(outcomeOf(res, call)));
    await using site = await serve('nodeHandlet { .module = "node-app.ts" }', ".handleTimeout = 20ms");
    const answer = await exchange(site.port, "GET / HTTP/1.1");
    expect(answer).toMatch(/^HTTP\/1\.1 503 /);
    expect(answer).not.toContain("late");
    expect(await late.promise).toMatch(/^headersSent: /);
  });

  test.each<[how: string, app: NodeApp, status: number, passOn: boolean]>([
    [
      "throws",
      () => {
        throw new Error("the reason");
      },
      500,
      false,
    ],
    ["rejects", () => Promise.reject(new Error("the reason")), 500, false],
    ["passes an error on", (_req, _res, next) => next?.(new Error("the reason")), 500, true],
    ["passes the request on", (_req, _res, next) => next?.(), 200, true],
  ])("after the app %s changes nothing", async (_how, app, status, passOn) => {
    const outcomes: string[] = [];
    current.app = (req, res, next) => {
      res.on("close", () => outcomes.push(outcomeOf(res, call)));
      const passed = next && ((error?: unknown) => (next(error), outcomes.push(outcomeOf(res, call))));
      return app(req, res, passed);
    };
    await using site = await serve(`nodeHandlet { .module = "node-app.ts" .passOn = ${passOn} }`);
    const answer = await exchange(site.port, "GET / HTTP/1.1");
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer).not.toContain("late");
    expect(outcomes).toHaveLength(passOn ? 2 : 1);
    expect(outcomes[0]).toMatch(/^headersSent: /);
  });
});

test("an Express app with compression may answer a client that has left", async () => {
  const outcome = Promise.withResolvers<string>();
  const app = express();
  app.use(compression({ threshold: 0 }));
  app.get("/", (_req, res) => {
    res.on("close", () => outcome.resolve(outcomeOf(res, () => res.json({ late: "x".repeat(2000) }))));
    asked.resolve();
  });
  const asked = Promise.withResolvers<void>();
  current.app = app;
  await using site = await serve('nodeHandlet { .module = "node-app.ts" }');
  const socket = await open(site.port, "GET / HTTP/1.1\naccept-encoding: gzip");
  await asked.promise;
  socket.destroy();
  expect(await outcome.promise).toBe("headersSent: true");
});

test("flushHeaders breaks the answer off, and throws nothing, where a reviser fails at the head", async () => {
  const failing = defineReviser({
    sign: "failing",
    create: () => ({
      rank: 0,
      reviseResponse() {
        throw new Error("a reviser's reason");
      },
    }),
  });
  const outcome = Promise.withResolvers<string>();
  current.app = (_req, res) => {
    setImmediate(() => outcome.resolve(outcomeOf(res, () => res.flushHeaders())));
  };
  await using site = await serve('failing {} nodeHandlet { .module = "node-app.ts" }', "", [pack("test", [failing])]);
  await expect(site.ask({ url: "/" })).rejects.toThrow("broken off");
  expect(await outcome.promise).toBe("headersSent: true");
  expect(site.sink.lines.join("")).toContain("a reviser's reason");
});
