import { mkdir, mkdtempDisposable, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { join as joinText, variable } from "../../config/object.ts";
import { answer, asked, end, fcgiRecord, type FcgiAsked } from "../../testing/fcgi-program.ts";
import { recordTypes } from "../../fcgi/records.ts";
import { RawBackend, type BackendConn } from "../../testing/raw-backend.ts";
import { proxyTo, type ProxyOptions, type Settings, type TestProxy } from "../../testing/proxy.ts";
import { request } from "../../testing/raw-client.ts";

const signs = { backend: "fcgiBackend", handlet: "fcgiRelay" };
const short = { dialTimeout: 200, readTimeout: 200, writeTimeout: 200, queueTimeout: 200 };

/** A relay to a server that answers every request by a function; scripts need not be there. */
async function relayTo(
  serve: (asked: FcgiAsked, conn: BackendConn, number: number) => unknown,
  { proxy = {}, ...options }: ProxyOptions = {},
): Promise<AsyncDisposable & { readonly relay: TestProxy; readonly backend: RawBackend }> {
  const backend = await RawBackend.listen(async (conn, number) => {
    for (;;) await serve(await asked(conn), conn, number);
  });
  const own: Settings = { webRoot: "/srv/site", checkScript: false, ...proxy };
  const relay = await proxyTo([backend.address], { signs, ...options, proxy: own });
  return {
    relay,
    backend,
    async [Symbol.asyncDispose]() {
      await relay[Symbol.asyncDispose]();
      await backend[Symbol.asyncDispose]();
    },
  };
}

/** For servers that do what the test says, and read nothing more. */
const never = new Promise<never>(() => undefined);

const say = (output: string) => (_asked: unknown, conn: BackendConn) => conn.send(answer(output));
const hello = say("Content-Type: text/plain\n\nhello");

describe("a relay", () => {
  test("answers with what the program says", async () => {
    await using site = await relayTo(say("Status: 404 Gone\r\nX-A: b\r\nContent-Type: text/plain\r\n\r\nhello"));
    const response = await site.relay.ask("GET /a.php");
    expect(response).toMatchObject({ status: 404, text: "hello" });
    expect(response.headers).toMatchObject({ "x-a": "b", "content-type": "text/plain", "content-length": "5" });
    expect(response.headers).not.toHaveProperty("status");
  });

  test.each([
    ["at once", false],
    ["in pieces", true],
  ])("answers HEAD with the length that the program says, or with none, %s", async (_way, isSplit) => {
    for (const [field, length] of [
      ["Content-Length: 5\r\n", "5"],
      ["", undefined],
    ] as const) {
      const head = `Content-Type: text/plain\r\n${field}\r\n`;
      const say = async (_asked: unknown, conn: BackendConn): Promise<void> => {
        if (!isSplit) return void conn.send(answer(head));
        conn.send(fcgiRecord(recordTypes.stdout, head));
        for (let turn = 0; turn < 20; turn++) await setImmediate();
        conn.send(end());
      };
      await using site = await relayTo(say, { proxy: { bufferServerContent: true } });
      const response = await site.relay.ask("HEAD /a.php");
      expect(response).toMatchObject({ status: 200, text: "" });
      expect(response.headers["content-length"]).toBe(length);
    }
  });

  test("tells the program what is asked, and gives it the content", async () => {
    const seen: FcgiAsked[] = [];
    await using site = await relayTo((one, conn) => (seen.push(one), hello(one, conn)), {
      proxy: { params: { APP_ENV: "prod", SERVER_SOFTWARE: "mine" } },
    });
    await site.relay.ask(request("POST /a.php/b?c=d", { "content-length": "200000" }) + "x".repeat(200_000));
    expect(seen[0]?.content).toBe("x".repeat(200_000));
    expect(seen[0]?.params).toMatchObject({
      SCRIPT_FILENAME: "/srv/site/a.php",
      PATH_INFO: "/b",
      QUERY_STRING: "c=d",
      CONTENT_LENGTH: "200000",
      APP_ENV: "prod",
      SERVER_SOFTWARE: "mine",
    });
  });

  test("runs the scripts of its folder below a prefix, which they are told of", async () => {
    const seen: FcgiAsked[] = [];
    await using site = await relayTo((one, conn) => (seen.push(one), hello(one, conn)), {
      proxy: { stripPrefix: "/blog" },
    });
    expect((await site.relay.ask("GET /blog/a.php/b?c=d")).status).toBe(200);
    expect(seen[0]?.params).toMatchObject({
      SCRIPT_FILENAME: "/srv/site/a.php",
      SCRIPT_NAME: "/blog/a.php",
      PATH_INFO: "/b",
      REQUEST_URI: "/blog/a.php/b?c=d",
      DOCUMENT_ROOT: "/srv/site",
    });
    expect((await site.relay.ask("GET /blog/")).status).toBe(200);
    expect(seen[1]?.params).toMatchObject({ SCRIPT_FILENAME: "/srv/site/index.php", SCRIPT_NAME: "/blog/index.php" });
    for (const path of ["/a.php", "/blogs/a.php"]) expect((await site.relay.ask(`GET ${path}`)).status).toBe(404);
    expect(seen).toHaveLength(2);
  });

  test.each([
    ["ann", 200],
    ["..", 400],
    ["..%2F..%2Fetc", 400],
    ["a%2Fb", 400],
    ["a%00b", 400],
  ])("a variable in the name of a file does not lead to another folder: %s", async (user, status) => {
    const seen: FcgiAsked[] = [];
    await using site = await relayTo((one, conn) => (seen.push(one), hello(one, conn)), {
      proxy: { params: { DOCUMENT_ROOT: joinText("/srv/", variable("query_user"), "/web", variable("path")) } },
    });
    expect((await site.relay.ask(`GET /a.php?user=${user}`)).status).toBe(status);
    expect(seen.map(({ params }) => params["DOCUMENT_ROOT"])).toEqual(status === 200 ? ["/srv/ann/web/a.php"] : []);
  });

  test("gathers content of no known size, since the program is told its size at first", async () => {
    const seen: FcgiAsked[] = [];
    await using site = await relayTo((one, conn) => (seen.push(one), hello(one, conn)));
    const chunked = request("POST /a.php", { "transfer-encoding": "chunked" }) + "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
    expect((await site.relay.ask(chunked)).status).toBe(200);
    expect(seen[0]).toMatchObject({ content: "abcde", params: { CONTENT_LENGTH: "5" } });
  });

  test("keeps its connection, and asks the server to", async () => {
    const seen: FcgiAsked[] = [];
    await using site = await relayTo((one, conn) => (seen.push(one), hello(one, conn)));
    for (let i = 0; i < 3; i++) expect((await site.relay.ask("GET /a.php")).status).toBe(200);
    expect(site.backend.conns).toHaveLength(1);
    expect(seen.every(({ keepsConn }) => keepsConn)).toBe(true);
  });

  test("keeps none where keepConns is 0", async () => {
    const seen: FcgiAsked[] = [];
    await using site = await relayTo((one, conn) => (seen.push(one), hello(one, conn)), { backend: { keepConns: 0 } });
    for (let i = 0; i < 3; i++) expect((await site.relay.ask("GET /a.php")).status).toBe(200);
    expect(site.backend.conns).toHaveLength(3);
    expect(seen.some(({ keepsConn }) => keepsConn)).toBe(false);
  });

  test("gives a kept one up for a new one that waits: perhaps for the process that the kept one has", async () => {
    const held = Promise.withResolvers<BackendConn>();
    const waits = Promise.withResolvers<BackendConn>();
    await using site = await relayTo(async (_asked, conn, number) => {
      (number === 0 ? held : waits).resolve(conn);
      await never;
    });
    const first = site.relay.ask("GET /1.php");
    const conn = await held.promise;
    const second = site.relay.ask("GET /2.php");
    const other = await waits.promise;
    conn.send(answer("A: b\n\n1"));
    expect((await first).text).toBe("1");
    expect(await conn.ended()).toBe(true);
    other.send(answer("A: b\n\n2"));
    expect((await second).text).toBe("2");
  });

  test("streams an answer as it comes", async () => {
    const conns = Promise.withResolvers<BackendConn>();
    await using site = await relayTo(async (_asked, conn) => {
      conns.resolve(conn);
      await never;
    });
    const client = await site.relay.connect();
    client.send(request("GET /a.php"));
    const conn = await conns.promise;
    conn.send(fcgiRecord(recordTypes.stdout, "Content-Type: text/event-stream\n\ndata: 1\n\n"));
    await client.through("data: 1\n\n");
    conn.send(fcgiRecord(recordTypes.stdout, "data: 2\n\n"));
    await client.through("data: 2\n\n");
    conn.send(end());
    await client.through("0\r\n\r\n");
  });

  test("sends no content for HEAD, 204 and 304, whatever the program writes", async () => {
    await using site = await relayTo(({ params }, conn) =>
      conn.send(answer(`Status: ${params["QUERY_STRING"]}\nContent-Length: 5\n\nhello`)),
    );
    expect(await site.relay.ask("HEAD /a.php?200")).toMatchObject({ status: 200, headers: { "content-length": "5" } });
    expect(await site.relay.ask("GET /a.php?204")).toMatchObject({ status: 204, text: "" });
    expect(await site.relay.ask("GET /a.php?304")).toMatchObject({ status: 304, text: "" });
  });

  test("sends as much as the program has announced", async () => {
    await using site = await relayTo(say("Content-Length: 2\n\nhello"));
    expect(await site.relay.ask("GET /a.php")).toMatchObject({ status: 200, text: "he" });
  });

  test("an answer may come before the request is complete", async () => {
    const backend = await RawBackend.listen(async (conn) => {
      await conn.exactly(100);
      conn.send(answer("Status: 413\n\ntoo much"));
    });
    await using proxy = await proxyTo([backend.address], {
      signs,
      proxy: { webRoot: "/srv", checkScript: false },
      maxContentSize: 1e9,
    });
    const client = await proxy.connect();
    const response = client.send(request("POST /a.php", { "content-length": "100000" }) + "x").response();
    expect(await response).toMatchObject({ status: 413, text: "too much" });
    await backend[Symbol.asyncDispose]();
  });

  test("a client that leaves ends the work", async () => {
    const conns = Promise.withResolvers<BackendConn>();
    await using site = await relayTo(async (_asked, conn) => {
      conns.resolve(conn);
      await never;
    });
    const client = await site.relay.connect();
    client.send(request("GET /a.php"));
    const conn = await conns.promise;
    client.reset();
    expect(await conn.ended()).toBe(true);
  });
});

describe("what programs complain of", () => {
  test("is in the log, with the request", async () => {
    await using site = await relayTo((_asked, conn) =>
      conn.send(Buffer.concat([fcgiRecord(recordTypes.stderr, "PHP Warning: x\n"), answer("A: b\n\n")])),
    );
    await site.relay.ask("GET /a.php");
    expect(site.relay.log.join("")).toMatch(/warn webapp\.all\/rule\/fcgiRelay #\S+ the program says: PHP Warning: x/);
  });

  test("does not fill the log", async () => {
    const flood = Array.from({ length: 100 }, () => fcgiRecord(recordTypes.stderr, "x".repeat(1000)));
    await using site = await relayTo((_asked, conn) => conn.send(Buffer.concat([...flood, answer("A: b\n\nok")])), {
      proxy: { maxComplaints: 2500 },
    });
    expect((await site.relay.ask("GET /a.php")).text).toBe("ok");
    const log = site.relay.log.join("");
    expect(log.match(/x/g)?.length).toBeLessThan(3000);
    expect(log).toContain("see maxComplaints");
  });

  test("a program that ends with an error says so in the log", async () => {
    await using site = await relayTo((_asked, conn) =>
      conn.send(Buffer.concat([fcgiRecord(recordTypes.stdout, "A: b\n\nok"), end(255)])),
    );
    expect((await site.relay.ask("GET /a.php")).text).toBe("ok");
    expect(site.relay.log.join("")).toContain("ended with status 255");
  });
});

describe("a server that does wrong", () => {
  test.each<[string, Buffer | string, string]>([
    ["speaks something else", "HTTP/1.1 400 Bad Request\r\n\r\n", "the version of a record"],
    ["ends without an answer", end(), "without a complete head"],
    ["ends in the middle of a head", answer("Status: 200\n"), "without a complete head"],
    ["sends a bad head", answer("hello\n\n"), "no field"],
    ["sends a head that is too large", answer(`A: ${"x".repeat(40_000)}\n\n`), "maxHeadSize"],
    ["says that it is overloaded", end(0, 2), "it is overloaded"],
    ["sends less than it announced", answer("Content-Length: 9\n\nhello"), "4 bytes shorter"],
    ["would add a field of its own", answer("A: b\rSet-Cookie: c=d\n\n"), "no field"],
  ])("%s: 502, and the log says why", async (_name, bytes, reason) => {
    await using site = await relayTo((_asked, conn) => conn.send(bytes), { proxy: { maxRetries: 0 } });
    expect((await site.relay.ask("GET /a.php")).status).toBe(502);
    expect(site.relay.log.join("")).toContain(reason);
  });

  test("says nothing: 504", async () => {
    await using site = await relayTo(() => undefined, { backend: short });
    expect((await site.relay.ask("GET /a.php")).status).toBe(504);
  });

  test("dies in the middle of its content: the answer is broken off", async () => {
    await using site = await relayTo((_asked, conn) => {
      conn.send(fcgiRecord(recordTypes.stdout, "A: b\n\nhello"));
      conn.socket.end();
    });
    await expect(site.relay.ask("GET /a.php")).rejects.toThrow();
    expect(site.relay.log.join("")).toContain("its answer is broken off");
  });

  test("closes a kept connection as it is used again: a GET is tried once more", async () => {
    await using site = await relayTo((one, conn, number) => {
      if (number === 0 && one.params["QUERY_STRING"] === "2") conn.socket.destroy();
      else hello(one, conn);
    });
    expect((await site.relay.ask("GET /a.php?1")).status).toBe(200);
    expect((await site.relay.ask("GET /a.php?2")).status).toBe(200);
    expect((await site.relay.ask("POST /a.php?3")).status).toBe(200);
  });
});

describe("the script", () => {
  test("must be a file inside the web root", async () => {
    await using root = await mkdtempDisposable(join(tmpdir(), "hemi-relay-"));
    await using outside = await mkdtempDisposable(join(tmpdir(), "hemi-outside-"));
    await writeFile(join(outside.path, "evil.php"), "");
    await symlink(join(outside.path, "evil.php"), join(root.path, "evil.php"));
    for (const file of ["a.php", "index.php", "photo.jpg"]) await writeFile(join(root.path, file), "");
    await using site = await relayTo(({ params }, conn) => conn.send(answer(`A: b\n\n${params["SCRIPT_NAME"]}`)), {
      proxy: { webRoot: root.path, checkScript: true },
    });
    const ask = async (path: string): Promise<string | number> => {
      const { status, text } = await site.relay.ask(`GET ${path}`);
      return status === 200 ? text : status;
    };
    expect(await ask("/a.php")).toBe("/a.php");
    expect(await ask("/a.php/more")).toBe("/a.php");
    expect(await ask("/")).toBe("/index.php");
    expect(await ask("/none.php")).toBe(404);
    expect(await ask("/photo.jpg")).toBe(404);
    expect(await ask("/photo.jpg/x.php")).toBe(404);
    expect(await ask("/evil.php")).toBe(404);
    expect(await ask("/..%2Fa.php")).toBe(400);
    expect(await ask("/x%2Fa.php")).toBe(404);
    expect(await ask("/%E9.php")).toBe(404);
    expect(await ask("/a.php/group%2Fproject")).toBe("/a.php");
    expect(await ask("/%00a.php")).toBe(400);
  });

  test("of a folder is found behind a redirect to its slash", async () => {
    await using root = await mkdtempDisposable(join(tmpdir(), "hemi-relay-"));
    await mkdir(join(root.path, "sub"));
    await mkdir(join(root.path, "bare"));
    await writeFile(join(root.path, "sub/index.php"), "");
    await using site = await relayTo(hello, { proxy: { webRoot: root.path, checkScript: true } });
    const answer = await site.relay.ask("GET //sub?a=b");
    expect([answer.status, answer.headers["location"]]).toEqual([301, "/sub/?a=b"]);
    expect((await site.relay.ask("GET /sub/")).text).toBe("hello");
    for (const line of ["GET /bare", "GET /none", "POST /sub", "GET /sub%2F"]) {
      expect((await site.relay.ask(line)).status).toBe(404);
    }
  });

  test("may be one for all paths", async () => {
    await using site = await relayTo(
      ({ params }, conn) =>
        conn.send(answer(`A: b\n\n${params["SCRIPT_FILENAME"]} ${params["SCRIPT_NAME"]} ${params["REQUEST_URI"]}`)),
      { proxy: { scriptFilename: "/srv/site/public/index.php" } },
    );
    expect((await site.relay.ask("GET /any/thing?a=b")).text).toBe(
      "/srv/site/public/index.php /public/index.php /any/thing?a=b",
    );
  });
});

describe("SCGI", () => {
  const scgi = { backend: "scgiBackend", handlet: "scgiRelay" };

  test("is asked by a netstring, and answers until it closes", async () => {
    let seen = "";
    await using backend = await RawBackend.listen(async (conn) => {
      const size = Number((await conn.through(":")).slice(0, -1));
      const params = await conn.exactly(size + 1);
      seen = `${params}${await conn.exactly(5)}`;
      conn.send("Status: 201 Created\r\nContent-Type: text/plain\r\n\r\nhello");
      conn.socket.end();
    });
    const proxy = { webRoot: "/srv", checkScript: false, splitPathInfo: [] };
    await using relay = await proxyTo([backend.address], { signs: scgi, proxy });
    const response = await relay.ask(request("POST /a", { "content-length": "5" }) + "12345");
    expect(response).toMatchObject({ status: 201, text: "hello" });
    expect(seen).toMatch(/^CONTENT_LENGTH\x005\x00SCGI\x001\x00/);
    expect(seen).toContain("\0REQUEST_METHOD\0POST\0");
    expect(seen).toMatch(/\0,12345$/);
  });

  test("that says nothing at all is broken: 502", async () => {
    await using backend = await RawBackend.listen((conn) => Promise.resolve(conn.socket.end()));
    const proxy = { webRoot: "/srv", checkScript: false, maxRetries: 0 };
    await using relay = await proxyTo([backend.address], { signs: scgi, proxy });
    expect((await relay.ask("GET /a.php")).status).toBe(502);
  });
});

test("a param whose name no program could read is a mistake at boot", async () => {
  const proxy = { webRoot: "/srv", params: { "A B": "c" } };
  await expect(proxyTo(["127.0.0.1:1"], { signs, proxy })).rejects.toThrow('"A B" is no name of a variable');
});

test("a field that no answer can have is a mistake at boot", async () => {
  const named = { webRoot: "/srv", setResponseHeaders: { "a b": "c" } };
  await expect(proxyTo(["127.0.0.1:1"], { signs, proxy: named })).rejects.toThrow('"a b" cannot be the name');
  const valued = { webRoot: "/srv", addResponseHeaders: { a: "b\nc" } };
  await expect(proxyTo(["127.0.0.1:1"], { signs, proxy: valued })).rejects.toThrow("the value of the field a holds");
});

test("a relay to a backend of another protocol is a mistake at boot", async () => {
  const proxy = { webRoot: "/srv" };
  const booted = proxyTo(["127.0.0.1:1"], { signs: { backend: "http1Backend", handlet: "fcgiRelay" }, proxy });
  await expect(booted).rejects.toThrow('does not offer "fastcgi-programs"');
});
