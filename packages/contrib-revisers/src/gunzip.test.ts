import { brotliCompressSync, deflateSync, gunzipSync, gzipSync, zstdCompressSync } from "node:zlib";
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
