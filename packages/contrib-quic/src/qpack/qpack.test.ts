import type { HeadLimits } from "@hemi/internal";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { errorCode } from "../http3/errors.ts";
import { QpackDecoder } from "./decoder.ts";
import { QpackEncoder } from "./encoder.ts";
import { staticFields } from "./static-table.ts";

const limits: HeadLimits = { maxHeadSize: 16 * 1024, maxFields: 100 };

function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(" ", ""), "hex");
}

function makeDecoder(maxCapacity = 4096) {
  const sent: string[] = [];
  const decoder = new QpackDecoder({ maxCapacity, send: (instruction) => sent.push(instruction.toString("hex")) });
  return { decoder, sent };
}

/** An encoder and a decoder that hear of each other at once, or when told. */
function makePair(capacity = 4096) {
  const toDecoder: Buffer[] = [];
  const toEncoder: Buffer[] = [];
  const encoder = new QpackEncoder((instruction) => toDecoder.push(instruction));
  const decoder = new QpackDecoder({ maxCapacity: capacity, send: (instruction) => toEncoder.push(instruction) });
  encoder.limitTable(capacity);
  const exchange = (): void => {
    for (const instruction of toDecoder.splice(0)) decoder.instructed(instruction);
    decoder.acknowledgeInserts();
    for (const instruction of toEncoder.splice(0)) encoder.acknowledged(instruction);
  };
  return { encoder, decoder, exchange, toDecoder, toEncoder };
}

test("a section that passes a limit is read no further", () => {
  const { decoder } = makeDecoder();
  // Three fields `:path /`, and an index that is in no table.
  const section = hex("0000 c1 c1 c1 ff7f");
  expect(decoder.decode(0, section, { ...limits, maxFields: 2 })).toMatchObject({ isTooLarge: true });
  expect(() => decoder.decode(0, section, limits)).toThrow();
});

test("the static table has the 99 fields of RFC 9204", () => {
  expect(staticFields).toHaveLength(99);
  expect([staticFields[25], staticFields[52], staticFields[98]]).toEqual([
    [":status", "200"],
    ["content-type", "text/html; charset=utf-8"],
    ["x-frame-options", "sameorigin"],
  ]);
});

describe("the examples of RFC 9204 appendix B", () => {
  test("a literal, then a table that is filled, referred to, and evicted from", () => {
    const { decoder, sent } = makeDecoder(220);
    // B.1
    expect(decoder.decode(0, hex("0000 510b 2f69 6e64 6578 2e68 746d 6c"), limits).list).toEqual([
      ":path",
      "/index.html",
    ]);
    // B.2
    const section = hex("0381 10 11");
    decoder.instructed(hex("3fbd01 c00f 7777 772e 6578 616d 706c 652e 636f 6d c10c 2f73 616d 706c 652f 7061 7468"));
    expect(decoder.decode(4, section, limits).list).toEqual([":authority", "www.example.com", ":path", "/sample/path"]);
    expect(sent).toEqual(["84"]);
    // B.3
    decoder.instructed(hex("4a63 7573 746f 6d2d 6b65 790c 6375 7374 6f6d 2d76 616c 7565"));
    decoder.acknowledgeInserts();
    expect(sent).toEqual(["84", "01"]);
    // B.4
    decoder.instructed(hex("02"));
    expect(decoder.isBlocked(hex("0500 80 c1 81"))).toBe(false);
    expect(decoder.decode(8, hex("0500 80 c1 81"), limits).list).toEqual([
      ":authority",
      "www.example.com",
      ":path",
      "/",
      "custom-key",
      "custom-value",
    ]);
    // B.5
    decoder.instructed(hex("810d 6375 7374 6f6d 2d76 616c 7565 32"));
    expect(decoder.decode(12, hex("0600 80"), limits).list).toEqual(["custom-key", "custom-value2"]);
  });
});

describe("what an encoder writes", () => {
  const text = fc.stringMatching(/^[ -~]{0,40}$/).map((value) => value.trim());
  const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,15}$/);
  const lists = fc.array(fc.array(fc.tuple(name, text), { maxLength: 8 }), { minLength: 1, maxLength: 12 });

  test.each([0, 100, 4096])("is read again, with a table of %d bytes", (capacity) => {
    fc.assert(
      fc.property(lists, fc.array(fc.boolean()), (lists, exchanges) => {
        const { encoder, decoder, exchange } = makePair(capacity);
        for (const [i, fields] of [...lists, ...lists, ...lists].entries()) {
          const section = encoder.encode(i * 4, fields.flat());
          expect(decoder.isBlocked(section)).toBe(false);
          expect(decoder.decode(i * 4, section, limits).list).toEqual(fields.flat());
          if (exchanges[i % Math.max(1, exchanges.length)] !== false) exchange();
        }
      }),
    );
  });

  test("becomes short once the peer has acknowledged what it holds", () => {
    const { encoder, exchange } = makePair();
    const fields = ["server", "hemi of some length and then some", "x-custom-of-a-site", "another value of it"];
    const sizes = [0, 4, 8, 12].map((id) => {
      const { length } = encoder.encode(id, fields);
      exchange();
      return length;
    });
    expect(sizes[0]).toBeGreaterThan(20);
    expect(sizes.at(-1)).toBeLessThan(6);
  });

  test("stays literal where fields are short: the peer need not acknowledge it", () => {
    const { encoder, exchange, toDecoder, toEncoder } = makePair();
    exchange();
    for (let id = 0; id < 20; id += 4) encoder.encode(id, ["content-type", "text/plain; charset=utf-8", "x-id", "7"]);
    expect(toDecoder).toEqual([]);
    expect(toEncoder).toEqual([]);
  });

  test("keeps secrets out of tables, and says so to those who pass them on", () => {
    const { encoder, decoder, toDecoder } = makePair();
    toDecoder.length = 0;
    for (let i = 0; i < 4; i++) {
      const section = encoder.encode(0, ["authorization", "secret", "x-token", "abc"], new Set(["x-token"]));
      expect(decoder.decode(0, section, limits).neverIndexed).toEqual(new Set(["x-token"]));
    }
    expect(toDecoder).toEqual([]);
  });

  test("is readable by a peer that acknowledges nothing, without end", () => {
    const { encoder, decoder, toDecoder } = makePair();
    const fields = ["x-a", "a value that is worth a place"];
    for (let i = 0; i < 3000; i++) encoder.encode(i * 4, fields);
    for (const instruction of toDecoder) decoder.instructed(instruction);
    expect(toDecoder.length).toBeGreaterThan(1);
    expect(decoder.isBlocked(encoder.encode(0, fields))).toBe(false);
  });
});

describe("refused are", () => {
  const decompressionFailed = { code: errorCode.qpackDecompressionFailed };
  const encoderError = { code: errorCode.qpackEncoderStreamError };
  const decoderError = { code: errorCode.qpackDecoderStreamError };
  const error = (run: () => unknown): unknown => {
    try {
      return run();
    } catch (error) {
      return error;
    }
  };

  test.each([
    ["a static index that is none", "0000 ff24"],
    ["a dynamic index without inserts", "0000 80"],
    ["one behind the base", "0000 10"],
    ["a name that is in no table", "0000 4000"],
    ["a section without a prefix", ""],
    ["a base below zero", "0081"],
    ["a literal that is cut off", "0000 2761"],
    ["a number without end", "0000 ffffffffffffffffffffff"],
    ["more inserts than there can be", "ffff0000"],
  ])("%s", (_name, section) => {
    expect(error(() => makeDecoder().decoder.decode(0, hex(section), limits))).toMatchObject(decompressionFailed);
  });

  test("an entry that the section has not said that it needs", () => {
    const { decoder } = makeDecoder();
    decoder.instructed(hex("3fe11f 4161 0162 4163 0164"));
    // It needs one insert, and refers to the second.
    expect(error(() => decoder.decode(0, hex("0200 10 11"), limits))).toMatchObject(decompressionFailed);
  });

  test.each([
    ["a capacity that is larger than allowed", "3fe21f"],
    ["an entry that is larger than the table", "21 4161 0162"],
    ["a name that is in no table", "3fe11f ff24 00"],
    ["a duplicate of nothing", "3fe11f 00"],
    ["a string that is longer than the table", "3fe11f 5fe2ff7f"],
  ])("%s", (_name, instructions) => {
    expect(error(() => makeDecoder().decoder.instructed(hex(instructions)))).toMatchObject(encoderError);
  });

  test.each([
    ["an increment of nothing", "00"],
    ["an increment beyond what was sent", "05"],
    ["an acknowledgment of what needs none", "84"],
  ])("%s", (_name, instructions) => {
    expect(error(() => makePair().encoder.acknowledged(hex(instructions)))).toMatchObject(decoderError);
  });
});

test("a bomb of references is decoded up to the limits and no further", () => {
  const { decoder } = makeDecoder();
  const value = "b".repeat(3000);
  decoder.instructed(Buffer.concat([hex("3fe11f 4161 7fb916"), Buffer.from(value)]));
  const section = Buffer.concat([hex("0200"), Buffer.alloc(50_000, 0x80)]);
  const block = decoder.decode(0, section, { maxHeadSize: 16 * 1024, maxFields: 100 });
  expect(block.isTooLarge).toBe(true);
  expect(block.list.join("").length).toBeLessThan(16 * 1024);
});

test("a stream that is not read any more is cancelled at the peer, which has no use for it without a table", () => {
  const { decoder, sent } = makeDecoder();
  decoder.cancel(4);
  decoder.cancel(64);
  expect(sent).toEqual(["44", "7f01"]);
  const { decoder: plain, sent: nothing } = makeDecoder(0);
  plain.cancel(4);
  expect(nothing).toEqual([]);
});

test("instructions may come byte by byte", () => {
  const { decoder } = makeDecoder(220);
  const bytes = hex("3fbd01 c00f 7777 772e 6578 616d 706c 652e 636f 6d c10c 2f73 616d 706c 652f 7061 7468");
  for (const byte of bytes) decoder.instructed(Buffer.from([byte]));
  expect(decoder.decode(4, hex("0381 10 11"), limits).list).toEqual([
    ":authority",
    "www.example.com",
    ":path",
    "/sample/path",
  ]);
});

test("any bytes are read, or refused as what they are", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ maxLength: 100 }), (instructions, section) => {
      const { decoder } = makeDecoder();
      for (const run of [
        () => decoder.instructed(Buffer.concat([hex("3fe11f 4161 0162"), instructions])),
        () => decoder.isBlocked(Buffer.from(section)) || decoder.decode(0, Buffer.from(section), limits),
      ]) {
        try {
          run();
        } catch (error) {
          expect(error).toHaveProperty("code");
        }
      }
    }),
  );
});
