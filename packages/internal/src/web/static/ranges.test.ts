// Several ranges of one file.

import { describe, expect, test } from "vitest";
import type { InjectResponse } from "../wires/inject-request.ts";
import { serve } from "../../testing/serve.ts";
import { request } from "../../testing/raw-client.ts";
import { big, lastModified, makeSite } from "../../testing/static-site.ts";

/** What `multipart/byteranges` content is made of, read to the byte. */
function partsOf({ headers, text }: Pick<InjectResponse, "headers" | "text">) {
  const [, boundary = ""] = /^multipart\/byteranges; boundary=([\w-]{20,70})$/.exec(String(headers["content-type"]))!;
  const [first, ...rest] = text.split(`\r\n--${boundary}`);
  expect(rest.pop()).toBe("--\r\n");
  return [first!.replace(`--${boundary}`, ""), ...rest].map((part) => {
    const [, type, range, content] = /^\r\ncontent-type: (.*)\r\ncontent-range: (.*)\r\n\r\n([^]*)$/.exec(part)!;
    return { type, range, content };
  });
}

const type = "text/plain; charset=utf-8";

describe.each([
  ["small", "web/small.txt", big.slice(0, 50)],
  ["large", "web/large.txt", big],
])("ranges of a %s file", (_what, name, content) => {
  const url = name.replace("web", "");
  const size = content.length;

  test("are sent in the order asked for", async () => {
    await using site = await makeSite({ files: { [name]: content } });
    const answer = await site.get(url, { range: "bytes=40-, 0-1,-0, 5-5" });
    expect(answer.status).toBe(206);
    expect(answer.headers).toMatchObject({ "last-modified": lastModified, "accept-ranges": "bytes" });
    expect(answer.headers).not.toHaveProperty("content-range");
    expect(partsOf(answer)).toEqual([
      { type, range: `bytes 40-${size - 1}/${size}`, content: content.slice(40) },
      { type, range: `bytes 0-1/${size}`, content: content.slice(0, 2) },
      { type, range: `bytes 5-5/${size}`, content: content.slice(5, 6) },
    ]);
  });

  test("are sent with their length over a connection, which goes on", async () => {
    await using site = await makeSite({ files: { [name]: content } });
    await using server = await serve((req, resp) => site.part.handle(req, resp));
    await using client = await server.connect();
    const both = request(`GET ${url}`, { range: "bytes=0-1,4-5" }) + request(`GET ${url}`, { range: "bytes=3-3" });
    const [first, second] = await client.send(both).responses(2);
    expect(first).toMatchObject({ status: 206, framing: "sized" });
    expect(partsOf(first!).map((part) => part.content)).toEqual(["01", "45"]);
    expect(second).toMatchObject({ status: 206, text: "3" });
  });

  test("have another boundary each time", async () => {
    await using site = await makeSite({ files: { [name]: content } });
    const ask = async () => (await site.get(url, { range: "bytes=0-1,4-5" })).headers["content-type"];
    expect(await ask()).not.toBe(await ask());
  });

  test("of which one can be satisfied are a single one, and none is 416", async () => {
    await using site = await makeSite({ files: { [name]: content } });
    const answer = await site.get(url, { range: `bytes=${size}-,2-3,-0` });
    expect(answer).toMatchObject({ status: 206, text: "23" });
    expect(answer.headers).toMatchObject({ "content-range": `bytes 2-3/${size}`, "content-type": type });
    expect((await site.get(url, { range: `bytes=${size}-,-0` })).status).toBe(416);
  });

  test("are followed only if the copy that they complete is current", async () => {
    await using site = await makeSite({ files: { [name]: content } });
    const etag = String((await site.get(url)).headers["etag"]);
    const range = "bytes=0-0,2-2";
    for (const [ifRange, status] of [
      [etag, 206],
      [lastModified, 206],
      ['"x"', 200],
      [`W/${etag}`, 200],
      ["Thu, 01 Jan 2026 00:00:00 GMT", 200],
      ["nonsense", 200],
    ] as const) {
      expect((await site.get(url, { range, "if-range": ifRange })).status).toBe(status);
    }
  });

  test.each([
    ["overlap", "bytes=0-5,5-9"],
    ["are the same", "bytes=0-0,0-0"],
    ["are too many", `bytes=${Array.from({ length: 17 }, (_, i) => `${i * 2}-${i * 2}`).join()}`],
  ])("that %s are answered with the whole", async (_what, range) => {
    await using site = await makeSite({ files: { [name]: content } });
    expect(await site.get(url, { range })).toMatchObject({ status: 200, text: content });
  });
});

test("how many ranges are followed is a prop, and 0 is none", async () => {
  await using site = await makeSite({ files: { "web/a.txt": big }, props: { maxRanges: 2 } });
  const statuses = async () => {
    const ranges = ["bytes=0-0", "bytes=0-0,2-2", "bytes=0-0,2-2,4-4"];
    return Promise.all(ranges.map(async (range) => (await site.get("/a.txt", { range })).status));
  };
  expect(await statuses()).toEqual([206, 206, 200]);
  site.props.maxRanges = 0;
  site.part.update?.(new Set(["maxRanges"]));
  expect(await statuses()).toEqual([200, 200, 200]);
  expect((await site.get("/a.txt", { range: "bytes=999999999-" })).headers["accept-ranges"]).toBe("none");
});

test("HEAD and several ranges is HEAD", async () => {
  await using site = await makeSite({ files: { "web/a.txt": "hello" } });
  const answer = await site.ask({ method: "HEAD", url: "/a.txt", headers: { range: "bytes=0-0,2-2" } });
  expect(answer).toMatchObject({ status: 200, headers: { "content-type": type } });
});

test("no descriptor is left in use by ranges", async () => {
  await using site = await makeSite({ files: { "web/a.txt": big } });
  await site.get("/a.txt", { range: "bytes=0-0,2-2" });
  await site.fcache.shutdown();
  expect(site.fcache.openFiles).toBe(0);
});
