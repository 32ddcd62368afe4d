import { describe, expect, test } from "vitest";
import { join, variable } from "../../config/object.ts";
import { RawBackend, type RawRequest } from "../../testing/raw-backend.ts";
import { request } from "../../testing/raw-client.ts";
import { proxyTo, type ProxyOptions, type Settings } from "../../testing/proxy.ts";

/** Asks a proxy with these props for one request; gives what the backend saw, and the answer. */
async function pass(bytes: string, proxyProps: Settings, answerFields = "", options: ProxyOptions = {}) {
  const seen: RawRequest[] = [];
  await using backend = await RawBackend.answering((request, conn) => {
    seen.push(request);
    conn.answer("ok", answerFields.replaceAll("BACKEND", backend.address));
  });
  await using proxy = await proxyTo([backend.address], { ...options, proxy: proxyProps });
  const answer = await proxy.ask(bytes);
  const [first] = seen;
  return { answer, seen, line: first?.line ?? "", headers: first?.headers ?? {} };
}

test.each(["/app//evil.example/", "/app/\\\\evil.example/", "/app///evil.example/"])(
  "without the prefix that was added, the location %s does not lead to another host",
  async (location) => {
    const { answer } = await pass("GET /x", { addPrefix: "/app" }, `location: ${location}\r\n`);
    expect(answer.headers["location"]).toBe("/evil.example/");
  },
);

describe("a request on its way", () => {
  test("fields are deleted, set and added, with templates", async () => {
    const { headers } = await pass(request("GET /a?u=7", { "x-del": "1", "X-Set": "old", "x-add": "first" }), {
      delRequestHeaders: ["X-Del"],
      setRequestHeaders: { "x-set": join("user-", variable("query_u")) },
      addRequestHeaders: { "x-add": "second" },
    });
    expect(headers).toMatchObject({ "x-set": "user-7", "x-add": "first, second" });
    expect(headers["x-del"]).toBeUndefined();
  });

  test.each(["a%0d%0ax-evil:%201", "a%00b", "a%0ab"])("a template that holds %j makes no field: 400", async (value) => {
    const { answer, seen } = await pass(`GET /?u=${value}`, { setRequestHeaders: { "x-user": variable("query_u") } });
    expect(answer.status).toBe(400);
    expect(seen).toEqual([]);
  });

  test("text in a template goes out as UTF-8", async () => {
    const { headers } = await pass("GET /?u=%E6%97%A5", { setRequestHeaders: { "x-user": variable("query_u") } });
    expect(Buffer.from(headers["x-user"] ?? "", "latin1").toString()).toBe("日");
  });

  test.each([
    [{}, "host.example:81", "host.example:81"],
    [{ hostname: "inner.example" }, "host.example:81", "inner.example"],
    [{ hostname: "inner.example", colonPort: ":8080" }, "host.example:81", "inner.example:8080"],
    [{ colonPort: "" }, "host.example:81", "host.example"],
  ])("with %j, %s is asked for as %s", async (props, host, asked) => {
    expect((await pass(request("GET /", { host }), props)).headers["host"]).toBe(asked);
  });

  test.each([
    [{ stripPrefix: "/api" }, "/api/x/?q=/api", "/x/?q=/api"],
    [{ stripPrefix: "/api" }, "/api", "/"],
    [{ stripPrefix: "/api" }, "/api?q", "/?q"],
    [{ stripPrefix: "/api" }, "/apix", "/apix"],
    [{ stripPrefix: "/strip" }, "/str%69p/x%20y", "/x%20y"],
    [{ stripPrefix: "/a/b%20c" }, "//a//b%20%63/x", "/x"],
    [{ stripPrefix: "/a/b" }, "/a%2Fb/x", "/a%2Fb/x"],
    [{ stripPrefix: "/a" }, "/a%2Fb", "/a%2Fb"],
    [{ addPrefix: "/v2" }, "/x", "/v2/x"],
    [{ stripPrefix: "/api", addPrefix: "/v2" }, "/api/%2e%2e.%2f", "/v2/%2e%2e.%2f"],
    [{}, "/a/../b//c/%7e?x=%00", "/b//c/%7e?x=%00"],
  ])("with %j, %s is asked for as %s", async (props, asked, forwarded) => {
    expect((await pass(`GET ${asked}`, props)).line).toBe(`GET ${forwarded} HTTP/1.1`);
  });

  test("claims of a trusted peer are kept and added to", async () => {
    const { headers } = await pass(
      request("GET /", { "x-forwarded-for": "10.0.0.1", "x-forwarded-proto": "https", forwarded: "for=10.0.0.1" }),
      { trustForwarded: ["127.0.0.1"] },
    );
    expect(headers).toMatchObject({
      "x-forwarded-for": "10.0.0.1, 127.0.0.1",
      "x-forwarded-proto": "https",
      forwarded: "for=10.0.0.1, for=127.0.0.1",
    });
  });

  test("the backend hears of the client whom the server believes its peer to name, not of the peer", async () => {
    const server = { trustForwarded: ["127.0.0.1", "10.0.0.1"] };
    const told = async (xff: string, xfp = "https") => {
      const { headers } = await pass(request("GET /", { "x-forwarded-for": xff, "x-forwarded-proto": xfp }), {}, "", {
        server,
      });
      return Object.fromEntries(Object.entries(headers).filter(([name]) => name.includes("forwarded")));
    };
    expect(await told("9.9.9.9, 1.2.3.4, 10.0.0.1")).toEqual({
      "x-forwarded-for": "1.2.3.4",
      "x-forwarded-host": "test.example",
      "x-forwarded-proto": "https",
      forwarded: 'for=1.2.3.4;host="test.example";proto=https',
    });
    expect(await told("_hidden")).toEqual({
      "x-forwarded-host": "test.example",
      "x-forwarded-proto": "https",
      forwarded: 'for=unknown;host="test.example";proto=https',
    });
    const byHttp = { "x-forwarded-proto": "http", forwarded: 'for=1.2.3.4;host="test.example";proto=http' };
    expect(await told("1.2.3.4, 10.0.0.1", "https, http, https")).toMatchObject(byHttp);
    expect(await told("1.2.3.4", "https;for=evil")).toMatchObject(byHttp);
  });

  test.each([
    [
      "x-forwarded-*",
      { "x-forwarded-for": "10.0.0.1", "x-forwarded-proto": "https", "x-forwarded-port": "8443" },
      {
        "x-forwarded-for": "10.0.0.1, 127.0.0.1",
        "x-forwarded-host": "test.example",
        "x-forwarded-proto": "https",
        "x-forwarded-port": "8443",
      },
    ],
    ["forwarded", { forwarded: "for=10.0.0.1;proto=https" }, { forwarded: "for=10.0.0.1;proto=https, for=127.0.0.1" }],
    [
      "neither",
      {},
      {
        "x-forwarded-for": "127.0.0.1",
        "x-forwarded-host": "test.example",
        "x-forwarded-proto": "http",
        forwarded: 'for=127.0.0.1;host="test.example";proto=http',
      },
    ],
  ])("a trusted peer that uses %s is not contradicted in the other form", async (_form, fields, told) => {
    const { headers } = await pass(request("GET /", fields), { trustForwarded: ["127.0.0.1"] });
    const claims = Object.entries(headers).filter(([name]) => name.includes("forwarded"));
    expect(Object.fromEntries(claims)).toEqual(told);
  });

  const behindX = { "x-forwarded-for": "9.9.9.9, 1.2.3.4:80, 10.0.0.1", "x-forwarded-proto": "https" };
  test.each([
    [
      "x",
      "forwarded",
      {
        forwarded: 'for=9.9.9.9, For="[2001:db8::1]:80";Proto=https;host="shop.example:8443", for=10.0.0.1;proto=http',
      },
      {
        "x-forwarded-for": "9.9.9.9, 2001:db8::1, 10.0.0.1, 127.0.0.1",
        "x-forwarded-host": "shop.example:8443",
        "x-forwarded-proto": "https",
      },
    ],
    [
      "x",
      "a quote that it leaves open",
      { forwarded: 'for="1.2.3.4;proto=https' },
      {
        "x-forwarded-for": "unknown, 127.0.0.1",
        "x-forwarded-host": "test.example",
        "x-forwarded-proto": "http",
      },
    ],
    [
      "x",
      "a quote that its client leaves open",
      { forwarded: 'for="9.9.9.9;host=evil.example, for="[2001:db8::1]";host="shop.example";proto=https' },
      {
        "x-forwarded-for": "unknown, 2001:db8::1, 127.0.0.1",
        "x-forwarded-host": "shop.example",
        "x-forwarded-proto": "https",
      },
    ],
    [
      "standard",
      "x-forwarded-*",
      { ...behindX, "x-forwarded-host": "shop.example", "x-forwarded-port": "8443" },
      {
        forwarded: 'for=9.9.9.9, for=1.2.3.4;host="shop.example:8443";proto=https, for=10.0.0.1, for=127.0.0.1',
      },
    ],
    [
      "standard",
      "x-forwarded-* with what is no address, host or scheme",
      { "x-forwarded-for": "_a, ;for=evil", "x-forwarded-host": '";for=evil', "x-forwarded-proto": "https;for=evil" },
      { forwarded: 'for=unknown, for=unknown;host="\\";for=evil";proto=http, for=127.0.0.1' },
    ],
    [
      "standard",
      "several x-forwarded-proto",
      { ...behindX, "x-forwarded-proto": "http, https,http" },
      {
        forwarded: 'for=9.9.9.9, for=1.2.3.4;host="test.example";proto=https, for=10.0.0.1, for=127.0.0.1',
      },
    ],
    [
      "x",
      "several x-forwarded-proto",
      { ...behindX, "x-forwarded-proto": "http, https,http" },
      {
        "x-forwarded-for": "9.9.9.9, 1.2.3.4:80, 10.0.0.1, 127.0.0.1",
        "x-forwarded-host": "test.example",
        "x-forwarded-proto": "https",
      },
    ],
    [
      "x",
      "forwarded, of which another element has the scheme",
      { forwarded: "for=1.2.3.4, for=10.0.0.1;proto=https" },
      {
        "x-forwarded-for": "1.2.3.4, 10.0.0.1, 127.0.0.1",
        "x-forwarded-host": "test.example",
        "x-forwarded-proto": "http",
      },
    ],
    [
      "standard",
      "x-forwarded-proto alone",
      { "x-forwarded-proto": "https" },
      { forwarded: 'for=127.0.0.1;host="test.example";proto=https' },
    ],
  ])("%s tells of the client what a trusted peer says in %s", async (forwarded, _form, fields, told) => {
    const { headers } = await pass(request("GET /", fields), { forwarded, trustForwarded: ["127.0.0.1", "10.0.0.1"] });
    const claims = Object.entries(headers).filter(([name]) => name.includes("forwarded"));
    expect(Object.fromEntries(claims)).toEqual(told);
  });

  test("fields that the proxy writes itself can be set and deleted", async () => {
    const { headers } = await pass("GET /", {
      setRequestHeaders: { "X-Forwarded-Proto": "https" },
      addRequestHeaders: { forwarded: "for=_more" },
      delRequestHeaders: ["Via", "x-forwarded-for"],
    });
    expect(headers).toEqual({
      host: "test.example",
      "x-forwarded-host": "test.example",
      "x-forwarded-proto": "https",
      forwarded: 'for=127.0.0.1;host="test.example";proto=http, for=_more',
    });
  });

  test("a field with an underscore or a dot does not pass for the one that this server vouches for", async () => {
    const claims = request("GET /", { X_User: "admin", "X.User": "admin", X_Forwarded_For: "10.0.0.1", "x-a": "1" });
    const { headers } = await pass(claims, { setRequestHeaders: { "x-user": "nobody" } });
    expect(headers).toMatchObject({ "x-user": "nobody", "x-forwarded-for": "127.0.0.1", "x-a": "1" });
    expect(Object.keys(headers).filter((name) => /[_.]/.test(name))).toEqual([]);
    const all = (await pass(claims, { underscoresInHeaders: true })).headers;
    expect(all).toMatchObject({ x_user: "admin", "x.user": "admin" });
  });

  test("nothing of the client is told where that is not wanted, not even by the client", async () => {
    const { headers } = await pass(request("GET /", { "x-forwarded-for": "10.0.0.1", forwarded: "for=10.0.0.1" }), {
      forwarded: "none",
    });
    expect(Object.keys(headers).toSorted()).toEqual(["host", "via"]);
  });

  test("content that was gathered is sent with its length, and can be sent again", async () => {
    let tries = 0;
    await using one = await RawBackend.answering((_, conn) => {
      tries++;
      conn.socket.destroy();
    });
    await using other = await RawBackend.answering(({ headers, content }, conn) =>
      conn.answer(`${headers["content-length"] ?? "?"} ${content}`),
    );
    await using proxy = await proxyTo([one.address, other.address], { proxy: { bufferClientContent: true } });
    const chunked = request("PUT /", { "transfer-encoding": "chunked" }, "3\r\nabc\r\n0\r\n\r\n");
    expect((await proxy.ask(chunked)).text).toBe("3 abc");
    expect(tries).toBe(1);
    expect((await proxy.ask(chunked.replace("PUT", "POST"))).text).toBe("3 abc");
    expect((await proxy.ask(chunked.replace("PUT", "POST"))).status).toBe(502);
  });

  test.each([
    "content-length: 9\r\n\r\nabcdefghi",
    "transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n6\r\ndefghi\r\n0\r\n\r\n",
  ])("content that is larger than maxBufferedContent is streamed (%j)", async (content) => {
    await using backend = await RawBackend.answering(({ content }, conn) => conn.answer(content));
    await using proxy = await proxyTo([backend.address], {
      proxy: { bufferClientContent: true, maxBufferedContent: 4 },
    });
    expect((await proxy.ask(`POST / HTTP/1.1\r\nhost: a\r\n${content}`)).text).toBe("abcdefghi");
  });

  test("a node is entered when the content has been gathered, and not before", async () => {
    await using backend = await RawBackend.answering(({ content }, conn) => conn.answer(content));
    await using proxy = await proxyTo([backend.address], { proxy: { bufferClientContent: true } });
    await using client = await proxy.connect();
    client.send(request("POST /", { "content-length": "4" }) + "ab");
    expect((await proxy.ask("GET /other")).status).toBe(200);
    expect(backend.conns).toHaveLength(1);
    expect((await client.send("cd").response()).text).toBe("abcd");
  });

  test("what retryOn does not name is not tried again, and the log says so", async () => {
    await using broken = await RawBackend.listen(async (conn) => {
      await conn.request();
      conn.socket.destroy();
    });
    await using other = await RawBackend.answering((_, conn) => conn.answer("other"));
    await using proxy = await proxyTo([broken.address, other.address], { proxy: { retryOn: ["dial"] } });
    const statuses = [(await proxy.ask("GET /")).status, (await proxy.ask("GET /")).status];
    expect(statuses.toSorted()).toEqual([200, 502]);
    expect(proxy.log.join()).toContain('not tried again: retryOn does not name "broken"');
  });

  test("a POST that was sent is tried again only where that is allowed", async () => {
    await using one = await RawBackend.answering((_, conn) => conn.socket.destroy());
    await using other = await RawBackend.answering(({ content }, conn) => conn.answer(content));
    await using proxy = await proxyTo([one.address, other.address], {
      proxy: { bufferClientContent: true, retryAnyMethod: true },
    });
    expect((await proxy.ask(request("POST /", {}, "x"))).text).toBe("x");
  });

  test("an answer of a status that counts as failure is asked for elsewhere", async () => {
    await using one = await RawBackend.answering((_, conn) =>
      conn.send("HTTP/1.1 503 x\r\ncontent-length: 2\r\n\r\nno"),
    );
    await using other = await RawBackend.answering((_, conn) => conn.answer("yes"));
    await using proxy = await proxyTo([one.address, other.address], { proxy: { retryStatuses: [503] } });
    for (let i = 0; i < 3; i++) expect((await proxy.ask("GET /")).text).toBe("yes");
  });

  test("who comes back here gets 508", async () => {
    await using backend = await RawBackend.answering(async ({ headers }, conn) => {
      const { status } = await proxy.ask(request("GET /", { via: headers["via"] ?? "" }));
      conn.answer(String(status));
    });
    await using proxy = await proxyTo([backend.address]);
    expect((await proxy.ask("GET /")).text).toBe("508");
  });
});

describe("what Hemi accepts is one request for the backend", () => {
  test.each([
    ["a space around the length", "POST / HTTP/1.1\r\nhost: a\r\ncontent-length:\t 3 \r\n\r\nabc"],
    ["absolute form", "GET http://other.example/x?y HTTP/1.1\r\nhost: a\r\n\r\n"],
    [
      "a content that looks like a request",
      `POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 30\r\n\r\nGET /evil HTTP/1.1\r\nhost: a\r\n\r\n`,
    ],
    [
      "chunks with extensions",
      "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\n\r\n",
    ],
    [
      "chunks that look like requests",
      "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n12\r\nGET / HTTP/1.1\r\n\r\n\r\n0\r\n\r\n",
    ],
    ["a GET with content", "GET / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nGET /"],
    [
      "a length among the options of the connection",
      "POST / HTTP/1.1\r\nhost: a\r\nconnection: content-length\r\ncontent-length: 3\r\n\r\nabc",
    ],
    [
      "the coding among the options of the connection",
      "POST / HTTP/1.1\r\nhost: a\r\nconnection: transfer-encoding, host\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    ],
    [
      "trailers that frame",
      "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\ncontent-length: 9\r\ntransfer-encoding: x\r\n\r\n",
    ],
    ["bytes above ASCII", "GET / HTTP/1.1\r\nhost: a\r\nx: \x80\xff\r\n\r\n"],
    ["names with marks", "GET / HTTP/1.1\r\nhost: a\r\ncontent_length: 5\r\nx!#$: 1\r\n\r\n"],
    ["HTTP/1.0 without a host", "GET / HTTP/1.0\r\n\r\n"],
    ["HTTP/1.0 with an empty host", "GET / HTTP/1.0\r\nhost:\r\n\r\n"],
  ])("%s", async (_, bytes) => {
    const seen: RawRequest[] = [];
    await using backend = await RawBackend.answering((request, conn) => {
      seen.push(request);
      conn.answer("ok");
    });
    await using proxy = await proxyTo([backend.address]);
    expect((await proxy.ask(bytes)).status).toBe(200);
    // The next one on the same connection begins where the first one ended.
    expect((await proxy.ask("GET /next")).status).toBe(200);
    expect(seen.map(({ line }) => line.split(" ")[0])).toEqual([bytes.split(" ")[0], "GET"]);
    expect(seen[1]?.line).toBe("GET /next HTTP/1.1");
    expect(backend.conns.length).toBe(1);
  });
});

describe("an answer on its way back", () => {
  test("fields are deleted, set and added", async () => {
    const { answer } = await pass(
      "GET /x",
      {
        delResponseHeaders: ["Server"],
        setResponseHeaders: { "x-path": variable("path") },
        addResponseHeaders: { "x-add": "2" },
      },
      "server: inner\r\nX-Path: old\r\nx-add: 1\r\n",
    );
    expect(answer.headers).toMatchObject({ "x-path": "/x", "x-add": "1, 2" });
    expect(answer.headers["server"]).toBeUndefined();
  });

  test.each([
    [{ hostname: "inner" }, "http://inner/a?b", "http://test.example/a?b"],
    [{ hostname: "inner" }, "//inner/a", "//test.example/a"],
    [{ hostname: "inner" }, "http://other.example/a", "http://other.example/a"],
    [{ hostname: "inner" }, "/a", "/a"],
    [{}, "https://test.example/a", "http://test.example/a"],
    [{ stripPrefix: "/api" }, "/a", "/api/a"],
    [{ addPrefix: "/v2" }, "/v2/a", "/a"],
    // Else an open redirect: GET //evil.example is answered so by many a server that adds a slash.
    [{ addPrefix: "/app" }, "/app//evil.example/", "/evil.example/"],
    [{ addPrefix: "/app" }, "/app/\\evil.example/", "/evil.example/"],
    [{ addPrefix: "/app" }, "/app/\t/evil.example/", "/evil.example/"],
    [{ stripPrefix: "/api", addPrefix: "/v2", hostname: "inner" }, "http://inner/v2/a", "http://test.example/api/a"],
    [{ hostname: "inner", rewriteLocation: false }, "http://inner/a", "http://inner/a"],
    [{ hostname: "inner" }, "next", "next"],
  ])("with %j, the location %s becomes %s", async (props, location, expected) => {
    const { answer } = await pass("GET /", props, `location: ${location}\r\n`);
    expect(answer.headers["location"]).toBe(expected);
  });

  test("a cookie that ties clients to nodes is not added where the configuration deletes cookies", async () => {
    const backend = { balancer: "sticky" };
    expect((await pass("GET /", {}, "", { backend })).answer.headers["set-cookie"]).toBeDefined();
    const { answer } = await pass("GET /", { delResponseHeaders: ["Set-Cookie"] }, "", { backend });
    expect(answer.headers["set-cookie"]).toBeUndefined();
  });

  test("an answer that says x-accel-buffering: no is not gathered", async () => {
    await using backend = await RawBackend.listen(async (conn) => {
      await conn.request();
      conn.send("HTTP/1.1 200 OK\r\nx-accel-buffering: no\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n");
      await conn.ended();
    });
    await using proxy = await proxyTo([backend.address], { proxy: { bufferServerContent: true } });
    await using client = await proxy.connect();
    expect(await client.send(request("GET /")).through("abc")).toContain("abc");
  });

  test.each([
    [{ stripPrefix: "/api" }, "a=b; Path=/", "a=b; Path=/api"],
    [{ stripPrefix: "/api" }, "a=b; path=/x; HttpOnly", "a=b; Path=/api/x; HttpOnly"],
    [{ hostname: "inner.example" }, "a=b; Domain=inner.example; Secure", "a=b; Secure"],
    [{ hostname: "inner.example" }, "a=b; Domain=other.example", "a=b; Domain=other.example"],
    [{ stripPrefix: "/api", rewriteCookies: false }, "a=b; Path=/", "a=b; Path=/"],
    [{}, "a=b; Domain=test.example; Path=/x", "a=b; Domain=test.example; Path=/x"],
  ])("with %j, the cookie %s becomes %s", async (props, cookie, expected) => {
    const { answer } = await pass("GET /", props, `set-cookie: ${cookie}\r\n`);
    expect(answer.headers["set-cookie"]).toBe(expected);
  });

  test("content is gathered up to a limit, and streamed beyond it", async () => {
    let release = () => {};
    await using backend = await RawBackend.listen(async (conn) => {
      await conn.request();
      const { promise: released, resolve } = Promise.withResolvers<void>();
      release = resolve;
      conn.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n");
      await released;
      conn.send("3\r\ndef\r\n0\r\n\r\n");
    });
    const buffered = { bufferServerContent: true };
    await using small = await proxyTo([backend.address], { proxy: { ...buffered, maxBufferedAnswer: 2 } });
    await using client = await small.connect();
    client.send(request("GET /"));
    expect((await client.head()).headers["transfer-encoding"]).toBe("chunked");
    expect(await client.through("abc")).toContain("abc");
    release();
    expect(await client.through("0\r\n\r\n")).toContain("def");
    await using large = await proxyTo([backend.address], { proxy: buffered });
    const answer = large.ask("GET /");
    await expect.poll(() => backend.conns.length).toBe(2);
    await expect.poll(() => backend.conns[1]?.socket.bytesWritten ?? 0).toBeGreaterThan(0);
    release();
    expect(await answer).toMatchObject({ text: "abcdef", framing: "sized" });
  });
});

test.each([
  [{ setRequestHeaders: { "a b": "x" } }, '"a b" cannot be the name of a header field'],
  [{ setRequestHeaders: { "x-a": "a\nb" } }, "the value of the field x-a holds a character"],
  [{ addResponseHeaders: { "x-a": "a\0b" } }, "the value of the field x-a holds a character"],
  [{ setRequestHeaders: { connection: "x" } }, "the field connection frames the message"],
  [{ addRequestHeaders: { Host: "x" } }, "the field host is set by .hostname and .colonPort"],
  [{ delRequestHeaders: ["Host"] }, "the field host is set by .hostname and .colonPort"],
  [{ delRequestHeaders: ["Content-Length"] }, "the field content-length frames the message"],
  [{ delResponseHeaders: ["*"] }, "* stands for all fields in delRequestHeaders only"],
  [{ setRequestHeaders: { "*": "x" } }, "* stands for all fields in delRequestHeaders only"],
  [{ setRequestHeaders: { te: "x" } }, "the field te belongs to one connection"],
  [{ setRequestHeaders: { expect: "100-continue" } }, "the field expect is between the client and this server"],
  [{ delResponseHeaders: ["transfer-encoding"] }, "the field transfer-encoding frames the message"],
  [{ delResponseHeaders: ["Date"] }, "every answer has a date"],
  [{ hostname: "a:80" }, '"a:80" is not a hostname'],
  [{ stripPrefix: "/api/" }, "takes a path that begins with / and does not end with it"],
  [{ proxyMode: "forward" }, 'httpProxy has no property "proxyMode"\n'],
  [{ proxyMode: "forward" }, "a forward proxy is a handlet of its own: forwardProxy"],
])("the configuration %j is refused", async (props, message) => {
  await expect(proxyTo(["127.0.0.1:1"], { proxy: props })).rejects.toThrow(message);
});

describe("a request that is only after a path", () => {
  test("is made by its own method, without the content that came and what describes it", async () => {
    const bytes = request("POST /a?b", { "content-length": "5", "content-type": "text/x", "x-one": "1" }) + "hello";
    const { line, headers, answer } = await pass(bytes, { method: "GET" });
    expect([line, answer.status]).toEqual(["GET /a?b HTTP/1.1", 200]);
    expect(headers).toMatchObject({ "x-one": "1" });
    expect(headers).not.toHaveProperty("content-type");
    expect(headers["content-length"] ?? "0").toBe("0");
  });

  test("keeps the content for other methods", async () => {
    const { line, seen } = await pass(request("PUT /", { "content-length": "5" }) + "hello", { method: "POST" });
    expect([line, seen[0]?.content]).toEqual(["POST / HTTP/1.1", "hello"]);
  });

  test("answers HEAD without content", async () => {
    await using backend = await RawBackend.answering(({ line }, conn) => conn.answer(line));
    await using proxy = await proxyTo([backend.address], { proxy: { method: "GET" } });
    expect(await proxy.ask("HEAD /", "HEAD")).toMatchObject({ status: 200, text: "" });
  });

  test("has none of the client's fields with *, and those of the proxy", async () => {
    const fields = { "x-one": "1", cookie: "a=b", authorization: "Basic eA==", accept: "*/*" };
    const { headers } = await pass(request("GET /", fields), {
      delRequestHeaders: ["*"],
      setRequestHeaders: { "x-own": "2" },
    });
    expect(Object.keys(headers).sort()).toEqual([
      "forwarded",
      "host",
      "via",
      "x-forwarded-for",
      "x-forwarded-host",
      "x-forwarded-proto",
      "x-own",
    ]);
  });
});
