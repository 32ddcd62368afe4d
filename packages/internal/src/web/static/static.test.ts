import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { askOf, notMine } from "../../testing/ask.ts";
import { big, lastModified, makeSite } from "../../testing/static-site.ts";

describe("a file", () => {
  test.each([
    ["small, from memory", "hello"],
    ["empty", ""],
    ["large, from the disk", big],
  ])("is sent with its fields: %s", async (_what, content) => {
    await using site = await makeSite({ files: { "web/a.txt": content } });
    for (const _time of ["first", "again"]) {
      const answer = await site.get("/a.txt?x=1");
      expect(answer).toMatchObject({
        status: 200,
        text: content,
        headers: {
          "content-type": "text/plain; charset=utf-8",
          "last-modified": lastModified,
          etag: expect.stringMatching(/^"[0-9a-z]+-[0-9a-z]+"$/),
          "accept-ranges": "bytes",
        },
      });
      expect(answer.headers).not.toHaveProperty("cache-control");
    }
  });

  test("is answered to HEAD without its content", async () => {
    await using site = await makeSite({ files: { "web/a.txt": "hello", "web/big.bin": big } });
    expect(await site.ask({ method: "HEAD", url: "/a.txt" })).toMatchObject({ status: 200, text: "" });
    expect(await site.ask({ method: "HEAD", url: "/big.bin", headers: { range: "bytes=0-1" } })).toMatchObject({
      status: 200,
      text: "",
    });
  });

  test("gets a cache-control where maxAge is set, and after it has changed", async () => {
    await using site = await makeSite({ files: { "web/a.txt": "hello" }, props: { maxAge: 86_400_500 } });
    expect((await site.get("/a.txt")).headers["cache-control"]).toBe("max-age=86400");
    site.props.maxAge = 0;
    site.part.update?.(new Set(["maxAge"]));
    expect((await site.get("/a.txt")).headers["cache-control"]).toBe("max-age=0");
  });

  test("may be called immutable", async () => {
    await using site = await makeSite({ files: { "web/a.txt": "hello" }, props: { maxAge: 1000, immutable: true } });
    expect((await site.get("/a.txt")).headers["cache-control"]).toBe("max-age=1, immutable");
  });

  test.each([
    ["iso-8859-1", "/a.txt", "text/plain; charset=iso-8859-1"],
    ["", "/a.txt", "text/plain"],
    ["iso-8859-1", "/a.json", "application/json"],
  ])("of text is said to be in the charset %j: %s", async (charset, url, type) => {
    await using site = await makeSite({ files: { "web/a.txt": "hello", "web/a.json": "{}" }, props: { charset } });
    expect((await site.get(url)).headers["content-type"]).toBe(type);
  });

  test("that is hot and small is answered without a promise", async () => {
    await using site = await makeSite({ files: { "web/a.txt": "hello" } });
    await site.get("/a.txt");
    const returned: unknown[] = [];
    const ask = askOf(
      (req, resp) => {
        const taken = site.part.handle(req, resp);
        returned.push(taken);
        return taken;
      },
      { fcache: site.fcache },
    );
    expect((await ask({ url: "/a.txt" })).text).toBe("hello");
    expect((await ask({ url: "/a.txt", headers: { range: "bytes=1-2" } })).text).toBe("el");
    expect(returned).toEqual([true, true]);
  });

  test("that changes gets other validators", async () => {
    await using site = await makeSite({ files: { "web/a.txt": "one" } });
    const before = await site.get("/a.txt");
    await writeFile(join(site.dir, "web/a.txt"), "two");
    site.later();
    const after = await site.get("/a.txt", { "if-none-match": String(before.headers["etag"]) });
    expect(after).toMatchObject({ status: 200, text: "two" });
    expect(after.headers["etag"]).not.toBe(before.headers["etag"]);
  });

  test("of an unknown sort is a stream of octets", async () => {
    await using site = await makeSite({ files: { "web/LICENSE": "x" } });
    expect((await site.get("/LICENSE")).headers["content-type"]).toBe("application/octet-stream");
  });

  test("may have any name, encoded or not", async () => {
    await using site = await makeSite({
      files: { "web/ä b+%.txt": "x", "web/a%2Fb.txt": "y", "web/a;b=c,d.txt": "z" },
    });
    expect((await site.get("/%C3%A4%20b+%25.txt")).text).toBe("x");
    expect((await site.get("/a%252Fb.txt")).text).toBe("y");
    expect((await site.get("/a;b=c,d.txt")).text).toBe("z");
  });
});

test("what was set before by the same names is replaced, and the rest is kept", async () => {
  await using site = await makeSite({ files: { "web/a.txt": "hello" } });
  const ask = askOf(
    (req, resp) => {
      resp.setHeader("x-powered-by", "Hemi");
      resp.addHeader("etag", '"other"');
      resp.addHeader("etag", '"another"');
      return site.part.handle(req, resp);
    },
    { fcache: site.fcache },
  );
  expect((await ask({ url: "/a.txt" })).headers).toMatchObject({
    "x-powered-by": "Hemi",
    etag: expect.stringMatching(/^"[0-9a-z]+-5"$/),
  });
});

describe("conditions", () => {
  test("give 304 with the fields that a copy is updated by", async () => {
    await using site = await makeSite({ files: { "web/a.txt": "hello" }, props: { maxAge: 1000 } });
    const { etag } = (await site.get("/a.txt")).headers;
    for (const headers of [{ "if-none-match": `"x", W/${String(etag)}` }, { "if-modified-since": lastModified }]) {
      const answer = await site.get("/a.txt", headers);
      expect(answer).toMatchObject({ status: 304, text: "" });
      expect(answer.headers).toEqual({ etag, "last-modified": lastModified, "cache-control": "max-age=1" });
    }
  });

  test("give 412 where they fail", async () => {
    await using site = await makeSite({ files: { "web/a.txt": "hello" } });
    expect((await site.get("/a.txt", { "if-match": '"x"' })).status).toBe(412);
    expect((await site.get("/a.txt", { "if-unmodified-since": "Thu, 01 Jan 2026 00:00:00 GMT" })).status).toBe(412);
  });
});

describe.each([
  ["small", "web/small.bin", big.slice(0, 50)],
  ["large", "web/large.bin", big],
])("a range of a %s file", (_what, name, content) => {
  const url = name.replace("web", "");
  const size = content.length;

  test.each([
    ["bytes=2-5", content.slice(2, 6), `bytes 2-5/${size}`],
    ["bytes=40-", content.slice(40), `bytes 40-${size - 1}/${size}`],
    ["bytes=-3", content.slice(-3), `bytes ${size - 3}-${size - 1}/${size}`],
    ["bytes=0-999999", content, `bytes 0-${size - 1}/${size}`],
  ])("%s is sent alone", async (range, text, contentRange) => {
    await using site = await makeSite({ files: { [name]: content } });
    const answer = await site.get(url, { range });
    expect(answer.status).toBe(206);
    expect(answer.text).toBe(text);
    expect(answer.headers).toMatchObject({
      "content-range": contentRange,
      "content-type": "application/octet-stream",
      "last-modified": lastModified,
    });
  });

  test.each(["bytes=0-5,4-9", "items=0-1", "bytes=5-2", "nonsense"])("%s is ignored", async (range) => {
    await using site = await makeSite({ files: { [name]: content } });
    const answer = await site.get(url, { range });
    expect(answer).toMatchObject({ status: 200, text: content });
    expect(answer.headers).not.toHaveProperty("content-range");
  });

  test("beyond the end gives 416 with the size", async () => {
    await using site = await makeSite({ files: { [name]: content } });
    const answer = await site.get(url, { range: `bytes=${size}-` });
    expect(answer.status).toBe(416);
    expect(answer.headers["content-range"]).toBe(`bytes */${size}`);
  });

  test("is followed only if the copy that it completes is current", async () => {
    await using site = await makeSite({ files: { [name]: content } });
    const etag = String((await site.get(url)).headers["etag"]);
    const range = "bytes=0-0";
    expect((await site.get(url, { range, "if-range": etag })).status).toBe(206);
    expect((await site.get(url, { range, "if-range": lastModified })).status).toBe(206);
    expect((await site.get(url, { range, "if-range": '"x"' })).status).toBe(200);
    expect((await site.get(url, { range, "if-range": `W/${etag}` })).status).toBe(200);
    expect((await site.get(url, { range, "if-none-match": etag })).status).toBe(304);
  });
});

describe("a folder", () => {
  const files = {
    "web/index.html": "home",
    "web/docs/index.html": "docs",
    "web/empty/x.txt": "x",
    "web/start.htm": "start",
  };

  test.each([
    ["/", "home"],
    ["/docs/", "docs"],
    ["/docs//", "docs"],
  ])("is answered with its index: %s", async (url, text) => {
    await using site = await makeSite({ files });
    const answer = await site.get(url);
    expect(answer).toMatchObject({ status: 200, text });
    expect(answer.headers["content-type"]).toBe("text/html; charset=utf-8");
  });

  test.each([
    ["/docs", "/docs/"],
    ["/docs?a=1&b", "/docs/?a=1&b"],
    ["/%64ocs", "/%64ocs/"],
    ["//docs", "/docs/"],
    ["///docs", "/docs/"],
    ["/x/../docs", "/docs/"],
  ])("without its slash is redirected on this host: %s", async (url, location) => {
    await using site = await makeSite({ files });
    const answer = await site.get(url);
    expect(answer.status).toBe(301);
    expect(answer.headers["location"]).toBe(location);
  });

  test.each(["/empty", "/empty/", "/docs/index.html/", "/none", "/none/"])(
    "without an index is left to the next rule: %s",
    async (url) => {
      await using site = await makeSite({ files });
      expect(await site.get(url)).toMatchObject({ status: 404, text: notMine });
    },
  );

  test("may have another index", async () => {
    await using site = await makeSite({ files, props: { indexFile: ["start.htm"] } });
    expect((await site.get("/")).text).toBe("start");
  });
});

describe("other methods", () => {
  const files = { "web/a.txt": "a", "web/docs/index.html": "docs" };

  test.each(["/a.txt", "/docs", "/docs/"])("get 405 on what is there: %s", async (url) => {
    await using site = await makeSite({ files });
    for (const method of ["POST", "PUT", "DELETE", "PROPFIND", "get"]) {
      const answer = await site.ask({ method, url });
      expect(answer.status).toBe(405);
      expect(answer.headers["allow"]).toBe("GET, HEAD, OPTIONS");
    }
    expect((await site.ask({ method: "OPTIONS", url })).status).toBe(204);
  });

  test("are left to the next rule on what is not there", async () => {
    await using site = await makeSite({ files });
    expect((await site.ask({ method: "POST", url: "/b.txt" })).text).toBe(notMine);
  });
});
