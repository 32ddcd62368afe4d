// Files that lie compressed beside themselves.

import { brotliCompressSync, gzipSync, gunzipSync } from "node:zlib";
import { rename, rm, symlink, utimes } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Fcache } from "../../fixtures/fcache.ts";
import { askOf } from "../../testing/ask.ts";
import { big, lastModified, makeSite, type SiteOptions } from "../../testing/static-site.ts";

const script = "console.log('hello');".repeat(3);
const files = {
  "web/app.js": script,
  "web/app.js.br": brotliCompressSync(script),
  "web/app.js.gz": gzipSync(script),
  "web/plain.js": "plain",
  "web/page/index.html": "<p>",
  "web/page/index.html.gz": gzipSync("<p>"),
  "web/big.txt": big,
  "web/big.txt.gz": gzipSync(big, { level: 0 }),
};

function makeCompressedSite(options: SiteOptions = {}) {
  return makeSite({ files, ...options, props: { precompressed: ["br", "zstd", "gzip"], ...options.props } });
}

describe("the client gets the coding that it likes best", () => {
  test.each([
    ["gzip, deflate, br, zstd", "br"],
    ["gzip", "gzip"],
    ["br;q=0.5, gzip", "gzip"],
    ["zstd", undefined],
    ["br;q=0, gzip;q=0", undefined],
    ["identity, br;q=0.5", undefined],
    ["deflate", undefined],
    ["br;q=x", undefined],
    ["*", "br"],
    [undefined, undefined],
  ])("%j: %s", async (accepted, coding) => {
    await using site = await makeCompressedSite();
    for (const _time of ["first", "again"]) {
      const answer = await site.get("/app.js", accepted === undefined ? {} : { "accept-encoding": accepted });
      expect(answer.status).toBe(200);
      expect(answer.headers).toMatchObject({
        "content-type": "text/javascript; charset=utf-8",
        "last-modified": lastModified,
        vary: "Accept-Encoding",
      });
      expect(answer.headers["content-encoding"]).toBe(coding);
      const stored = coding === undefined ? script : coding === "br" ? files["web/app.js.br"] : files["web/app.js.gz"];
      expect(answer.content).toEqual(Buffer.from(stored));
    }
  });

  test("and of codings that it likes alike the first in the list", async () => {
    await using site = await makeCompressedSite({ props: { precompressed: ["gzip", "br", "gzip"] } });
    expect((await site.get("/app.js", { "accept-encoding": "br, gzip" })).headers["content-encoding"]).toBe("gzip");
  });

  test("also of a folder's index and of a large file", async () => {
    await using site = await makeCompressedSite();
    for (const _time of ["first", "again"]) {
      const index = await site.get("/page/", { "accept-encoding": "gzip" });
      expect(index.headers).toMatchObject({ "content-encoding": "gzip", "content-type": "text/html; charset=utf-8" });
      const large = await site.get("/big.txt", { "accept-encoding": "gzip" });
      expect(gunzipSync(large.content).toString()).toBe(big);
    }
  });
});

test("without neighbours, nothing varies; without the prop, nobody looks for them", async () => {
  await using site = await makeCompressedSite();
  expect((await site.get("/plain.js", { "accept-encoding": "br" })).headers).not.toHaveProperty("vary");
  await using other = await makeSite({ files });
  const answer = await other.get("/app.js", { "accept-encoding": "br" });
  expect(answer.text).toBe(script);
  expect(answer.headers).not.toHaveProperty("vary");
  expect(other.fcache.peek(join(other.dir, "web/app.js.br"))).toBeUndefined();
});

test("a neighbour asked for by its own name is a file like any other", async () => {
  await using site = await makeCompressedSite();
  const answer = await site.get("/app.js.gz", { "accept-encoding": "gzip" });
  expect(answer.headers).toMatchObject({ "content-type": "application/gzip" });
  expect(answer.headers).not.toHaveProperty("content-encoding");
});

test("what varied before, still does", async () => {
  await using site = await makeCompressedSite();
  const ask = askOf(
    (req, resp) => {
      resp.addHeader("vary", "Origin");
      return site.part.handle(req, resp);
    },
    { fcache: site.fcache },
  );
  expect((await ask({ url: "/app.js" })).headers["vary"]).toEqual(["Origin", "Accept-Encoding"]);
});

test("each has an entity tag of its own, by which it is asked about", async () => {
  await using site = await makeCompressedSite();
  const tags = new Set<string>();
  for (const accepted of ["br", "gzip", "identity"]) {
    const headers = { "accept-encoding": accepted };
    const etag = String((await site.get("/app.js", headers)).headers["etag"]);
    tags.add(etag);
    const again = await site.get("/app.js", { ...headers, "if-none-match": etag });
    expect(again.status).toBe(304);
    expect(again.headers).toEqual({ etag, "last-modified": lastModified, vary: "Accept-Encoding" });
    expect((await site.get("/app.js", { "accept-encoding": "zstd", "if-match": etag })).status).toBe(
      accepted === "identity" ? 200 : 412,
    );
  }
  expect(tags.size).toBe(3);
});

test("ranges and HEAD are of the compressed bytes", async () => {
  await using site = await makeCompressedSite();
  const stored = files["web/app.js.gz"];
  const headers = { "accept-encoding": "gzip" };
  const part = await site.get("/app.js", { ...headers, range: "bytes=2-5" });
  expect(part).toMatchObject({ status: 206, content: Buffer.from(stored.subarray(2, 6)) });
  expect(part.headers).toMatchObject({
    "content-range": `bytes 2-5/${stored.length}`,
    "content-encoding": "gzip",
    vary: "Accept-Encoding",
  });
  const head = await site.ask({ method: "HEAD", url: "/app.js", headers });
  expect(head).toMatchObject({ status: 200, text: "", headers: { "content-encoding": "gzip" } });
  const plainTag = String((await site.get("/app.js")).headers["etag"]);
  expect((await site.get("/app.js", { ...headers, range: "bytes=0-0", "if-range": plainTag })).status).toBe(200);
});

test.each(["/app.js", "/big.txt"])(
  "several ranges of compressed bytes are not sent as a multipart content that is said to be compressed: %s",
  async (url) => {
    await using site = await makeCompressedSite();
    const headers = { "accept-encoding": "gzip" };
    const whole = await site.get(url, { ...headers, range: "bytes=0-0,2-2" });
    expect(whole.status).toBe(200);
    expect(whole.headers).toMatchObject({ "content-encoding": "gzip", "accept-ranges": "bytes" });
    expect(whole.content).toEqual(Buffer.from(files[`web${url}.gz` as keyof typeof files]));
    const one = await site.get(url, { ...headers, range: "bytes=0-0,999999999-" });
    expect(one).toMatchObject({ status: 206, content: Buffer.from([0x1f]) });
    const plain = await site.get(url, { range: "bytes=0-0,2-2" });
    expect(plain.status).toBe(206);
    expect(plain.headers["content-type"]).toMatch(/^multipart\/byteranges/);
    expect(plain.headers).not.toHaveProperty("content-encoding");
  },
);

test("a hot file is answered without a promise, whatever lies beside it", async () => {
  await using site = await makeCompressedSite();
  const returned: unknown[] = [];
  const ask = askOf(
    (req, resp) => {
      const taken = site.part.handle(req, resp);
      returned.push(taken instanceof Promise ? "promise" : taken);
      return taken;
    },
    { fcache: site.fcache },
  );
  for (const url of ["/app.js", "/plain.js", "/page/"]) {
    for (let i = 0; i < 3; i++) await ask({ url, headers: { "accept-encoding": "gzip" } });
  }
  expect(returned).toEqual(["promise", true, true, "promise", true, true, "promise", true, true]);
});

describe("a neighbour is left alone", () => {
  const asGzip = { "accept-encoding": "gzip" };
  const changed = new Date(Date.parse(lastModified) + 500);

  test.each([
    ["older than its file", new Date(Date.parse(lastModified) - 1), undefined],
    ["as old as its file, in whole seconds", new Date(lastModified), "gzip"],
    ["in whole seconds, of an earlier one", new Date(Date.parse(lastModified) - 1000), undefined],
    ["as old as its file, but for rounding", new Date(changed.getTime() - 1), "gzip"],
    ["older than its file by more than that", new Date(changed.getTime() - 4), undefined],
    ["newer than its file", new Date(Date.parse(lastModified) + 1000), "gzip"],
  ])("or not, if it is %s", async (_what, time, coding) => {
    await using site = await makeCompressedSite();
    await site.write("web/app.js", script, changed);
    await site.write("web/app.js.gz", gzipSync(script), time);
    await site.write("web/app.js.br", "", time);
    const answer = await site.get("/app.js", { "accept-encoding": "br, gzip" });
    expect(answer.headers["content-encoding"]).toBe(coding);
  });

  test("if it is empty, a folder, or outside of the root, which the log is told of once", async () => {
    await using site = await makeCompressedSite({ files: { ...files, "x.gz": gzipSync("secret") } });
    await site.write("web/app.js.br", "");
    await rm(join(site.dir, "web/app.js.gz"));
    await symlink("../x.gz", join(site.dir, "web/app.js.gz"));
    await site.write("web/app.js.zst/x", "a folder");
    for (const _time of ["first", "again", "once more"]) {
      const answer = await site.get("/app.js", { "accept-encoding": "br, zstd, gzip" });
      expect(answer.text).toBe(script);
      expect(answer.headers).not.toHaveProperty("vary");
    }
    expect(site.sink.lines.filter((line) => line.includes("x.gz"))).toHaveLength(1);
  });

  test("as soon as its file has changed, and found when it has followed", async () => {
    await using site = await makeCompressedSite();
    expect((await site.get("/app.js", asGzip)).headers["content-encoding"]).toBe("gzip");
    const later = new Date(Date.parse(lastModified) + 1000);
    await site.write("web/app.js", "new", later);
    site.later();
    expect(await site.get("/app.js", asGzip)).toMatchObject({ text: "new" });
    await site.write("web/app.js.gz", gzipSync("new"), later);
    site.later();
    expect(gunzipSync((await site.get("/app.js", asGzip)).content).toString()).toBe("new");
  });

  test("not if the whole root was pointed elsewhere", async () => {
    await using site = await makeCompressedSite({
      rootName: "current",
      files: { "one/a.js": "one", "one/a.js.gz": gzipSync("one"), "two/a.js": "two", "two/a.js.gz": gzipSync("two") },
    });
    await symlink("one", join(site.dir, "current"));
    expect(gunzipSync((await site.get("/a.js", asGzip)).content).toString()).toBe("one");
    await symlink("two", join(site.dir, "next"));
    await rename(join(site.dir, "next"), join(site.dir, "current"));
    site.later();
    expect(gunzipSync((await site.get("/a.js", asGzip)).content).toString()).toBe("two");
  });
});

test("a cache that keeps nothing changes no answer, and no descriptor is left in use", async () => {
  await using site = await makeCompressedSite({
    makeFcache: () => new Fcache({ maxContentBytes: 0, maxOpenFiles: 0, maxOthers: 0 }),
  });
  await utimes(join(site.dir, "web/app.js.gz"), new Date(), new Date());
  const ask = async (url: string, accepted: string) => {
    return (await site.get(url, { "accept-encoding": accepted })).headers["content-encoding"];
  };
  expect(
    await Promise.all([
      ask("/app.js", "br"),
      ask("/app.js", "gzip"),
      ask("/big.txt", "gzip"),
      ask("/big.txt", "br"),
      ask("/plain.js", "gzip"),
    ]),
  ).toEqual(["br", "gzip", "gzip", undefined, undefined]);
  await site.fcache.shutdown();
  expect(site.fcache.openFiles).toBe(0);
});

test.each([
  ["text/javascript; charset=utf-8", 200, "plain text"],
  ["text/html", 206, gzipSync("plain text").subarray(0, 3).toString()],
])("where a reviser demands %s plain, a script gets %d", async (demanded, status, text) => {
  await using site = await makeSite({
    files: { "web/a.js": "plain text", "web/a.js.gz": gzipSync("plain text") },
    props: { precompressed: ["gzip"] },
  });
  const ask = askOf(
    (req, resp) => {
      req.demandPlainContent((type) => type === demanded);
      return site.part.handle(req, resp);
    },
    { fcache: site.fcache },
  );
  const answer = await ask({ url: "/a.js", headers: { "accept-encoding": "gzip", range: "bytes=0-2" } });
  expect(answer).toMatchObject({ status, text });
});
