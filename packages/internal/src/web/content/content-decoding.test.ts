import { randomBytes } from "node:crypto";
import * as zlib from "node:zlib";
import { promisify } from "node:util";
import { threadPoolSize, zlibTurns } from "@hemi/common";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ContentFilter } from "./filter.ts";
import { contentCodings, decodingFilter, parseContentCoding, type ContentCoding } from "./content-decoding.ts";

const encode: Record<ContentCoding, (bytes: Uint8Array) => Buffer> = {
  gzip: zlib.gzipSync,
  deflate: zlib.deflateSync,
  br: (bytes) => zlib.brotliCompressSync(bytes, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 4 } }),
  zstd: zlib.zstdCompressSync,
};

/** What comes of the bytes of a request, cut at these places. */
function decoded(coding: ContentCoding, bytes: Uint8Array, cuts: readonly number[] = [], maxRatio?: number) {
  return decodedBy(decodingFilter(coding, maxRatio === undefined ? {} : { maxRatio }), bytes, cuts);
}

async function decodedBy(filter: ContentFilter, bytes: Uint8Array, cuts: readonly number[]) {
  const made: Uint8Array[] = [];
  const next = (piece: Uint8Array): void => void made.push(piece);
  try {
    let from = 0;
    for (const to of [...cuts, bytes.length]) {
      await filter.push(bytes.subarray(from, to), next);
      from = to;
    }
    await filter.end?.(next);
  } finally {
    filter.close?.();
  }
  return Buffer.concat(made);
}

describe.each(contentCodings)("%s", (coding) => {
  test("is decoded the same wherever it is cut", async () => {
    const text = Buffer.from("hello, hello, hello! ".repeat(20) + "that was it");
    const encoded = encode[coding](text);
    for (let at = 0; at <= encoded.length; at++) expect(await decoded(coding, encoded, [at])).toEqual(text);
    expect(await decoded(coding, encoded, [...Array(encoded.length).keys()])).toEqual(text);
  });

  test("any content comes back", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 20_000, size: "max" }), async (bytes) => {
        expect(Buffer.compare(await decoded(coding, encode[coding](bytes)), bytes)).toBe(0);
      }),
      { numRuns: 20 },
    );
  });

  test("a bomb is stopped where it passes the ratio, long before its end", async () => {
    const bomb = encode[coding](Buffer.alloc(50_000_000));
    const filter = decodingFilter(coding, { maxRatio: 100 });
    let made = 0;
    const next = (piece: Uint8Array): void => void (made += piece.length);
    await expect(filter.push(bomb, next)).rejects.toMatchObject({
      code: "HEMI_CONTENT_TOO_LARGE",
      message: expect.stringContaining("maxContentRatio") as string,
    });
    filter.close?.();
    expect(made).toBeLessThan(Math.max(bomb.length * 100, 64 * 1024) + 200_000);
  });

  test("small content may have any ratio", async () => {
    const zeros = Buffer.alloc(60_000);
    expect(await decoded(coding, encode[coding](zeros), [], 1)).toEqual(zeros);
  });

  test.each<[string, (encoded: Buffer) => Buffer]>([
    ["ends early", (encoded) => encoded.subarray(0, -5)],
    ["is no such thing", () => Buffer.from("plain text, and enough of it to be looked at")],
    ["has something behind its end", (encoded) => Buffer.concat([encoded, Buffer.from("x")])],
    ["has zeros behind its end", (encoded) => Buffer.concat([encoded, Buffer.alloc(10)])],
  ])("what %s is refused", async (_what, spoil) => {
    const spoilt = spoil(encode[coding](Buffer.from("hello, world! ".repeat(100))));
    await expect(decoded(coding, spoilt)).rejects.toMatchObject({ code: "HEMI_CONTENT_BROKEN" });
    const cuts = [...Array(spoilt.length).keys()];
    await expect(decoded(coding, spoilt, cuts)).rejects.toMatchObject({ code: "HEMI_CONTENT_BROKEN" });
  });

  test("nothing is nothing", async () => {
    expect(await decoded(coding, Buffer.alloc(0))).toHaveLength(0);
  });

  test("a slow taker holds the decoder back", async () => {
    const encoded = encode[coding](Buffer.alloc(1_000_000));
    const filter = decodingFilter(coding, { maxRatio: 1e9 });
    let running = 0;
    await filter.push(encoded, async () => {
      expect(++running).toBe(1);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
    });
    filter.close?.();
  });
});

describe("a response", () => {
  const twoMembers = (text: Buffer): Buffer =>
    Buffer.concat([zlib.gzipSync(text.subarray(0, 20)), zlib.gzipSync(text.subarray(20)), Buffer.alloc(5)]);
  /** With an extra field, a name, a comment and a CRC of the header. */
  const longHeader = (gzip: Buffer): Buffer =>
    Buffer.concat([
      gzip.subarray(0, 3),
      Buffer.from([0x1e]),
      gzip.subarray(4, 10),
      Buffer.from("\x02\0xyname\0comment\0cc"),
      gzip.subarray(10),
    ]);
  const spoilt = (gzip: Buffer, at: number): Buffer => {
    const bytes = Buffer.from(gzip);
    bytes.writeUInt8((bytes.at(at) ?? 0) ^ 1, bytes.length + at);
    return bytes;
  };
  const text = Buffer.from("hello, world! ".repeat(30));
  const garbage = Buffer.from("\0\0garbage");

  test.each<[what: string, coding: ContentCoding, encoded: Buffer]>([
    ["raw deflate where deflate was promised", "deflate", zlib.deflateRawSync(text)],
    ["raw deflate in stored blocks", "deflate", zlib.deflateRawSync(text, { level: 0 })],
    ["deflate in the zlib format", "deflate", zlib.deflateSync(text)],
    ["gzip with garbage behind it", "gzip", Buffer.concat([zlib.gzipSync(text), garbage])],
    ["gzip of two members with zeros behind them", "gzip", twoMembers(text)],
    ["gzip with all that a header may have", "gzip", longHeader(zlib.gzipSync(text))],
    ["deflate with garbage behind it", "deflate", Buffer.concat([zlib.deflateSync(text), garbage])],
    ["raw deflate with garbage behind it", "deflate", Buffer.concat([zlib.deflateRawSync(text), garbage])],
    ["Brotli with garbage behind it", "br", Buffer.concat([encode.br(text), garbage])],
  ])("is read as browsers do, wherever it is cut: %s", async (_what, coding, encoded) => {
    const read = (cuts: readonly number[]) => decodedBy(decodingFilter(coding, { whose: "response" }), encoded, cuts);
    for (let at = 0; at <= encoded.length; at++) expect(await read([at])).toEqual(text);
    expect(await read([...encoded.keys()])).toEqual(text);
  });

  test.each<[what: string, coding: ContentCoding, encoded: Buffer]>([
    ["raw deflate that ends early", "deflate", zlib.deflateRawSync(text).subarray(0, -2)],
    ["gzip that ends early", "gzip", zlib.gzipSync(text).subarray(0, -2)],
    ["gzip without its trailer", "gzip", zlib.gzipSync(text).subarray(0, -8)],
    ["gzip that ends within its header", "gzip", zlib.gzipSync(text).subarray(0, 9)],
    ["gzip that is broken in its second member", "gzip", twoMembers(text).subarray(0, -20)],
    ["gzip with another CRC", "gzip", spoilt(zlib.gzipSync(text), -8)],
    ["gzip with another size", "gzip", spoilt(zlib.gzipSync(text), -4)],
    ["no gzip", "gzip", Buffer.from("plain text, and enough of it to be looked at")],
    ["text", "deflate", Buffer.from("plain text, and enough of it to be looked at")],
  ])("is broken if it is %s", async (_what, coding, encoded) => {
    const filter = decodingFilter(coding, { whose: "response" });
    await expect(decodedBy(filter, encoded, [1])).rejects.toMatchObject({ code: "HEMI_CONTENT_BROKEN" });
  });
});

test("a request in raw deflate is refused: other readers would refuse it, too", async () => {
  const refusal = { code: "HEMI_CONTENT_BROKEN" };
  await expect(decoded("deflate", zlib.deflateRawSync("hello, world"))).rejects.toMatchObject(refusal);
});

describe("zstd of several frames", () => {
  const frame = (text: string): Buffer => zlib.zstdCompressSync(text);
  /** A frame that is to be skipped (RFC 8878 3.1.2). */
  const skippable = (size: number): Buffer => {
    const head = Buffer.alloc(8 + size, "s");
    head.writeUInt32LE(0x184d2a5f, 0);
    head.writeUInt32LE(size, 4);
    return head;
  };

  test.each([
    ["two frames", [frame("hello, "), frame("world")], "hello, world"],
    ["an empty frame between", [frame("hello, "), frame(""), frame("world")], "hello, world"],
    ["a frame to be skipped before", [skippable(5), frame("hello")], "hello"],
    ["one behind", [frame("hello"), skippable(300)], "hello"],
    ["one between", [frame("hello, "), skippable(0), frame("world")], "hello, world"],
    ["nothing but those", [skippable(3), skippable(3)], ""],
  ])("is decoded the same wherever it is cut: %s", async (_what, frames, text) => {
    const encoded = Buffer.concat(frames);
    for (let at = 0; at <= encoded.length; at++) expect(String(await decoded("zstd", encoded, [at]))).toBe(text);
    expect(String(await decoded("zstd", encoded, [...encoded.keys()]))).toBe(text);
  });

  const reserved = frame("hello");
  // The type of its block, 3, is reserved.
  reserved[6] = 0x2f;

  test.each([
    ["is wrong in the first", Buffer.concat([reserved, frame("world")])],
    ["ends early in the second", Buffer.concat([frame("hello"), frame("world").subarray(0, -1)])],
    ["ends early in a frame to be skipped", Buffer.concat([frame("hello"), skippable(10).subarray(0, -1)])],
    ["has something else behind the second", Buffer.concat([frame("hello"), frame("world"), Buffer.from("x")])],
    ["has another coding behind it", Buffer.concat([frame("hello"), zlib.gzipSync("world")])],
  ])("what %s is refused", async (_what, spoilt) => {
    const refusal = { code: "HEMI_CONTENT_BROKEN" };
    for (let at = 0; at <= spoilt.length; at++)
      await expect(decoded("zstd", spoilt, [at])).rejects.toMatchObject(refusal);
  });

  test("the ratio is that of all frames together", async () => {
    const zeros = zlib.zstdCompressSync(Buffer.alloc(50_000));
    await expect(decoded("zstd", Buffer.concat(Array<Buffer>(100).fill(zeros)))).rejects.toMatchObject({
      code: "HEMI_CONTENT_TOO_LARGE",
      message: expect.stringContaining("maxContentRatio") as string,
    });
    const noise = zlib.zstdCompressSync(randomBytes(1_000_000));
    expect(await decoded("zstd", Buffer.concat([noise, zeros, zeros, noise]), [], 2)).toHaveLength(2_100_000);
  });

  test("a slow taker gets the frames in their order", async () => {
    const texts = Array.from({ length: 50 }, (_, i) => `${i}-`.repeat(3000));
    const filter = decodingFilter("zstd", { maxRatio: 1e9 });
    let made = "";
    await filter.push(Buffer.concat(texts.map(frame)), async (piece) => {
      await new Promise((resolve) => setImmediate(resolve));
      made += Buffer.from(piece).toString();
    });
    await filter.end?.(() => {});
    filter.close?.();
    expect(made).toBe(texts.join(""));
  });

  test("many frames with next to nothing in them are refused", async () => {
    const small = Buffer.concat(Array<Buffer>(1001).fill(frame("")));
    await expect(decoded("zstd", small)).rejects.toMatchObject({
      code: "HEMI_CONTENT_TOO_LARGE",
      message: expect.stringContaining("frames of zstd") as string,
    });
    expect(await decoded("zstd", small.subarray(0, (small.length / 1001) * 1000))).toHaveLength(0);
    const enough = Array<Buffer>(1001).fill(zlib.zstdCompressSync(randomBytes(1100)));
    expect(await decoded("zstd", Buffer.concat(enough))).toHaveLength(1001 * 1100);
  });
});

test.each([
  [undefined, "identity"],
  ["", "identity"],
  ["identity", "identity"],
  ["GZIP", "gzip"],
  ["x-gzip", "gzip"],
  [" zstd ", "zstd"],
  ["br", "br"],
  ["compress", undefined],
  ["gzip, br", undefined],
  ["gzip, gzip", undefined],
])("content-encoding %j is %j", (value, coding) => {
  expect(parseContentCoding(value)).toBe(coding);
});

describe("the threads of zlib", () => {
  const turns = Math.max(1, threadPoolSize >> 1);
  const encoded = zlib.gzipSync(randomBytes(100_000));

  test("are shared by decoders with all other work: they wait for their turn", async () => {
    const { promise: others, resolve: end } = Promise.withResolvers<void>();
    const busy = Array.from({ length: turns }, () => zlibTurns.run(() => others));
    let made = 0;
    const filter = decodingFilter("gzip");
    const pushed = filter.push(encoded, (piece) => void (made += piece.length));
    // What takes no turn is decoded meanwhile.
    for (let i = 0; i < 3; i++) expect(await promisify(zlib.gunzip)(encoded)).toHaveLength(100_000);
    expect(made).toBe(0);
    end();
    await Promise.all([pushed, ...busy]);
    filter.close?.();
    expect(made).toBe(100_000);
  });

  test("are not held by decoders whose output nobody takes", async () => {
    const { promise: taken, resolve: take } = Promise.withResolvers<void>();
    const slow = Array.from({ length: 2 * turns }, async () => {
      const filter = decodingFilter("gzip");
      await filter.push(encoded, () => taken);
      filter.close?.();
    });
    expect(await decoded("gzip", encoded)).toHaveLength(100_000);
    take();
    await Promise.all(slow);
  });
});
