import { expect, test } from "vitest";
import { askOf } from "../../testing/ask.ts";
import { request } from "../../testing/raw-client.ts";
import { serve } from "../../testing/serve.ts";
import type { Request } from "../../web/request/request.ts";
import type { Response } from "../../web/response/response.ts";
import { tellRequest, type Script } from "./request-params.ts";

const script: Script = { filename: "/srv/blog/index.php", name: "/index.php", pathInfo: "", documentRoot: "/srv/blog" };

async function told(
  url: string,
  headers: Record<string, string | string[]> = {},
  { script: own = script, method = "GET", underscores = false } = {},
): Promise<Record<string, string>> {
  const params: Record<string, string> = {};
  const ask = askOf((req, resp) => {
    tellRequest(req, own, { contentSize: 0, underscores }, (name, value) => (params[name] = value));
    resp.send();
    return true;
  });
  await ask({ url, headers, method });
  return params;
}

test("a program is told of the request in the words of CGI", async () => {
  const own = { ...script, name: "/index.php", pathInfo: "/2026/ä" };
  const url = "https://Blog.example:8443/index.php/2026/%C3%A4?a=b%20c";
  expect(await told(url, { accept: "*/*", "content-type": "text/plain" }, { script: own, method: "POST" })).toEqual({
    GATEWAY_INTERFACE: "CGI/1.1",
    SERVER_SOFTWARE: "hemi (like nginx)",
    SERVER_PROTOCOL: "HTTP/1.1",
    SERVER_NAME: "blog.example",
    SERVER_ADDR: "",
    SERVER_PORT: "443",
    REQUEST_SCHEME: "https",
    HTTPS: "on",
    REMOTE_ADDR: "127.0.0.1",
    REMOTE_PORT: "0",
    REQUEST_METHOD: "POST",
    REQUEST_URI: "/index.php/2026/%C3%A4?a=b%20c",
    QUERY_STRING: "a=b%20c",
    DOCUMENT_ROOT: "/srv/blog",
    DOCUMENT_URI: "/index.php/2026/ä",
    SCRIPT_NAME: "/index.php",
    SCRIPT_FILENAME: "/srv/blog/index.php",
    PATH_INFO: "/2026/ä",
    PATH_TRANSLATED: "/srv/blog/2026/ä",
    CONTENT_TYPE: "text/plain",
    CONTENT_LENGTH: "",
    REDIRECT_STATUS: "200",
    HTTP_HOST: "blog.example:8443",
    HTTP_ACCEPT: "*/*",
  });
});

test("a program is told which address and port took the connection, whatever the field host says", async () => {
  let port = 0;
  const params: Record<string, string> = {};
  await using server = await serve((req, resp) => {
    port = req.peer.local?.port ?? 0;
    tellRequest(req, script, { contentSize: 0, underscores: false }, (name, value) => (params[name] = value));
    resp.send();
    return true;
  });
  await server.ask("GET / HTTP/1.1\r\nhost: a.example:8443\r\n\r\n");
  expect(params).toMatchObject({ SERVER_NAME: "a.example", SERVER_ADDR: "127.0.0.1", SERVER_PORT: String(port) });
  expect(params).toMatchObject({ HTTP_HOST: "a.example:8443" });
  expect(port).toBeGreaterThan(0);
  await server.ask("GET / HTTP/1.0\r\n\r\n");
  expect(params).toMatchObject({ SERVER_NAME: "127.0.0.1", HTTP_HOST: "" });
});

test("a program is told of https where the client came so to a trusted proxy", async () => {
  const params: Record<string, string> = {};
  const handle = (req: Request, resp: Response): true => {
    tellRequest(req, script, { contentSize: 0, underscores: false }, (name, value) => (params[name] = value));
    resp.send();
    return true;
  };
  await using server = await serve({ handlets: [handle], settings: { trustForwarded: ["127.0.0.1"] } });
  await server.ask(request("GET /", { "x-forwarded-proto": "https" }));
  expect(params).toMatchObject({ REQUEST_SCHEME: "https", HTTPS: "on" });
  delete params["HTTPS"];
  await server.ask(request("GET /", { "x-forwarded-proto": "http" }));
  expect(params).toMatchObject({ REQUEST_SCHEME: "http" });
  expect(params).not.toHaveProperty("HTTPS");
});

test("a program is told the URI that the client has asked for, and the script that a rewrite leads to", async () => {
  const params: Record<string, string> = {};
  const ask = askOf((req, resp) => {
    req.rewrite("/index.php?p=1");
    tellRequest(req, script, { contentSize: 0, underscores: false }, (name, value) => (params[name] = value));
    resp.send();
    return true;
  });
  await ask({ url: "/shop/caf%C3%A9?q" });
  expect(params).toMatchObject({ REQUEST_URI: "/shop/caf%C3%A9?q", QUERY_STRING: "p=1", SCRIPT_NAME: "/index.php" });
});

test("a client cannot name the proxy that a program is to use", async () => {
  expect(await told("/", { proxy: "evil.example" })).not.toHaveProperty("HTTP_PROXY");
});

test("a field with an underscore or a dot cannot pass for one with a hyphen", async () => {
  const params = await told("/", { "x-user": "someone", x_user: "admin", "x.user": "admin", "x-a_b": "c", "x!d": "e" });
  expect(params["HTTP_X_USER"]).toBe("someone");
  expect(Object.keys(params).filter((name) => /^HTTP_.*(?:_[AD]|\W)/.test(name))).toEqual([]);
  const allowed = await told(
    "/",
    {
      x_user: "admin",
      "x.user": "admin",
      "x-user": "someone",
      "x-a.b": "c",
      content_length: "1",
      "content.length": "2",
    },
    { underscores: true },
  );
  expect(allowed).toMatchObject({ HTTP_X_USER: "someone", HTTP_X_A_B: "c" });
  expect(allowed).not.toHaveProperty("HTTP_CONTENT_LENGTH");
});

test("repeated fields are told once, cookies as one list of cookies", async () => {
  const params = await told("/", { accept: ["a", "b"], cookie: ["c=1", "d=2"] });
  expect(params["HTTP_ACCEPT"]).toBe("a, b");
  expect(params["HTTP_COOKIE"]).toBe("c=1; d=2");
});
