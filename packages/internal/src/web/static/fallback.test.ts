// The file that stands for all that is not there.

import { gzipSync } from "node:zlib";
import { rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { askOf, notMine } from "../../testing/ask.ts";
import { makeSite, type SiteOptions } from "../../testing/static-site.ts";

const files = { "web/index.html": "app", "web/a.txt": "a", "web/zoo/x.txt": "x", "secret.html": "secret" };
const accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

function makeApp(options: SiteOptions = {}) {
  return makeSite({ files, ...options, props: { fallback: "index.html", maxAge: 60_000, ...options.props } });
}

test.each(["/users/7", "/users/7/", "/zoo", "/zoo/", "/none.js", "/a.txt/", "/a%20b"])(
  "%s is answered with it for a browser that opens a page",
  async (url) => {
    await using site = await makeApp();
    for (const _time of ["first", "again"]) {
      const answer = await site.get(url, { accept });
      expect(answer).toMatchObject({ status: 200, text: "app" });
      expect(answer.headers).toMatchObject({
        "content-type": "text/html; charset=utf-8",
        "cache-control": "no-cache",
        vary: "Accept",
      });
    }
  },
);

test("what is there is answered as ever", async () => {
  await using site = await makeApp();
  expect(await site.get("/a.txt", { accept })).toMatchObject({ text: "a", headers: { "cache-control": "max-age=60" } });
  const index = await site.get("/", { accept });
  expect(index).toMatchObject({ text: "app", headers: { "cache-control": "max-age=60" } });
  expect(index.headers).not.toHaveProperty("vary");
});

test.each([
  undefined,
  "",
  "*/*",
  "application/json",
  "image/avif,*/*;q=0.8",
  "text/html;q=0, */*",
  "text/*",
  "text/htmlx",
])("who accepts %j finds nothing", async (accept) => {
  await using site = await makeApp();
  expect(await site.get("/none", accept === undefined ? {} : { accept })).toMatchObject({ status: 404, text: notMine });
});

test("HEAD gets it without content, other methods do not", async () => {
  await using site = await makeApp();
  const headers = { accept };
  expect(await site.ask({ method: "HEAD", url: "/none", headers })).toMatchObject({ status: 200, text: "" });
  for (const method of ["POST", "PUT", "OPTIONS"]) {
    expect((await site.ask({ method, url: "/none", headers })).text).toBe(notMine);
  }
});

test("it is asked about by its entity tag", async () => {
  await using site = await makeApp();
  const { etag } = (await site.get("/none", { accept })).headers;
  const answer = await site.get("/other", { accept, "if-none-match": String(etag) });
  expect(answer).toMatchObject({ status: 304, headers: { vary: "Accept", "cache-control": "no-cache" } });
});

test.each(["/projects/a%2Fb", "/x%5Cy", "/%E9"])("it stands for %s, which no file can be called", async (url) => {
  await using site = await makeApp();
  expect(await site.get(url, { accept })).toMatchObject({ status: 200, text: "app" });
  expect((await site.get(url)).text).toBe(notMine);
});

test.each(["/.env", "/.git/config"])("%s stays refused", async (url) => {
  await using site = await makeApp();
  expect(await site.get(url, { accept })).toMatchObject({ status: 404, text: "404 Not Found\n" });
});

test("it comes compressed, and varies by both", async () => {
  await using site = await makeApp({
    files: { ...files, "web/index.html.gz": gzipSync("app") },
    props: { precompressed: ["gzip"] },
  });
  const answer = await site.get("/none", { accept, "accept-encoding": "gzip" });
  expect(answer.headers).toMatchObject({ "content-encoding": "gzip", vary: "Accept, Accept-Encoding" });
  expect((await site.get("/none", { accept })).headers["vary"]).toBe("Accept, Accept-Encoding");
});

test("a listing goes before it, for folders that are there", async () => {
  await using site = await makeApp({ props: { listing: "html" } });
  expect((await site.get("/zoo/", { accept })).text).toContain("x.txt");
  expect((await site.get("/zoo", { accept })).status).toBe(301);
  expect((await site.get("/none/", { accept })).text).toBe("app");
});

test("it may lie in a folder, and is left alone where it is missing, a folder, or outside of the root", async () => {
  await using site = await makeApp({ files: { "web/app/start.htm": "start" }, props: { fallback: "app/start.htm" } });
  expect((await site.get("/none", { accept })).text).toBe("start");
  expect(site.sink.lines).toEqual([]);
  for (const fallback of ["none.html", "app", "../secret.html", "link.html"]) {
    await using other = await makeApp({ props: { fallback }, files: { ...files, "web/app/x": "" } });
    if (fallback === "link.html") await symlink("../secret.html", join(other.dir, "web/link.html"));
    for (const _time of ["first", "again"]) expect((await other.get("/other", { accept })).text).toBe(notMine);
    expect(other.sink.lines.join()).toMatch(/is no file that can be read, as yet|outside of the web root/);
  }
});

test("it may change, go and come back", async () => {
  await using site = await makeApp();
  expect((await site.get("/none", { accept })).text).toBe("app");
  await rm(join(site.dir, "web/index.html"));
  site.later();
  expect((await site.get("/none", { accept })).text).toBe(notMine);
  await site.write("web/index.html", "app 2");
  site.later();
  expect((await site.get("/none", { accept })).text).toBe("app 2");
});

test("a hot one is answered without a promise", async () => {
  await using site = await makeApp();
  const returned: unknown[] = [];
  const ask = askOf(
    (req, resp) => {
      const taken = site.part.handle(req, resp);
      returned.push(taken instanceof Promise ? "promise" : taken);
      return taken;
    },
    { fcache: site.fcache },
  );
  await site.get("/none", { accept });
  await ask({ url: "/none", headers: { accept } });
  expect(returned).toEqual([true]);
});
