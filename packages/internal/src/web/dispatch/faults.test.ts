import { describe, expect, test } from "vitest";
import { HemiError } from "../../errors/hemi-error.ts";
import type { ContentFilter } from "../content/filter.ts";
import { HTTPError } from "../http-error.ts";
import type { HandletPart, ReviserPart } from "../kinds.ts";
import type { Response } from "../response/response.ts";
import { request } from "../../testing/raw-client.ts";
import { serve } from "../../testing/serve.ts";

const secret = "the secret of the house";
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function fail(): never {
  throw new Error(secret);
}

/** What a handlet may do wrong before it has sent anything. */
const beforeTheHead: Record<string, HandletPart["handle"]> = {
  "throws at once": fail,
  "throws a text at once": () => {
    throw secret as unknown as Error;
  },
  "throws after a while": async () => {
    await turn();
    return fail();
  },
  "throws with half a head": (_req, resp) => {
    resp.status = 201;
    resp.setHeader("x-secret", secret);
    return fail();
  },
  "returns false after it has read the content": async (req) => {
    await req.content.bytes();
    return false;
  },
  "reads the content twice": async (req, resp) => {
    await req.content.bytes();
    resp.send(await req.content.bytes());
    return true;
  },
  "sets a bad status": (_req, resp) => {
    resp.status = 99;
    return true;
  },
  "announces a bad size": (_req, resp) => {
    resp.contentSize = -1;
    return true;
  },
  "sends what is no JSON": (_req, resp) => {
    resp.sendJSON(undefined);
    return true;
  },
  "sends a JSON circle": (_req, resp) => {
    const circle: unknown[] = [];
    circle.push(circle);
    resp.sendJSON(circle);
    return true;
  },
};

/** Attempts to smuggle fields, each by another door. */
const injections: Record<string, (resp: Response) => void> = {
  "no value": (resp) => resp.setHeader("x", undefined as unknown as string),
  "a value that is no text": (resp) => resp.addHeader("x", null as unknown as string),
  "a value with CRLF": (resp) => resp.setHeader("x", "a\r\nset-cookie: evil=1"),
  "a value with LF": (resp) => resp.addHeader("x", "a\nb"),
  "a value with CR": (resp) => resp.setHeader("x", "a\rb"),
  "a value with NUL": (resp) => resp.setHeader("x", "a\0b"),
  "a value beyond latin1": (resp) => resp.setHeader("x", "\u010d\u010a"),
  "a name with CRLF": (resp) => resp.setHeader("x\r\ny", "1"),
  "a name with a colon": (resp) => resp.setHeader("x: y", "1"),
  "an empty name": (resp) => resp.setHeader("", "1"),
  "a length": (resp) => resp.setHeader("Content-Length", 3),
  "a coding": (resp) => resp.setHeader("transfer-encoding", "chunked"),
  "a connection field": (resp) => resp.addHeader("CONNECTION", "close"),
  "an upgrade": (resp) => resp.addHeader("upgrade", "h2c"),
  "a location": (resp) => resp.setHeader("location", "/a\r\nx: 1"),
  "a cookie's path": (resp) => resp.setCookie("a", "b", { path: "/\r\nx: 1" }),
  "a cookie's name": (resp) => resp.setCookie("a\r\nx", "b"),
  "a trailer": (resp) => resp.setTrailer("x", "a\r\n\r\nHTTP/1.1 200 OK"),
  "a trailer that frames": (resp) => resp.setTrailer("content-length", "5"),
  "an interim field": (resp) => resp.interim(103, { link: "a\r\n\r\n" }),
  "an interim 101": (resp) => resp.interim(101),
};

describe("a handlet that goes wrong before it has sent its head", () => {
  test.each(Object.entries(beforeTheHead))(
    "and %s gives 500 without a word, and a line in the log",
    async (_name, handle) => {
      await using server = await serve(handle);
      await using client = await server.connect();
      client.send(request("POST /a?b", {}, "hello"));
      const response = await client.response();
      expect(response).toMatchObject({ status: 500, text: "500 Internal Server Error\n" });
      expect(JSON.stringify(response.fields)).not.toContain("secret");
      const lines = server.log.filter((line) => line.includes(" error "));
      expect(lines).toHaveLength(1);
      expect(lines[0]).toContain("webapp.app/rule/handlet1");
      expect(lines[0]).toContain("failed at POST /a?b");
      expect(lines[0]).toMatch(/ #[0-9a-z]+-[0-9a-z]+-[0-9a-z]+ /);
      client.send(request("GET /"));
      expect((await client.response()).status).toBeGreaterThan(0);
    },
  );

  test.each(Object.entries(injections))("and injects %s sends none of it", async (_name, inject) => {
    await using server = await serve((_req, resp) => {
      inject(resp);
      resp.send("not reached");
      return true;
    });
    const response = await server.ask("GET /");
    expect(response).toMatchObject({ status: 500, interims: [], trailers: {} });
    expect(response.fields.map(([name]) => name)).toEqual(["date", "content-type", "content-length"]);
  });

  test.each([
    [404, "404 Not Found\n"],
    [418, "418\n"],
    [499, "499\n"],
    [503, "503 Service Unavailable\n"],
  ])("but throws an HTTPError %i gives that status", async (status, text) => {
    await using server = await serve(async () => {
      await turn();
      throw new HTTPError(status, secret);
    });
    expect(await server.ask("GET /")).toMatchObject({ status, text });
    expect(server.log.some((line) => line.includes(" error "))).toBe(status >= 500);
    expect(server.log.join("")).toContain(secret);
  });
});

describe("a handlet that has returned true, and fails later,", () => {
  test.each([
    ["an Error", new Error(secret), 500, "500 Internal Server Error\n"],
    ["an HTTPError", new HTTPError(413, secret), 413, "413 Content Too Large\n"],
  ])("by fail() with %s gives what it would have given by throwing it", async (_what, error, status, text) => {
    await using server = await serve((_req, resp) => {
      resp.setHeader("x-half", "1");
      setImmediate(() => resp.fail(error));
      return true;
    });
    const response = await server.ask("GET /");
    expect(response).toMatchObject({ status, text });
    expect(response.fields.map(([name]) => name)).not.toContain("x-half");
    const lines = server.log.filter((line) => line.includes(secret));
    expect(lines).toHaveLength(1);
    expect(/ error webapp\.app\/rule\/handlet1 #\S+ failed at GET \//.test(lines.join(""))).toBe(status === 500);
  });

  test("in the middle of its answer has it broken off", async () => {
    await using server = await serve((_req, resp) => {
      void resp.echo("some");
      setImmediate(() => resp.fail(new Error(secret)));
      return true;
    });
    await using client = await server.connect();
    client.send(request("GET /"));
    await expect(client.response()).rejects.toThrow();
    expect(server.log.join("")).toContain(secret);
  });

  test("after its answer only has it in the log", async () => {
    await using server = await serve((_req, resp) => {
      resp.send("all");
      resp.fail(new Error(secret));
      return true;
    });
    expect(await server.ask("GET /")).toMatchObject({ status: 200, text: "all" });
    expect(server.log.join("")).toContain(secret);
  });
});

describe("an answer that its handlet does not wait for", () => {
  test.each<[string, (resp: Response) => Promise<void>]>([
    ["sendStream", (resp) => resp.sendStream(endless())],
    ["sendRegion", (resp) => resp.sendRegion({ fd: 0, offset: 0, size: 1 })],
  ])("(%s) does not end the process when its client leaves", async (name, send) => {
    const left = Promise.withResolvers<void>();
    const unhandled: unknown[] = [];
    const note = (error: unknown): void => void unhandled.push(error);
    process.on("unhandledRejection", note);
    try {
      await using server = await serve((req, resp) => {
        if (name === "sendRegion") resp.abort();
        req.onAbort(() => left.resolve());
        void send(resp);
        return true;
      });
      await using client = await server.connect();
      client.send(request("GET /"));
      if (name === "sendStream") {
        await client.through("hello");
        client.reset();
      }
      await left.promise;
      await turn();
      await turn();
      expect(unhandled).toEqual([]);
    } finally {
      process.off("unhandledRejection", note);
    }
  });

  test("has the error of its source in the log, once", async () => {
    await using server = await serve((_req, resp) => {
      void resp.sendStream(failing());
      return true;
    });
    await using client = await server.connect();
    client.send(request("GET /"));
    await expect(client.response()).rejects.toThrow(/broke|ended/);
    await turn();
    expect(server.log.filter((line) => line.includes(" error "))).toHaveLength(1);
    expect(server.log.join("")).toContain("webapp.app/rule/handlet1");
  });

  test("is refused for a file by a relative path", async () => {
    await using server = await serve(async (_req, resp) => (await resp.sendFile("a.txt"), true));
    expect(await server.ask("GET /")).toMatchObject({ status: 500 });
    expect(server.log.join("")).toContain("HEMI_USAGE");
  });
});

async function* endless(): AsyncGenerator<string> {
  for (;;) {
    yield "hello";
    await turn();
  }
}

async function* failing(): AsyncGenerator<string> {
  yield "hello";
  await turn();
  fail();
}

describe("what another peer than the client did", () => {
  test.each(["HEMI_TIMEOUT", "HEMI_PEER_GONE", "HEMI_CONTENT_BROKEN"] as const)("(%s) is a 500", async (code) => {
    await using server = await serve(() => {
      throw new HemiError(code, "the backend failed");
    });
    expect(await server.ask("GET /")).toMatchObject({ status: 500 });
    expect(server.log.join("")).toMatch(/ error [^]*the backend failed/);
  });
});

describe("a handlet in JavaScript that returns what is no answer", () => {
  test.each<[unknown, string]>([
    [undefined, "undefined"],
    [null, "null"],
    [1, "1"],
    ["yes", "a string"],
    [{}, "an object"],
    [() => true, "a function"],
    [Promise.resolve(), "a promise of undefined"],
    [Promise.resolve("yes"), "a promise of a string"],
  ])("(%o) gives 500, and the log says that it is %s and what to return", async (returned, what) => {
    await using server = await serve((() => returned) as unknown as HandletPart["handle"]);
    expect(await server.ask("GET /")).toMatchObject({ status: 500, text: "500 Internal Server Error\n" });
    const lines = server.log.filter((line) => line.includes(" error "));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain("webapp.app/rule/handlet1");
    expect(lines[0]).toContain(
      `handle() of handlet1 returned ${what}: it must return true (taken) or false (not mine)`,
    );
  });

  test("has its answer sent if there is one", async () => {
    const handle = ((_req, resp) => resp.send("hello")) as HandletPart["handle"];
    await using server = await serve(handle);
    expect(await server.ask("GET /")).toMatchObject({ status: 200, text: "hello" });
    expect(server.log.join("")).toContain("returned undefined");
  });
});

/** What a handlet may do wrong after it has begun to answer, in chunks. */
const afterTheHead: Record<string, HandletPart["handle"]> = {
  "throws at once": (_req, resp) => {
    void resp.echo("hello");
    return fail();
  },
  "throws after a while": async (_req, resp) => {
    await resp.echo("hello");
    await turn();
    return fail();
  },
  "returns false": (_req, resp) => {
    void resp.echo("hello");
    return false;
  },
  "changes the head": (_req, resp) => {
    void resp.echo("hello");
    resp.status = 404;
    return true;
  },
  "sends a whole": (_req, resp) => {
    void resp.echo("hello");
    resp.send("again");
    return true;
  },
  "streams a source that throws": async (_req, resp) => {
    await resp.sendStream(
      (async function* () {
        yield "hello";
        await turn();
        fail();
      })(),
    );
    return true;
  },
  "sends more than it announced": async (_req, resp) => {
    resp.contentSize = 7;
    await resp.echo("hello");
    await resp.echo("hello");
    return true;
  },
  "sends less than it announced": async (_req, resp) => {
    resp.contentSize = 7;
    await resp.echo("hello");
    resp.end();
    return true;
  },
};

describe("a handlet that goes wrong after it has sent its head", () => {
  test.each(Object.entries(afterTheHead))(
    "and %s breaks the answer off, and gets a line in the log",
    async (_name, handle) => {
      await using server = await serve(handle);
      await using client = await server.connect();
      client.send(request("GET /"));
      await expect(client.response()).rejects.toThrow(/broke|ended/);
      expect(server.log.filter((line) => line.includes(" error "))).toHaveLength(1);
      expect(server.log.join("")).toContain("webapp.app/rule/handlet1");
    },
  );
});

describe("a handlet that goes wrong after it has answered", () => {
  test.each<[string, HandletPart["handle"]]>([
    ["answers again", (_req, resp) => (resp.send("hello"), resp.send("again"), true)],
    ["redirects", (_req, resp) => (resp.send("hello"), resp.redirect("/"), true)],
    ["echoes", (_req, resp) => (resp.send("hello"), void resp.echo("again"), true)],
    ["ends", (_req, resp) => (resp.send("hello"), resp.end(), true)],
    ["throws", (_req, resp) => (resp.send("hello"), fail())],
    ["returns false", (_req, resp) => (resp.send("hello"), false)],
    [
      "throws later",
      async (_req, resp) => {
        resp.send("hello");
        await turn();
        return fail();
      },
    ],
  ])("and %s has its answer sent, once, and gets a line in the log", async (_name, handle) => {
    await using server = await serve(handle);
    await using client = await server.connect();
    client.send(request("GET /"));
    expect(await client.response()).toMatchObject({ status: 200, text: "hello" });
    client.send(request("GET /"));
    expect(await client.response()).toMatchObject({ status: 200, text: "hello" });
    await turn();
    expect(server.log.filter((line) => line.includes(" error "))).toHaveLength(2);
  });

  test("content that was not read can no longer be", async () => {
    const read = Promise.withResolvers<unknown>();
    await using server = await serve(async (req, resp) => {
      resp.send("hello");
      await req.content.bytes().catch(read.resolve);
      return true;
    });
    expect(await server.ask(request("POST /", {}, "content"))).toMatchObject({ text: "hello" });
    expect(await read.promise).toMatchObject({ code: "HEMI_CONTENT_READ" });
  });

  test("who reads while another answers is told so", async () => {
    const read = Promise.withResolvers<unknown>();
    await using server = await serve((req, resp) => {
      req.content.bytes().catch(read.resolve);
      setImmediate(() => resp.send("hello"));
      return true;
    });
    await using client = await server.connect();
    client.send(request("POST /", { "content-length": "10" }));
    expect(await client.response()).toMatchObject({ text: "hello" });
    expect(await read.promise).toMatchObject({ code: "HEMI_CONTENT_READ" });
  });
});

describe("a reviser that goes wrong", () => {
  const say: HandletPart["handle"] = async (req, resp) => {
    await req.content.bytes();
    resp.send("hello");
    return true;
  };
  const filtering = (filter: ContentFilter): ReviserPart => ({ rank: 5, reviseResponse: () => filter });
  const pass: ContentFilter["push"] = (piece, next) => next(piece);

  test.each<[string, ReviserPart]>([
    ["at a request's head", { rank: 5, reviseRequest: fail }],
    ["at a request's content", { rank: 5, reviseRequest: () => ({ push: fail }) }],
    ["at the end of a request's content", { rank: 5, reviseRequest: () => ({ push: pass, end: fail }) }],
    ["at a response's head", { rank: 5, reviseResponse: fail }],
    [
      "at a response's head, by a bad field",
      { rank: 5, reviseResponse: (_req, resp) => (resp.setHeader("\n", ""), undefined) },
    ],
    ["by answering itself", { rank: 5, reviseResponse: (_req, resp) => (resp.send("mine"), undefined) }],
  ])("%s does not leak, and is named in the log", async (name, reviser) => {
    await using server = await serve({ handlets: [say], revisers: [reviser] });
    await using client = await server.connect();
    client.send(request("POST /", {}, "hello") + request("POST /", {}, "hello"));
    const expected = name === "by answering itself" ? { status: 200, text: "mine" } : { status: 500 };
    expect(await client.response()).toMatchObject(expected);
    expect(await client.response()).toMatchObject(expected);
    const lines = server.log.filter((line) => line.includes(" error "));
    expect(lines).toHaveLength(2);
    if (name !== "by answering itself") expect(lines[0]).toContain("webapp.app/rule/reviser1");
    expect(lines[0]).toContain(" #");
  });

  test.each<[string, ContentFilter]>([
    ["push", { push: fail }],
    ["a later push", { push: () => turn().then(fail) }],
    ["end", { push: pass, end: fail }],
    ["a later end", { push: pass, end: () => turn().then(fail) }],
    ["close", { push: pass, close: fail }],
  ])("at %s breaks the answer off, and is named in the log once", async (_name, filter) => {
    await using server = await serve({ handlets: [say], revisers: [{ rank: 9 }, filtering(filter)] });
    await using client = await server.connect();
    client.send(request("GET /"));
    await expect(client.response()).rejects.toThrow(/broke|ended/);
    await turn();
    const lines = server.log.filter((line) => line.includes(" error "));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain("webapp.app/rule/reviser2");
    expect(lines[0]).toContain("failed at GET /");
  });

  test("at an answer that is streamed is named once, though the handlet hears of it", async () => {
    const heard = Promise.withResolvers<unknown>();
    const handle: HandletPart["handle"] = async (_req, resp) => {
      try {
        for (;;) await resp.echo("hello");
      } catch (error) {
        heard.resolve(error);
        throw error;
      }
    };
    await using server = await serve({ handlets: [handle], revisers: [filtering({ push: () => turn().then(fail) })] });
    await using client = await server.connect();
    client.send(request("GET /"));
    await expect(client.response()).rejects.toThrow(/broke|ended/);
    expect(await heard.promise).toMatchObject({ cause: { message: secret } });
    await turn();
    expect(server.log.filter((line) => line.includes(" error "))).toHaveLength(1);
  });

  test("is not blamed when the client leaves", async () => {
    const heard = Promise.withResolvers<unknown>();
    const handle: HandletPart["handle"] = async (_req, resp) => {
      try {
        for (;;) await resp.echo(Buffer.alloc(64 * 1024));
      } catch (error) {
        heard.resolve(error);
        throw error;
      }
    };
    await using server = await serve({ handlets: [handle], revisers: [filtering({ push: pass })] });
    await using client = await server.connect();
    client.send(request("GET /"));
    await client.through("\r\n\r\n");
    client.reset();
    expect(await heard.promise).toMatchObject({ code: "HEMI_PEER_GONE" });
    await turn();
    expect(server.log.filter((line) => / (?:warn|error) /.test(line))).toEqual([]);
  });
});

test.each<[string, HandletPart["handle"], string, number]>([
  ["gives no answer", () => new Promise(() => undefined), "gave no answer within handleTimeout", 503],
  ["says that it will answer, and does not", () => true, "gave no answer within handleTimeout", 503],
  [
    "stops in the middle of its answer",
    (_req, resp) => {
      void resp.echo("a piece");
      return true;
    },
    "did not complete its answer within handleTimeout",
    200,
  ],
])("a handlet that %s is in the log with path and request", async (_name, handle, lack, status) => {
  await using server = await serve({ handlets: [handle], settings: { handleTimeout: 30 } });
  await using client = await server.connect();
  expect(await client.send(request("GET /slow?x")).head()).toMatchObject({ status });
  await expect
    .poll(() => server.log.join(""))
    .toMatch(new RegExp(`warn webapp\\.app/rule/handlet1 #\\S+ ${lack} to GET /slow\\?x\n`));
});
