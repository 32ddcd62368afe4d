import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Explanation } from "../explain/explanation.ts";
import { Fcache } from "../../fixtures/fcache.ts";
import { askOf, notMine } from "../../testing/ask.ts";
import { makeSite } from "../../testing/static-site.ts";

const files = {
  "web/index.html": "home",
  "web/a.txt": "a",
  "web/a.txt.gz": "not really",
  "web/docs/index.html": "docs",
  "web/bare/x.txt": "x",
  "web/.env": "secret",
  "web/.well-known/x": "known",
  "web/app.html": "app",
  "web/shop/index.php": "<?php secret",
  "outside.txt": "outside",
};

const paths = [
  "/",
  "/a.txt",
  "/a.txt/",
  "/none",
  "/none/",
  "/docs",
  "/docs/",
  "/bare",
  "/bare/",
  "/a",
  "/shop",
  "/shop/",
  "/shop/index",
  "/docs/a.txt",
  "/docs/docs",
  "/.env",
  "/.well-known/x",
];
const stranger = ["/x/.git/y", "/a%2Ftxt", "/leak.txt", "/leak", "/leak/", "/leak/outside.txt", "*"];

/** Asks static what it would do with a request, and then to do it. */
function explainedAndServed(site: Awaited<ReturnType<typeof makeSite>>) {
  const fcache = new Fcache();
  let told: Explanation | undefined;
  const ask = askOf(
    async (req, resp) => {
      told = await site.part.explain?.(req, { fcache });
      return await site.part.handle(req, resp);
    },
    { fcache: site.fcache },
  );
  return {
    async ask(request: Parameters<typeof ask>[0]) {
      const { status, text } = await ask(request);
      return { told, status, text };
    },
    [Symbol.asyncDispose]: () => fcache.shutdown(),
  };
}

test.each([
  [{}],
  [{ listing: "html" as const }],
  [{ fallback: "app.html" }],
  [{ fallback: "none.html", precompressed: ["gzip" as const] }],
  [{ fallback: "app.html", listing: "html" as const, indexFile: ["none.html"] }],
  [{ tryEndings: [".txt", ".php"], indexFile: ["none.html", "index.php"], otherwise: 410 }],
  [{ stripPrefix: "/docs", otherwise: 404, listing: "html" as const }],
  [{ fallback: "app.html", fallbackFor: "any" as const, otherwise: 404 }],
  [{ fallback: "leak.txt" }],
])("with %j, what it says of a request is what it does", async (props) => {
  await using site = await makeSite({ files, props });
  await symlink(join(site.dir, "outside.txt"), join(site.dir, "web", "leak.txt"));
  await mkdir(join(site.dir, "other"));
  await symlink(join(site.dir, "other"), join(site.dir, "web", "leak"));
  await using explained = explainedAndServed(site);
  for (const url of [...paths, ...stranger]) {
    for (const method of ["GET", "HEAD", "POST", "OPTIONS"]) {
      for (const accept of ["*/*", "text/html"]) {
        if (method === "OPTIONS" && url === "*") continue;
        const { told, status, text } = await explained.ask({ url, method, headers: { accept } });
        const isTaken = text !== notMine && !(method === "HEAD" && status === 404 && told?.takes === "no");
        expect([url, method, told?.takes]).toEqual([url, method, isTaken ? "yes" : "no"]);
        if (told?.takes === "yes") expect([url, method, told.status ?? 200]).toEqual([url, method, status]);
      }
    }
  }
});

test.each([
  [{ range: "bytes=0-0" }, 206],
  [{ range: "bytes=9-" }, 416],
  [{ range: "bytes=0-0", "if-range": '"other"' }, 200],
  [{ "if-none-match": "*" }, 304],
  [{ "if-match": '"other"' }, 412],
  [{ "if-unmodified-since": "Thu, 01 Jan 1970 00:00:00 GMT" }, 412],
])("with %j, it says %i, and so it is", async (headers, expected) => {
  await using site = await makeSite({ files });
  await using explained = explainedAndServed(site);
  const { told, status } = await explained.ask({ url: "/a.txt", headers });
  expect([told?.status ?? 200, status]).toEqual([expected, expected]);
});

test("names the file that it sends, and says what it looked for", async () => {
  await using site = await makeSite({ files });
  const fcache = new Fcache();
  const texts: unknown[] = [];
  const ask = askOf(async (req, resp) => {
    texts.push((await site.part.explain?.(req, { fcache }))?.text.replaceAll(site.dir, ""));
    resp.send();
    return true;
  });
  for (const url of ["/a.txt", "/none", "/docs", "/docs/"]) await ask({ url });
  await fcache.shutdown();
  expect(texts).toEqual([
    "sends /web/a.txt",
    "there is no file /web/none",
    "/web/docs is a folder: redirects to its path with a slash",
    "sends /web/docs/index.html",
  ]);
  expect(site.sink.lines).toEqual([]);
});
