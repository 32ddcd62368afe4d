import { onlyWorker } from "../../stage/workers.ts";
import { mkdir, mkdtempDisposable, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { bootWith } from "../../boot.ts";
import { pack } from "../../component/pack.ts";
import { Clock } from "../../fixtures/clock.ts";
import { openErrorLog } from "../../log/error-log.ts";
import { MemorySink } from "../../log/sink.ts";
import { defineHandlet, type HandletPart } from "../kinds.ts";
import { askOf } from "../../testing/ask.ts";
import { request, type RawClient } from "../../testing/raw-client.ts";
import { serve, type ServeOptions, type TestServer } from "../../testing/serve.ts";
import { Uncaught } from "../../testing/uncaught.ts";
import { AccessLog } from "./access-log.ts";

const temporary = () => mkdtempDisposable(join(tmpdir(), "hemi-access-"));
const unsampled = { perMillion: 1_000_000, alwaysFrom: 400, alwaysSlow: undefined, to: undefined };
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** What a line says of the answer: `GET / 200 5`. */
const answers = (log: string): string[] =>
  [
    ...log.matchAll(
      /^127\.0\.0\.1 - - \[\d\d\/\w{3}\/\d{4}:[\d:]{8} \+0000\] "(\S+ \S+) HTTP\/1\.[01]" (.*) "-" "-"$/gm,
    ),
  ].map(([, line, answer]) => `${line} ${answer}`);

/** Serves with an access log, does something, and returns what is in the log after the server has quit. */
async function logOf(
  options: ServeOptions,
  act: (client: RawClient, server: TestServer) => Promise<unknown>,
): Promise<string> {
  await using dir = await temporary();
  const file = join(dir.path, "logs", "access.log");
  {
    await using server = await serve({ ...options, webapp: { accessLog: { file } } });
    await act(await server.connect(), server);
    expect(server.log.join("")).not.toContain("failed");
  }
  return await readFile(file, "utf8");
}

const hello: HandletPart["handle"] = (_req, resp) => (resp.send("hello"), true);
const stream: HandletPart["handle"] = async (_req, resp) => {
  for (let i = 0; i < 3; i++) {
    await resp.echo("äb");
    await turn();
  }
  resp.end();
  return true;
};

describe("an access log", () => {
  test.each<[string, HandletPart["handle"], string, string]>([
    ["a whole", hello, "GET /a?b=c", "GET /a?b=c 200 5"],
    ["text of several bytes a character", (_req, resp) => (resp.send("ä€"), true), "GET /", "GET / 200 5"],
    ["nothing", (_req, resp) => (resp.send(), true), "GET /", "GET / 200 0"],
    ["an answer to HEAD", hello, "HEAD /", "HEAD / 200 0"],
    ["a streamed answer", stream, "GET /", "GET / 200 9"],
    ["a streamed answer to HEAD", stream, "HEAD /", "HEAD / 200 0"],
    ["204", (_req, resp) => ((resp.status = 204), resp.send(), true), "GET /", "GET / 204 0"],
    ["a request that nobody takes", () => false, "GET /no", "GET /no 404 14"],
    ["a handlet that says so later", () => Promise.resolve(false), "GET /no", "GET /no 404 14"],
    ["dot segments", hello, "GET /a/../b/./%2e%2e/c", "GET /c 200 5"],
  ])("has a line for %s", async (_name, handle, line, expected) => {
    const log = await logOf({ handlets: [handle] }, (client) =>
      client.send(request(line)).response(line.startsWith("HEAD ") ? "HEAD" : "GET"),
    );
    expect(answers(log)).toEqual([expected]);
    expect(log).toHaveLength(log.indexOf("\n") + 1);
  });

  test("has the lines of pipelined requests in order", async () => {
    const log = await logOf(
      { handlets: [(req, resp) => (req.path === "/2" ? stream(req, resp) : hello(req, resp))] },
      (client) => client.send(["/1", "/2", "/3"].map((path) => request(`GET ${path}`)).join("")).responses(3),
    );
    expect(answers(log)).toEqual(["GET /1 200 5", "GET /2 200 9", "GET /3 200 5"]);
  });

  test.each(["combined", "json"])("tells each request of a connection apart, in the format %s", async (format) => {
    await using dir = await temporary();
    const file = join(dir.path, "access.log");
    const asked = [
      ["/a", "one"],
      ["/a", "one"],
      ["/a", "two"],
      ["/b", "two"],
      ["/rewritten", "two"],
      ["/rewritten", "two"],
    ] as const;
    {
      const handle: HandletPart["handle"] = (req, resp) => {
        if (req.path === "/rewritten") req.rewrite("/new");
        return hello(req, resp);
      };
      await using server = await serve({ handlets: [handle], webapp: { accessLog: { file, format } } });
      await using client = await server.connect();
      for (const [path, agent] of asked) {
        await client.send(request(`GET ${path}`, { "user-agent": agent })).response();
      }
    }
    const lines = (await readFile(file, "utf8")).trimEnd().split("\n");
    const told = format === "json" ? /"uri":"(.*?)".*"userAgent":"(.*?)"/ : /"GET (.*?) .*"(.*?)"$/;
    expect(lines.map((line) => told.exec(line)?.slice(1))).toEqual(asked);
  });

  test("counts what a filter made of the content", async () => {
    const twice = { rank: 5, reviseResponse: () => ({ push: doubled }) };
    const log = await logOf({ handlets: [hello], revisers: [twice] }, (client) =>
      client.send(request("GET /")).response(),
    );
    expect(answers(log)).toEqual(["GET / 200 10"]);
  });

  test("has a line for an answer that the client broke off, with what was sent", async () => {
    const left = Promise.withResolvers<void>();
    const handle: HandletPart["handle"] = async (req, resp) => {
      req.signal.addEventListener("abort", () => left.resolve());
      await resp.echo("hello");
      return true;
    };
    const log = await logOf({ handlets: [handle] }, async (client) => {
      await client.send(request("GET /")).through("hello");
      client.reset();
      await left.promise;
    });
    expect(answers(log)).toEqual(["GET / 200 5"]);
  });

  test("has status 499 for a client that left before it was answered", async () => {
    const left = Promise.withResolvers<void>();
    const came = Promise.withResolvers<void>();
    const handle: HandletPart["handle"] = (req) => {
      req.signal.addEventListener("abort", () => left.resolve());
      came.resolve();
      return true;
    };
    const log = await logOf({ handlets: [handle] }, async (client) => {
      client.send(request("GET /"));
      await came.promise;
      client.reset();
      await left.promise;
    });
    expect(answers(log)).toEqual(["GET / 499 0"]);
  });

  test("has a line for an answer that came too late, with the status that took its place", async () => {
    const log = await logOf({ handlets: [() => true], settings: { handleTimeout: 20 } }, (client) =>
      client.send(request("GET /")).response(),
    );
    expect(answers(log)).toEqual(["GET / 503 0"]);
  });

  test("has one line for a request that is still served when the server shuts down", async () => {
    const came = Promise.withResolvers<void>();
    const log = await logOf({ handlets: [() => (came.resolve(), true)] }, async (client, { stage }) => {
      client.send(request("GET /"));
      await came.promise;
      await stage.quit(1);
    });
    expect(answers(log)).toEqual(["GET / 499 0"]);
  });

  test("has no line for requests that reached no webapp", async () => {
    const log = await logOf({ handlets: [hello] }, (client) => client.send("GET / HTTP/1.1\r\n\r\n").response());
    expect(log).toBe("");
  });

  test("holds one line for a user agent that would forge another", async () => {
    const log = await logOf({ handlets: [hello] }, (client) =>
      client.send(request("GET /", { "user-agent": 'x" 200 5 "-" "\\\x80\x9b\t' })).response(),
    );
    expect(log.split("\n")).toHaveLength(2);
    expect(log).toContain(' "x\\x22 200 5 \\x22-\\x22 \\x22\\x5C\\x80\\x9B"');
  });

  test("tells the error log of lines that it lost", async () => {
    await using dir = await temporary();
    const errors = new MemorySink();
    const settings = { file: join(dir.path, "a"), format: "combined", maxBuffer: 1_000_000 } as const;
    const rest = { maxSize: undefined, daily: false, keep: 1, redactQueries: [], ...unsampled };
    const log = await AccessLog.open({ ...settings, ...rest }, new Clock(), openErrorLog({ sink: errors }), onlyWorker);
    const ask = askOf((req, resp) => {
      log.follow(req, resp);
      resp.send();
      return true;
    });
    // Nothing is written between them: what they wait for is not the system.
    for (let i = 0; i < 4; i++) void ask({ url: "/", headers: { "user-agent": "x".repeat(600_000) } });
    await log.close();
    expect(errors.lines.join("")).toMatch(/ warn lines of the access log were lost .* count=3\n/);
    expect((await readFile(join(dir.path, "a"), "utf8")).split("\n")).toHaveLength(2);
  });

  test("tells of a line that cannot be made, and writes the next one", async () => {
    await using dir = await temporary();
    using uncaught = new Uncaught();
    const errors = new MemorySink();
    const settings = { file: join(dir.path, "a"), format: "combined", maxBuffer: 1_000_000 } as const;
    const rest = { maxSize: undefined, daily: false, keep: 1, redactQueries: [], ...unsampled };
    const log = await AccessLog.open({ ...settings, ...rest }, new Clock(), openErrorLog({ sink: errors }), onlyWorker);
    const ask = askOf((req, resp) => {
      log.follow(req, resp);
      if (req.path === "/bad") {
        Object.defineProperty(req, "header", {
          value() {
            throw new Error("on purpose");
          },
        });
      }
      resp.send();
      return true;
    });
    for (const url of ["/bad", "/good"]) expect((await ask({ url })).status).toBe(200);
    await log.close();
    expect(errors.lines.join("")).toMatch(
      / error \S+ no line of the access log could be made for GET \/bad.*on purpose/s,
    );
    expect((await readFile(join(dir.path, "a"), "utf8")).match(/GET \S+/g)).toEqual(["GET /good"]);
    expect(uncaught.errors).toEqual([]);
  });
});

const fail = defineHandlet({
  sign: "fail",
  create: () => ({
    handle() {
      throw new Error("on purpose");
    },
  }),
});
const { bootText } = bootWith([]);

/** Asks for the paths one after the other, and returns what is in the log of the webapp. */
async function injected(webapp: string, paths: readonly string[]): Promise<string[]> {
  await using dir = await temporary();
  const text = `stage {
    webapp "app" { .hostnames = ("*") .accessLog = ["file": "access.log"] ${webapp} }
    httpxServer "main" { .webapps = ("app") .address = "127.0.0.1:0" }
  }`;
  const log = openErrorLog({ sink: new MemorySink() });
  {
    await using stage = await bootText(text, { log, baseDir: dir.path, use: [pack("test", [fail])] });
    await stage.start();
    for (const url of paths) await stage.inject({ url });
  }
  return answers(await readFile(join(dir.path, "access.log"), "utf8"));
}

describe("logAccess", () => {
  const paths = ["/quiet", "/loud", "/none"];
  test.each([
    [
      "of a rule",
      'rule $path == "/quiet" { .logAccess = false .returnText = "q" } rule $path == "/loud" { .returnText = "l" }',
      ["GET /loud 200 1", "GET /none 404 14"],
    ],
    [
      "of a webapp, for its rules that say nothing and for what they do not take",
      '.logAccess = false rule $path == "/quiet" { .returnText = "q" } rule $path == "/loud" { .logAccess = true .returnText = "l" }',
      ["GET /loud 200 1"],
    ],
    [
      "of a rule that fails",
      'rule $path == "/quiet" { .logAccess = false fail {} } rule $path == "/loud" { fail {} }',
      ["GET /loud 500 26", "GET /none 404 14"],
    ],
    [
      "of a rule that leaves the request to the next",
      'rule { .logAccess = false } rule $path == "/quiet" { .logAccess = false .returnText = "q" } rule $path == "/loud" { .returnText = "l" }',
      ["GET /loud 200 1", "GET /none 404 14"],
    ],
    [
      "of a rule whose condition takes a while",
      '.webRoot = "." rule $path -f { .logAccess = false .returnText = "f" } rule $path == "/loud" { .returnText = "l" }',
      ["GET /quiet 404 14", "GET /loud 200 1", "GET /none 404 14"],
    ],
  ])("%s decides", async (_name, webapp, expected) => {
    expect(await injected(webapp, paths)).toEqual(expected);
  });
});

test("an access log that cannot be opened is a mistake at boot", async () => {
  await using dir = await temporary();
  await writeFile(join(dir.path, "file"), "");
  await mkdir(join(dir.path, "folder"));
  for (const name of ["folder", "file/access.log"]) {
    const accessLog = { file: join(dir.path, name) };
    const error: unknown = await serve({ webapp: { accessLog } }).catch((error: unknown) => error);
    expect(error).toMatchObject({
      code: "HEMI_STAGE_PREPARE",
      message: expect.stringMatching(/^webapp\.app could not be prepared:\n.* HEMI_FILE: the access log/) as string,
      cause: { code: "HEMI_FILE" },
    });
  }
});

async function doubled(piece: Uint8Array, next: (piece: Uint8Array) => void | Promise<void>): Promise<void> {
  await next(piece);
  await next(piece);
}
