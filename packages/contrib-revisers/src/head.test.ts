import type { HandletPart } from "@hemi/internal";
import { describe, expect, test } from "vitest";
import { serveSite } from "./testing/serve-site.ts";

/** The path is the status. */
const handle: HandletPart["handle"] = (req, resp) => {
  resp.status = Number(req.path.slice(1));
  resp.addHeader("x-old", "1");
  resp.addHeader("x-old", "2");
  resp.setHeader("x-secret", "3");
  resp.send(resp.status === 304 ? undefined : "content");
  return true;
};

test("fields are set, added, given where there are none, and removed, of all answers", async () => {
  await using site = await serveSite({
    revisers: `head {
      .set = ["x-old": "new", "X-From": $srcHost + "!"]
      .add = ["x-from": "also"]
      .default = ["x-old": "no", "x-other": "yes"]
      .remove = ("X-Secret", "content-type")
    }`,
    handle,
  });
  for (const path of ["/200", "/304", "/404"]) {
    const { headers } = await site.ask(`GET ${path}`);
    expect(headers).toEqual({ "x-old": "new", "x-from": ["127.0.0.1!", "also"], "x-other": "yes" });
  }
});

test("only answers with such a status, where it says so", async () => {
  await using site = await serveSite({ revisers: 'head { .set = ["x-new": "1"] .statuses = ("404", "5xx") }', handle });
  for (const [path, value] of [
    ["/200", undefined],
    ["/403", undefined],
    ["/404", "1"],
    ["/503", "1"],
  ] as const) {
    expect((await site.ask(`GET ${path}`)).headers["x-new"]).toBe(value);
  }
});

test("only answers with content of such a type, error pages and answers without content included", async () => {
  const files = { "a.html": "a", "a.css": "b", "404.html": "none" };
  const revisers = 'head { .set = ["x-new": "1"] .types = ("text/html") }';
  await using site = await serveSite({ revisers, files, static: ".otherwise = 404" });
  const { etag } = (await site.fetch("GET /a.html")).headers;
  expect((await site.fetch("GET /a.html")).headers["x-new"]).toBe("1");
  expect((await site.fetch("HEAD /a.html")).headers["x-new"]).toBe("1");
  expect(await site.fetch("GET /a.html", { "if-none-match": String(etag) })).toMatchObject({
    status: 304,
    headers: { "x-new": "1" },
  });
  expect((await site.fetch("GET /a.css")).headers["x-new"]).toBeUndefined();
  // The engine's own page is of text/plain.
  expect(await site.fetch("GET /none")).toMatchObject({
    status: 404,
    headers: { "content-type": "text/plain; charset=utf-8" },
  });
  expect((await site.fetch("GET /none")).headers["x-new"]).toBeUndefined();
});

test("an error page of a file has the type of that file", async () => {
  const page = new URL("../package.json", import.meta.url).pathname;
  const revisers = `.errorPages = ["404": "${page}"] head { .set = ["x-new": "1"] .types = ("application/json") }`;
  await using site = await serveSite({ revisers, static: ".otherwise = 404" });
  expect(await site.fetch("GET /none")).toMatchObject({ status: 404, headers: { "x-new": "1" } });
});

describe("a variable", () => {
  test.each([
    ["plain: ok", "plain%3A%20ok", "plain: ok"],
    ["line ends", "a%0d%0aset-cookie:%20evil=1", "a%0D%0Aset-cookie: evil=1"],
    ["characters beyond ASCII", "%E2%82%AC", "%E2%82%AC"],
    ["NUL", "a%00b", "a%00b"],
    ["nothing", "", undefined],
  ])("with %s forges nothing", async (_what, query, value) => {
    await using site = await serveSite({ revisers: 'head { .set = ["x-old": $query_a] }', handle });
    const { headers } = await site.ask(`GET /200?a=${query}`);
    expect(headers["x-old"]).toBe(value);
    expect(headers["set-cookie"]).toBeUndefined();
  });
});

test("a variable in location does not lead elsewhere", async () => {
  await using site = await serveSite({ revisers: 'head { .set = ["Location": "/a/" + $query_a] }', handle });
  expect((await site.ask("GET /201?a=b/c%3Fd")).headers["location"]).toBe("/a/b%2Fc%3Fd");
  expect((await site.ask("GET /201?a=..")).status).toBe(400);
});

test("the fields of a file's answer are changed for GET, HEAD and 304 alike", async () => {
  await using site = await serveSite({ revisers: 'head { .set = ["x-new": "1"] }', files: { "a.html": "a" } });
  const { etag } = (await site.fetch("GET /a.html")).headers;
  for (const answer of [
    await site.fetch("GET /a.html"),
    await site.fetch("HEAD /a.html"),
    await site.fetch("GET /a.html", { "if-none-match": String(etag) }),
    await site.fetch("GET /none"),
  ]) {
    expect(answer.headers["x-new"]).toBe("1");
  }
});

test.each([
  ['.set = ["content-length": "5"]', "the field content-length frames the message"],
  ['.add = ["x y": "5"]', '"x y" cannot be the name of a header field'],
  ['.set = ["location": $query_a]', "a host that no client can choose"],
  ['.remove = ("connection")', "the field connection frames the message"],
  ['.remove = ("Date")', "every answer has a date"],
  ['.set = ["x": "ä"]', 'holds a character that no field can: "ä"'],
  ['.set = ["x": `a\nb`]', "holds a character that no field can"],
  ['.set = ["x": "a"] .statuses = ("6xx")', 'takes a status such as "404" or "4xx"'],
  ["", "it changes nothing"],
])("a mistake is told: head { %s }", async (props, message) => {
  await expect(serveSite({ revisers: `head { ${props} }` })).rejects.toThrow(message);
});
