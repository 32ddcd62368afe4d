import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { bootWith } from "../../boot.ts";
import { pack } from "../../component/pack.ts";
import { MemorySink } from "../../log/sink.ts";
import { openErrorLog } from "../../log/error-log.ts";
import type { Stage } from "../../stage.ts";
import { defineHandlet, defineReviser } from "../kinds.ts";

const { bootText } = bootWith([]);
const sink = new MemorySink();
const log = openErrorLog({ sink });

const decline = defineHandlet({ sign: "decline", create: () => ({ handle: () => false }) });
const declineLater = defineHandlet({ sign: "declineLater", create: () => ({ handle: () => Promise.resolve(false) }) });
const fail = defineHandlet({
  sign: "fail",
  create: () => ({
    handle() {
      throw new Error("on purpose");
    },
  }),
});
const read = defineHandlet({
  sign: "read",
  create: () => ({
    async handle(req, resp) {
      resp.send(await req.content.text());
      return true;
    },
  }),
});
const marked = defineReviser({
  sign: "marked",
  create: ({ name }) => ({
    rank: 5,
    reviseResponse(_req, resp) {
      resp.addHeader("x-marked", name === "" ? "inline" : name);
      return undefined;
    },
  }),
});

async function serve(rules: string): Promise<Stage> {
  const text = `stage {
    webapp "app" { .hostnames = ("*") ${rules} }
    httpxServer "main" { .webapps = ("app") .address = "127.0.0.1:0" }
  }`;
  const stage = await bootText(text, { log, use: [pack("test", [decline, declineLater, fail, read, marked])] });
  await stage.start();
  return stage;
}

describe("rules", () => {
  test.each(["decline", "declineLater"])("the next rule has a request that every handlet left (%s)", async (sign) => {
    await using stage = await serve(`rule { ${sign} {} ${sign} {} } rule { .returnText = "next" }`);
    expect((await stage.inject({ url: "/" })).text).toBe("next");
  });

  test("after the last rule it is 404", async () => {
    await using stage = await serve(`rule $path == "/a" { .returnText = "a" } rule { decline {} }`);
    expect((await stage.inject({ url: "/a" })).status).toBe(200);
    expect((await stage.inject({ url: "/b" })).status).toBe(404);
  });

  test("a file404 that cannot be read is a plain 404, and in the log", async () => {
    await using stage = await serve(`.file404 = "/nowhere/404.html"`);
    expect(await stage.inject({ url: "/b" })).toMatchObject({ status: 404, text: "404 Not Found\n" });
    expect(sink.lines.at(-1)).toMatch(/ error .*file404 cannot be sent/);
  });

  test.each([
    [".returnCode = 204", 204, "", undefined],
    ['.returnText = "x=" + $query_x', 200, "x=1", undefined],
    ['.returnCode = 503 .returnText = "closed"', 503, "closed", undefined],
    ['.returnCode = 308 .returnText = "https://" + $hostname + $uri', 308, "", "https://a.example/?x=1"],
  ])("%s answers by itself", async (props, status, text, location) => {
    await using stage = await serve(`rule { ${props} }`);
    const answer = await stage.inject({ url: "http://a.example/?x=1" });
    expect([answer.status, answer.text, answer.headers["location"]]).toEqual([status, text, location]);
  });

  test.each([
    ["/%E2%82%AC", "https://x/%E2%82%AC"],
    ["/a%0d%0aset-cookie:%20x", "https://x/a%0d%0aset-cookie:%20x"],
    ["/a%20b", "https://x/a%20b"],
  ])("a redirect with the path of %s leads to %s", async (url, location) => {
    await using stage = await serve(`rule { .returnCode = 302 .returnText = "https://x" + $path }`);
    expect(await stage.inject({ url })).toMatchObject({ status: 302, headers: { location } });
  });

  test.each([
    ['"/users/" + $query_x + "/card"', "../y", 400, undefined],
    ['"/users/" + $query_x + "/card"', "a/b?c", 302, "/users/a%2Fb%3Fc/card"],
    ['"/users/" + $query_x', "..", 400, undefined],
    ['"/login?next=" + $originalURI + "&of=" + $query_x', "a&b", 302, "/login?next=%2F%3Fx%3Da%2526b&of=a%26b"],
    ['"/new" + $uri', "a&b", 302, "/new/?x=a%26b"],
    ['$scheme + "://" + $authority + "/" + $query_x', "y", 302, "http://a.example:81/y"],
    // Two slashes would begin a host.
    ['"/" + $query_y + "/" + $query_x', "evil.example", 302, "/evil.example"],
  ])("a redirect to %s with the value %j is answered with %i %s", async (returnText, value, status, location) => {
    await using stage = await serve(`rule { .returnCode = 302 .returnText = ${returnText} }`);
    const { status: given, headers } = await stage.inject({
      url: `http://a.example:81/?x=${encodeURIComponent(value)}`,
    });
    expect([given, headers["location"]]).toEqual(status === 400 ? [400, undefined] : [status, location]);
  });

  test.each(["//evil.example", "///evil.example/", "/%09/evil.example"])(
    "a redirect to $uri does not lead %s to another host",
    async (url) => {
      await using stage = await serve("rule { .returnCode = 302 .returnText = $uri }");
      const { headers } = await stage.inject({ url });
      expect(headers["location"]).toMatch(/^\/(?:evil|%09)/);
    },
  );

  test.each(["$query_x", '"https://" + $query_x + "/"', '"https://x.example" + $header_x'])(
    "a redirect to %s is refused: a client could choose the host",
    async (returnText) => {
      const rules = `rule { .returnCode = 302 .returnText = ${returnText} }`;
      await expect(serve(rules)).rejects.toThrow("a host that no client can choose");
    },
  );

  test("named handlets and revisers stand in the webapp; revisers of rules passed on the way stay hooked, the first nearest to the wire", async () => {
    await using stage = await serve(`
      decline "first" {}  fail "second" {}  marked "named" {}
      rule { marked {} decline {} }
      rule { .handlets = ("first", "second") .revisers = ("named") }`);
    const answer = await stage.inject({ url: "/" });
    expect(answer.status).toBe(500);
    expect(answer.headers["x-marked"]).toEqual(["named", "inline"]);
    expect(sink.lines.at(-1)).toContain("webapp.app/fail.second");
  });

  test("a rule's own limit of content is a 413", async () => {
    await using stage = await serve(`rule { .maxContentSize = 4 read {} }`);
    expect((await stage.inject({ method: "POST", url: "/", content: "1234" })).text).toBe("1234");
    expect((await stage.inject({ method: "POST", url: "/", content: "12345" })).status).toBe(413);
  });

  test("a limit of content that a passed rule has does not refuse what a later rule takes", async () => {
    const url = "/";
    await using stage = await serve(`
      rule { .maxContentSize = 4 marked {} }
      rule { .maxContentSize = 4 decline {} }
      rule { .maxContentSize = 8 read {} }`);
    expect(await stage.inject({ method: "POST", url, content: "12345" })).toMatchObject({ status: 200, text: "12345" });
    expect((await stage.inject({ method: "POST", url, content: "123456789" })).status).toBe(413);
  });

  test("content that is too large is refused when it is read, and not when nobody reads it", async () => {
    await using stage = await serve(`rule { .maxContentSize = 4 .returnText = "unread" }`);
    expect((await stage.inject({ method: "POST", url: "/", content: "12345" })).text).toBe("unread");
  });

  test("a 413 leaves a line in the log", async () => {
    await using stage = await serve(`rule { .maxContentSize = 4 read {} }`);
    await stage.inject({ method: "POST", url: "/too-large", content: "12345" });
    expect(sink.lines.at(-1)).toMatch(/ info .*POST \/too-large.* 4 bytes of maxContentSize/);
  });

  test.each([
    ['decline "a" {} rule { .handlets = ("a") decline {} }', "not both"],
    ['rule { .returnText = "x" decline {} }', "would never run"],
    ["rule $path -f { decline {} }", "webRoot"],
    ['rule $pth == "/" { decline {} }', "did you mean $path?"],
    ["rule { .returnCode = 100 }", "from 200 to 599"],
    ["rule { .returnCode = 302 }", "returnText"],
    ['rule { .returnCode = 302 .returnText = "see there" }', "cannot be where to go"],
    ['rule { .returnCode = 307 .returnText = "" }', "cannot be where to go"],
  ])("%s is a mistake", async (rules, message) => {
    await expect(serve(rules)).rejects.toThrow(message);
  });
});

describe("error pages", () => {
  test("stand for what goes wrong in a rule, and not for what is answered", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-pages-"));
    const page = join(folder.path, "500.html");
    await writeFile(page, "<h1>Sorry</h1>");
    const pages = `.errorPages = ["500": "${page}", "404": "${folder.path}/none.html"]`;
    await using stage = await serve(`
      rule $path == "/answered" { ${pages} .returnCode = 500 .returnText = "mine" }
      rule $path == "/fails" { ${pages} fail {} }
      rule $path == "/none" { ${pages} decline {} }
      rule $path == "/other" { fail {} }`);
    const failed = await stage.inject({ url: "/fails" });
    expect(failed).toMatchObject({ status: 500, text: "<h1>Sorry</h1>" });
    expect(failed.headers["content-type"]).toBe("text/html; charset=utf-8");
    expect(await stage.inject({ url: "/answered" })).toMatchObject({ status: 500, text: "mine" });
    expect(await stage.inject({ url: "/none" })).toMatchObject({ status: 404, text: "404 Not Found\n" });
    expect(await stage.inject({ url: "/other" })).toMatchObject({ status: 500, text: "500 Internal Server Error\n" });
    expect(sink.lines.join("")).toContain("none.html, is no file that can be read, as yet: missing");
  });

  test("are for errors only", async () => {
    await expect(serve(`rule { .errorPages = ["200": "/x.html"] }`)).rejects.toThrow('"200" is no status of an error');
  });

  test("of a webapp count for its rules", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-pages-"));
    await writeFile(join(folder.path, "502.html"), "gone for lunch");
    const text = `stage {
      http1Backend "app" { .nodes = (["address": "127.0.0.1:1"]) }
      webapp "app" {
        .hostnames = ("*")
        .errorPages = ["502": "${folder.path}/502.html"]
        rule { httpProxy { .toBackend = "app" } }
      }
      httpxServer "main" { .webapps = ("app") .address = "127.0.0.1:0" }
    }`;
    await using stage = await bootText(text, { log });
    await stage.start();
    expect(await stage.inject({ url: "http://a.example/" })).toMatchObject({ status: 502, text: "gone for lunch" });
  });
});
