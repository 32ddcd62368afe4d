import { createServer, type RequestListener } from "node:http";
import { expect, test } from "vitest";
import { bootWith } from "../../boot.ts";
import { openErrorLog } from "../../log/error-log.ts";
import { MemorySink } from "../../log/sink.ts";
import type { ServerPart } from "../../stage/kinds/server.ts";
import { listening, type Listening } from "../../testing/listening.ts";
import { RawClient, request } from "../../testing/raw-client.ts";

const webServer = (listener: RequestListener): Promise<Listening> => listening(createServer(listener));

/** A site behind `auth`: what is let through is answered with its head, as JSON. */
async function siteBehind(auth: RequestListener, props = "") {
  const authServer = await webServer(auth);
  const app = await webServer((req, res) => res.end(JSON.stringify(req.headers)));
  const stage = await bootWith([]).bootText(
    `stage {
      http1Backend "auth" { .nodes = (["address": "127.0.0.1:${authServer.port}"]) .readTimeout = 200ms }
      http1Backend "app" { .nodes = (["address": "127.0.0.1:${app.port}"]) }
      webapp "all" { .hostnames = ("*")
        rule { forwardAuth { .toBackend = "auth" .authURI = "/check" ${props} }  httpProxy { .toBackend = "app" } }
      }
      httpxServer "main" { .webapps = ("all") .address = "127.0.0.1:0" }
    }`,
    { log: openErrorLog({ sink: new MemorySink() }) },
  );
  await stage.start();
  const { listensOn: [listensOn = ""] = [] }: ServerPart = stage.find("httpxServer.main")?.part ?? {};
  const port = Number(/:(\d+)$/.exec(listensOn)?.[1] ?? 0);
  return {
    async ask(bytes: string) {
      await using client = await RawClient.connect({ port, host: "127.0.0.1" });
      return await client.send(bytes).response(bytes.startsWith("HEAD") ? "HEAD" : "GET");
    },
    async [Symbol.asyncDispose]() {
      await stage.quit(1000);
      await authServer[Symbol.asyncDispose]();
      await app[Symbol.asyncDispose]();
    },
  };
}

test("with 2xx the request goes on, with the chosen fields of the answer", async () => {
  await using site = await siteBehind((_req, res) => {
    res.setHeader("x-user", "ada");
    res.setHeader("x-other", "kept back");
    res.end("welcome");
  }, '.copyHeaders = ("X-User")');
  const { status, text } = await site.ask(request("POST /", { cookie: "a=b" }, "content"));
  expect(status).toBe(200);
  const headers: unknown = JSON.parse(text);
  expect(headers).toMatchObject({ "x-user": "ada", cookie: "a=b", "content-length": "7" });
  expect(headers).not.toHaveProperty("x-other");
});

test("what a client sends in these fields is dropped, and it cannot have ours dropped", async () => {
  await using site = await siteBehind((req, res) => {
    if (req.headers.cookie === "known") res.setHeader("x-user", "ada");
    res.end();
  }, '.copyHeaders = ("x-user")');
  const forged = await site.ask(request("GET /", { "X-User": "root" }));
  expect(JSON.parse(forged.text)).not.toHaveProperty("x-user");
  const named = await site.ask(request("GET /", { cookie: "known", connection: "keep-alive, x-user" }));
  expect(JSON.parse(named.text)).toHaveProperty("x-user", "ada");
});

test("the backend is told what is asked for, and gets none of the content", async () => {
  await using site = await siteBehind((req, res) => {
    res.statusCode = 403;
    res.end(JSON.stringify({ method: req.method, url: req.url, headers: req.headers }));
  });
  const fields = {
    cookie: "a=b",
    "content-type": "text/plain",
    "x-forwarded-method": "GET",
    "x-forwarded-uri": "/public",
  };
  const { status, text } = await site.ask(request("PUT /secret?x", fields, "content"));
  expect(status).toBe(403);
  const asked: unknown = JSON.parse(text);
  expect(asked).toMatchObject({
    method: "GET",
    url: "/check",
    headers: {
      host: "test.example",
      cookie: "a=b",
      "x-forwarded-method": "PUT",
      "x-forwarded-uri": "/secret?x",
      "x-forwarded-host": "test.example",
      "x-forwarded-proto": "http",
      "x-forwarded-for": "127.0.0.1",
    },
  });
  expect(asked).not.toHaveProperty("headers.content-length");
  expect(asked).not.toHaveProperty("headers.content-type");
});

test.each([
  ["x-forwarded-*", { "x-forwarded-for": "1.2.3.4", "x-forwarded-host": "shop.example", "x-forwarded-proto": "https" }],
  ["forwarded", { forwarded: "for=1.2.3.4;host=shop.example;proto=https" }],
])("the backend is told of the client what a trusted peer says in %s", async (_form, fields) => {
  await using site = await siteBehind((req, res) => {
    res.statusCode = 403;
    res.end(JSON.stringify(req.headers));
  }, '.trustForwarded = ("127.0.0.1")');
  const { text } = await site.ask(request("GET /", fields));
  expect(JSON.parse(text)).toMatchObject({
    "x-forwarded-for": "1.2.3.4, 127.0.0.1",
    "x-forwarded-host": "shop.example",
    "x-forwarded-proto": "https",
  });
});

test.each([302, 401, 404, 500])("an answer of %d is the client's", async (code) => {
  await using site = await siteBehind((_req, res) => {
    res.writeHead(code, { location: "/login", "www-authenticate": "Basic", "set-cookie": ["a=1", "b=2"] });
    res.write("first ");
    res.end("second");
  });
  const { status, text, headers } = await site.ask(request("GET /"));
  expect([status, text]).toEqual([code, "first second"]);
  expect(headers).toMatchObject({ location: "/login", "www-authenticate": "Basic" });
});

test("nobody is let through by a failure", async () => {
  await using broken = await siteBehind((req) => req.socket.destroy());
  expect((await broken.ask(request("GET /"))).status).toBe(502);
  await using silent = await siteBehind(() => undefined);
  expect((await silent.ask(request("GET /"))).status).toBe(504);
});

test("an answer that is too large for the client gives 502", async () => {
  await using site = await siteBehind((_req, res) => {
    res.statusCode = 403;
    res.write("x".repeat(2000));
    res.end("x".repeat(2000));
  }, ".maxAnswerSize = 1K");
  expect((await site.ask(request("GET /"))).status).toBe(502);
});

test("fields that frame a message cannot be copied", async () => {
  await expect(siteBehind(() => undefined, '.copyHeaders = ("transfer-encoding")')).rejects.toThrow(
    "transfer-encoding",
  );
});

test("a client cannot name the user in a field with an underscore, neither to the application nor to who authorizes", async () => {
  const seen: (readonly string[])[] = [];
  await using site = await siteBehind((req, res) => {
    seen.push(Object.keys(req.headers));
    res.writeHead(200, { "x-user": "someone" }).end();
  }, '.copyHeaders = ("x-user")');
  const { text } = await site.ask(request("GET /", { X_User: "admin", X_Forwarded_Uri: "/public" }));
  expect(JSON.parse(text)).toMatchObject({ "x-user": "someone" });
  for (const names of [...seen, Object.keys(JSON.parse(text) as object)]) expect(names.join()).not.toContain("_");
});

test("the fields of delRequestHeaders stay with the request, and away from the backend that is asked", async () => {
  const asked: unknown[] = [];
  await using site = await siteBehind((req, res) => {
    asked.push(req.headers);
    res.end();
  }, '.delRequestHeaders = ("Cookie")');
  const { text } = await site.ask(request("GET /", { cookie: "a=1", "x-a": "1" }));
  expect(JSON.parse(text)).toMatchObject({ cookie: "a=1", "x-a": "1" });
  expect(asked).toMatchObject([{ "x-a": "1" }]);
  expect(asked[0]).not.toHaveProperty("cookie");
});

test("with * the backend that is asked gets none of the client's fields, and is told of the request", async () => {
  const asked: unknown[] = [];
  await using site = await siteBehind((req, res) => {
    asked.push(req.headers);
    res.end();
  }, '.delRequestHeaders = ("*")');
  const { text } = await site.ask(request("GET /x", { cookie: "a=1", "x-a": "1" }));
  expect(JSON.parse(text)).toMatchObject({ cookie: "a=1", "x-a": "1" });
  expect(asked).toMatchObject([{ "x-forwarded-uri": "/x", "x-forwarded-method": "GET" }]);
  for (const name of ["cookie", "x-a"]) expect(asked[0]).not.toHaveProperty(name);
});
