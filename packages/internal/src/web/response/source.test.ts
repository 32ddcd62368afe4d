import { describe, expect, test } from "vitest";
import { serve } from "../../testing/serve.ts";
import { request } from "../../testing/raw-client.ts";
import { representSource, sendRepresentation } from "./representation.ts";
import type { Source } from "./source.ts";

/** Content that is worked out while it is sent: the digits, over and over. It notes how often it is held. */
function digits(size: number): Source & { held: number; opened: number } {
  const source = {
    size,
    held: 0,
    opened: 0,
    open() {
      source.held++;
      source.opened++;
      return {
        async *read({ offset, size }: { readonly offset: number; readonly size: number }) {
          for (let at = offset; at < offset + size; at++) yield Buffer.from(String(at % 10));
        },
        [Symbol.dispose]: () => {
          source.held--;
        },
      };
    },
  };
  return source;
}

async function ask(source: Source, fields: Readonly<Record<string, string>> = {}, method = "GET") {
  const representation = representSource(source, { type: "text/plain", etag: '"digits"', lastModified: 1_000_000_000 });
  await using server = await serve((req, resp) => sendRepresentation(req, resp, representation));
  return await server.ask(request(`${method} /`, fields), method);
}

describe("content that is neither in memory nor in a file", () => {
  test("is sent whole, with its size and validators", async () => {
    const source = digits(25);
    const { status, headers, content } = await ask(source);
    expect({ status, text: content.toString() }).toEqual({ status: 200, text: "0123456789012345678901234" });
    expect(headers).toMatchObject({
      "content-length": "25",
      etag: '"digits"',
      "last-modified": "Sun, 09 Sep 2001 01:46:40 GMT",
      "accept-ranges": "bytes",
    });
    expect(source).toMatchObject({ opened: 1, held: 0 });
  });

  test("is sent by ranges, one or several", async () => {
    const source = digits(25);
    const one = await ask(source, { range: "bytes=3-6" });
    expect([one.status, one.headers["content-range"], one.content.toString()]).toEqual([206, "bytes 3-6/25", "3456"]);
    const { status, content } = await ask(source, { range: "bytes=1-2,20-" });
    expect(status).toBe(206);
    expect(content.toString()).toMatch(/bytes 1-2\/25\r\n\r\n12\r\n.*bytes 20-24\/25\r\n\r\n01234\r\n/s);
    expect(source).toMatchObject({ opened: 2, held: 0 });
  });

  test("is not opened for who has it already, or can have none of it", async () => {
    const source = digits(25);
    expect(await ask(source, { "if-none-match": '"digits"' })).toMatchObject({ status: 304 });
    expect(await ask(source, { range: "bytes=25-" })).toMatchObject({ status: 416 });
    expect(source.opened).toBe(0);
  });

  test("that breaks off breaks the answer off, and is let go", async () => {
    const source = digits(25);
    const open = source.open.bind(source);
    source.open = () => ({
      ...open(),
      async *read() {
        yield Buffer.from("012");
        throw new Error("the store is gone");
      },
    });
    await expect(ask(source)).rejects.toThrow();
    expect(source.held).toBe(0);
  });
});
