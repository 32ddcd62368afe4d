import { describe, expect, test } from "vitest";
import type { HandletPart } from "../kinds.ts";
import { LocalKey } from "./locals.ts";
import type { Request } from "./request.ts";
import { request } from "../../testing/raw-client.ts";
import { serve, type ServeOptions } from "../../testing/serve.ts";

/** What `look` sees of a request. */
async function seen<T>(bytes: string, look: (req: Request) => T | Promise<T>, options: ServeOptions = {}): Promise<T> {
  const outcomes: (() => T)[] = [];
  const handle: HandletPart["handle"] = async (req, resp) => {
    try {
      const value = await look(req);
      outcomes.push(() => value);
    } catch (error) {
      outcomes.push(() => {
        throw error;
      });
    }
    resp.send();
    return true;
  };
  await using server = await serve({ handlets: [handle], ...options });
  await server.ask(bytes);
  const [outcome] = outcomes;
  if (outcome === undefined) throw new Error("no handlet saw the request");
  return outcome();
}

async function piecesOf(req: Request): Promise<string> {
  let text = "";
  for await (const piece of req.content) text += Buffer.from(piece).toString("latin1");
  return text;
}

test("a request reads as it was sent", async () => {
  const bytes =
    "POST /a%20b/../c%2Fd%C3%A4?x=1&y=%20&x=2 HTTP/1.1\r\nHost: Shop.Example:8080\r\n" +
    "Cookie: a=1; b=2\r\nX-A: 1\r\nx-a: 2\r\ncontent-length: 2\r\n\r\nhi";
  const facts = await seen(bytes, (req) => ({
    method: req.method,
    version: req.version,
    scheme: req.scheme,
    authority: req.authority,
    hostname: req.hostname,
    colonPort: req.colonPort,
    path: req.path,
    encodedPath: req.encodedPath,
    queryString: req.queryString,
    uri: req.uri,
    query: [req.query("x"), req.query("y"), req.query("z")],
    queries: req.queries.getAll("x"),
    cookie: [req.cookie("a"), req.cookie("c")],
    header: [req.header("x-a"), req.header("X-B")],
    headers: req.headers.getAll("x-a"),
    hasContent: req.hasContent,
    size: req.content.size,
    host: req.srcHost,
    isSame: req.peer.port === req.srcPort && req.peer.address === req.srcHost && req.id === req.id,
  }));
  expect(facts).toEqual({
    method: "POST",
    version: "1.1",
    scheme: "http",
    authority: "shop.example:8080",
    hostname: "shop.example",
    colonPort: ":8080",
    path: "/c/dä",
    encodedPath: "/c%2Fd%C3%A4",
    queryString: "?x=1&y=%20&x=2",
    uri: "/c%2Fd%C3%A4?x=1&y=%20&x=2",
    query: ["1", " ", undefined],
    queries: ["1", "2"],
    cookie: ["1", undefined],
    header: ["1, 2", undefined],
    headers: ["1", "2"],
    hasContent: true,
    size: 2,
    host: "127.0.0.1",
    isSame: true,
  });
});

test.each([
  [request("GET http://Other.Example:1/a?b"), { authority: "other.example:1", uri: "/a?b" }],
  [request("GET http://other.example"), { authority: "other.example", uri: "/" }],
  ["GET /a HTTP/1.0\r\n\r\n", { authority: "", uri: "/a" }],
  [request("GET /", { host: "[::1]:80" }), { authority: "[::1]:80", uri: "/" }],
])("%j is for the right authority", async (bytes, expected) => {
  expect(await seen(bytes, ({ authority, uri }) => ({ authority, uri }))).toEqual(expected);
});

test.each([
  [request("GET /../a"), 400],
  [request("GET /%00"), 400],
  [request("GET /%zz"), 400],
  [request("GET /a\\b"), 400],
  [request("GET /", { host: "a@b" }), 400],
  [request("GET /", { host: "a/b" }), 400],
  [request("GET /", { host: "a b" }), 400],
  [request("GET http://user@a.example/"), 400],
])("%j is refused before a handlet sees it", async (bytes, status) => {
  let wasSeen = false;
  await using server = await serve(() => {
    wasSeen = true;
    return false;
  });
  expect(await server.ask(bytes)).toMatchObject({ status });
  expect(wasSeen).toBe(false);
  expect(server.log.join("")).toMatch(/refused a request of 127.0.0.1 with 400: its (?:path|host)/);
});

test.each(["a..b", "a:99999", "u@b"])("a host %s that is malformed ends the connection", async (host) => {
  await using server = await serve((_req, resp) => (resp.send("hello"), true));
  await using client = await server.connect();
  client.send(request("GET /", { host }) + request("GET /"));
  expect(await client.response()).toMatchObject({ status: 400, headers: { connection: "close" } });
  expect(await client.ending()).toBe("end");
});

test.each(["a..b", "u@b", "a b", ""])(
  "a malformed host %j is refused beside the authority of the target too",
  async (host) => {
    await using server = await serve((_req, resp) => (resp.send("hello"), true));
    await using client = await server.connect();
    client.send(request("GET http://a.example/", { host }) + request("GET /"));
    expect(await client.response()).toMatchObject({ status: 400, headers: { connection: "close" } });
    expect(await client.ending()).toBe("end");
  },
);

test.each(["GET / X\r\n\r\n", "GET / HTTP/1.1\n", "GET / HTTP/1x", "GET / HTTQ", "GET / HTTP/2\r\n"])(
  "%j is refused at once, though it is shorter than a right request line",
  async (bytes) => {
    await using server = await serve({ handlets: [() => false], settings: { headTimeout: "1h" } });
    await using client = await server.connect();
    const { status } = await client.send(bytes).response();
    expect(status).toBe(/HTTP\/(?:2|1x)/.test(bytes) ? 505 : 400);
  },
);

describe("content", () => {
  const chunked = request("POST /", { "transfer-encoding": "chunked" }, "3\r\n\xe2\x82\xac\r\n2\r\n[]\r\n0\r\n\r\n");

  test.each<[string, string, (req: Request) => unknown, unknown]>([
    ["bytes", request("POST /", {}, "hi"), async (req) => Buffer.from(await req.content.bytes()).toString(), "hi"],
    ["text", chunked, (req) => req.content.text(), "€[]"],
    ["broken text", request("POST /", {}, "a\xff"), (req) => req.content.text(), "a\ufffd"],
    ["JSON", request("POST /", {}, '{"a":[1]}'), (req) => req.content.json(), { a: [1] }],
    ["a stream", chunked, piecesOf, "\xe2\x82\xac[]"],
    [
      "nothing",
      request("GET /"),
      async (req) => [req.hasContent, req.content.size, await req.content.text()],
      [false, 0, ""],
    ],
    ["content of unknown size", chunked, (req) => [req.hasContent, req.content.size], [true, undefined]],
  ])("is read as %s", async (_name, bytes, look, expected) => {
    expect(await seen(bytes, look)).toEqual(expected);
  });

  test.each<[string, string, (req: Request) => Promise<unknown>, object]>([
    ["no JSON", request("POST /", {}, "{"), (req) => req.content.json(), { status: 400 }],
    ["JSON in other bytes", request("POST /", {}, '"\xff"'), (req) => req.content.json(), { status: 400 }],
    [
      "broken",
      request("POST /", { "transfer-encoding": "chunked" }, "x\r\n"),
      (req) => req.content.text(),
      { code: "HEMI_CONTENT_BROKEN" },
    ],
    [
      "late",
      request("POST /", { "transfer-encoding": "chunked" }, "65\r\n"),
      (req) => req.content.text(),
      { code: "HEMI_TIMEOUT" },
    ],
  ])("that is %s is an error", async (_name, bytes, look, expected) => {
    await expect(seen(bytes, look, { settings: { contentTimeout: 20 } })).rejects.toMatchObject(expected);
  });

  test.each([
    ["no JSON", request("POST /", {}, "{"), 400],
    ["broken", request("POST /", { "transfer-encoding": "chunked" }, "x\r\n"), 400],
    ["too late", request("POST /", { "content-length": "5" }), 408],
    ["too large", request("POST /", { "transfer-encoding": "chunked" }, "b\r\nhello world\r\n"), 413],
  ])("that is %s gives its status to a handlet that does not care", async (_name, bytes, status) => {
    const handle: HandletPart["handle"] = async (req, resp) => {
      resp.sendJSON(await req.content.json());
      return true;
    };
    await using server = await serve({ handlets: [handle], settings: { contentTimeout: 20 }, maxContentSize: 10 });
    expect(await server.ask(bytes)).toMatchObject({ status });
    expect(server.log.filter((line) => / (?:warn|error) /.test(line))).toEqual([]);
  });

  test("goes through the filters of revisers, the one nearest to the wire first, within the limit", async () => {
    const mark = (rank: number, sign: string, end = "") => ({
      rank,
      reviseRequest: () => ({
        push: (piece: Uint8Array, next: (piece: Uint8Array) => void | Promise<void>) =>
          next(Buffer.from(`${sign}(${Buffer.from(piece).toString()})`)),
        end: (next: (piece: Uint8Array) => void | Promise<void>) => next(Buffer.from(end)),
      }),
    });
    const revisers = [mark(9, "c", "!"), mark(1, "a"), mark(9, "d"), { rank: 3 }];
    const bytes = request("POST /", {}, "x");
    const text = await seen(bytes, (req) => req.content.text(), { revisers });
    expect(text).toBe("d(c(a(x)))d(c())d(!)");
    await expect(seen(bytes, (req) => req.content.text(), { revisers, maxContentSize: 10 })).rejects.toMatchObject({
      code: "HEMI_CONTENT_TOO_LARGE",
    });
  });

  test("trailers are there when it has been read", async () => {
    const bytes = request("POST /", { "transfer-encoding": "chunked" }, "1\r\nx\r\n0\r\nX-Sum: 7\r\n\r\n");
    const look = async (req: Request) => [
      req.trailers.get("x-sum"),
      await req.content.text(),
      req.trailers.get("x-sum"),
    ];
    expect(await seen(bytes, look)).toEqual([undefined, "x", "7"]);
  });
});

test("handlets hand on what they know by locals", async () => {
  const user = new LocalKey<string>("user");
  const other = new LocalKey<string>("user");
  await using server = await serve({
    handlets: [
      (req) => {
        req.locals.set(user, "ann");
        return false;
      },
      (req, resp) => {
        resp.sendJSON([req.locals.get(user), req.locals.get(other) ?? "nobody"]);
        return true;
      },
    ],
  });
  expect((await server.ask("GET /")).text).toBe('["ann","nobody"]');
});

test("ids of requests differ", async () => {
  await using server = await serve((req, resp) => {
    resp.send(req.id);
    return true;
  });
  expect((await server.ask("GET /")).text).not.toBe((await server.ask("GET /")).text);
});

describe("the signal", () => {
  test.each(["resets", "shuts its side"])("aborts when the client %s before it has the answer", async (how) => {
    const begun = Promise.withResolvers<void>();
    const aborted = Promise.withResolvers<void>();
    await using server = await serve((req) => {
      req.signal.addEventListener("abort", () => aborted.resolve());
      begun.resolve();
      return true;
    });
    await using client = await server.connect();
    client.send(request("GET /"));
    await begun.promise;
    if (how === "resets") client.reset();
    else client.end();
    await aborted.promise;
  });

  test("says why, so that who is stopped by it is not blamed for a client that has left", async () => {
    const begun = Promise.withResolvers<void>();
    const reason = Promise.withResolvers<unknown>();
    await using server = await serve(async (req) => {
      const { signal } = req;
      begun.resolve();
      await new Promise((_resolve, reject) =>
        signal.addEventListener("abort", () => reject(signal.reason as Error)),
      ).catch((error: unknown) => {
        reason.resolve(error);
        throw error;
      });
      return true;
    });
    await using client = await server.connect();
    client.send(request("GET /"));
    await begun.promise;
    client.reset();
    expect(await reason.promise).toMatchObject({ code: "HEMI_PEER_GONE" });
    await server.ask("OPTIONS *");
    expect(server.log.filter((line) => / (?:warn|error) /.test(line))).toEqual([]);
  });

  test.each(["before", "after"])("says that the handlet was too late, asked for %s that", async (when) => {
    const reason = Promise.withResolvers<unknown>();
    await using server = await serve({
      handlets: [
        async (req) => {
          if (when === "after") await new Promise<void>((resolve) => req.onAbort(resolve));
          const { signal } = req;
          if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve));
          reason.resolve(signal.reason);
          throw signal.reason;
        },
      ],
      settings: { handleTimeout: 20 },
    });
    expect(await server.ask("GET /")).toMatchObject({ status: 503 });
    expect(await reason.promise).toMatchObject({ code: "HEMI_TIMEOUT" });
    await server.ask("OPTIONS *");
    // What the handlet throws because it was stopped is not logged as a failure of its own.
    expect(server.log.filter((line) => / (?:warn|error) /.test(line))).toEqual([
      expect.stringMatching(/ warn .*gave no answer within handleTimeout to GET \/\n$/),
    ]);
  });

  test("aborts too if it is asked for after the client has left", async () => {
    const aborted = Promise.withResolvers<void>();
    await using server = await serve(async (req) => {
      await req.content.bytes().catch(() => undefined);
      req.signal.addEventListener("abort", () => aborted.resolve());
      return true;
    });
    await using client = await server.connect();
    client.send(request("POST /", { "content-length": "5" })).end();
    await aborted.promise;
  });

  test("asked for after the answer leaves the next answer to a client that has shut its side", async () => {
    const first = Promise.withResolvers<Request>();
    await using server = await serve(async (req, resp) => {
      if (req.path === "/first") {
        first.resolve(req);
        resp.send("first");
        return true;
      }
      // It fails as soon as the client has shut its side.
      await req.content.bytes().catch(() => undefined);
      expect((await first.promise).signal.aborted).toBe(false);
      resp.send("second");
      return true;
    });
    await using client = await server.connect();
    client.send(request("GET /first") + request("POST /second", { "content-length": "5" })).end();
    expect((await client.responses(2)).map(({ text }) => text)).toEqual(["first", "second"]);
  });

  test("does not abort after the answer", async () => {
    let signal: AbortSignal | undefined;
    await using server = await serve((req, resp) => {
      ({ signal } = req);
      resp.send();
      return true;
    });
    await server.ask("GET /");
    await server.ask("GET /");
    expect(signal?.aborted).toBe(false);
  });
});
