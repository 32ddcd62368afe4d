// What holds whatever version of HTTP a client speaks, plain and over TLS: a site with a bit of everything in it.

import { once } from "node:events";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { findPeer, peer } from "../../src/peers.ts";
import { ask as askBy, versions, type Answer, type Asked, type Opened } from "./clients.ts";
import { serveSite, type Site } from "./site.ts";

let site: Site | undefined;

beforeAll(async () => {
  const openssl = findPeer("openssl");
  if (openssl !== undefined) site = await serveSite(openssl);
});
afterAll(() => site?.[Symbol.asyncDispose]());

describe.each(versions)("by $name", (version) => {
  /** Part of a path, so that each version's requests are told apart in the access log, and by the limiter. */
  const mark = version.name.replaceAll(/\W/g, "");

  function need(): Site {
    if (site === undefined) throw new Error("this needs the program openssl");
    return site;
  }
  const ask = (path: string, asked: Asked = {}): Promise<Answer> =>
    askBy(version, need().target(version), { path, ...asked });
  const open = (path: string, asked: Asked = {}): Promise<Opened> =>
    version.open(need().target(version), { path, ...asked });

  beforeEach((context) => void peer("openssl", context));

  describe("a file", () => {
    test("is sent whole, and by HEAD its head alone", async () => {
      expect(await ask("/digits.txt")).toMatchObject({ status: 200, text: "0123456789" });
      const head = await ask("/digits.txt", { method: "HEAD" });
      expect(head).toMatchObject({ status: 200, text: "", headers: { "content-length": "10" } });
    });

    test("is sent in part, in parts, or not at all, as its ranges say", async () => {
      const range = (value: string) => ask("/digits.txt", { headers: { range: `bytes=${value}` } });
      expect(await range("2-4")).toMatchObject({
        ...{ status: 206, text: "234", headers: { "content-range": "bytes 2-4/10" } },
      });
      const parts = await range("0-1,8-");
      expect(parts.status).toBe(206);
      expect(parts.headers["content-type"]).toMatch(/^multipart\/byteranges; boundary=/);
      expect(parts.text).toMatch(/bytes 0-1\/10\r\n\r\n01\r\n[^]*bytes 8-9\/10\r\n\r\n89\r\n/);
      expect(parts.headers["content-length"]).toBe(String(parts.content.length));
      expect(await range("20-")).toMatchObject({ status: 416, headers: { "content-range": "bytes */10" } });
    });

    test("is not sent again to who has it", async () => {
      const { headers } = await ask("/digits.txt");
      const again = await ask("/digits.txt", { headers: { "if-none-match": String(headers["etag"]) } });
      expect(again).toMatchObject({ status: 304, text: "", headers: { etag: headers["etag"] } });
      expect(await ask("/digits.txt", { headers: { "if-match": '"other"' } })).toMatchObject({ status: 412 });
    });

    test("is sent as it was compressed before, to who takes it", async () => {
      const packed = await ask("/packed.txt", { headers: { "accept-encoding": "gzip" } });
      expect(packed.headers["content-encoding"]).toBe("gzip");
      expect(gunzipSync(packed.content).toString()).toBe("packed");
      expect((await ask("/packed.txt")).text).toBe("packed");
    });

    test("that is large comes whole to a client that is slow to begin", async () => {
      await using opened = await open("/large.bin");
      let size = 0;
      for await (const piece of opened.stream) {
        if (size === 0) await ask("/digits.txt");
        size += (piece as Buffer).length;
      }
      expect(size).toBe(5_000_000);
    });

    test("that is not there is told of by a page", async () => {
      expect(await ask("/none")).toMatchObject({ status: 404, text: "nothing here" });
    });
  });

  test("a folder is listed, and found without its slash", async () => {
    expect((await ask("/listed/")).text).toContain("a.txt");
    expect(await ask("/old/digits.txt")).toMatchObject({ status: 200, text: "0123456789" });
  });

  describe("content that is sent", () => {
    const multipart = [
      '--b\r\ncontent-disposition: form-data; name="a"\r\n\r\n1\r\n--b\r\ncontent-disp',
      'osition: form-data; name="f"; filename="f.txt"\r\n\r\n',
      "x".repeat(100_000),
      "\r\n--b--\r\n",
    ];
    const form = (type: string, content: Asked["content"]): Asked => ({
      method: "POST",
      headers: { "content-type": type },
      ...(content !== undefined && { content }),
    });

    test("may be a form", async () => {
      const answer = await ask("/form", form("application/x-www-form-urlencoded", "a=1&b=%20"));
      expect(JSON.parse(answer.text)).toEqual([
        [
          ["a", "1"],
          ["b", " "],
        ],
        [],
      ]);
    });

    test("may be a form with files, in pieces", async () => {
      const answer = await ask("/form", form("multipart/form-data; boundary=b", multipart));
      expect(JSON.parse(answer.text)).toEqual([[["a", "1"]], [["f", "f.txt", 100_000]]]);
    });

    test("is refused with 413 beyond its limit", async () => {
      const small = form("application/x-www-form-urlencoded", "a=" + "1".repeat(200));
      expect(await ask("/form/small/", small)).toMatchObject({ status: 413 });
    });

    test("may be encoded", async () => {
      const asked = { method: "POST", headers: { "content-encoding": "gzip" }, content: gzipSync("x".repeat(50_000)) };
      expect((await ask("/content", asked)).text).toBe("x".repeat(50_000));
      expect((await ask("/content", { ...asked, content: gzipSync("x".repeat(300_000)) })).status).toBe(413);
    });

    test("is asked for where its client waits for that", async () => {
      const answer = await ask("/content", { method: "POST", headers: { expect: "100-continue" }, content: "hello" });
      // http3Outgate, which asks over HTTP/3, keeps a 100 to itself.
      const interims = version.version === "3" ? [] : [100];
      expect(answer).toMatchObject({ status: 200, text: "hello", interims });
    });
  });

  describe("revisers", () => {
    test("replace, compress and include", async () => {
      const page = await ask("/page.html", { headers: { "accept-encoding": "gzip" } });
      expect(page.headers["content-encoding"]).toBe("gzip");
      expect(gunzipSync(page.content).toString()).toBe("<p>goodbye</p>".repeat(200));
      expect((await ask("/included.shtml")).text).toBe("0123456789!");
    });

    test("let an event out at once", async () => {
      await using opened = await open("/events/" + mark, { headers: { "accept-encoding": "identity" } });
      const [piece] = (await once(opened.stream, "data")) as [Buffer];
      expect(piece.toString()).toBe("data: first\n\n");
      opened.leave();
      expect(await need().ending("/events/" + mark)).toBe("200 leftReading");
    });
  });

  describe("the access log", () => {
    // Who shuts its side by HTTP/1 may still wait for an answer, and gets it: only a stream can be given up so early.
    if (version.version !== "1.1") {
      test("tells of who left before an answer", async () => {
        const path = `/wait/${mark}`;
        const target = need().target(version);
        const opened = version.open(target, { path, signal: AbortSignal.timeout(100) });
        await expect(opened).rejects.toThrow();
        expect(await need().ending(path)).toMatch(/ leftWaiting$/);
      });
    }

    test("tells of what was complete", async () => {
      await ask(`/none/${mark}`);
      expect(await need().ending(`/none/${mark}`)).toBe("404 complete");
    });
  });

  describe("handlets that check", () => {
    test("ask for a password", async () => {
      const none = await ask("/private");
      expect(none).toMatchObject({ status: 401 });
      expect(none.headers["www-authenticate"]).toContain("Basic");
      const authorization = `Basic ${Buffer.from("ada:secret").toString("base64")}`;
      expect(await ask("/private", { headers: { authorization } })).toMatchObject({ status: 200, text: "in" });
    });

    test("let other origins in, and answer their preflights", async () => {
      const headers = { origin: "https://a.example" };
      const fields = { "access-control-allow-origin": "https://a.example" };
      expect(await ask("/shared", { headers })).toMatchObject({ text: "shared", headers: fields });
      const preflight = { ...headers, "access-control-request-method": "GET" };
      const answer = await ask("/shared", { method: "OPTIONS", headers: preflight });
      expect(answer).toMatchObject({ status: 204, headers: fields });
    });

    test("limit", async () => {
      expect(await ask(`/limited/${mark}`)).toMatchObject({ text: "allowed" });
      expect(await ask(`/limited/${mark}`)).toMatchObject({ status: 429 });
    });
  });

  describe.each(["fetch", "node"])("an app for %s", (app) => {
    test("takes what is sent, and sends it back", async () => {
      const content = ["a".repeat(100_000), "b".repeat(100_000)];
      const answer = await ask(`/${app}/`, { method: "POST", content });
      expect(answer).toMatchObject({ status: 200, headers: { "x-app": app } });
      expect(answer.text).toBe(content.join(""));
    });
  });

  test("a mapper picks by method and path, and makes answers of what its functions return", async () => {
    expect(await ask("/users/7")).toMatchObject({ status: 200, text: '{"id":"7"}' });
    const headers = { "content-type": "application/json" };
    expect(await ask("/users", { method: "POST", headers, content: "[1]" })).toMatchObject({ text: '{"made":[1]}' });
    expect((await ask("/users", { method: "DELETE" })).status).toBe(405);
  });

  describe.each(["1", "2", "3"])("a proxy to HTTP/%s", (to) => {
    test("passes content, hints and trailers on", async () => {
      const answer = await ask(`/proxy/${to}`, { method: "POST", content: ["a".repeat(300_000), "b"] });
      expect(answer).toMatchObject({ status: 201, text: "POST 300001 end", interims: [103] });
      expect(answer.trailers).toMatchObject({ "x-sum": "7" });
    });

    test("passes on what the client says behind its content", async () => {
      const content = ["some ", "content"];
      const answer = await ask(`/proxy/${to}`, { method: "POST", content, trailers: { "x-sum": "9" } });
      expect(answer).toMatchObject({ text: "POST 12 end", trailers: { "x-sum": "9" } });
    });

    test("passes events on at once, and the leaving of their client", async () => {
      const path = `/proxy/${to}/events/${mark}`;
      await using opened = await open(path);
      const [piece] = (await once(opened.stream, "data")) as [Buffer];
      expect(piece.toString()).toBe("data: first\n\n");
      opened.leave();
      await need().left(path);
    });

    test("breaks off what its backend broke off", async () => {
      await using opened = await open(`/proxy/${to}/broken`);
      expect(opened.status).toBe(200);
      await expect(opened.stream.toArray()).rejects.toThrow();
    });
  });
});
