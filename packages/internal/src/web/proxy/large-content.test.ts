// Large content is read into memory that is used again: what one client gets or sends must be nobody else's.

import { once } from "node:events";
import { createServer, request, type IncomingMessage, type ServerResponse } from "node:http";
import { connect } from "node:http2";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readBlocks } from "../../net/read-blocks.ts";
import { proxyTo, type TestProxy } from "../../testing/proxy.ts";

const size = 6_000_000;

/** Each content has other bytes, and other ones at each place. */
function contentOf(number: number): Buffer {
  const content = Buffer.allocUnsafe(size);
  for (let at = 0; at + 4 <= size; at += 4) content.writeUInt32LE((number * 0x9e3779b1 + at) >>> 0, at);
  return content;
}

const contents = [0, 1, 2, 3, 4, 5].map(contentOf);

/** `/3/sized` is the content of that number; what is sent to `/3` is compared with it. */
function answer(req: IncomingMessage, res: ServerResponse): void {
  const [, number, framing] = (req.url ?? "").split("/");
  const content = contents[Number(number)];
  if (req.method === "PUT")
    return void bytesOf(req, 2 ** Number(number)).then((sent) => res.end(verdict(content, sent)));
  if (framing === "sized") res.setHeader("content-length", size);
  res.end(content);
}

const node = createServer(answer);
let proxy: TestProxy;

beforeAll(async () => {
  node.listen(0, "127.0.0.1");
  await once(node, "listening");
  const { port: nodePort } = node.address() as AddressInfo;
  proxy = await proxyTo([`127.0.0.1:${nodePort}`], { maxContentSize: 2 * size });
});

afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  node.close();
});

/** Reads slowly: it stops for a moment after each `pause` pieces. */
async function bytesOf(message: AsyncIterable<unknown>, pause: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of message) {
    pieces.push(piece as Buffer);
    if (pieces.length % pause === 0) await sleep(2);
  }
  return Buffer.concat(pieces);
}

function verdict(content: Buffer | undefined, sent: Buffer): string {
  return content?.equals(sent) === true ? "the same" : `${sent.length} other bytes`;
}

async function get(path: string, pause: number): Promise<Buffer> {
  const sent = request({ host: "127.0.0.1", port: proxy.port, path, agent: false }).end();
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  return await bytesOf(response, pause);
}

async function put(number: number, framing: string): Promise<string> {
  const headers = framing === "sized" ? { "content-length": size } : {};
  const sent = request({
    host: "127.0.0.1",
    port: proxy.port,
    method: "PUT",
    path: `/${number}`,
    agent: false,
    headers,
  });
  sent.end(contents[number]);
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  return (await bytesOf(response, 1)).toString();
}

test.each(["sized", "chunked"])("clients of any pace get their own content, %s", async (framing) => {
  const got = await Promise.all(contents.map((_, number) => get(`/${number}/${framing}`, 2 ** number)));
  expect(got.map((content, number) => content.equals(contents[number]!))).toEqual(contents.map(() => true));
  // It serves again.
  expect(readBlocks.spare).toBeGreaterThan(0);
});

test("streams of one HTTP/2 connection get their own content, at any pace", async () => {
  const session = connect(`http://127.0.0.1:${proxy.port}`);
  try {
    const got = await Promise.all(
      contents.map((_, number) => bytesOf(session.request({ ":path": `/${number}/sized` }), 2 ** number)),
    );
    expect(got.map((content, number) => content.equals(contents[number]!))).toEqual(contents.map(() => true));
  } finally {
    session.destroy();
  }
});

test("clients that leave in the middle take nothing from those who come next", async () => {
  for (let round = 0; round < 3; round++) {
    const left = contents.map(async (_, number) => {
      const sent = request({ host: "127.0.0.1", port: proxy.port, path: `/${number}/sized`, agent: false }).end();
      const [response] = (await once(sent, "response")) as [IncomingMessage];
      await once(response, "data");
      sent.destroy();
    });
    const stayed = contents.map(async (content, number) => (await get(`/${number}/sized`, 8)).equals(content));
    await Promise.all(left);
    expect(await Promise.all(stayed)).toEqual(contents.map(() => true));
  }
});

test.each(["sized", "chunked"])("nodes of any pace get what each client has sent, %s", async (framing) => {
  const verdicts = await Promise.all(contents.map((_, number) => put(number, framing)));
  expect(verdicts).toEqual(contents.map(() => "the same"));
});
