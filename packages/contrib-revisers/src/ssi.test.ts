import { mkdtempDisposable, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { HandletPart } from "@hemi/internal";
import { filterTests } from "@hemi/internal/testing";
import { describe, expect, test } from "vitest";
import { Page } from "./ssi/page.ts";
import { SsiFilter } from "./ssi/ssi-filter.ts";
import { serveSite, type Site } from "./testing/serve-site.ts";

const error = "[an error occurred while processing the directive]";

async function* inPieces(...texts: readonly string[]): AsyncGenerator<Uint8Array, void, void> {
  for (const text of texts) yield Buffer.from(text);
}

describe("its filter", async () => {
  const requests = Promise.withResolvers<ConstructorParameters<typeof Page>[0]>();
  await using site = await serveSite({
    revisers: "",
    handle: (req, resp) => (requests.resolve(req), resp.send(), true),
  });
  await site.ask("GET /page?name=Ann");
  const req = await requests.promise;
  const page =
    "<p>ä<!--#echo var='query_name' --></p><!--x--><!--#include virtual='/a?b=$query_name' -->" +
    "<!--#if expr='$query_name = Bob' -->Bob<!--#else -->not Bob<!--#endif --><!-";

  test.each(
    filterTests({
      make: () =>
        new SsiFilter({
          page: new Page(req, { errorText: "?", now: 0, lastModified: undefined }),
          form: { charset: "utf8", isMarkup: true },
          fetch: async (target) => inPieces("<", target, ">"),
          maxDirectiveSize: 1000,
          noteBroken: () => {},
        }),
      input: Buffer.from(page),
      expected: Buffer.from("<p>äAnn</p><!--x--></a?b=Ann>not Bob<!-"),
    }),
  )("$name", ({ run }) => run());
});

test("an inclusion that fails behind the place where a page broke off does not end the process", async () => {
  await using site = await serveSite({
    revisers: "",
    handle: (req, resp) => (requests.resolve(req), resp.send(), true),
  });
  const requests = Promise.withResolvers<ConstructorParameters<typeof Page>[0]>();
  await site.ask("GET /page");
  const filter = new SsiFilter({
    page: new Page(await requests.promise, { errorText: "?", now: 0, lastModified: undefined }),
    form: { charset: "utf8", isMarkup: true },
    fetch: async (target) => {
      if (target === "/bad") throw new Error("it was to fail");
      return inPieces("good");
    },
    maxDirectiveSize: 1000,
    noteBroken: () => {},
  });
  const page = Buffer.from("<!--#include virtual='/good' --><!--#include virtual='/bad' -->");
  const pushed = filter.push(page, () => {
    throw new Error("the client has left");
  });
  await expect(pushed).rejects.toThrow("the client has left");
  await new Promise((resolve) => setImmediate(resolve));
});

/** The page at `/dir/page.html`, filled in. */
async function fillIn(page: string, query = "", settings = ""): Promise<string> {
  const files = {
    "dir/page.html": page,
    "dir/part.html": "[part <!--#echo var='query_x' -->]",
    "dir/again.html": "again <!--#include file='again.html' -->",
    "menu.html": "[menu]",
    "plain.txt": "<b> & <!--#echo var='path' -->",
  };
  await using site = await serveSite({ revisers: `ssi { ${settings} }`, files });
  return (await site.ask(`GET /dir/page.html${query}`)).text;
}

test.each([
  ['<!--#echo var="path" -->', "/dir/page.html"],
  ['<!--#echo var="DOCUMENT_NAME" --> <!--#echo var="REMOTE_ADDR"-->', "page.html 127.0.0.1"],
  ['<!--#echo var="nothing" -->', ""],
  ['<!--#echo var="nothing" default="none" -->', "none"],
  ['<!--#echo var="query_q" -->', "&#60;b&#62;&#38;"],
  ['<!--#echo var="query_q" encoding="url" -->', "%3Cb%3E%26"],
  ['<!--#echo var="query_q" encoding="none" -->', "<b>&"],
  ['<!--#set var="a" value="1$path" --><!--#set var="b" value="${a}2" --><!--#echo var="b" -->', "1/dir/page.html2"],
  ['<!--#config timefmt="%Y" --><!--#echo var="LAST_MODIFIED" -->', "2026"],
  ['<!--#config timefmt="%a, %d %b %Y %T %z" --><!--#echo var="LAST_MODIFIED" -->', "Thu, 01 Jan 2026 00:00:01 +0000"],
  ['<!--#include virtual="/menu.html" -->', "[menu]"],
  ['<!--#include virtual="../menu.html" -->', "[menu]"],
  ['<!--# include virtual="/menu.html" -->', "[menu]"],
  ['<!--#INCLUDE virtual="/menu.html" -->', "[menu]"],
  ['<!--#include file="part.html" -->', "[part ]"],
  ['<!--#include virtual="part.html?x=%3Ci%3E" -->', "[part &#60;i&#62;]"],
  ['<!--#include virtual="part.html?x=$query_q&y" -->', "[part &#60;b&#62;&#38;]"],
  ['<!--#include virtual="/plain.txt" -->', "<b> & <!--#echo var='path' -->"],
  [
    '<!--#include virtual="/plain.txt" encoding="entity" -->',
    "&#60;b&#62; &#38; &#60;!--#echo var=&#39;path&#39; --&#62;",
  ],
  ["a<!-- comment --><!--#", `a<!-- comment -->${error}`],
])("%s becomes %s", async (page, expected) => {
  expect(await fillIn(page, "?q=%3Cb%3E%26")).toBe(expected);
});

describe("a variable in a target of include", () => {
  const include = (target: string): string => `<!--#set var="up" value=".." --><!--#include ${target} -->`;

  test.each([
    ['virtual="/users/$query_q/card.html"', ".."],
    ['virtual="/users/$query_q/card.html"', "."],
    ['virtual="/users/.$query_q/card.html"', "."],
    ['virtual="/users/$query_q"', ".."],
    ['virtual="/users/$query_q"', "../../menu.html"],
    ['virtual="/users/x$query_q"', "/../../menu.html"],
    ['virtual="/users/$query_q"', "..\\..\\menu.html"],
    ['virtual="/users/$up/card.html"', "ann"],
    ['file="users/$query_q/card.html"', ".."],
    ['file="$query_q/card.html"', ".."],
    ['file="$query_q"', "/menu.html"],
    ['file="$path"', ""],
  ])("does not lead out of its folder: %s with %j", async (target, value) => {
    const files = {
      "dir/page.html": include(target),
      "users/ann/card.html": "Ann",
      "card.html": "above",
      "dir/card.html": "above",
      "users/card.html": "the folder",
      "menu.html": "menu",
    };
    await using site = await serveSite({ revisers: "ssi {}", files });
    const { text } = await site.ask(`GET /dir/page.html?q=${encodeURIComponent(value)}`);
    expect(text).toBe(error);
  });

  test.each([
    ['virtual="/users/$query_q/card.html"', "/dir/page.html?q=a%20b", "a b"],
    ['virtual="../users/$query_q/card.html"', "/dir/page.html?q=a%20b", "a b"],
    ['virtual="/more${DOCUMENT_URI}"', "/dir/page.html", "more"],
    ['virtual="/more$path"', "/dir/page.html", "more"],
    ['virtual="/more$uri"', "/dir/page.html?a", "more"],
    ['virtual="/query.html?$QUERY_STRING&c=$path"', "/dir/page.html?a=%26&b", "?a=%26&b&c=%2Fdir%2Fpage.html"],
  ])("is what it is by nature: %s at %s", async (target, url, text) => {
    const files = {
      "dir/page.html": include(target),
      "users/a b/card.html": "a b",
      "more/dir/page.html": "more",
      "query.html": "<!--#echo var='queryString' encoding='none' -->",
    };
    await using site = await serveSite({ revisers: "ssi {}", files });
    expect((await site.ask(`GET ${url}`)).text).toBe(text);
  });
});

describe("a condition", () => {
  test.each<[string, boolean]>([
    ["$query_a", true],
    ["$nothing", false],
    ["!$nothing", true],
    ["$query_a = 1", true],
    ["$query_a == '1'", true],
    ["$query_a != 1", false],
    ["$path ^= /dir/", true],
    ["$path $= .html", true],
    ["$path *= nowhere", false],
    ["$query_a = 2 || $query_a = 1", true],
    ["$query_a = 1 && $query_b = 1", false],
    ["$query_a = 1 || $query_b = 1 && $nothing", true],
    ["($query_a = 1 || $query_b = 1) && $nothing", false],
    ["!($query_a = 1 && $nothing)", true],
    ["'${query_a}x' = 1x", true],
  ])("%s is %s", async (expression, holds) => {
    const page = `<!--#if expr="${expression}" -->yes<!--#else -->no<!--#endif -->`;
    expect(await fillIn(page, "?a=1&b=2")).toBe(holds ? "yes" : "no");
  });

  test.each(["", "=", "$query_a =", "($query_a", "$query_a)", "a b", "&& a", "a ^ b"])(
    "%j is malformed",
    async (expression) => {
      expect(await fillIn(`<!--#if expr="${expression}" -->yes<!--#else -->no<!--#endif -->!`)).toBe(`${error}!`);
    },
  );

  test("the first way that holds is taken, and nothing in the others is done", async () => {
    const page = `<!--#if expr="$query_a = 1" -->1<!--#elif expr="$query_a = 2" -->2<!--#if expr="$query_b" -->b<!--#endif --><!--#elif expr="x" -->3<!--#set var="s" value="set" --><!--#else -->4<!--#endif --><!--#echo var="s" -->`;
    expect(await fillIn(page, "?a=1")).toBe("1");
    expect(await fillIn(page, "?a=2")).toBe("2");
    expect(await fillIn(page, "?a=2&b=1")).toBe("2b");
    expect(await fillIn(page, "?a=3")).toBe("3set");
  });
});

describe("the error text stands for", () => {
  test.each([
    '<!--#exec cmd="ls" -->',
    '<!--#echo vra="path" -->',
    '<!--#echo var="path" encoding="base64" -->',
    '<!--#echo var="path -->',
    "<!--#echo -->",
    '<!--#set var="a b" value="c" -->',
    "<!--#endif -->",
    "<!--#else -->",
    '<!--#include virtual="/none" -->',
    '<!--#include virtual="http://evil.example/" -->',
    '<!--#include file="/menu.html" -->',
    '<!--#include file="../menu.html" -->',
    '<!--#include virtual="a" file="b" -->',
  ])("%s", async (page) => {
    expect(await fillIn(`a${page}b`)).toBe(`a${error}b`);
  });

  test("what a page says", async () => {
    expect(await fillIn('<!--#config errmsg="oh" --><!--#exec -->')).toBe("oh");
    expect(await fillIn("<!--#exec -->", "", '.errorText = "oops"')).toBe("oops");
  });

  test("a directive that is too long, which then is text", async () => {
    const page = `<!--#set var="a" value="${"x".repeat(100)}" -->b`;
    expect(await fillIn(page, "", ".maxDirectiveSize = 64")).toBe(`${error}${page.slice(5)}`);
  });

  // It took minutes.
  test("openings without an end, each of which would otherwise be followed to the end of the page", async () => {
    expect(await fillIn("<!--#".repeat(200_000), "", '.errorText = "!" .maxDirectiveSize = 64')).toMatch(/^!+$/);
  });

  test("an inclusion too many, too deep, or too large", async () => {
    expect(await fillIn('<!--#include file="again.html" -->', "", ".maxDepth = 2")).toBe(`again again ${error}`);
    expect(await fillIn('<!--#include virtual="/menu.html" -->'.repeat(3), "", ".maxIncludes = 2")).toBe(
      `[menu][menu]${error}`,
    );
    expect(await fillIn('<!--#include virtual="/menu.html" -->', "", ".maxIncludeSize = 3")).toBe(error);
  });
});

test("what one piece includes is fetched side by side, and stands in order", async () => {
  const asked: string[] = [];
  const all = Promise.withResolvers<void>();
  const handle: HandletPart["handle"] = async (req, resp) => {
    if (req.depth === 0) {
      resp.setHeader("content-type", "text/html");
      resp.send(["a", "b", "c"].map((name) => `<!--#include virtual="/${name}" -->`).join(" "));
      return true;
    }
    asked.push(req.path);
    if (asked.length === 3) all.resolve();
    await all.promise;
    resp.send(req.path);
    return true;
  };
  await using site = await serveSite({ revisers: "ssi {}", handle });
  expect((await site.ask("GET /")).text).toBe("/a /b /c");
});

test("access logs have the page, and not what it includes", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-ssi-"));
  const log = join(folder.path, "access.log");
  {
    await using site = await serveSite({
      revisers: "ssi {}",
      files: { "page.html": '<!--#include virtual="/menu.html" -->', "menu.html": "[menu]" },
      webapp: `.accessLog = ["file": "${log}"]`,
    });
    expect((await site.ask("GET /page.html")).text).toBe("[menu]");
  }
  const lines = (await readFile(log, "utf8")).trimEnd().split("\n");
  expect(lines).toEqual([expect.stringContaining("GET /page.html")]);
});

describe("of a page", () => {
  const open = (): Promise<Site> =>
    serveSite({
      revisers: "ssi {} gzip { .minSize = 1 }",
      files: { "page.html": '<!--#echo var="query_a" --><!--#include virtual="/menu.html" -->', "menu.html": "[menu]" },
    });

  test("no range shows its directives, and no validator outlives it", async () => {
    await using site = await open();
    const answer = await site.fetch("GET /page.html?a=1", { range: "bytes=0-5" });
    expect(answer).toMatchObject({
      status: 200,
      content: Buffer.from("1[menu]"),
      headers: { "accept-ranges": "none" },
    });
    for (const name of ["etag", "last-modified"]) expect(answer.headers).not.toHaveProperty(name);
    expect((await site.fetch("HEAD /page.html")).content).toHaveLength(0);
  });

  test("what is included is not compressed twice", async () => {
    await using site = await open();
    const answer = await site.fetch("GET /page.html", { "accept-encoding": "gzip" });
    expect(answer.headers["content-encoding"]).toBe("gzip");
    expect(gunzipSync(answer.content).toString()).toBe("[menu]");
  });
});
