// What docs/apps-inside.md says of requests that do not come to an app of Node.js, or come to it otherwise than they
// were sent.

import { expect, test } from "vitest";
import { exchange } from "./testing/client.ts";
import { current } from "./testing/node-app.ts";
import { serve } from "./testing/serve.ts";

test.each([
  ["GET /%", 400],
  ["GET /a%zz", 400],
  ["GET /%00", 400],
  ["GET /..", 400],
  ["GET /%2e%2e/x", 400],
  ["GET /a\\b", 400],
  ["GET /a#b", 400],
  ["GET http://a b/", 400],
  ["GET http://a%2/", 400],
  ["OPTIONS *", 204],
  ["CONNECT a.example:80", 501],
])("%s is answered by the engine with %i", async (request, status) => {
  current.app = (_req, res) => res.end("the app");
  await using site = await serve('nodeHandlet { .module = "node-app.ts" }');
  const answer = await exchange(site.port, `${request} HTTP/1.1`);
  expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  expect(answer).not.toContain("the app");
});

test.each([
  ["GET /a/../b", "GET /b shop.example:8080"],
  ["GET /a/%2e%2e/b?c", "GET /b?c shop.example:8080"],
  ["GET http://B.example./x", "GET /x b.example"],
  ["GET http://a%20b/x", "GET /x a%20b"],
  ["FOO /", "FOO / shop.example:8080"],
])("%s comes to the app as %s", async (request, seen) => {
  current.app = (req, res) => res.end(`${req.method} ${req.url} ${req.headers.host}`);
  await using site = await serve('nodeHandlet { .module = "node-app.ts" }');
  const answer = await exchange(site.port, `${request} HTTP/1.1`);
  expect(answer.slice(answer.indexOf("\r\n\r\n") + 4)).toBe(seen);
});
