import { filterTests } from "@hemi/internal/testing";
import { expect, test } from "vitest";
import { serveSite } from "./testing/serve-site.ts";
import { WrapFilter } from "./wrap.ts";

test.each(
  filterTests({
    make: () => new WrapFilter(Buffer.from("<"), Buffer.from(">")),
    input: Buffer.from("content".repeat(20)),
    expected: Buffer.from(`<${"content".repeat(20)}>`),
    expectedOfNothing: Buffer.from("<>"),
    readFlushed: (output) => Buffer.concat([output, Buffer.from(">")]),
  }),
)("$name", ({ run }) => run());

const files = { "a.html": "<p>page</p>", "a.txt": "text" };

test("pages get text before and behind, others do not", async () => {
  await using site = await serveSite({ revisers: 'wrap { .before = "<top>" .after = "<bottom>" }', files });
  const answer = await site.fetch("GET /a.html");
  expect(answer.content.toString()).toBe("<top><p>page</p><bottom>");
  expect(answer.headers).toMatchObject({ etag: expect.stringMatching(/^W\//), "content-length": "24" });
  expect((await site.fetch("HEAD /a.html")).headers["content-length"]).toBe("24");
  expect((await site.fetch("GET /a.txt")).content.toString()).toBe("text");
  const { etag } = answer.headers;
  expect(await site.fetch("GET /a.html", { "if-none-match": String(etag) })).toMatchObject({
    status: 304,
    headers: { etag },
  });
});

test("variables have no markup, and leave no validators", async () => {
  await using site = await serveSite({ revisers: 'wrap { .after = "<!-- " + $query_a + " -->" }', files });
  const answer = await site.fetch("GET /a.html?a=--%3E%3Cscript%3E");
  expect(answer.content.toString()).toBe("<p>page</p><!-- --&#62;&#60;script&#62; -->");
  expect(answer.headers).not.toHaveProperty("etag");
  expect(answer.headers).not.toHaveProperty("last-modified");
});

test("compression comes after it, whatever stands first", async () => {
  await using site = await serveSite({ revisers: 'gzip { .minSize = 1 } wrap { .after = "!" }', files });
  const answer = await site.fetch("GET /a.html", { "accept-encoding": "gzip" });
  expect(answer.headers).toMatchObject({ "content-encoding": "gzip", etag: expect.stringMatching(/^W\/"/) });
});

test("nothing before and nothing behind is a mistake", async () => {
  await expect(serveSite({ revisers: "wrap {}" })).rejects.toThrow("it puts nothing anywhere");
});
