// Our HPACK against nghttp2, which Node.js contains: each reads what the other one writes, and of blocks that no
// encoder would write both read the same fields, or neither any.

import { connect, performServerHandshake, sensitiveHeaders } from "node:http2";
import { duplexPair, type Duplex } from "node:stream";
import fc from "fast-check";
import { expect, test } from "vitest";
import { frame, settings } from "../../testing/frame-client.ts";
import { FrameCutter } from "../frame-cutter.ts";
import { defaultMaxFrameSize, errorCode, frameFlag, frameType, preface, settingId } from "../frames.ts";
import { HpackDecoder, type DecodedBlock } from "./decoder.ts";
import { HpackEncoder, maxFieldSize } from "./encoder.ts";
import { huffmanSize, writeHuffman } from "./huffman.ts";

const roomy = { maxHeadSize: 100_000, maxFields: 1000 };

/** Calls back for each frame that comes out of a stream, behind so many bytes of a preface. */
function eachFrame(
  stream: Duplex,
  prefaceSize: number,
  take: (type: number, flags: number, payload: Buffer) => void,
): void {
  const cutter = new FrameCutter(
    defaultMaxFrameSize,
    (bytes, start, end, type, flags) => take(type, flags, Buffer.from(bytes.subarray(start, end))),
    () => stream.destroy(),
  );
  let left = prefaceSize;
  stream.on("data", (piece: Buffer) => {
    cutter.push(piece.subarray(left));
    left -= Math.min(left, piece.length);
  });
}

/** The fields of each block, as nghttp2 reads them, and whether one of the blocks broke the connection. */
async function readByNghttp2(
  blocks: readonly Buffer[],
): Promise<{ lists: (string[] | undefined)[]; isBroken: boolean }> {
  const [near, far] = duplexPair();
  const session = performServerHandshake(far);
  session.on("error", () => {});
  const lists = blocks.map((): string[] | undefined => undefined);
  session.on("stream", (stream, _headers, _flags, rawHeaders) => {
    stream.on("error", () => {});
    lists[((stream.id ?? 0) - 1) / 2] = rawHeaders;
  });
  const isBroken = new Promise<boolean>((resolve) => {
    eachFrame(near, 0, (type, flags, payload) => {
      if (type === frameType.ping && flags === frameFlag.ack) resolve(false);
      if (type === frameType.goaway) resolve(payload.readUInt32BE(4) === errorCode.compressionError);
    });
  });
  const flags = frameFlag.endHeaders | frameFlag.endStream;
  const heads = blocks.map((block, i) => frame(frameType.headers, flags, i * 2 + 1, block));
  near.write(
    Buffer.concat([preface, frame(frameType.settings, 0, 0), ...heads, frame(frameType.ping, 0, 0, Buffer.alloc(8))]),
  );
  try {
    return { isBroken: await isBroken, lists };
  } finally {
    session.destroy();
    near.destroy();
  }
}

/** What our decoder makes of the same, up to a block that is broken. */
function readByOurs(blocks: readonly Buffer[]): { read: DecodedBlock[]; isBroken: boolean } {
  const decoder = new HpackDecoder();
  const read: DecodedBlock[] = [];
  for (const block of blocks) {
    const decoded = decoder.decode(block, 0, block.length, roomy);
    if (decoded === undefined) return { read, isBroken: true };
    read.push(decoded);
  }
  return { read, isBroken: false };
}

/** RFC 7541 5.1, with so many bytes more than needed, if it takes several anyway. */
function integer(kind: number, mask: number, value: number, padding = 0): Buffer {
  if (value < mask) return Buffer.of(kind | value);
  const bytes = [kind | mask];
  let rest = value - mask;
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  if (padding === 0) return Buffer.of(...bytes, rest);
  return Buffer.of(...bytes, rest | 0x80, ...Array<number>(padding - 1).fill(0x80), 0);
}

function rarely<T>(rare: fc.Arbitrary<T>, usual: fc.Arbitrary<T>, share = 20): fc.Arbitrary<T> {
  return fc.oneof({ weight: 1, arbitrary: rare }, { weight: share, arbitrary: usual });
}

/** A string as it is or in the Huffman code, rarely with a byte of padding too many. */
function string(text: fc.Arbitrary<string>): fc.Arbitrary<Buffer> {
  const form = rarely<"code" | "long code" | "text">(fc.constant("long code"), fc.constantFrom("text", "code"), 40);
  return fc.tuple(text, form, fc.nat(3)).map(([text, form, padding]) => {
    if (form === "text") return Buffer.concat([integer(0, 0x7f, text.length, padding), Buffer.from(text, "latin1")]);
    const code = Buffer.alloc(huffmanSize(text) + (form === "code" ? 0 : 1), 0xff);
    writeHuffman(text, code, 0);
    return Buffer.concat([integer(0x80, 0x7f, code.length, padding), code]);
  });
}

// Fields of the static table that a message may have several times, with any value.
const staticIndex = fc.constantFrom(15, 16, 19, 20, 24, 32, 33, 46, 54, 55, 58, 59, 60, 61);
const tableIndex = rarely(
  fc.constantFrom(0, 67, 70, 190, 20_000, 3_000_000),
  fc.oneof(staticIndex, fc.integer({ min: 62, max: 66 })),
  40,
);
const name = string(rarely(fc.constantFrom("", "X-A", "a b", ":"), fc.constantFrom("x-a", "x-b", "x-a-longer-name")));
const value = string(
  rarely(
    fc.constantFrom("a\0b", "a\n", " a", "a\t", "\r\n"),
    fc.oneof(
      fc.constantFrom("", "b", "200", "text/html"),
      fc
        .string({ unit: fc.constantFrom("a", "0", "Z", "~", "^", "|", " x"), maxLength: 60 })
        .map((text) => text.trim()),
      fc.string({ unit: fc.constantFrom("e", "x", "|"), minLength: 120, maxLength: 300 }),
    ),
  ),
);
const kind = fc.constantFrom([0x40, 0x3f], [0x40, 0x3f], [0x40, 0x3f], [0x00, 0x0f], [0x10, 0x0f]);
const sizeChange = rarely(fc.constant(4097), fc.constantFrom(0, 31, 36, 100, 200, 400, 4096)).map((size) =>
  integer(0x20, 0x1f, size),
);
const anyField = rarely(
  sizeChange,
  fc.oneof(
    tableIndex.map((index) => integer(0x80, 0x7f, index)),
    fc.tuple(kind, name, value).map(([[bits = 0], name, value]) => Buffer.concat([Buffer.of(bits), name, value])),
    fc
      .tuple(
        kind,
        tableIndex.filter((index) => index > 0),
        value,
      )
      .map(([[bits = 0, mask = 0], index, value]) => Buffer.concat([integer(bits, mask, index), value])),
  ),
  100,
);
const anyBlock = fc
  .tuple(
    rarely(fc.array(sizeChange, { maxLength: 2 }), fc.constant<Buffer[]>([]), 4),
    fc.array(anyField, { maxLength: 8 }),
    rarely(fc.nat(4), fc.constant(0), 30),
  )
  .map(([changes, fields, missing]) => {
    // GET http://a/ before the other fields.
    const request = Buffer.concat([...changes, Buffer.from("828684010161", "hex")]);
    const rest = Buffer.concat(fields);
    return Buffer.concat([request, rest.subarray(0, Math.max(0, rest.length - missing))]);
  });

test("blocks that no encoder writes, and broken ones, are to us what they are to nghttp2", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyBlock, { minLength: 1, maxLength: 10 }), async (blocks) => {
      const ours = readByOurs(blocks);
      const theirs = await readByNghttp2(blocks);
      expect(theirs.isBroken).toBe(ours.isBroken);
      expect(theirs.lists.slice(ours.read.length).every((list) => list === undefined)).toBe(true);
      for (const [i, { list, fault }] of ours.read.entries()) {
        // Of a message that is malformed, nghttp2 refuses the stream or leaves the bad field out.
        if (fault === undefined) expect(theirs.lists[i]).toEqual(list);
        else expect(theirs.lists[i]).not.toEqual(list);
      }
    }),
    { numRuns: 120, seed: 1 },
  );
});

const messages = fc.array(
  fc.record({
    fields: fc.uniqueArray(
      fc.tuple(
        fc.constantFrom("x-a", "x-b", "etag", "cache-control", "cookie", "user-agent", "a-longer-name-of-a-field"),
        fc.oneof(
          fc.constantFrom("", "b", "no-cache"),
          fc.string({ unit: fc.constantFrom("a", "0", "Z", "~", "^", "|"), maxLength: 200 }),
        ),
      ),
      { maxLength: 5, selector: ([name]) => name },
    ),
    limit: fc.option(fc.constantFrom(0, 50, 100, 500, 4096)),
  }),
  { minLength: 1, maxLength: 8 },
);
const pseudo = [":method", "GET", ":scheme", "http", ":path", "/", ":authority", "a.example:8080"];

test("nghttp2 reads what our encoder writes", async () => {
  await fc.assert(
    fc.asyncProperty(messages, async (messages) => {
      const encoder = new HpackEncoder();
      const expected = messages.map(({ fields }) => [...pseudo, ...fields.flat()]);
      const blocks = expected.map((list, i) => {
        const limit = messages[i]?.limit ?? null;
        if (limit !== null) encoder.limitTable(limit);
        const bytes = Buffer.alloc(list.reduce((size, text) => size + maxFieldSize(text, ""), 16));
        let at = encoder.begin(bytes, 0);
        for (let f = 0; f < list.length; f += 2) at = encoder.write(list[f] ?? "", list[f + 1] ?? "", bytes, at);
        return bytes.subarray(0, at);
      });
      expect(await readByNghttp2(blocks)).toEqual({ lists: expected, isBroken: false });
    }),
    { numRuns: 40, seed: 2 },
  );
});

test("our decoder reads what nghttp2 writes, and which fields it never indexes", async () => {
  await fc.assert(
    fc.asyncProperty(messages, async (messages) => {
      const [near, far] = duplexPair();
      const decoder = new HpackDecoder();
      const read: (DecodedBlock | undefined)[] = [];
      let proceed: (() => void) | undefined;
      eachFrame(near, preface.length, (type, flags, payload) => {
        if (type === frameType.headers) read.push(decoder.decode(payload, 0, payload.length, roomy));
        if (type === frameType.headers || (type === frameType.settings && flags === frameFlag.ack)) proceed?.();
      });
      const next = (): Promise<void> => new Promise((resolve) => (proceed = resolve));
      const session = connect("http://a.example:8080", { createConnection: () => far });
      session.on("error", () => {});
      for (const { fields, limit } of messages) {
        const limits = limit === null ? "" : settings({ [settingId.headerTableSize]: limit });
        const isSettled = next();
        near.write(frame(frameType.settings, 0, 0, limits));
        await isSettled;
        const isRequested = next();
        const named = Object.fromEntries([...fields, ["x-secret", "c"]]);
        session.request({ ...named, [sensitiveHeaders]: ["x-secret"] }).on("error", () => {});
        await isRequested;
      }
      session.destroy();
      near.destroy();
      const sorted = (list: readonly string[] = []): string[] =>
        list.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${list[i + 1]}`] : [])).sort();
      expect(read.map((block) => sorted(block?.list))).toEqual(
        messages.map(({ fields }) => sorted([...pseudo, ...fields.flat(), "x-secret", "c"])),
      );
      for (const block of read) expect(block?.neverIndexed).toEqual(new Set(["x-secret"]));
    }),
    { numRuns: 40, seed: 3 },
  );
});
