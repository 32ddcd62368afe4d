import { brotliCompressSync, deflateRawSync, deflateSync, gunzipSync, gzipSync, zstdCompressSync } from "node:zlib";
import { decodingFilter, type HandletPart } from "@hemi/internal";
import { filterTests } from "@hemi/internal/testing";
import { describe, expect, test } from "vitest";
import { serveSite } from "./testing/serve-site.ts";

const page = "<p>a page</p>".repeat(100);
const coded = Buffer.from(gzipSync(page));

describe("its filter", () => {
  test.each(
    filterTests({
      make: () => decodingFilter("gzip", { whose: "response" }),
      input: coded,
      expected: Buffer.from(page),
      write: (bytes) => gzipSync(bytes, { level: 1 }),
      readFlushed: (output) => output,
    }),
  )("$name", ({ run }) => run());
});

/** Answers in the coding of the path, whatever the client takes. */
const handle: HandletPart["handle"] = (req, resp) => {
  const coding = req.path.slice(1);
  const encode = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync, zstd: zstdCompressSync }[coding];
  resp.setHeader("content-type", "text/html");
  resp.setHeader("content-encoding", coding);
  resp.setHeader("etag", '"1"');
  resp.send(encode?.(page) ?? "not coded");
  return true;
};

test.each(["gzip", "deflate", "br", "zstd"])("%s is taken off for those who do not take it", async (coding) => {
  await using site = await serveSite({ revisers: "gunzip {}", handle });
  for (const field of [undefined, "identity", `${coding};q=0, *`]) {
    const answer = await site.fetch(`GET /${coding}`, field === undefined ? {} : { "accept-encoding": field });
    expect(answer.content.toString()).toBe(page);
    expect(answer.headers).toMatchObject({ vary: "accept-encoding", etag: 'W/"1"' });
    expect(answer.headers).not.toHaveProperty("content-encoding");
  }
  const taken = await site.fetch(`GET /${coding}`, { "accept-encoding": coding });
  expect(taken.headers).toMatchObject({ "content-encoding": coding, vary: "accept-encoding", etag: '"1"' });
});

test.each([
  ["deflate", deflateRawSync(page)],
  ["gzip", Buffer.concat([coded, Buffer.from("garbage")])],
])("%s that is wrong is read as browsers read it", async (coding, content) => {
  await using site = await serveSite({
    revisers: "gunzip {}",
    handle(_req, resp) {
      resp.setHeader("content-encoding", coding);
      resp.send(content);
      return true;
    },
  });
  expect((await site.fetch("GET /")).content.toString()).toBe(page);
});

describe("a request", () => {
  const sent = (content: Uint8Array, coding: string) => ({
    method: "POST",
    url: "http://site.example/",
    headers: { "content-encoding": coding, "content-type": "text/plain" },
    content,
  });
  const tells: HandletPart["handle"] = async (req, resp) => {
    const pieces: Uint8Array[] = [];
    for await (const piece of req.content) pieces.push(piece);
    resp.sendJSON({ headers: Object.fromEntries(req.headers), text: Buffer.concat(pieces).toString() });
    return true;
  };

  test.each<[string, (text: string) => Uint8Array]>([
    ["gzip", gzipSync],
    ["deflate", deflateSync],
    ["br", brotliCompressSync],
    ["zstd", zstdCompressSync],
  ])("in %s is decoded where that is wanted, and its head says so", async (coding, encode) => {
    await using site = await serveSite({ revisers: "gunzip { .requests = true }", handle: tells });
    const answer: { headers: Record<string, string>; text: string } = JSON.parse(
      (await site.stage.inject(sent(encode(page), coding))).text,
    );
    expect(answer.text).toBe(page);
    expect(answer.headers).toEqual({ "content-type": "text/plain" });
  });

  test("is left as it is where that is not wanted, and with a coding that is not known", async () => {
    for (const [revisers, coding] of [
      ["gunzip {}", "gzip"],
      ["gunzip { .requests = true }", "compress"],
    ] as const) {
      await using site = await serveSite({ revisers, handle: tells });
      const answer = JSON.parse((await site.stage.inject(sent(Buffer.from("as it is"), coding))).text) as unknown;
      expect(answer).toMatchObject({ headers: { "content-encoding": coding }, text: "as it is" });
    }
  });

  test("goes to a backend decoded", async () => {
    await using origin = await serveSite({ revisers: "", handle: tells });
    await using site = await serveSite({
      revisers: `gunzip { .requests = true } httpProxy { .toBackend = "origin" }`,
      stage: `http1Backend "origin" { .nodes = (["address": "127.0.0.1:${origin.port}"]) }`,
    });
    const answer = JSON.parse((await site.stage.inject(sent(coded, "gzip"))).text) as unknown;
    expect(answer).toMatchObject({ text: page, headers: { "transfer-encoding": "chunked" } });
    expect(answer).not.toHaveProperty("headers.content-encoding");
  });

  test("that unfolds without measure, or is broken, is refused", async () => {
    await using site = await serveSite({ revisers: "gunzip { .requests = true .maxRatio = 10 }", handle: tells });
    expect((await site.stage.inject(sent(gzipSync(Buffer.alloc(500_000)), "gzip"))).status).toBe(413);
    expect(site.lines.join("\n")).toContain("decodes to more than 10 times its size, which is maxRatio");
    expect((await site.stage.inject(sent(coded.subarray(0, 20), "gzip"))).status).toBe(400);
  });
});

test("a coding that is not known, or two of them, are left as they are", async () => {
  await using site = await serveSite({ revisers: "gunzip {}", handle });
  for (const coding of ["compress", "gzip,br"]) {
    const answer = await site.fetch(`GET /${coding}`);
    expect(answer.headers).toMatchObject({ "content-encoding": coding, etag: '"1"' });
  }
});

test("what was decoded can be coded again as the client likes", async () => {
  await using site = await serveSite({ revisers: "gzip {} gunzip {}", handle });
  const answer = await site.fetch("GET /br", { "accept-encoding": "gzip" });
  expect(answer.headers["content-encoding"]).toBe("gzip");
  expect(gunzipSync(answer.content).toString()).toBe(page);
});

test("an answer that unfolds without measure, or is broken, is broken off, and the log says why", async () => {
  for (const [content, reason] of [
    [gzipSync(Buffer.alloc(1_000_000)), "decodes to more than 10 times its size, which is maxRatio"],
    [coded.subarray(0, 20), "the content of the response is no right gzip"],
  ] as const) {
    await using site = await serveSite({
      revisers: "gunzip { .maxRatio = 10 }",
      handle(_req, resp) {
        resp.setHeader("content-encoding", "gzip");
        resp.send(content);
        return true;
      },
    });
    await expect(site.fetch("GET /")).rejects.toThrow();
    expect(site.lines.join("\n")).toContain(reason);
  }
});
