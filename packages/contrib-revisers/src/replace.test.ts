import type { HandletPart } from "@hemi/internal";
import { filterTests } from "@hemi/internal/testing";
import { describe, expect, test } from "vitest";
import { compilePatterns } from "./pattern/program.ts";
import { parsePattern } from "./pattern/syntax.ts";
import { ReplaceFilter } from "./replace-filter.ts";
import { serveSite } from "./testing/serve-site.ts";

function makeFilter(): ReplaceFilter {
  const program = compilePatterns([{ node: parsePattern("<b>([^<]*)</b>"), ignoreCase: false }], "utf8");
  const limits = { maxCount: 1_000_000, maxMatchSize: 1024 };
  return new ReplaceFilter(program, [(group) => [Buffer.from("*"), group(1), Buffer.from("*")]], limits);
}

test.each(
  filterTests({
    make: makeFilter,
    input: Buffer.from("a <b>bold</b> <b>über</b> <b>open".repeat(5)),
    expected: Buffer.from("a *bold* *über* <b>open".repeat(5)),
  }),
)("$name", ({ run }) => run());

const answering =
  (content: string | Uint8Array, type = "text/html"): HandletPart["handle"] =>
  (_req, resp) => {
    resp.setHeader("content-type", type);
    resp.setHeader("etag", '"1"');
    resp.setHeader("last-modified", "Thu, 01 Jan 2026 00:00:00 GMT");
    resp.send(content);
    return true;
  };

test("texts and regular expressions are replaced, the first that matches", async () => {
  await using site = await serveSite({
    revisers: `replace { .rules = (
      ["find": "http://old.example/", "with": "https://new.example/"],
      ["match": "v(\\d+)\\.(\\d+)", "with": "version $2 of $1 for $$5"],
      ["find": "OLD", "with": "$1", "ignoreCase": true],
    ) }`,
    handle: answering('<a href="http://old.example/">old</a> v1.22'),
  });
  const answer = await site.fetch("GET /");
  expect(answer.content.toString()).toBe('<a href="https://new.example/">$1</a> version 22 of 1 for $5');
  expect(answer.headers).toMatchObject({ etag: 'W/"1"', "content-length": String(answer.content.length) });
});

test("variables have no markup in a page, and leave no validators", async () => {
  const rule = (more: string) =>
    `replace { .rules = (["find": "NAME", "with": "<b>" + $query_name + "</b>"]) ${more} }`;
  for (const [more, type, text] of [
    ["", "text/html", "<b>&#60;i&#62;$1</b>"],
    ["", "application/xhtml+xml", "<b>&#60;i&#62;$1</b>"],
    ["", "text/plain", "<b><i>$1</b>"],
    [".escape = false", "text/html", "<b><i>$1</b>"],
  ] as const) {
    await using site = await serveSite({ revisers: rule(`.types = ("*") ${more}`), handle: answering("NAME", type) });
    const answer = await site.fetch("GET /?name=%3Ci%3E$1");
    expect(answer.content.toString()).toBe(text);
    expect(answer.headers).not.toHaveProperty("etag");
    expect(answer.headers).not.toHaveProperty("last-modified");
  }
});

describe("the charset of the answer counts:", () => {
  test.each([
    ["text/html; charset=ISO-8859-1", Buffer.from("grün", "latin1"), Buffer.from("größer &#8364;", "latin1")],
    ["text/html", Buffer.from("grün"), Buffer.from("größer €")],
    ["text/html; charset=utf-16", Buffer.from("grün", "utf16le"), Buffer.from("grün", "utf16le")],
  ])("%s", async (type, content, expected) => {
    const revisers = 'replace { .rules = (["find": "grün", "with": "größer €"]) }';
    await using site = await serveSite({ revisers, handle: answering(content, type) });
    expect((await site.fetch("GET /")).content).toEqual(expected);
  });
});

test("no request gets around it by ranges or compressed neighbours, and files of other types have theirs", async () => {
  const files = { "a.html": "secret", "a.html.gz": "coded", "a.txt": "secret" };
  await using site = await serveSite({
    revisers: 'replace { .rules = (["find": "secret", "with": "public"]) }',
    files,
    static: '.precompressed = ("gzip")',
  });
  for (const headers of [{ range: "bytes=0-2" }, { "accept-encoding": "gzip" }]) {
    const answer = await site.fetch("GET /a.html", headers);
    expect({ ...answer, content: answer.content.toString() }).toMatchObject({
      status: 200,
      content: "public",
      headers: { "accept-ranges": "none", etag: expect.stringMatching(/^W\//) },
    });
  }
  const { etag } = (await site.fetch("GET /a.html")).headers;
  const known = await site.fetch("GET /a.html", { "if-none-match": String(etag) });
  expect(known).toMatchObject({ status: 304, headers: { etag } });
  expect((await site.fetch("GET /a.txt", { range: "bytes=0-2" })).content.toString()).toBe("sec");
});

test("what a proxy gets from elsewhere it gets whole and uncoded", async () => {
  await using backend = await serveSite({ revisers: "gzip { .minSize = 1 }", files: { "a.html": "secret" } });
  await using site = await serveSite({
    stage: `http1Backend "behind" { .nodes = (["address": "127.0.0.1:${backend.port}"]) }`,
    revisers: 'replace { .rules = (["find": "secret", "with": "public"]) } httpProxy { .toBackend = "behind" }',
  });
  for (const headers of [{ range: "bytes=0-2" }, { "accept-encoding": "gzip" }]) {
    const answer = await site.fetch("GET /a.html", headers);
    expect(answer.content.toString()).toBe("public");
    expect(answer).toMatchObject({ status: 200, headers: { etag: expect.stringMatching(/^W\//) } });
  }
});

test("only so many are replaced", async () => {
  const revisers = 'replace { .rules = (["find": "a", "with": "b"]) .maxCount = 2 }';
  await using site = await serveSite({ revisers, handle: answering("aaa") });
  expect((await site.fetch("GET /")).content.toString()).toBe("bba");
});

test.each([
  ['["with": "b"]', '.rules[0] has either "find" or "match"'],
  ['["find": "a", "match": "a", "with": "b"]', '.rules[0] has either "find" or "match"'],
  ['["match": "(a", "with": "b"]', 'the "(" at 1 is not closed'],
  ['["match": "a*", "with": "b"]', "it matches nothing at all"],
])("a mistake is told: %s", async (rule, message) => {
  await expect(serveSite({ revisers: `replace { .rules = (${rule}) }` })).rejects.toThrow(message);
});
