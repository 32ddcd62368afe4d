import { bootWith, defineHandlet, MemorySink, openErrorLog, pack } from "@hemi/internal";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import contribHandlets from "./index.ts";
import { serveSite } from "./testing/serve-site.ts";

const show = defineHandlet({
  sign: "show",
  create: () => ({
    handle(req, resp) {
      resp.send(req.uri);
      return true;
    },
  }),
});

/** A site that rewrites by these props and then answers with what the request has become. */
async function serveRewritten(props: string) {
  const stage = await bootWith([contribHandlets, pack("test", [show])]).bootText(
    `stage {
      webapp "site" { .hostnames = ("*") rule { rewriter { ${props} } } rule { show {} } }
      httpxServer "main" { .webapps = ("site") .address = "127.0.0.1:0" }
    }`,
    { log: openErrorLog({ level: "debug", sink: new MemorySink() }) },
  );
  await stage.start();
  return {
    ask: (url: string, headers = {}) => stage.inject({ url, headers: { host: "site.example", ...headers } }),
    [Symbol.asyncDispose]: () => stage.quit(),
  };
}

describe("a request is rewritten", () => {
  test.each<[props: string, url: string, uri: string]>([
    [`.pattern = "^/item/(\\d+)$" .target = "/shop?item=$1"`, "/item/7", "/shop?item=7"],
    [`.pattern = "^/item/(\\d+)$" .target = "/shop?item=$1"`, "/item/7?a=1&b", "/shop?item=7&a=1&b"],
    [`.pattern = "^/item/(\\d+)$" .target = "/shop?item=$1" .query = "replace"`, "/item/7?a=1", "/shop?item=7"],
    [`.pattern = "^/item" .target = "/shop"`, "/item?a=1", "/shop?a=1"],
    [`.pattern = "^/item" .target = "/shop"`, "/item?", "/shop?"],
    [`.pattern = "^/item" .target = "/shop?"`, "/item?a=1", "/shop?a=1"],
    [`.pattern = "^/item" .target = "/shop?"`, "/item", "/shop?"],
    [`.pattern = "^/item" .target = "/shop?b&"`, "/item?a=1", "/shop?b&a=1"],
    [`.pattern = "^/item" .target = "/shop?b"`, "/item?", "/shop?b"],
    [`.pattern = "^/item" .target = "/shop" .query = "replace"`, "/item?a=1", "/shop"],
    [`.pattern = "^/item" .target = "/shop"`, "/other?a=1", "/other?a=1"],
    [`.pattern = "b" .target = "/x"`, "/abc", "/x"],
    [`.pattern = "^/(?<page>.+)$" .target = "/pages/$<page>.html"`, "/a/b", "/pages/a/b.html"],
    [`.pattern = "^/(a)?(.*)$" .target = "/$1-$2-$$1"`, "/b", "/-b-$1"],
    [`.pattern = "^/ä$" .target = "/ö ü"`, "/%C3%A4", "/%C3%B6%20%C3%BC"],
    [
      `.pattern = "." .target = "/sites/" + $hostname + $uri .query = "replace"`,
      "/a%2Fb?c",
      "/sites/site.example/a%2Fb?c",
    ],
    [`.pattern = "." .target = "/lang/" + $header_x`, "/", "/lang/a%20%2F%3F%23%25"],
    [`.pattern = "." .target = "/login?next=" + $uri .query = "replace"`, "/a?b&c", "/login?next=%2Fa%3Fb%26c"],
    [`.pattern = "." .target = "/x?b&" + $queryString .query = "replace"`, "/a?c=%20", "/x?b&c=%20"],
    [`.pattern = "." .target = "/x" + $path + "/y" + $queryString .query = "replace"`, "/a%2Fb?c", "/x/a%2Fb/y?c"],
    [`.pattern = "." .target = "/lang?x=" + $header_x`, "/", "/lang?x=a%20%2F%3F%23%25"],
    [`.pattern = "^/(.*)" .target = "/x?p=$1"`, "/a%26b=c+%2Bd", "/x?p=a%26b%3Dc%2B%2Bd"],
  ])("%s: %s becomes %s", async (props, url, uri) => {
    await using site = await serveRewritten(props);
    expect((await site.ask(url, { x: "a /?#%" })).text).toBe(uri);
  });

  test("and starts the rules anew, ten times at most", async () => {
    await using site = await serveRewritten('.pattern = "^/a(.*)$" .target = "/$1" .next = "startAnew"');
    expect((await site.ask("/aaab")).text).toBe("/b");
    expect((await site.ask("/" + "a".repeat(10))).text).toBe("/");
    expect((await site.ask("/" + "a".repeat(11))).status).toBe(500);
  });
});

describe("a client is sent elsewhere", () => {
  test.each<[props: string, url: string, location: string]>([
    [`.pattern = "^/old/(.*)" .target = "/new/$1"`, "/old/ä b", "/new/%C3%A4%20b"],
    [`.pattern = "^/old/(.*)" .target = "/new/$1"`, "/old/x?a=1", "/new/x?a=1"],
    [
      `.pattern = "." .target = "https://www." + $hostname + $uri .query = "replace"`,
      "/a?b",
      "https://www.site.example/a?b",
    ],
    [
      `.pattern = "." .target = "https://other.example" + $uri .query = "replace"`,
      "/@evil",
      "https://other.example/@evil",
    ],
    [`.pattern = "." .target = $scheme + "://" + $authority + "/x#top"`, "/", "http://site.example/x#top"],
    [`.pattern = "^/old/(.*)" .target = "/new/$1#top"`, "/old/x?a=1", "/new/x?a=1#top"],
    [`.pattern = "^/old/(.*)" .target = "/new?b=$1#top"`, "/old/x?a=1", "/new?b=x&a=1#top"],
    [`.pattern = "^/old" .target = "/new#a?b"`, "/old?a=1", "/new?a=1#a?b"],
    [`.pattern = "^/old" .target = "https://new.example#top"`, "/old?a=1", "https://new.example?a=1#top"],
    [`.pattern = "^/old" .target = "/new?#top"`, "/old?a=1", "/new?a=1#top"],
    [`.pattern = "^/old" .target = "/new#top" .query = "replace"`, "/old?a=1", "/new#top"],
    // No open redirect comes of a path, however it begins.
    [`.pattern = "^/(.*)/$" .target = "/$1"`, "//evil.example/", "/evil.example"],
    [`.pattern = "^/(.*)/$" .target = "/$1"`, "////evil.example/", "/evil.example"],
    [`.pattern = "^/(.*)/$" .target = "/$1"`, "/%5Cevil.example/", "/%5Cevil.example"],
    [`.pattern = "^/(.*)/$" .target = "/$1"`, "/%2Fevil.example/", "/%2Fevil.example"],
    [`.pattern = "." .target = $uri`, "//evil.example", "/evil.example"],
    [`.pattern = "^/(.*)$" .target = "/x$1"`, "/%0D%0Aset-cookie:%20a=b", "/x%0D%0Aset-cookie:%20a=b"],
  ])("%s: %s to %s", async (props, url, location) => {
    await using site = await serveRewritten(`${props} .next = "redirect"`);
    const { status, headers } = await site.ask(encodeURI(url).replaceAll("%25", "%"));
    expect([status, headers["location"]]).toEqual([302, location]);
  });

  test("with another code", async () => {
    await using site = await serveRewritten('.pattern = "." .target = "/x" .next = "redirect" .code = 308');
    expect((await site.ask("/")).status).toBe(308);
  });
});

describe("what is encoded stays what it is", () => {
  test.each([
    ["/a%2Fb", 200, "/x/a%2Fb"],
    ["/a%5cb", 200, "/x/a%5Cb"],
    ["/a%252Fb", 200, "/x/a%252Fb"],
    ["/a%252fb", 200, "/x/a%252fb"],
    ["/100%25", 200, "/x/100%25"],
    ["/a%2Fb%252F", 200, "/x/a%2Fb%252F"],
    ["/a%3Fb%23c", 200, "/x/a%3Fb%23c"],
    ["/%0D%0Ax", 200, "/x/%0D%0Ax"],
  ])("%s: %i %s", async (url, status, uri) => {
    await using site = await serveRewritten('.pattern = "^/(.*)$" .target = "/x/$1"');
    const answer = await site.ask(url);
    expect(answer.status).toBe(status);
    if (status === 200) expect(answer.text).toBe(uri);
  });

  test("whatever the path is", async () => {
    await using site = await serveRewritten('.pattern = "^/(.*)$" .target = "/x/$1?q=$1"');
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "grapheme" }), async (text) => {
        const segment = text.replaceAll(/[./\\\0]/g, "");
        const { text: uri } = await site.ask(`/${encodeURIComponent(segment)}`);
        const [path = "", query = ""] = uri.split("?q=");
        expect([decodeURIComponent(path), decodeURIComponent(query)]).toEqual([`/x/${segment}`, segment]);
      }),
    );
  });

  test("a value that makes a dot segment does not lead out of the folder it stands in", async () => {
    await using site = await serveRewritten('.pattern = "." .target = "/static/" + $query_name + "/card.html"');
    expect((await site.ask("/?name=ann")).text).toBe("/static/ann/card.html?name=ann");
    for (const name of ["..", ".", "%2e%2e", "..%2Fadmin", "x%2F..%2F..", "..%5Cadmin"]) {
      expect((await site.ask(`/?name=${name}`)).status).toBe(400);
    }
    // What is text in the query was encoded twice.
    expect((await site.ask("/?name=%252e%252e")).text).toBe("/static/%252e%252e/card.html?name=%252e%252e");
    expect((await site.ask("/?name=a%2Fb")).text).toBe("/static/a%2Fb/card.html?name=a%2Fb");
    await using joined = await serveRewritten('.pattern = "^/up(.*)$" .target = "/a/.$1"');
    expect((await joined.ask("/up./x")).status).toBe(400);
    expect((await joined.ask("/up.x")).text).toBe("/a/..x");
  });
});

test.each([
  ['.pattern = "(" .target = "/"', "is no regular expression"],
  ['.pattern = "a(b)" .target = "/$2"', "the pattern has no group $2"],
  ['.pattern = "a(?<x>b)" .target = "/$<y>"', "the pattern has no group $<y>"],
  ['.pattern = "a" .target = "x"', "it begins with a slash"],
  ['.pattern = "a" .target = "//x"', "it begins with a slash"],
  ['.pattern = "(a)" .target = "$1"', "it begins with a slash"],
  ['.pattern = "a" .target = "https://x.example/"', "it begins with a slash"],
  ['.pattern = "a" .target = "/a#b"', "a path has no #"],
  ['.pattern = "a" .target = "/100%"', "a percent sign in it needs"],
  ['.pattern = "(a)" .next = "redirect" .target = "https://$1/"', "a host that no client can choose"],
  ['.pattern = "(a)" .next = "redirect" .target = "https://x.example$1"', "a host that no client can choose"],
  ['.pattern = "a" .next = "redirect" .target = "https://" + $header_x', "a host that no client can choose"],
  ['.pattern = "a" .next = "redirect" .target = "https://x" + $header_x + "/"', "a host that no client can choose"],
  ['.pattern = "a" .next = "redirect" .target = "//evil.example"', "a host that no client can choose"],
  ['.pattern = "a" .next = "redirect" .target = "javascript:x"', "a host that no client can choose"],
  ['.pattern = "a" .next = "redirect" .target = "/" .code = 304', "301, 302, 303, 307 or 308, not 304"],
  ['.pattern = "a" .target = "/" .next = "goOn"', "continue"],
])("%s is a mistake: %s", async (props, message) => {
  await expect(serveSite(`rewriter { ${props} }`)).rejects.toThrow(message);
});

test("it takes a new pattern and target while it runs", async () => {
  await using site = await serveSite('rewriter { .pattern = "^/a$" .target = "/teapot" }');
  expect((await site.ask("GET /a")).status).toBe(418);
  site.change("webapp.site/rule.1/rewriter", { pattern: "^/b$" });
  expect((await site.ask("GET /a")).status).toBe(200);
  expect((await site.ask("GET /b")).status).toBe(418);
});
