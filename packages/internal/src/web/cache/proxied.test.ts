// The cache before httpProxy and a real backend: what comes over the wire, complete or not.

import { expect, test } from "vitest";
import { cachedSite } from "../../testing/cached-site.ts";
import { RawBackend } from "../../testing/raw-backend.ts";

const backendOf = ({ address }: RawBackend) => `http1Backend "app" { .nodes = (["address": "${address}"]) }`;
const behind = 'httpProxy { .toBackend = "app" }';
const none = () => false;

async function siteBefore(backend: RawBackend, settings = "") {
  return cachedSite(none, settings, { behind, beside: backendOf(backend) });
}

test("conditions and ranges of clients are answered by the cache, and do not reach the backend", async () => {
  const requests: string[] = [];
  await using backend = await RawBackend.answering(({ lines }, conn) => {
    requests.push(lines.join("\n"));
    conn.answer("content", 'cache-control: max-age=60\r\netag: "a"\r\n');
  });
  await using site = await siteBefore(backend);
  expect(await site.get("/", { range: "bytes=1-3", "if-range": '"a"' })).toMatchObject({ status: 206, text: "ont" });
  expect((await site.get("/", { "if-none-match": '"a"' })).status).toBe(304);
  expect(requests).toHaveLength(1);
  expect(requests[0]).not.toMatch(/range|if-/i);
});

test("a response that is cut short is not stored", async () => {
  await using backend = await RawBackend.listen(async (conn) => {
    await conn.request();
    conn.send("HTTP/1.1 200 OK\r\ncache-control: max-age=60\r\ncontent-length: 10\r\n\r\nshort");
    conn.socket.end();
  });
  await using site = await siteBefore(backend);
  await expect(site.get("/")).rejects.toMatchObject({ code: "HEMI_PEER_GONE" });
  expect((await site.cache.explainUrl("http://a.example/")).variants).toEqual([]);
});

const chunked = "transfer-encoding: chunked\r\n";

test.each([
  ["both lengths", `content-length: 3\r\n${chunked}\r\n3\r\nabc\r\n0\r\n\r\n`],
  ["two content-lengths", "content-length: 3\r\ncontent-length: 4\r\n\r\nabcd"],
  ["a list of content-lengths", "content-length: 3, 4\r\n\r\nabcd"],
  ["a signed content-length", "content-length: +3\r\n\r\nabc"],
  ["a content-length that is no number", "content-length: 3x\r\n\r\nabc"],
  ["a transfer coding that nobody asked for", `transfer-encoding: gzip, chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`],
  ["no last chunk", `${chunked}\r\n3\r\nabc\r\n`],
  ["a broken chunk", `${chunked}\r\n3\r\nabc\r\nX\r\n`],
  ["a content that is cut short", "content-length: 4\r\n\r\nabc"],
])("a response with %s is not stored, and nobody gets it as a whole one", async (_, rest) => {
  await using backend = await RawBackend.listen(async (conn) => {
    await conn.request();
    conn.send(`HTTP/1.1 200 OK\r\ncache-control: max-age=60\r\n${rest}`);
    conn.socket.end();
  });
  await using site = await siteBefore(backend);
  const status = await site.get("/").then(
    ({ status }) => status,
    () => "broken off",
  );
  expect([502, "broken off"]).toContain(status);
  expect((await site.cache.explainUrl("http://a.example/")).variants).toEqual([]);
});

test("RFC 9111 3.1: fields of one connection, and trailers, are not stored", async () => {
  await using backend = await RawBackend.answering((_request, conn) => {
    conn.send("HTTP/1.1 200 OK\r\ncache-control: max-age=60\r\nconnection: x-hop\r\nx-hop: 1\r\nx-own: 1\r\n");
    conn.send(`${chunked}\r\n3\r\nabc\r\n0\r\nx-late: 1\r\n\r\n`);
  });
  await using site = await siteBefore(backend);
  await site.get("/");
  const { headers, text } = await site.get("/");
  expect(text).toBe("abc");
  expect(headers).toMatchObject({ age: "0", "x-own": "1" });
  expect(headers["x-hop"] ?? headers["x-late"] ?? headers["connection"]).toBeUndefined();
});

test("RFC 9111 3.3: a part that nobody asked for is not stored", async () => {
  await using backend = await RawBackend.answering((_request, conn) => {
    conn.send("HTTP/1.1 206 Partial Content\r\ncache-control: max-age=60\r\ncontent-range: bytes 5-7/9\r\n");
    conn.send("content-length: 3\r\n\r\nabc");
  });
  await using site = await siteBefore(backend);
  await site.get("/");
  expect((await site.cache.explainUrl("http://a.example/")).variants).toEqual([]);
});

test.each(["", "now", "0", "Thu, 99 Foo 2099 00:00:00 GMT", "Thu, 01 Jan 2099 00:00:00 GMT"])(
  "with the date %j, a response counts from its arrival",
  async (date) => {
    await using backend = await RawBackend.answering((_request, conn, number) => {
      conn.answer(`answer ${number}`, `cache-control: max-age=60\r\ndate: ${date}\r\n`);
    });
    await using site = await siteBefore(backend, ".heuristicPercent = 10");
    await site.get("/");
    site.wait(59);
    expect((await site.get("/")).headers["age"]).toBe("59");
    site.wait(1);
    expect((await site.get("/")).headers["cache-status"]).toBe("Hemi; fwd=stale; stored");
  },
);

test.each(["", "now", "0", "-1", "Thu, 99 Foo 2020 00:00:00 GMT", "Thu, 01 Jan 2099 00:00:00 GMT"])(
  "nothing is guessed from the last modification %j",
  async (modified) => {
    await using backend = await RawBackend.answering((_request, conn) => {
      conn.answer("content", `last-modified: ${modified}\r\netag: "a"\r\n`);
    });
    await using site = await siteBefore(backend, ".heuristicPercent = 10");
    await site.get("/");
    const { variants } = await site.cache.explainUrl("http://a.example/");
    expect(variants).toMatchObject([{ lifetime: 0, reuse: "validate" }]);
  },
);

test("a chunked response is stored when it is complete", async () => {
  let count = 0;
  await using backend = await RawBackend.answering((_request, conn) => {
    count++;
    conn.send("HTTP/1.1 200 OK\r\ncache-control: max-age=60\r\ntransfer-encoding: chunked\r\n\r\n");
    conn.send("3\r\none\r\n4\r\n two\r\n0\r\n\r\n");
  });
  await using site = await siteBefore(backend);
  const answers = await Promise.all([site.get("/"), site.get("/")]);
  expect(answers.map(({ text }) => text)).toEqual(["one two", "one two"]);
  expect((await site.get("/")).headers["age"]).toBe("0");
  expect(count).toBe(1);
});

test("a backend that is down is replaced by stale responses for a time, and not beyond must-revalidate", async () => {
  const backend = await RawBackend.answering(({ line }, conn) => {
    const more = line.includes("strict") ? ", must-revalidate" : "";
    conn.answer("content", `cache-control: max-age=60, stale-if-error=600${more}\r\n`);
  });
  await using site = await siteBefore(backend);
  await site.get("/");
  await site.get("/strict");
  await backend[Symbol.asyncDispose]();
  site.wait(120);
  const stale = await site.get("/");
  expect(stale).toMatchObject({ status: 200, text: "content" });
  expect(stale.headers["cache-status"]).toBe("Hemi; fwd=stale; fwd-status=502; detail=stale-if-error");
  expect((await site.get("/strict")).status).toBe(502);
  site.wait(600);
  expect((await site.get("/")).status).toBe(502);
});

test.each(["*", Array.from({ length: 50 }, (_, i) => `x-${i}`).join(", ")])(
  "vary: %s is not stored, and requests do not wait for each other",
  async (vary) => {
    const gate = Promise.withResolvers<void>();
    let asked = 0;
    await using backend = await RawBackend.answering(async (_request, conn) => {
      if (++asked > 1) await gate.promise;
      conn.answer("content", `cache-control: max-age=60\r\nvary: ${vary}\r\n`);
    });
    await using site = await siteBefore(backend);
    await site.get("/");
    const later = [site.get("/"), site.get("/")];
    await expect.poll(() => asked).toBe(3);
    gate.resolve();
    await Promise.all(later);
    expect(await site.cache.explainUrl("http://a.example/")).toMatchObject({
      variants: [],
      refusal: "its vary matches no other request",
    });
  },
);

test("what differs in the path only by dot segments or in the query's order is what the backend sees", async () => {
  await using backend = await RawBackend.answering(({ line }, conn) => {
    conn.answer(line, "cache-control: max-age=60\r\n");
  });
  await using site = await siteBefore(backend);
  const plain = await site.get("/a/b");
  expect(plain.text).toBe("GET /a/b HTTP/1.1");
  expect((await site.get("/a/x/../b")).headers["age"]).toBe("0");
  for (const path of ["/a%2Fb", "/A/b", "/a/b?", "/a/b?x=1&y=2", "/a/b?y=2&x=1"]) {
    expect((await site.get(path)).text).toBe(`GET ${path} HTTP/1.1`);
  }
});

test("dates of every broken form make nothing fresh that should not be", async () => {
  const broken = ["0", "-1", "", "now", "2099-01-01", "Thu, 99 Foo 2099 00:00:00 GMT", "Thu, 01 Jan 2099 00:00:00 PST"];
  let expires = "";
  await using backend = await RawBackend.answering((_request, conn) => {
    conn.answer("content", `expires: ${expires}\r\netag: "a"\r\n`);
  });
  await using site = await siteBefore(backend);
  for (expires of broken) {
    await site.get(`/?${encodeURIComponent(expires)}`);
    const { variants } = await site.cache.explainUrl(`http://a.example/?${encodeURIComponent(expires)}`);
    expect(variants.map(({ reuse }) => reuse)).toEqual(["validate"]);
  }
});
