import { Transform } from "node:stream";
import { brotliDecompressSync, constants, gunzipSync, gzipSync, zstdDecompressSync } from "node:zlib";
import { type Coding, codings, decodingFilter } from "@hemi/internal";
import { filterTests } from "@hemi/internal/testing";
import { describe, expect, test } from "vitest";
import { coders, type Encoder } from "./coders.ts";
import { EncodingFilter, type EncodingOptions } from "./encoding-filter.ts";

const decoders: Record<Coding, (coded: Uint8Array) => Uint8Array> = {
  gzip: (coded) => gunzipSync(coded),
  br: (coded) => brotliDecompressSync(coded),
  zstd: (coded) => zstdDecompressSync(coded),
};

/** They take what breaks off. */
const patientDecoders: typeof decoders = {
  gzip: (coded) => gunzipSync(coded, { finishFlush: constants.Z_SYNC_FLUSH }),
  br: (coded) => brotliDecompressSync(coded, { finishFlush: constants.BROTLI_OPERATION_FLUSH }),
  zstd: (coded) => zstdDecompressSync(coded, { finishFlush: constants.ZSTD_e_continue }),
};

const text = Buffer.from("Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich. ".repeat(4));

function makeFilter(coding: Coding, options: Partial<EncodingOptions> = {}): EncodingFilter {
  return new EncodingFilter({
    coder: coders[coding],
    level: 3,
    isLive: false,
    flushAfter: undefined,
    maxKept: 1000,
    ...options,
  });
}

describe.each(codings)("%s", (coding) => {
  const read = decoders[coding];

  test.each(
    filterTests({
      make: () => makeFilter(coding),
      input: text,
      expected: text,
      read,
      readFlushed: patientDecoders[coding],
    }),
  )("$name", ({ run }) => run());

  test("pieces of something live are there at once", async () => {
    const filter = makeFilter(coding, { isLive: true });
    const output: Uint8Array[] = [];
    for (const count of [1, 2, 3]) {
      await filter.push(text, (piece) => void output.push(piece));
      expect(patientDecoders[coding](Buffer.concat(output))).toHaveLength(count * text.length);
    }
    filter.close();
  });

  test.each(["whole", "in pieces"])("what is made %s is kept, if it is not too large", async (way) => {
    for (const maxKept of [1000, 10]) {
      const kept: Buffer[] = [];
      const filter = makeFilter(coding, { keep: (encoded) => void kept.push(encoded), maxKept });
      if (way === "whole") filter.whole(text);
      else {
        await filter.push(text, () => {});
        await filter.end(() => {});
      }
      filter.close();
      expect(kept.map((encoded) => read(encoded))).toEqual(maxKept === 10 ? [] : [text]);
    }
  });

  test("what is broken off is not kept", async () => {
    const filter = makeFilter(coding, { keep: () => expect.unreachable() });
    await filter.push(text, () => {});
    filter.close();
  });
});

describe("a coder that fails", () => {
  /** A stream in the manner of zlib, that does `work` with each piece. */
  function makeStream(work: (stream: Encoder, done: (error?: Error) => void) => void): Encoder {
    const stream: Encoder = Object.assign(
      new Transform({ transform: (_piece, _encoding, done) => work(stream, (error) => done(error ?? null)) }),
      { flush: (_kind: number, done: () => void) => void setImmediate(done) },
    );
    return stream;
  }
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  test.each<[when: string, work: Parameters<typeof makeStream>[0]]>([
    ["while it has a piece", (_stream, done) => done(new Error("out of memory"))],
    ["later than a piece that it has", (_stream, done) => void setImmediate(done, new Error("out of memory"))],
    [
      "between two pieces",
      (stream, done) => (done(), void setImmediate(() => stream.destroy(new Error("out of memory")))),
    ],
  ])("%s fails that answer, and not the process", async (_when, work) => {
    const coder = { ...coders.gzip, stream: () => makeStream(work) };
    const filter = makeFilter("gzip", { coder });
    const push = async (): Promise<void> => {
      for (let i = 0; i < 5; i++) {
        await filter.push(text, () => {});
        await turn();
      }
    };
    await expect(push()).rejects.toThrow("out of memory");
    await expect(filter.end(() => {})).rejects.toThrow("out of memory");
    filter.close();
    await turn();
    // Its turn has gone on to others.
    const next = makeFilter("gzip");
    await next.push(text, () => {});
    next.close();
  });
});

test("many contents are decoded and coded anew at once, though both take turns of the same threads", async () => {
  const content = Buffer.alloc(300_000, text);
  const coded = gzipSync(content);
  const recoded = async (): Promise<Buffer> => {
    const [decoder, encoder] = [decodingFilter("gzip", { maxRatio: 1000 }), makeFilter("zstd")];
    const made: Uint8Array[] = [];
    const keep = (piece: Uint8Array): void => void made.push(piece);
    await decoder.push(coded, (piece) => encoder.push(piece, keep));
    await decoder.end?.((piece) => encoder.push(piece, keep));
    await encoder.end(keep);
    for (const filter of [decoder, encoder]) filter.close?.();
    return zstdDecompressSync(Buffer.concat(made));
  };
  const all = await Promise.all(Array.from({ length: 20 }, recoded));
  for (const one of all) expect(one.equals(content)).toBe(true);
});

test("a large content is not coded at once", () => {
  expect(makeFilter("gzip").whole(Buffer.alloc(100_000))).toBeUndefined();
});
