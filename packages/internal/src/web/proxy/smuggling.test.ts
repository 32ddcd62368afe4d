// What is sent by those who want two parties to see different requests in the same bytes (CWE-444): whatever the proxy
// makes of it, the backend sees that, and nothing else.

import { describe, expect, test } from "vitest";
import { bootWith } from "../../boot.ts";
import { openErrorLog } from "../../log/error-log.ts";
import { MemorySink } from "../../log/sink.ts";
import { RawBackend, type RawRequest } from "../../testing/raw-backend.ts";
import { proxyTo } from "../../testing/proxy.ts";

/** Lines that frame content, or look as if they did. */
const framings = [
  "",
  "content-length: 5",
  "content-length: 05",
  "content-length: +5",
  "content-length: 5, 5",
  "content-length: 5,6",
  "content-length: 0x5",
  "content-length: 5 5",
  "content-length: -0",
  "content-length: 99999999999999999999",
  "content-length:",
  "content-length : 5",
  " content-length: 5",
  "content-length\t: 5",
  "content-length: 5\n",
  "content-length: 5\rx: y",
  "content-length: 6\r\n\t5",
  "content_length: 5",
  "x-content-length: 5",
  "x: y\0content-length: 5",
  "content-length\0: 5",
  "transfer-encoding: chunked",
  "Transfer-Encoding: Chunked",
  "transfer-encoding: xchunked",
  "transfer-encoding: chunked, identity",
  "transfer-encoding: identity",
  "transfer-encoding: gzip, chunked",
  "transfer-encoding: chunked, chunked",
  "transfer-encoding:\tchunked",
  "transfer-encoding:\x0bchunked",
  "transfer-encoding: \x0cchunked",
  'transfer-encoding: "chunked"',
  "transfer-encoding: chunked;q=1",
  "transfer-encoding: chunked\xa0",
  "transfer-encoding : chunked",
  "transfer-encoding\x00: chunked",
  "transfer-encoding:\r\n chunked",
  "x: y\ntransfer-encoding: chunked",
  "x: y\rtransfer-encoding: chunked",
  "transfer_encoding: chunked",
  "te: chunked",
  "connection: content-length\r\ncontent-length: 5",
  "connection: transfer-encoding\r\ntransfer-encoding: chunked",
  "connection: host",
  "expect: 100-continue\r\ncontent-length: 5",
  "upgrade: h2c\r\nconnection: upgrade, http2-settings\r\nhttp2-settings: AAMAAABk",
  "host: evil.example",
  "host : evil.example",
  "x-http-method-override: CONNECT",
];

const evil = "GET /evil HTTP/1.1\r\nhost: a\r\n\r\n";

/** What may be content, or another request, or both. */
const contents = [
  "",
  `0\r\n\r\n${evil}`,
  `5\r\nabcde\r\n0\r\n\r\n`,
  `00000000000000000005\r\nabcde\r\n0\r\n\r\n${evil}`,
  `5;x="\r\n"\r\nabcde\r\n0\r\n\r\n${evil}`,
  `5;x\nabcde\r\n0\r\n\r\n${evil}`,
  `5\rXabcde\r\n0\r\n\r\n`,
  `0x5\r\nabcde\r\n0\r\n\r\n`,
  `5\r\nabcdeXX0\r\n\r\n${evil}`,
  `0\r\ncontent-length: 5\r\nhost: b\r\n\r\n${evil}`,
  `0\r\nx : y\r\n\r\n${evil}`,
  `1e\r\n${evil}\r\n0\r\n\r\n`,
  evil,
];

/**
 * Whatever stands before it, it ends the connection: as a request, or as the rest of one, which it makes a wrong one.
 */
const last = "GET /last HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";

/** Beside the framing there may be one that is right. */
const others = ["", "content-length: 5\r\n", "transfer-encoding: chunked\r\n"];

const startLines = ["POST /x HTTP/1.1", "GET /x HTTP/1.1", "POST /x HTTP/1.0", "OPTIONS * HTTP/1.1"];

/** A backend that reads as strictly as can be, and notes what no request may look like. */
async function strictBackend(seen: RawRequest[], wrong: string[]): Promise<RawBackend> {
  return await RawBackend.listen(async (conn) => {
    for (;;) {
      const request = await conn.request().catch((error: unknown) => {
        const text = String(error);
        // The proxy breaks off where its client did.
        if (!text.includes("the connection ended")) wrong.push(text);
        throw error;
      });
      const { "content-length": size = "0", "transfer-encoding": coding = "chunked", host = "" } = request.headers;
      if (!/^(?:0|[1-9]\d*)$/.test(size) || coding !== "chunked" || !/^[\w.:-]+$/.test(host)) {
        wrong.push(JSON.stringify(request));
      }
      if (!/^[A-Z]+ (?:\/[\x21-\x7e]*|\*) HTTP\/1\.1$/.test(request.line)) wrong.push(request.line);
      seen.push(request);
      conn.answer("ok");
    }
  });
}

describe.each(startLines)("%s", (startLine) => {
  test("the backend sees as many requests as the client gets answers, and the next one is whole", async () => {
    const seen: RawRequest[] = [];
    const wrong: string[] = [];
    await using backend = await strictBackend(seen, wrong);
    await using proxy = await proxyTo([backend.address], { server: { maxConns: 10_000 } });
    let accepted = 0;
    for (const framing of framings) {
      for (const content of contents) {
        for (const other of others) {
          const lines = framing === "" ? other : `${framing}\r\n${other}`;
          const bytes = `${startLine}\r\nhost: a\r\n${lines}\r\n${content}`;
          seen.length = 0;
          const client = await proxy.connect();
          client.send(bytes + last);
          const text = (await client.toTheEnd()).toString("latin1");
          const answers = text.match(/HTTP\/1\.1 200 /g)?.length ?? 0;
          await client[Symbol.asyncDispose]();
          accepted += answers;
          expect(wrong, JSON.stringify(bytes)).toEqual([]);
          expect(seen.length, JSON.stringify([bytes, text])).toBe(answers);
          // Bytes that were taken for content are no request.
          const isContent = seen.some(({ content }) => content.includes("/evil"));
          if (isContent) expect(seen.every(({ line }) => !line.includes("/evil"))).toBe(true);
        }
      }
    }
    // Some of it is right, else this shows nothing.
    if (startLine.includes("/x")) expect(accepted).toBeGreaterThan(10);
    seen.length = 0;
    expect((await proxy.ask("GET /next")).status).toBe(200);
    expect(seen.map(({ line }) => line)).toEqual(["GET /next HTTP/1.1"]);
  }, 60_000);
});

test("an encoded backslash in the path, which Windows takes for a slash, is not passed on unless that is wanted", async () => {
  await using backend = await RawBackend.answering(({ line }, conn) => conn.answer(line));
  await using proxy = await proxyTo([backend.address]);
  expect((await proxy.ask("GET /public/..%5cadmin")).status).toBe(400);
  expect((await proxy.ask("GET /public?..%5cadmin")).text).toBe("GET /public?..%5cadmin HTTP/1.1");
  await using windows = await proxyTo([backend.address], { proxy: { backslashesInPaths: true } });
  expect((await windows.ask("GET /a%5cb")).text).toBe("GET /a%5cb HTTP/1.1");
});

test("a condition sees an encoded slash as who decodes it, and the backend gets it as it was", async () => {
  await using backend = await RawBackend.answering(({ line }, conn) => conn.answer(line));
  const log = openErrorLog({ sink: new MemorySink() });
  const text = `stage {
    http1Backend "app" { .nodes = (["address": "${backend.address}"]) }
    webapp "all" { .hostnames = ("*") .webRoot = "${import.meta.dirname}"
      rule $path ^= "/admin/" { .returnCode = 403 }
      rule { static {} httpProxy { .toBackend = "app" } }
    }
    httpxServer "main" { .webapps = ("all") .address = "127.0.0.1:0" }
  }`;
  await using stage = await bootWith([]).bootText(text, { log });
  await stage.start();
  expect((await stage.inject({ url: "/admin%2fsecret" })).status).toBe(403);
  for (const url of ["/api/v4/projects/group%2Fproj", "/%E9", "/a/%e4%bd"]) {
    expect((await stage.inject({ url })).text).toBe(`GET ${url} HTTP/1.1`);
  }
});
