import { Readable } from "node:stream";
import { describe, expect, expectTypeOf, test } from "vitest";
import { MemorySink } from "../../log/sink.ts";
import { HTTPError } from "../http-error.ts";
import type { Request } from "../request/request.ts";
import type { Response } from "../response/response.ts";
import { askOf, notMine } from "../../testing/ask.ts";
import { Mapper } from "./mapper.ts";

function asker(
  mapper: Mapper,
  sink = new MemorySink(),
): (line: string) => Promise<{ status: number; headers: Readonly<Record<string, unknown>>; text: string }> {
  const ask = askOf((req, resp) => mapper.handle(req, resp), { sink });
  return (line) => {
    const [method = "", url = ""] = line.split(" ");
    return ask({ method, url });
  };
}

describe("what a mapped function returns", () => {
  test.each<[string, () => unknown, string | undefined, string]>([
    ["text", () => "hi", "text/plain; charset=utf-8", "hi"],
    ["no text", () => "", "text/plain; charset=utf-8", ""],
    ["an object", () => ({ a: 1 }), "application/json", '{"a":1}'],
    ["a list", () => [1], "application/json", "[1]"],
    ["null", () => null, "application/json", "null"],
    ["a number", () => 7, "application/json", "7"],
    ["false", () => false, "application/json", "false"],
    ["bytes", () => Buffer.from("b"), "application/octet-stream", "b"],
    ["a promised text", () => Promise.resolve("p"), "text/plain; charset=utf-8", "p"],
    ["a promised object", async () => Promise.resolve({ p: 1 }), "application/json", '{"p":1}'],
  ])("is the answer: %s", async (_what, run, type, text) => {
    const answer = await asker(new Mapper().get("/", run))("GET /");
    expect(answer).toMatchObject({ status: 200, text });
    expect(answer.headers["content-type"]).toBe(type);
  });

  test("keeps the status and the content type that the function has set", async () => {
    const mapper = new Mapper().post("/", (_req, resp) => {
      resp.status = 201;
      resp.setHeader("content-type", "text/html");
      return "<p>";
    });
    const answer = await asker(mapper)("POST /");
    expect(answer).toMatchObject({ status: 201, text: "<p>" });
    expect(answer.headers["content-type"]).toBe("text/html");
  });

  test("may be nothing, when the function uses the response itself, now or later", async () => {
    const mapper = new Mapper()
      .get("/now", (_req, resp) => resp.send("now"))
      .get("/later", async (_req, resp) => {
        await new Promise(setImmediate);
        resp.send("later");
      })
      .get("/awaited", async (_req, resp) => {
        await resp.echo("a");
        await resp.echo("b");
        resp.end();
      });
    const ask = asker(mapper);
    expect((await ask("GET /now")).text).toBe("now");
    expect((await ask("GET /later")).text).toBe("later");
    expect((await ask("GET /awaited")).text).toBe("ab");
  });

  test.each<[string, () => unknown]>([
    ["a function", () => () => 1],
    ["a symbol", () => Symbol("s")],
    ["a bigint", () => 1n],
    [
      "a thrown error",
      () => {
        throw new Error("secret");
      },
    ],
    ["a rejection", () => Promise.reject(new Error("secret"))],
  ])("gives a 500 without a word of ours for %s", async (_what, run) => {
    const answer = await asker(new Mapper().get("/", run))("GET /");
    expect(answer.status).toBe(500);
    expect(answer.text).not.toContain("secret");
  });

  test.each<[string, () => unknown, string]>([
    ["nothing, without an answer", () => undefined, "GET /late/:id returned without a response"],
    [
      "a promise of nothing, without an answer",
      async () => Promise.resolve(),
      "GET /late/:id returned without a response",
    ],
    ["a web Response", () => new globalThis.Response("x"), "GET /late/:id returned a Response"],
    ["a stream", () => Readable.from(["x"]), "GET /late/:id returned a stream"],
    ["a web stream", () => new ReadableStream(), "GET /late/:id returned a stream"],
    [
      "a generator",
      function* () {
        yield 1;
      },
      "GET /late/:id returned a stream",
    ],
    [
      "a promised generator",
      async () =>
        Promise.resolve(
          (async function* () {
            yield 1;
            await Promise.resolve();
          })(),
        ),
      "GET /late/:id returned a stream",
    ],
  ])("gives a 500 at once, and a line that names the route, for %s", async (_what, run, message) => {
    const sink = new MemorySink();
    expect((await asker(new Mapper().get("/late/:id", run), sink)("GET /late/1")).status).toBe(500);
    expect(sink.lines.join("")).toContain(message);
  });

  test("may be a promise of nothing while the answer goes on", async () => {
    const mapper = new Mapper().get("/", async (_req, resp) => {
      await resp.echo("a");
      setImmediate(() => resp.end());
    });
    expect((await asker(mapper)("GET /")).text).toBe("a");
  });

  test("cannot answer twice", async () => {
    const sink = new MemorySink();
    const mapper = new Mapper().get("/", (_req, resp) => {
      resp.send("first");
      return "second";
    });
    expect((await asker(mapper, sink)("GET /")).text).toBe("first");
    expect(sink.lines.join("")).toContain("HEMI_HEAD_SENT");
  });

  test("is not asked for when it throws an HTTPError", async () => {
    const mapper = new Mapper().get("/", () => {
      throw new HTTPError(403);
    });
    expect((await asker(mapper)("GET /")).status).toBe(403);
  });
});

describe("what reaches which function", () => {
  const mapper = new Mapper()
    .get("/users/:id", (_req, _resp, { id }) => `user ${id}`)
    .delete("/users/:id(\\d+)", (_req, _resp, { id }) => `delete ${id}`)
    .get("/files/*path", (_req, _resp, { path }) => `file ${path}`)
    .put("/users/me", () => "me")
    .options("/cors", () => "own options")
    .any("/any", (req) => req.method)
    .on(["LOCK", "UNLOCK"], "/dav", (req) => req.method);
  const ask = asker(mapper);

  test.each([
    ["GET /users/42", 200, "user 42"],
    ["GET /users/a%20b?x=1", 200, "user a b"],
    ["GET /users/%C3%A9", 200, "user é"],
    ["GET /users/a%2fb", 200, "user a/b"],
    ["GET /x/../users/7", 200, "user 7"],
    ["GET /users/me", 200, "user me"],
    ["DELETE /users/42", 200, "delete 42"],
    ["GET /files/a/b", 200, "file a/b"],
    ["HEAD /users/42", 200, ""],
    ["PURGE /any", 200, "PURGE"],
    ["OPTIONS /any", 200, "OPTIONS"],
    ["OPTIONS /cors", 200, "own options"],
    ["UNLOCK /dav", 200, "UNLOCK"],
    ["GET /users", 404, notMine],
    ["GET /users/", 404, notMine],
    ["GET /Users/1", 404, notMine],
    ["OPTIONS /nowhere", 404, notMine],
  ])("%s gives %d %s", async (line, status, text) => {
    expect(await ask(line)).toMatchObject({ status, text });
  });

  test.each([
    ["POST /users/42", "DELETE, GET, HEAD, OPTIONS"],
    ["POST /users/me", "GET, HEAD, PUT, OPTIONS"],
    ["DELETE /users/x", "GET, HEAD, OPTIONS"],
    ["GET /dav", "LOCK, UNLOCK, OPTIONS"],
    ["GET /cors", "OPTIONS"],
  ])("%s gives 405 with the methods that there are", async (line, allow) => {
    const answer = await ask(line);
    expect(answer.status).toBe(405);
    expect(answer.headers["allow"]).toBe(allow);
  });

  test("OPTIONS is answered by itself", async () => {
    const answer = await ask("OPTIONS /users/me");
    expect(answer).toMatchObject({ status: 204, text: "" });
    expect(answer.headers["allow"]).toBe("GET, HEAD, PUT, OPTIONS");
  });

  test("a mapper may answer 404 itself", async () => {
    expect(await asker(new Mapper({ otherwise: 404 }))("GET /")).toMatchObject({
      status: 404,
      text: "404 Not Found\n",
    });
  });

  test("find tells the route without running it", () => {
    const match = mapper.find("HEAD", "/users/7");
    expect(match?.route).toMatchObject({ method: "GET", pattern: { text: "/users/:id" } });
    expect(match?.params).toEqual({ id: "7" });
    expect(mapper.find("GET", "/")).toBeUndefined();
  });
});

describe("mount", () => {
  const inner = new Mapper().get("/", () => "root").get("/:id", (_req, _resp, params) => params);
  const middle = new Mapper().mount("/inner", inner);
  const ask = asker(new Mapper().mount("/outer/:who", middle).get("/outer/:who/inner/me", () => "me"));

  test.each([
    ["GET /outer/x/inner", "root"],
    ["GET /outer/x/inner/7", '{"who":"x","id":"7"}'],
    ["GET /outer/x/inner/me", "me"],
    ["GET /inner", notMine],
    ["GET /outer/x/inner/", notMine],
  ])("%s gives %s", async (line, text) => {
    expect((await ask(line)).text).toBe(text);
  });

  test("at / leaves the patterns as they are", async () => {
    const root = asker(
      new Mapper().mount(
        "/",
        new Mapper().get("/", () => "home").get("/a", () => "a"),
      ),
    );
    expect((await root("GET /")).text).toBe("home");
    expect((await root("GET /a")).text).toBe("a");
  });

  test("takes a mapper that is complete, and not itself", () => {
    expect(() => inner.get("/late", () => "")).toThrow(/comes too late: its mapper is mounted at \/inner/);
    const mapper = new Mapper();
    expect(() => mapper.mount("/x", mapper)).toThrow(/in itself/);
  });
});

test.each<[string, (mapper: Mapper) => Mapper, RegExp]>([
  ["one route twice", (mapper) => mapper.get("/a", () => ""), /^GET \/a is mapped already$/],
  [
    "one shape with two names",
    (mapper) => mapper.get("/u/:name", () => ""),
    /^GET \/u\/:name is mapped already, as \/u\/:id$/,
  ],
  ["any method twice", (mapper) => mapper.any("/any", () => ""), /^any method \/any is mapped already$/],
  [
    "a mounted route that is there",
    (mapper) =>
      mapper.mount(
        "/u",
        new Mapper().get("/:x", () => ""),
      ),
    /^GET \/u\/:x is mapped already, as/,
  ],
  ["a method in lower case", (mapper) => mapper.on(["get"], "/b", () => ""), /"get" is no method/],
  ["a bad pattern", (mapper) => mapper.get("b", () => ""), /must begin with/],
])("%s is refused", (_what, change, message) => {
  const mapper = new Mapper()
    .get("/a", () => "")
    .get("/u/:id", () => "")
    .any("/any", () => "");
  expect(() => change(mapper)).toThrow(message);
  expect(() => change(mapper)).toThrow(expect.objectContaining({ code: "HEMI_USAGE" }));
});

test("params have the names of the pattern, at the type level too", () => {
  new Mapper().get("/users/:id/*rest", (req, resp, params) => {
    expectTypeOf(params).toEqualTypeOf<{ readonly id: string; readonly rest: string }>();
    expectTypeOf(req).toEqualTypeOf<Request>();
    expectTypeOf(resp).toEqualTypeOf<Response>();
    // @ts-expect-error there is no such param
    return params.name as unknown;
  });
});

test("explains which route it would run, and runs none", async () => {
  const ran: string[] = [];
  const run = () => void ran.push("ran");
  const mapper = new Mapper().get("/users/:id", run).post("/users/:id", run).any("/any", run);
  const ask = askOf((req, resp) => {
    resp.sendJSON(mapper.explain(req));
    return true;
  });
  const explain = async (method: string, url: string): Promise<unknown> =>
    JSON.parse((await ask({ method, url })).text);
  expect(await explain("POST", "/users/7")).toEqual({
    takes: "yes",
    text: "runs POST /users/:id",
    details: ['id = "7"'],
  });
  expect(await explain("GET", "/any")).toEqual({ takes: "yes", text: "runs any method /any", details: [] });
  const has = "has routes for GET, HEAD, POST of this path";
  expect(await explain("PUT", "/users/7")).toEqual({ takes: "yes", status: 405, text: has });
  expect(await explain("OPTIONS", "/users/7")).toEqual({ takes: "yes", status: 204, text: has });
  expect(await explain("GET", "/x")).toEqual({ takes: "no", text: 'has no route for "/x"' });
  expect(ran).toEqual([]);
});
