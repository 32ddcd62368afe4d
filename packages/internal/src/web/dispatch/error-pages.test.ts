// What is shown instead of an error's own content: files and paths, by status and by class.

import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { bootWith } from "../../boot.ts";
import { pack } from "../../component/pack.ts";
import { openErrorLog } from "../../log/error-log.ts";
import { MemorySink } from "../../log/sink.ts";
import type { Stage } from "../../stage.ts";
import { HTTPError } from "../http-error.ts";
import { defineHandlet } from "../kinds.ts";

const { bootText } = bootWith([]);

/** `/whole/404` answers with that status in one piece, `/stream/404` in several, `/throw/404` has an error of it. */
const answers = defineHandlet({
  sign: "answers",
  create: () => ({
    async handle({ path }, resp) {
      const [, way, status] = path.split("/");
      if (way === "throw")
        throw new HTTPError(Number(status), "on purpose", { fields: { "www-authenticate": "Basic" } });
      resp.status = Number(status);
      resp.setHeader("content-type", "application/json");
      resp.setHeader("etag", '"a"');
      resp.setHeader("www-authenticate", "Bearer");
      if (way === "stream") {
        await resp.echo("of the ");
        await resp.echo("app");
        resp.end();
      } else resp.send("of the app");
      return true;
    },
  }),
});

let folder = "";

beforeAll(async () => {
  const made = await mkdtempDisposable(join(tmpdir(), "hemi-error-pages-"));
  folder = made.path;
  await writeFile(join(folder, "404.html"), "<p>404</p>");
  await writeFile(join(folder, "5xx.html"), "<p>5xx</p>");
  await writeFile(join(folder, "large.html"), "x".repeat(200_000));
  return () => made.remove();
});

async function serve(rules: string): Promise<Stage> {
  const text = `stage {
    webapp "app" { .hostnames = ("*") .webRoot = "${folder}" ${rules} }
    httpxServer "main" { .webapps = ("app") .address = "127.0.0.1:0" }
  }`;
  const stage = await bootText(text, { log: openErrorLog({ sink: new MemorySink() }), use: [pack("test", [answers])] });
  await stage.start();
  return stage;
}

const files = () =>
  `.errorPages = ["404": "${folder}/404.html", "5xx": "${folder}/5xx.html", "418": "${folder}/large.html"]`;
const html = { "content-type": "text/html; charset=utf-8" };

test("a class of statuses has a page, unless one of them has its own", async () => {
  await using stage = await serve(`${files()} rule { answers {} }`);
  expect(await stage.inject({ url: "/throw/503" })).toMatchObject({ status: 503, text: "<p>5xx</p>", headers: html });
  expect(await stage.inject({ url: "/throw/404" })).toMatchObject({ status: 404, text: "<p>404</p>" });
  expect(await stage.inject({ url: "/throw/401" })).toMatchObject({ status: 401, text: "401 Unauthorized\n" });
});

test("a returnCode without a text comes with the page of its status, or a line of text", async () => {
  await using stage = await serve(`${files()} rule $path == "/a" { .returnCode = 404 } rule { .returnCode = 403 }`);
  expect(await stage.inject({ url: "/a" })).toMatchObject({ status: 404, text: "<p>404</p>", headers: html });
  expect(await stage.inject({ url: "/b" })).toMatchObject({
    status: 403,
    text: "403 Forbidden\n",
    headers: { "content-type": "text/plain; charset=utf-8" },
  });
});

test("a path of the webapp answers in the place of an error, whose status and fields stay", async () => {
  await using stage = await serve(`
    .errorPaths = ["4xx": "/sorry?why=error", "500": "/none", "502": "/elsewhere"]
    rule $path == "/sorry" { .returnText = $query_why + " " + $depth + " " + $method }
    rule $path == "/elsewhere" { .returnCode = 302 .returnText = "/" }
    rule $path *= "/none" { .returnCode = 500 }
    rule { answers {} }`);
  const answer = await stage.inject({ url: "/throw/401", method: "POST", content: "x" });
  expect(answer).toMatchObject({ status: 401, text: "error 1 GET", headers: { "www-authenticate": "Basic" } });
  expect(await stage.inject({ url: "/whole/404" })).toMatchObject({ status: 404, text: "of the app" });
  expect(await stage.inject({ url: "/throw/500" })).toMatchObject({ status: 500, text: "500 Internal Server Error\n" });
  expect(await stage.inject({ url: "/throw/502" })).toMatchObject({ status: 502, text: "502 Bad Gateway\n" });
});

test.each(["whole", "stream"])(
  "what a handlet answers %s an error with is replaced where it is intercepted",
  async (way) => {
    await using stage = await serve(`${files()} .interceptErrors = true rule { answers {} }`);
    for (const _time of ["first", "again"]) {
      const answer = await stage.inject({ url: `/${way}/404` });
      expect(answer).toMatchObject({
        status: 404,
        text: "<p>404</p>",
        headers: { ...html, "www-authenticate": "Bearer" },
      });
      expect(answer.headers).not.toHaveProperty("etag");
      expect((await stage.inject({ url: `/${way}/500` })).text).toBe("<p>5xx</p>");
      expect((await stage.inject({ url: `/${way}/418` })).text).toHaveLength(200_000);
      expect(await stage.inject({ url: `/${way}/200` })).toMatchObject({
        text: "of the app",
        headers: { etag: '"a"' },
      });
      expect((await stage.inject({ url: `/${way}/409` })).text).toBe("of the app");
      expect(await stage.inject({ url: `/${way}/404`, method: "HEAD" })).toMatchObject({
        status: 404,
        text: "",
        headers: html,
      });
    }
  },
);

test("what a handlet answers an error with stays as it is where nothing is intercepted", async () => {
  await using stage = await serve(`${files()} rule { answers {} }`);
  expect(await stage.inject({ url: "/whole/404" })).toMatchObject({ text: "of the app", headers: { etag: '"a"' } });
});

test("a rule that leaves the request to another one intercepts nothing of its", async () => {
  await using stage = await serve(`rule { ${files()} .interceptErrors = true static {} } rule { answers {} }`);
  expect((await stage.inject({ url: "/whole/404" })).text).toBe("of the app");
});

test.each([
  ['.errorPages = ["6xx": "/a"]', '"6xx" is no status of an error'],
  ['.errorPaths = ["404": "a"]', "takes an encoded path of this webapp"],
  ['.errorPages = ["404": "/a"] .errorPaths = ["404": "/a"]', '"404" has a file in errorPages, too'],
])("%s is a mistake", async (props, message) => {
  await expect(serve(`rule { ${props} }`)).rejects.toThrow(message);
});

test("a path answers in the place of what a handlet says itself, where that is intercepted", async () => {
  await using stage = await serve(`
    .interceptErrors = true
    .errorPaths = ["404": "/sorry?of=404", "5xx": "/sorry.json"]
    rule $path ^= "/sorry" { .returnText = "sorry, " + $query_of + " " + $depth + " " + $originalURI }
    rule { answers {} }`);
  for (const url of ["/whole/404", "/stream/404"]) {
    const { status, text, headers } = await stage.inject({ url });
    expect([status, text]).toEqual([404, `sorry, 404 1 ${url}`]);
    expect(headers).toMatchObject({ "content-type": "text/html; charset=utf-8", "www-authenticate": "Bearer" });
    expect(headers).not.toHaveProperty("etag");
  }
  expect(await stage.inject({ url: "/whole/500" })).toMatchObject({
    status: 500,
    text: "sorry,  1 /whole/500",
    headers: { "content-type": "application/json" },
  });
});

test("the pages of a webapp are for what no rule takes, too", async () => {
  await using stage = await serve(`${files()} rule $path == "/a" { .returnText = "a" }`);
  expect(await stage.inject({ url: "/none" })).toMatchObject({ status: 404, text: "<p>404</p>", headers: html });
});

test("a page at a path knows what the client has asked for", async () => {
  await using stage = await serve(`
    .errorPaths = ["404": "/sorry?of=404"]
    rule $path == "/sorry" { .returnText = "no " + $originalURI + " here, says " + $uri }`);
  expect((await stage.inject({ url: "/a%20b?c" })).text).toBe("no /a%20b?c here, says /sorry?of=404");
});

test("a page that is itself an error is sent as it is, and asks for no further page", async () => {
  await using stage = await serve(`
    .interceptErrors = true
    .errorPaths = ["404": "/whole/404"]
    rule { answers {} }`);
  expect(await stage.inject({ url: "/whole/404" })).toMatchObject({ status: 404, text: "of the app" });
});
