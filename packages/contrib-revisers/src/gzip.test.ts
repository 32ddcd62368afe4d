import { get, type IncomingMessage } from "node:http";
import { brotliDecompressSync, createGunzip, gunzipSync, gzipSync, zstdDecompressSync } from "node:zlib";
import type { HandletPart, Response } from "@hemi/internal";
import { describe, expect, test } from "vitest";
import { type Fetched, serveSite, type Site } from "./testing/serve-site.ts";

const page = "<p>Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich.</p>\n".repeat(100);
const script = "export const answer = 42;\n".repeat(20_000);
const files = { "page.html": page, "app.js": script, "tiny.html": "<p>tiny</p>", "photo.png": Buffer.alloc(5000) };
const chromium = "gzip, deflate, br, zstd";

const serveFiles = (revisers = "gzip {}", handlet = ""): Promise<Site> =>
  serveSite({ revisers, files, static: handlet });

/** A handlet that answers with HTML, after `change`. */
function answering(change: (resp: Response) => void, content: string | undefined = page): HandletPart["handle"] {
  return (_req, resp) => {
    resp.setHeader("content-type", "text/html");
    change(resp);
    resp.send(content);
    return true;
  };
}

const decoders: Record<string, (content: Uint8Array) => Buffer> = {
  gzip: gunzipSync,
  br: brotliDecompressSync,
  zstd: zstdDecompressSync,
};

function textOf({ headers, content }: Pick<Fetched, "headers" | "content">): string {
  const coding = headers["content-encoding"];
  return (typeof coding === "string" ? decoders[coding]?.(content) : content)?.toString() ?? `no ${String(coding)}`;
}

describe("a client that sends", () => {
  test.each([
    [undefined, undefined],
    ["", undefined],
    [chromium, "zstd"],
    ["gzip, deflate, br", "br"],
    ["gzip, deflate", "gzip"],
    ["deflate", undefined],
    ["gzip;q=1.0, br;q=0.5", "gzip"],
    ["*", "zstd"],
    ["zstd;q=0, *", "br"],
    ["gzip;q=0", undefined],
    ["identity", undefined],
    ["identity;q=0", undefined],
    ["identity;q=0, gzip;q=0.1", "gzip"],
    ["identity, gzip;q=0.5", undefined],
    ["GZip", "gzip"],
    ["gzip;q=x", undefined],
  ])("%j gets %s, with all it takes to keep the variants apart", async (field, coding) => {
    await using site = await serveFiles();
    const headers: Record<string, string> = field === undefined ? {} : { "accept-encoding": field };
    for (const time of ["first", "again"]) {
      const answer = await site.fetch("GET /page.html", headers);
      expect(answer.status).toBe(200);
      expect(answer.headers["content-encoding"]).toBe(coding);
      expect(answer.headers["vary"]).toBe("accept-encoding");
      expect(answer.headers["content-length"]).toBe(String(answer.content.length));
      expect(textOf(answer), time).toBe(page);
      const { etag, "accept-ranges": ranges } = answer.headers;
      expect(etag).toMatch(coding === undefined ? /^"/ : /^W\/"/);
      expect(ranges).toBe(coding === undefined ? "bytes" : "none");
    }
  });
});

describe("left as it is, and without vary, is", () => {
  test.each<[string, HandletPart["handle"]]>([
    ["what is coded already", answering((resp) => resp.setHeader("content-encoding", "br"))],
    ["what must not be changed", answering((resp) => resp.setHeader("cache-control", "public, No-Transform"))],
    ["another media type", answering((resp) => resp.setHeader("content-type", "image/png"))],
    ["no media type", (_req, resp) => (resp.send(Buffer.from(page)), true)],
    ["a small answer", answering(() => {}, "small")],
    ["an answer without content", answering((resp) => (resp.status = 204), undefined)],
    [
      "a part",
      answering((resp) => {
        resp.status = 206;
        resp.setHeader("content-range", "bytes 0-9/100");
      }),
    ],
  ])("%s", async (_what, handle) => {
    await using site = await serveSite({ revisers: "gzip {}", handle });
    const before = await serveSite({ revisers: "", handle });
    const headers = { "accept-encoding": chromium };
    const { date: _date, ...fields } = (await site.fetch("GET /", headers)).headers;
    const { date: _other, ...plain } = (await before.fetch("GET /", headers)).headers;
    expect(fields).toEqual(plain);
    await before[Symbol.asyncDispose]();
  });
});

test("an identity content-encoding is none", async () => {
  const handle = answering((resp) => resp.setHeader("content-encoding", "identity"));
  await using site = await serveSite({ revisers: "gzip {}", handle });
  const answer = await site.fetch("GET /", { "accept-encoding": "gzip" });
  expect(answer.headers["content-encoding"]).toBe("gzip");
});

test("vary is added to that of others, once", async () => {
  for (const [vary, expected] of [
    ["accept", "accept, accept-encoding"],
    ["Accept, Accept-Encoding", "Accept, Accept-Encoding"],
    ["*", "*"],
  ] as const) {
    await using site = await serveSite({
      revisers: "gzip {}",
      handle: answering((resp) => resp.setHeader("vary", vary)),
    });
    expect((await site.fetch("GET /", { "accept-encoding": "gzip" })).headers["vary"]).toBe(expected);
  }
});

test("error pages are compressed like others", async () => {
  const handle = answering((resp) => (resp.status = 500));
  await using site = await serveSite({ revisers: "gzip {}", handle });
  const answer = await site.fetch("GET /", { "accept-encoding": "gzip" });
  expect(answer).toMatchObject({ status: 500, headers: { "content-encoding": "gzip" } });
  expect(textOf(answer)).toBe(page);
});

describe("of a file, GET, HEAD, 304 and 206 agree,", () => {
  test.each(["page.html", "app.js"])("for %s", async (file) => {
    await using site = await serveFiles();
    const accepting = { "accept-encoding": chromium };
    // First a HEAD, when nothing is known of its compressed form, then one with it in the cache.
    for (const time of ["first", "again"]) {
      const head = await site.fetch(`HEAD /${file}`, accepting);
      const got = await site.fetch(`GET /${file}`, accepting);
      const fieldsOf = ({ headers }: Fetched) => ({ ...headers, date: "", "transfer-encoding": "" });
      expect(fieldsOf(head), time).toEqual(fieldsOf(got));
      expect(head.content).toHaveLength(0);
      expect(textOf(got)).toBe(file === "app.js" ? script : page);
    }
    const { etag = "" } = (await site.fetch(`GET /${file}`, accepting)).headers;
    const plain = await site.fetch(`GET /${file}`);
    expect(etag).toBe(`W/${String(plain.headers["etag"])}`);

    // The weak tag and the strong one are the same to If-None-Match; the 304 has the tag of the variant.
    for (const known of [String(etag), String(plain.headers["etag"])]) {
      const coded = await site.fetch(`GET /${file}`, { ...accepting, "if-none-match": known });
      expect(coded).toMatchObject({ status: 304, headers: { etag, vary: "accept-encoding" } });
      const uncoded = await site.fetch(`GET /${file}`, { "if-none-match": known });
      expect(uncoded).toMatchObject({ status: 304, headers: { etag: plain.headers["etag"], vary: "accept-encoding" } });
    }

    // A part is one of the file as it is, and never coded.
    const part = await site.fetch(`GET /${file}`, { ...accepting, range: "bytes=0-9" });
    expect(part).toMatchObject({ status: 206, headers: { etag: plain.headers["etag"] } });
    expect(part.headers["content-encoding"]).toBeUndefined();
    // With the weak tag of the compressed whole none is given.
    const whole = await site.fetch(`GET /${file}`, { ...accepting, range: "bytes=0-9", "if-range": String(etag) });
    expect(whole).toMatchObject({ status: 200, headers: { "content-encoding": "zstd" } });
  });
});

test("a 304 for a type that is not compressed stays as it is", async () => {
  await using site = await serveFiles();
  const { etag } = (await site.fetch("GET /photo.png", { "accept-encoding": "gzip" })).headers;
  const answer = await site.fetch("GET /photo.png", { "accept-encoding": "gzip", "if-none-match": String(etag) });
  expect(answer).toMatchObject({ status: 304, headers: { etag } });
  expect(answer.headers["vary"]).toBeUndefined();
});

test.each([
  ["that is coded already", 'static { .precompressed = ("gzip") }', { "page.html.gz": gzipSync(page) }],
  ["that must not be changed", 'head { .set = ["cache-control": "no-transform"] }', {}],
])("a 304 for a file %s has the tag of the 200", async (_what, component, more) => {
  const isHandlet = component.startsWith("static");
  await using site = await serveSite({
    revisers: `gzip { .minSize = 1 } ${isHandlet ? "" : component}`,
    files: { ...files, ...more },
    static: isHandlet ? component.slice(9, -2) : "",
  });
  const { etag, vary } = (await site.fetch("GET /page.html", { "accept-encoding": "gzip" })).headers;
  expect(etag).toMatch(/^"/);
  const answer = await site.fetch("GET /page.html", { "accept-encoding": "gzip", "if-none-match": String(etag) });
  expect(answer.status).toBe(304);
  expect([answer.headers["etag"], answer.headers["vary"]]).toEqual([etag, vary]);
});

test("a 304 from elsewhere gets the weak tag that the client has", async () => {
  const handle = answering((resp) => {
    resp.status = 304;
    resp.setHeader("etag", '"a"');
  }, undefined);
  await using site = await serveSite({ revisers: "gzip {}", handle });
  const weak = await site.fetch("GET /", { "accept-encoding": "gzip", "if-none-match": 'W/"a"' });
  expect(weak.headers).toMatchObject({ etag: 'W/"a"', vary: "accept-encoding" });
  const strong = await site.fetch("GET /", { "accept-encoding": "gzip", "if-none-match": '"a"' });
  expect(strong.headers["etag"]).toBe('"a"');
});

describe("compressed forms of files", () => {
  test.each([
    ["page.html", page],
    ["app.js", script],
  ])("are sent with their size from the second time on: %s", async (file, text) => {
    await using site = await serveFiles();
    await site.fetch(`GET /${file}`, { "accept-encoding": "gzip" });
    const again = await site.fetch(`GET /${file}`, { "accept-encoding": "gzip" });
    expect(again.headers["content-length"]).toBe(String(again.content.length));
    expect(textOf(again)).toBe(text);
  });

  test("follow a change of the file, though it has the same size", async () => {
    await using site = await serveFiles();
    for (const text of [page, page.toUpperCase(), page.toLowerCase()]) {
      await site.write("page.html", text);
      for (let i = 0; i < 2; i++)
        expect(textOf(await site.fetch("GET /page.html", { "accept-encoding": "gzip" }))).toBe(text);
    }
  });

  test("are not kept without a budget, nor where one is too large for it", async () => {
    for (const cacheSize of ["0", "1K"]) {
      await using site = await serveFiles(`gzip { .cacheSize = ${cacheSize} }`);
      await site.fetch("GET /app.js", { "accept-encoding": "gzip" });
      const again = await site.fetch("GET /app.js", { "accept-encoding": "gzip" });
      expect(again.headers["content-length"]).toBeUndefined();
      expect(textOf(again)).toBe(script);
    }
  });

  test("are made anew when the level changes", async () => {
    await using site = await serveFiles("gzip { .gzipLevel = 1 }");
    const sizeNow = async (): Promise<number> =>
      (await site.fetch("GET /page.html", { "accept-encoding": "gzip" })).content.length;
    const fast = await sizeNow();
    await site.change("webapp.site/rule/gzip", { gzipLevel: 9 });
    expect(await sizeNow()).toBeLessThan(fast);
  });
});

describe("an answer that comes piece by piece", () => {
  /** The text of an answer as it arrives, a step at a time. */
  async function open(site: Site): Promise<AsyncIterator<string>> {
    const options = { port: site.port, host: "127.0.0.1", agent: false, headers: { "accept-encoding": "gzip" } };
    const response = await new Promise<IncomingMessage>((resolve) => get(options, resolve));
    return response.pipe(createGunzip()).setEncoding("utf8")[Symbol.asyncIterator]();
  }

  const streaming =
    (type: string, steps: readonly Promise<void>[]): HandletPart["handle"] =>
    async (_req, resp) => {
      resp.setHeader("content-type", type);
      await resp.echo("data: 1\n\n");
      await steps[0];
      await resp.echo("data: 2\n\n");
      await steps[1];
      resp.end();
      return true;
    };

  test.each([
    ["text/event-stream", "gzip { .flushAfter = 1h }"],
    ["text/html", "gzip { .flushAfter = 1ms }"],
  ])("arrives as it was sent, where it is %s", async (type, revisers) => {
    const first = Promise.withResolvers<void>();
    const second = Promise.withResolvers<void>();
    await using site = await serveSite({ revisers, handle: streaming(type, [first.promise, second.promise]) });
    const text = await open(site);
    expect(await text.next()).toEqual({ done: false, value: "data: 1\n\n" });
    first.resolve();
    expect(await text.next()).toEqual({ done: false, value: "data: 2\n\n" });
    second.resolve();
    expect(await text.next()).toEqual({ done: true, value: undefined });
  });

  test("is flushed when its handlet says so", async () => {
    const gate = Promise.withResolvers<void>();
    await using site = await serveSite({
      revisers: "gzip { .flushAfter = 1h }",
      async handle(_req, resp) {
        resp.setHeader("content-type", "text/html");
        await resp.echo("one");
        await resp.flush();
        await gate.promise;
        await resp.echo("two");
        resp.end();
        return true;
      },
    });
    const text = await open(site);
    expect(await text.next()).toEqual({ done: false, value: "one" });
    gate.resolve();
    expect(await text.next()).toEqual({ done: false, value: "two" });
  });

  test("goes as it is while too many are compressed", async () => {
    const begun = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    await using site = await serveSite({
      revisers: "gzip { .maxStreams = 1 }",
      async handle(req, resp) {
        resp.setHeader("content-type", "text/html");
        await resp.echo(page);
        begun.resolve();
        if (req.path === "/slow") await gate.promise;
        resp.end();
        return true;
      },
    });
    const headers = { "accept-encoding": "gzip" };
    const slow = site.fetch("GET /slow", headers);
    await begun.promise;
    const other = await site.fetch("GET /", headers);
    expect(other.headers["content-encoding"]).toBeUndefined();
    expect(other.headers["vary"]).toBe("accept-encoding");
    expect(textOf(other)).toBe(page);
    gate.resolve();
    expect((await slow).headers["content-encoding"]).toBe("gzip");
    expect((await site.fetch("GET /", headers)).headers["content-encoding"]).toBe("gzip");
  });
});

test("answers from the cache have the fields of the first one, and of others only what others say", async () => {
  const fields = ["content-type", "text/html", "etag", '"a"', "accept-ranges", "bytes"];
  const content = Buffer.from(page);
  const known = { identity: -1, size: content.length, type: "text/html", coding: undefined };
  await using site = await serveSite({
    revisers: "gzip {}",
    handle(req, resp) {
      resp.setTrustedFields(fields);
      resp.knownContent = known;
      resp.addHook({
        rank: 0,
        by: fields,
        path: "",
        hook() {
          resp.addHeader("x-query", req.queryString);
          return undefined;
        },
      });
      resp.send(content);
      return true;
    },
  });
  const first = await site.ask("GET /?0", { "accept-encoding": "gzip" });
  expect(first.headers["etag"]).toBe('W/"a"');
  for (const query of ["?1", "?2", "?3", "?4"]) {
    const answer = await site.ask(`GET /${query}`, { "accept-encoding": "gzip" });
    expect(answer.content).toEqual(first.content);
    expect(answer.headers).toEqual({ ...first.headers, date: answer.headers["date"], "x-query": query });
    expect((await site.ask(`GET /${query}`)).headers["content-encoding"]).toBeUndefined();
  }
});

test("a coding or a type that there is not is a mistake", async () => {
  await expect(serveSite({ revisers: 'gzip { .codings = ("gzipp") }' })).rejects.toThrow('did you mean "gzip"?');
  await expect(serveSite({ revisers: 'gzip { .types = ("html") }' })).rejects.toThrow("takes a media type");
});
