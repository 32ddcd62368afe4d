import { cp, mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib";
import { bootFile, type Stage } from "@hemi/hemi";
import { afterAll, beforeAll, expect, test } from "vitest";
import { compressFolder } from "./compress.ts";

const here = fileURLToPath(new URL(".", import.meta.url));
const stack = new AsyncDisposableStack();
let stage: Stage;

beforeAll(async () => {
  // A copy, because the checkout is not to be written to.
  const folder = stack.use(await mkdtempDisposable(join(tmpdir(), "hemi-static-site-")));
  const isSource = (path: string) => !/\.(?:br|zst|gz)$/.test(path);
  await cp(join(here, "web"), join(folder.path, "web"), { recursive: true, filter: isSource });
  expect(await compressFolder(folder.path)).toBeGreaterThan(3);
  stage = stack.use(await bootFile(join(here, "site.conf"), { baseDir: folder.path, env: { PORT: "0" } }));
  await stage.start();
});

afterAll(() => stack.disposeAsync());

const browser = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };
const script = "/assets/app.3f9a1c.js";

test.each(["/", "/downloads", "/about/this/site", "/assets/old-page"])(
  "a browser that opens %s gets the app",
  async (url) => {
    const answer = await stage.inject({ url, headers: browser });
    expect(answer).toMatchObject({ status: 200, headers: { "content-type": "text/html; charset=utf-8" } });
    expect(answer.text).toContain("<title>A static site</title>");
  },
);

test("what else is missing is missing", async () => {
  expect((await stage.inject({ url: "/assets/none.js", headers: { accept: "*/*" } })).status).toBe(404);
  expect((await stage.inject({ url: "/api", headers: { accept: "application/json" } })).status).toBe(404);
});

test.each([
  ["br", brotliDecompressSync],
  ["zstd", zstdDecompressSync],
  ["gzip", gunzipSync],
])("an asset comes as %s to those who take it", async (coding, decompress) => {
  const plain = await stage.inject({ url: script });
  const answer = await stage.inject({ url: script, headers: { "accept-encoding": coding } });
  expect(answer.headers).toMatchObject({
    "content-encoding": coding,
    "content-type": "text/javascript; charset=utf-8",
    "cache-control": "max-age=31536000, immutable",
    vary: "Accept-Encoding",
  });
  expect(decompress(answer.content).toString()).toBe(plain.text);
});

test("the page is asked about before each use", async () => {
  const { headers } = await stage.inject({ url: "/", headers: browser });
  expect(headers["cache-control"]).toBe("max-age=0");
});

test("the downloads are listed, as a page and as JSON", async () => {
  const page = await stage.inject({ url: "/files/", headers: browser });
  expect(page.text).toContain('href="./gr%C3%BC%C3%9Fe.txt"');
  expect(await stage.inject({ url: "/files" })).toMatchObject({ status: 301, headers: { location: "/files/" } });
  const json = await stage.inject({ url: "/files/", headers: { accept: "application/json" } });
  expect(JSON.parse(json.text)).toMatchObject({
    path: "/files/",
    isComplete: true,
    entries: [
      { name: "2026", type: "directory" },
      { name: expect.stringMatching(/^gr.*\.txt/), type: "file" },
      { name: "notes.txt", type: "file", size: 48 },
    ],
  });
});

test("ranges of a download come in one answer", async () => {
  const answer = await stage.inject({ url: "/files/2026/visits.csv", headers: { range: "bytes=0-11,13-24" } });
  expect(answer.status).toBe(206);
  expect(answer.text).toContain("\r\n\r\nmonth,visits\r\n--");
  expect(answer.text).toContain("\r\n\r\n2026-01,1204\r\n--");
});
