// The three frameworks inside Hemi: their own ways of reading, answering and failing.

import { gunzipSync } from "node:zlib";
import { describe, expect, test, vi } from "vitest";
import { exchange } from "./testing/client.ts";
import { serve } from "./testing/serve.ts";

const json = { "content-type": "application/json" };

describe("Express", () => {
  const app = 'nodeHandlet { .module = "express-app.ts" }';

  test("routes, with parameters and queries", async () => {
    await using site = await serve(app);
    const hello = await site.ask({ url: "/" });
    expect(hello).toMatchObject({ status: 200, text: "hello from Express" });
    expect(hello.headers).toMatchObject({
      "content-type": "text/html; charset=utf-8",
      etag: expect.stringMatching(/^W\//),
    });
    expect(JSON.parse((await site.ask({ url: "http://a.example/users/7?q=%20" })).text)).toEqual({
      id: "7",
      query: { q: " " },
      host: "a.example",
      url: "/users/7?q=%20",
    });
    expect(await site.ask({ url: "/nothing" })).toMatchObject({
      status: 404,
      text: expect.stringContaining("Cannot GET /nothing"),
    });
  });

  test("answers conditions, HEAD and OPTIONS by itself", async () => {
    await using site = await serve(app);
    const { headers } = await site.ask({ url: "/" });
    expect(await site.ask({ url: "/", headers: { "if-none-match": String(headers["etag"]) } })).toMatchObject({
      status: 304,
      text: "",
    });
    expect(await exchange(site.port, "HEAD / HTTP/1.1")).toMatch(
      /^HTTP\/1\.1 200 OK\r\n.*content-length: 18\r\n.*\r\n\r\n$/s,
    );
    expect(await site.ask({ method: "OPTIONS", url: "/json" })).toMatchObject({
      status: 200,
      headers: { allow: "POST" },
    });
  });

  test("sees the client's address, and trusts a proxy if it likes", async () => {
    await using site = await serve(app);
    expect((await site.ask({ url: "/ip" })).text).toBe('["127.0.0.1","http",false]');
    const headers = { "x-forwarded-for": "192.0.2.7", "x-forwarded-proto": "https" };
    expect((await site.ask({ url: "/ip", headers })).text).toBe('["192.0.2.7","https",true]');
  });

  test("sees the scheme that a proxy tells the server in `forwarded`, which Express does not read", async () => {
    const asked = { url: "/ip", headers: { forwarded: "for=192.0.2.7;proto=https" } };
    await using site = await serve(app, '.trustForwarded = ("127.0.0.1") .forwardedField = "forwarded"');
    expect((await site.ask(asked)).text).toBe('["127.0.0.1","https",true]');
    await using other = await serve(app, '.trustForwarded = ("127.0.0.2") .forwardedField = "forwarded"');
    expect((await other.ask(asked)).text).toBe('["127.0.0.1","http",false]');
  });

  test("reads bodies with its own parsers", async () => {
    await using site = await serve(app);
    expect(await site.ask({ method: "POST", url: "/json", headers: json, content: '{"a":1}' })).toMatchObject({
      status: 201,
      text: '{"got":{"a":1}}',
    });
    expect((await site.ask({ method: "POST", url: "/json", headers: json, content: "{" })).status).toBe(400);
    const form = { "content-type": "application/x-www-form-urlencoded" };
    expect((await site.ask({ method: "POST", url: "/form", headers: form, content: "a[b]=1&c=2" })).text).toBe(
      '{"a":{"b":"1"},"c":"2"}',
    );
    expect(
      (
        await site.ask({
          method: "POST",
          url: "/bytes",
          content: Buffer.alloc(900_000),
          headers: { "content-type": "application/octet-stream" },
        })
      ).text,
    ).toBe("900000");
  });

  test("gives 413 for content above maxContentSize", async () => {
    await using site = await serve(app);
    const chunk = `${(2 << 20).toString(16)}\r\n${"x".repeat(2 << 20)}\r\n0\r\n\r\n`;
    const answer = await exchange(
      site.port,
      `POST /bytes HTTP/1.1\ncontent-type: application/octet-stream\ntransfer-encoding: chunked\n\n${chunk}`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
  });

  test("compresses with its own middleware", async () => {
    await using site = await serve(app);
    const answer = await site.ask({ url: "/long", headers: { "accept-encoding": "gzip" } });
    expect(answer.headers).toMatchObject({ "content-encoding": "gzip", vary: "Accept-Encoding" });
    expect(gunzipSync(answer.content).toString()).toBe("long ".repeat(100));
    expect((await site.ask({ url: "/long" })).text).toBe("long ".repeat(100));
    expect((await site.ask({ url: "/events", headers: { "accept-encoding": "identity" } })).text).toBe(
      "data: 0\n\ndata: 1\n\ndata: 2\n\n",
    );
  });

  test("sets cookies, redirects, and sends files with ranges", async () => {
    await using site = await serve(app);
    const { status, headers } = await site.ask({ url: "/cookies" });
    expect(status).toBe(302);
    expect(headers).toMatchObject({ location: "/", "set-cookie": ["a=1; Path=/", "b=2; Path=/; HttpOnly"] });
    expect((await site.ask({ url: "/file" })).text).toMatch(/^\/\/ An Express app/);
    const part = await site.ask({ url: "/file", headers: { range: "bytes=3-12" } });
    expect(part).toMatchObject({ status: 206, text: "An Express" });
    expect(part.headers["content-range"]).toMatch(/^bytes 3-12\//);
  });

  test("handles its own errors", async () => {
    await using site = await serve(app);
    vi.spyOn(console, "error").mockImplementation(() => {});
    expect((await site.ask({ url: "/throws" })).status).toBe(500);
    expect((await site.ask({ url: "/rejects" })).status).toBe(500);
    expect((await site.ask({ url: "/teapot" })).status).toBe(418);
    expect(await site.ask({ url: "/handled" })).toMatchObject({ status: 500, text: "caught handled" });
  });

  test("leaves to others what it has no route for, with passOn", async () => {
    await using site = await serve('nodeHandlet { .module = "express-app.ts" .passOn = true }');
    expect((await site.ask({ url: "/nothing" })).text).toBe("next");
    expect((await site.ask({ url: "/" })).text).toBe("hello from Express");
    expect((await site.ask({ url: "/throws" })).status).toBe(500);
    expect(site.sink.lines.join("")).toContain("a route that throws");
    const posted = { method: "POST", headers: json, content: '{"a":1}' };
    expect((await site.ask({ url: "/nothing", ...posted })).text).toBe("next");
    expect((await site.ask({ url: "/parsed/nothing", ...posted })).status).toBe(404);
  });
});

describe("Koa", () => {
  const app = 'nodeHandlet { .module = "koa-app.ts" }';

  test.each([
    ["/", 200, "hello from Koa"],
    ["/json?a=1", 200, '{"query":{"a":"1"},"ip":"127.0.0.1","secure":false,"host":"a.example"}'],
    ["/stream", 200, "abc"],
    ["/raw", 404, "raw"],
    ["/nothing", 404, "Not Found"],
    ["/throws", 500, "Internal Server Error"],
    ["/teapot", 418, "short and stout"],
  ])("answers %s with %i", async (path, status, text) => {
    await using site = await serve(app);
    expect(await site.ask({ url: `http://a.example${path}` })).toMatchObject({ status, text });
  });

  test("sends a request's content back as its body, and sets cookies and fields after that", async () => {
    await using site = await serve(app);
    const answer = await site.ask({ method: "POST", url: "/echo", content: "hello" });
    expect(answer).toMatchObject({ text: "hello", headers: { "x-after": "1" } });
    expect(await site.ask({ url: "/cookies" })).toMatchObject({
      status: 204,
      headers: { "set-cookie": "a=1; path=/; httponly" },
    });
    expect(await exchange(site.port, "HEAD / HTTP/1.1")).toMatch(
      /^HTTP\/1\.1 200 OK\r\n.*content-length: 14\r\n.*\r\n\r\n$/s,
    );
  });
});

describe("Fastify", () => {
  const app = 'nodeHandlet { .module = "fastify-app.ts" }';

  test("routes, with parameters, queries and hooks", async () => {
    await using site = await serve(app);
    expect(await site.ask({ url: "/" })).toMatchObject({ text: "hello from Fastify", headers: { "x-hook": "1" } });
    expect(JSON.parse((await site.ask({ url: "http://a.example/users/7?q=1" })).text)).toEqual({
      params: { id: "7" },
      query: { q: "1" },
      ip: "127.0.0.1",
      host: "a.example",
    });
    expect((await site.ask({ url: "/nothing" })).status).toBe(404);
    expect((await site.ask({ url: "/throws" })).status).toBe(500);
  });

  test("reads JSON, and checks it by its schema", async () => {
    await using site = await serve(app);
    const post = (content: string) => site.ask({ method: "POST", url: "/json", headers: json, content });
    expect(await post('{"name":"Ada"}')).toMatchObject({ status: 201, text: '{"got":{"name":"Ada"}}' });
    expect((await post("{}")).status).toBe(400);
  });

  test("streams, with hints before and trailers behind", async () => {
    await using site = await serve(app);
    expect((await site.ask({ url: "/stream" })).text).toBe("abc");
    expect(await exchange(site.port, "GET /hints HTTP/1.1")).toMatch(
      /^HTTP\/1\.1 103 .*link: <\/a.css>; rel=preload\r\n\r\nHTTP\/1\.1 200 .*hinted$/s,
    );
    expect(await exchange(site.port, "GET /trailers HTTP/1.1")).toMatch(/content\r\n0\r\nx-sum: 7\r\n\r\n$/);
  });
});
