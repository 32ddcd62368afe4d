// Middleware of others, by what its documentation promises: the same inside Hemi as on a server of Node.js.
// docs/apps-inside.md lists what is not.

import express from "express";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { NodeApp } from "./index.ts";
import { inHemi, inNode, type Story } from "./testing/both-sides.ts";
import { exchange } from "./testing/client.ts";

// Their types are not installed.
const require = createRequire(import.meta.url) as (name: string) => unknown;
const session = require("express-session") as (options: object) => NodeApp;
const morgan = require("morgan") as (format: string, options: object) => NodeApp;

const files = fileURLToPath(new URL("./testing/", import.meta.url));
const file = "/sort-app.ts";

function staticStory(request: string, options: object = {}): Story {
  const app = express().use("/sub", express.static(files, options)).use(express.static(files, options));
  return { request, app: (req, res) => void app(req, res) };
}

const requests: { readonly [name: string]: Story } = {
  "a file": staticStory(`GET ${file} HTTP/1.1`),
  "HEAD of a file": staticStory(`HEAD ${file} HTTP/1.1`),
  "a part of a file": staticStory(`GET ${file} HTTP/1.1\nrange: bytes=3-12`),
  "the end of a file": staticStory(`GET ${file} HTTP/1.1\nrange: bytes=-5`),
  "a part behind the end": staticStory(`GET ${file} HTTP/1.1\nrange: bytes=999999-`),
  "a file that has not changed": staticStory(`GET ${file} HTTP/1.1\nif-none-match: *`),
  "a file that was to be unchanged": staticStory(`GET ${file} HTTP/1.1\nif-match: "other"`),
  "a file below a mount": staticStory(`GET /sub${file} HTTP/1.1`),
  "a folder without its slash": staticStory("GET /sub HTTP/1.1"),
  "a folder without an index": staticStory("GET / HTTP/1.1"),
  "a name that is encoded": staticStory("GET /sort%2Dapp.ts HTTP/1.1"),
  "a slash that is encoded": staticStory("GET /sub%2fsort-app.ts HTTP/1.1"),
  "a file that hides": staticStory("GET /.hidden HTTP/1.1", { dotfiles: "deny" }),
  "a file that is not there": staticStory("GET /no-file%20here HTTP/1.1"),
  "POST to a file": staticStory(`POST ${file} HTTP/1.1\ncontent-length: 0`),
  "POST to a file, without falling through": staticStory(`POST ${file} HTTP/1.1\ncontent-length: 0`, {
    fallthrough: false,
  }),
};

/** What has its own time or identity in each answer. */
function comparable({ answer, notes }: Awaited<ReturnType<typeof inHemi>>) {
  return { answer: answer.replace(/connect\.sid=[^;]+/, "connect.sid=…"), notes };
}

async function expectSame(story: Story): Promise<void> {
  expect(comparable(await inHemi(story))).toEqual(comparable(await inNode(story)));
}

describe("express.static (serve-static and send) answers for", () => {
  test.each(Object.entries(requests))("%s as on Node.js", (_name, story) => expectSame(story));
});

describe("morgan", () => {
  test.each([
    ":method :url HTTP/:http-version :status :res[content-length] :remote-addr",
    "tiny",
    "common",
    "combined",
  ])("writes a line of the format %s as on Node.js", async (format) => {
    await expectSame({
      request: "GET /a?b HTTP/1.1\nreferer: r\nuser-agent: u",
      app(req, res, note) {
        const write = (line: string) => note(line.replace(/[\d.]+ ms|\[[^\]]+\]/g, "…").trim());
        const logged = morgan(format, { stream: { write } });
        logged(req, res, () => res.writeHead(404, { "content-length": 5 }).end("hello"));
      },
    });
  });

  test("writes its line when the client leaves", () =>
    expectSame({
      app(req, res, note) {
        const logged = morgan(":method :status", { stream: { write: (line: string) => note(line.trim()) } });
        logged(req, res, () => res.write("x"));
        setImmediate(() => res.destroy());
      },
      client: (port) =>
        exchange(port, "GET / HTTP/1.1")
          .catch(() => "")
          .then(() => ""),
    }));
});

describe("express-session", () => {
  const options = { secret: "s", resave: false, saveUninitialized: true };

  test.each<[name: string, answer: (req: object, res: Parameters<NodeApp>[1]) => void]>([
    ["sets its cookie with a whole answer", (_req, res) => res.end("whole")],
    ["sets its cookie with an answer in pieces", (_req, res) => (res.write("in "), void res.end("pieces"))],
    ["sets its cookie with a flushed head", (_req, res) => (res.flushHeaders(), void res.end("late"))],
    ["sets its cookie with writeHead", (_req, res) => void res.writeHead(201, { "x-a": "1" }).end("made")],
    ["sets its cookie with no content", (_req, res) => void res.writeHead(204).end()],
  ])("%s", async (_name, answer) => {
    const use = session(options);
    await expectSame({ app: (req, res) => use(req, res, () => answer(req, res)) });
  });

  test("sets a cookie that is secure where the connection is", async () => {
    const use = session({ ...options, cookie: { secure: true } });
    await expectSame({ app: (req, res) => use(req, res, () => res.end("plain")) });
  });
});
