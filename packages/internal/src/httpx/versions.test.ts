// What holds whatever version of HTTP a client speaks, over TLS and without. The clients are not ours.

import { once } from "node:events";
import * as http from "node:http";
import * as http2 from "node:http2";
import * as https from "node:https";
import { describe, expect, test } from "vitest";
import type { HandletPart } from "../web/kinds.ts";
import { serve, type ServeOptions, type TestServer } from "../testing/serve.ts";

type Handle = HandletPart["handle"];

interface Asked {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly content?: string;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly interims: readonly number[];
  readonly text: string;
  readonly trailers: Readonly<Record<string, unknown>>;
}

type Ask = (server: TestServer, asked: Asked) => Promise<Answer>;

async function askHTTP1(
  server: TestServer,
  { method = "GET", path = "/", headers = {}, content }: Asked,
): Promise<Answer> {
  const make = server.tls === undefined ? http.request : https.request;
  const options = { ...server.tls, host: "127.0.0.1", port: server.port, method, path, agent: false, headers };
  const request = make({ ...options, headers: { host: "test.example", ...headers } });
  const interims: number[] = [];
  request.on("information", ({ statusCode }) => interims.push(statusCode));
  request.end(content);
  const [response] = (await once(request, "response")) as [http.IncomingMessage];
  let text = "";
  for await (const piece of response.setEncoding("utf8")) text += piece as string;
  return { status: response.statusCode ?? 0, headers: response.headers, interims, text, trailers: response.trailers };
}

async function askHTTP2(
  server: TestServer,
  { method = "GET", path = "/", headers = {}, content }: Asked,
): Promise<Answer> {
  const scheme = server.tls === undefined ? "http" : "https";
  const session = http2.connect(`${scheme}://127.0.0.1:${server.port}`, { ...server.tls });
  const stream = session.request(
    { ":method": method, ":path": path, ":authority": headers["host"] ?? "test.example", ...without(headers, "host") },
    { endStream: content === undefined },
  );
  const interims: number[] = [];
  let answered: http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader = {};
  let trailers: http2.IncomingHttpHeaders = {};
  stream.on("headers", (fields: http2.IncomingHttpStatusHeader) => interims.push(fields[":status"] ?? 0));
  stream.on("response", (fields) => {
    answered = fields;
  });
  stream.on("trailers", (fields: http2.IncomingHttpHeaders) => {
    trailers = fields;
  });
  if (content !== undefined) stream.end(content);
  let text = "";
  try {
    for await (const piece of stream.setEncoding("utf8")) text += piece as string;
    return { status: answered[":status"] ?? 0, headers: answered, interims, text, trailers };
  } finally {
    session.close();
  }
}

function without(headers: Readonly<Record<string, string>>, name: string): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([other]) => other !== name));
}

const readAll: Handle = async (req, resp) => (resp.send(`${req.method} ${await req.content.text()}`), true);

describe.each<{ name: string; version: string; tls: boolean; ask: Ask }>([
  { name: "HTTP/1", version: "1.1", tls: false, ask: askHTTP1 },
  { name: "HTTP/1 over TLS", version: "1.1", tls: true, ask: askHTTP1 },
  { name: "HTTP/2", version: "2", tls: false, ask: askHTTP2 },
  { name: "HTTP/2 over TLS", version: "2", tls: true, ask: askHTTP2 },
])("by $name", ({ version, tls, ask }) => {
  async function askOnce(given: Handle | ServeOptions, asked: Asked = {}): Promise<Answer> {
    const options = typeof given === "function" ? { handlets: [given] } : given;
    await using server = await serve({ tls, ...options });
    return await ask(server, asked);
  }

  test("a request is what the client asked for", async () => {
    const answer = await askOnce(
      (req, resp) => {
        resp.sendJSON([
          req.version,
          req.scheme,
          req.method,
          req.authority,
          req.path,
          req.queryString,
          req.header("X-A"),
          req.header("host"),
        ]);
        return true;
      },
      { method: "DELETE", path: "/a%20b/../c?d=e", headers: { "x-a": "1" } },
    );
    const scheme = tls ? "https" : "http";
    expect(JSON.parse(answer.text)).toEqual([
      version,
      scheme,
      "DELETE",
      "test.example",
      "/c",
      "?d=e",
      "1",
      "test.example",
    ]);
  });

  test.each<[string, Handle]>([
    ["send without content", (_req, resp) => (resp.send(), true)],
    ["end", (_req, resp) => (resp.end(), true)],
    ["a head and an end", (_req, resp) => (resp.sendHead(), resp.end(), true)],
  ])("an answer to HEAD by %s tells no length that GET might not have", async (_name, onHead) => {
    const handle: Handle = (req, resp) => (req.method === "HEAD" ? onHead(req, resp) : (resp.send("hello"), true));
    const answer = await askOnce(handle, { method: "HEAD" });
    expect(answer).toMatchObject({ status: 200, text: "" });
    expect(answer.headers).not.toHaveProperty("content-length");
    expect(answer.headers).not.toHaveProperty("transfer-encoding");
  });

  test.each<[string, Handle, string | undefined]>([
    ["text", (_req, resp) => (resp.send("hello"), true), "5"],
    ["no text", (_req, resp) => (resp.send(""), true), "0"],
    ["a size alone", (_req, resp) => ((resp.contentSize = 5), resp.send(), true), "5"],
    ["a redirection", (_req, resp) => (resp.redirect("/b"), true), "0"],
    ["a status without content", (_req, resp) => ((resp.status = 204), resp.send(), true), undefined],
    ["a status that resets", (_req, resp) => ((resp.status = 205), resp.send(), true), "0"],
  ])("an answer to HEAD with %s tells the length that GET has", async (_name, handle, length) => {
    const answer = await askOnce(handle, { method: "HEAD" });
    expect(answer.text).toBe("");
    expect(answer.headers["content-length"]).toBe(length);
  });

  test("an answer is what the handlet made it", async () => {
    const answer = await askOnce((_req, resp) => {
      resp.status = 201;
      resp.setHeader("x-a", "b");
      resp.setCookie("c", "d");
      resp.send("grüße");
      return true;
    });
    expect(answer).toMatchObject({
      status: 201,
      text: "grüße",
      headers: { "x-a": "b", "set-cookie": ["c=d; Path=/"], "content-length": "7" },
    });
    expect(answer.headers["date"]).toMatch(/ GMT$/);
  });

  test("content arrives both ways, short and long", async () => {
    for (const content of ["", "hello", "x".repeat(300_000)]) {
      expect((await askOnce(readAll, { method: "POST", content })).text).toBe(`POST ${content}`);
    }
  });

  test("content without a size goes on as it is taken", async () => {
    const answer = await askOnce(async (_req, resp) => {
      for (let i = 0; i < 50; i++) await resp.echo(String(i % 10).repeat(20_000));
      resp.end();
      return true;
    });
    expect(answer.text).toHaveLength(1_000_000);
  });

  test("interim answers and trailers come with it", async () => {
    const answer = await askOnce(async (_req, resp) => {
      resp.interim(103, { link: "</a>" });
      await resp.echo("hello");
      resp.setTrailer("x-sum", "7");
      resp.end();
      return true;
    });
    expect(answer).toMatchObject({ interims: [103], text: "hello", trailers: { "x-sum": "7" } });
  });

  test("HEAD gets the head alone", async () => {
    const answer = await askOnce((_req, resp) => (resp.send("hello"), true), { method: "HEAD" });
    expect(answer).toMatchObject({ status: 200, text: "", headers: { "content-length": "5" } });
  });

  test.each([204, 304])("%i has no content", async (status) => {
    const answer = await askOnce((_req, resp) => {
      resp.status = status;
      resp.send("dropped");
      return true;
    });
    expect(answer).toMatchObject({ status, text: "" });
  });

  test.each<[string, number, Asked, ServeOptions]>([
    ["no handlet takes", 404, {}, { handlets: [() => false] }],
    ["a handlet fails at", 500, {}, { handlets: [() => Promise.reject(new Error("on purpose"))] }],
    ["no webapp has the hostname of", 421, {}, { handlets: [() => true], webapp: { hostnames: ["other.example"] } }],
    ["goes above the root", 400, { path: "/a/../../b" }, { handlets: [() => true] }],
    [
      "has a target that is too long",
      414,
      { path: "/" + "a".repeat(200) },
      { handlets: [() => true], settings: { maxTargetSize: 100 } },
    ],
    [
      "has a head that is too large",
      431,
      { headers: { "x-a": "a".repeat(2000) } },
      { handlets: [() => true], settings: { maxHeadSize: 1024 } },
    ],
    [
      "has more content than allowed",
      413,
      { method: "POST", content: "12345" },
      { handlets: [readAll], maxContentSize: 4 },
    ],
    ["is not answered in time", 503, {}, { handlets: [() => true], settings: { handleTimeout: 20 } }],
  ])("what %s is answered with %i", async (_what, status, asked, options) => {
    expect(await askOnce(options, asked)).toMatchObject({ status });
  });

  test("an answer that is broken off is seen to be", async () => {
    const asked = askOnce(async (_req, resp) => {
      await resp.echo("hello");
      resp.abort();
      return true;
    });
    await expect(asked).rejects.toThrow();
  });
});
