import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { HpackDecoder, type DecodedBlock } from "./decoder.ts";
import { HpackEncoder, maxFieldSize } from "./encoder.ts";

const roomy = { maxHeadSize: 100_000, maxFields: 1000 };

function decodeHex(decoder: HpackDecoder, hex: string, limits = roomy): DecodedBlock | undefined {
  const bytes = Buffer.from(hex.replaceAll(" ", ""), "hex");
  return decoder.decode(bytes, 0, bytes.length, limits);
}

function encodeBlock(encoder: HpackEncoder, list: readonly string[]): Buffer {
  let room = 16;
  for (let i = 0; i < list.length; i += 2) room += maxFieldSize(list[i] ?? "", list[i + 1] ?? "");
  const bytes = Buffer.alloc(room);
  let at = encoder.begin(bytes, 0);
  for (let i = 0; i < list.length; i += 2) at = encoder.write(list[i] ?? "", list[i + 1] ?? "", bytes, at);
  return bytes.subarray(0, at);
}

describe("the examples of RFC 7541 Appendix C", () => {
  const request1 = [":method", "GET", ":scheme", "http", ":path", "/", ":authority", "www.example.com"];
  const request2 = [...request1, "cache-control", "no-cache"];
  const request3 = [
    ...[":method", "GET", ":scheme", "https", ":path", "/index.html", ":authority", "www.example.com"],
    ...["custom-key", "custom-value"],
  ];

  test.each([
    [
      "C.3, without Huffman",
      "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
      "8286 84be 5808 6e6f 2d63 6163 6865",
      "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
    ],
    [
      "C.4, with Huffman",
      "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
      "8286 84be 5886 a8eb 1064 9cbf",
      "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
    ],
  ])("%s: requests", (_name, first, second, third) => {
    const decoder = new HpackDecoder();
    expect(decodeHex(decoder, first)?.list).toEqual(request1);
    expect(decoder.tableSize).toBe(57);
    expect(decodeHex(decoder, second)?.list).toEqual(request2);
    expect(decoder.tableSize).toBe(110);
    expect(decodeHex(decoder, third)?.list).toEqual(request3);
    expect(decoder.tableSize).toBe(164);
  });

  test.each([
    [
      "C.5, without Huffman",
      "4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
      "4803 3330 37c1 c0bf",
      "88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31",
    ],
    [
      "C.6, with Huffman",
      "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3",
      "4883 640e ffc1 c0bf",
      "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07",
    ],
  ])("%s: responses, in a table of 256 bytes", (_name, first, second, third) => {
    const decoder = new HpackDecoder(256);
    const date = ["date", "Mon, 21 Oct 2013 20:13:21 GMT"];
    const location = ["location", "https://www.example.com"];
    const cacheControl = ["cache-control", "private"];
    expect(decodeHex(decoder, first)?.list).toEqual([":status", "302", ...cacheControl, ...date, ...location]);
    expect(decoder.tableSize).toBe(222);
    expect(decodeHex(decoder, second)?.list).toEqual([":status", "307", ...cacheControl, ...date, ...location]);
    expect(decoder.tableSize).toBe(222);
    expect(decodeHex(decoder, third)?.list).toEqual([
      ...[":status", "200", ...cacheControl, "date", "Mon, 21 Oct 2013 20:13:22 GMT", ...location],
      ...["content-encoding", "gzip"],
      ...["set-cookie", "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"],
    ]);
    expect(decoder.tableSize).toBe(215);
  });

  test.each([
    [
      "C.2.1, added to the table",
      "400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572",
      ["custom-key", "custom-header"],
      55,
    ],
    ["C.2.2, not added", "040c 2f73 616d 706c 652f 7061 7468", [":path", "/sample/path"], 0],
    ["C.2.3, never added", "1008 7061 7373 776f 7264 0673 6563 7265 74", ["password", "secret"], 0],
    ["C.2.4, indexed", "82", [":method", "GET"], 0],
  ])("%s", (_name, hex, list, tableSize) => {
    const decoder = new HpackDecoder();
    expect(decodeHex(decoder, hex)?.list).toEqual(list);
    expect(decoder.tableSize).toBe(tableSize);
  });
});

describe("a broken block", () => {
  test.each([
    ["index 0", "80"],
    ["an index beyond the tables", "be"],
    ["the name of an index beyond the tables", "7f00 0161"],
    ["an integer that is cut off", "ff"],
    ["an integer without end", "ff80 8080 8080 8080 8000"],
    ["a string that is cut off", "4001 6105 6162"],
    ["no value", "4001 61"],
    ["a broken Huffman string", "0082 1fff 0161"],
    ["a change of the table's size behind a field", "8220"],
    ["a table larger than allowed", "3fe2 1f"],
    ["three changes of the table's size", "2020 20"],
  ])("with %s is refused", (_name, hex) => {
    expect(decodeHex(new HpackDecoder(), hex)).toBeUndefined();
  });
});

describe("a block that is read, and whose message is malformed", () => {
  test.each([
    ["a capital in a name", "0001 4101 61"],
    ["an empty name", "0000 0161"],
    ["a lone colon", "0001 3a01 61"],
    ["a space in a name", "0003 6120 6201 61"],
    ["a line end in a value", "0001 6103 610a 62"],
    ["a NUL in a value", "0001 6101 00"],
    ["a space before a value", "0001 6102 2061"],
    ["a tab behind a value", "0001 6102 6109"],
  ])("for %s says so", (_name, hex) => {
    expect(decodeHex(new HpackDecoder(), hex)?.fault).toBeTypeOf("string");
  });

  test("a field with the name of one whose value is bad is as good as its own value", () => {
    const decoder = new HpackDecoder();
    expect(decodeHex(decoder, "4001 6101 00")?.fault).toBeDefined();
    expect(decodeHex(decoder, "be")?.fault).toBeDefined();
    expect(decodeHex(decoder, "7e01 62")).toMatchObject({ list: ["a", "b"], fault: undefined });
    expect(decodeHex(decoder, "be")).toMatchObject({ list: ["a", "b"], fault: undefined });
  });

  test("a bad field in the table is bad each time", () => {
    const decoder = new HpackDecoder();
    expect(decodeHex(decoder, "4001 4101 61")?.fault).toBeDefined();
    expect(decodeHex(decoder, "82")?.fault).toBeUndefined();
    expect(decodeHex(decoder, "be")?.fault).toBeDefined();
    expect(decodeHex(decoder, "0f2f 0161")?.fault).toBeDefined();
  });
});

test("what is too much is left out, and the table is kept in step", () => {
  const decoder = new HpackDecoder();
  const added = "4001 6101 62";
  expect(decodeHex(decoder, `82${added}`, { maxHeadSize: 100, maxFields: 1 })).toEqual({
    list: [":method", "GET"],
    isTooLarge: true,
    fault: undefined,
  });
  expect(decodeHex(decoder, "be", { maxHeadSize: 5, maxFields: 1 })?.isTooLarge).toBe(true);
  expect(decodeHex(decoder, "be", { maxHeadSize: 6, maxFields: 1 })?.list).toEqual(["a", "b"]);
});

test("the generation changes with the table, and only then", () => {
  const decoder = new HpackDecoder();
  const before = decoder.generation;
  decodeHex(decoder, "82 84 0001 6101 62");
  expect(decoder.generation).toBe(before);
  decodeHex(decoder, "4001 6101 62");
  const after = decoder.generation;
  expect(after).not.toBe(before);
  decodeHex(decoder, "20");
  expect(decoder.generation).not.toBe(after);
});

test("secrets are marked as never to be indexed, and what repeats is indexed", () => {
  const encoder = new HpackEncoder();
  expect((encodeBlock(encoder, ["set-cookie", "a=b"])[0] ?? 0) & 0xf0).toBe(0x10);
  expect(encoder.tableSize).toBe(0);
  encodeBlock(encoder, ["server", "hemi", "x-a", "b"]);
  expect(encodeBlock(encoder, ["server", "hemi", "x-a", "b", ":status", "200"])).toEqual(Buffer.of(0xbf, 0xbe, 0x88));
});

test("a limit of the table is told in the next block, the least one too", () => {
  const encoder = new HpackEncoder();
  const decoder = new HpackDecoder();
  const sync = (list: readonly string[]): void => {
    const bytes = encodeBlock(encoder, list);
    expect(decoder.decode(bytes, 0, bytes.length, roomy)?.list).toEqual(list);
    expect(decoder.tableSize).toBe(encoder.tableSize);
  };
  sync(["x-a", "b", "x-c", "d"]);
  encoder.limitTable(0);
  encoder.limitTable(100);
  expect(encodeBlock(encoder, [])).toEqual(Buffer.of(0x20, 0x3f, 0x45));
  decodeHex(decoder, "20 3f45");
  sync(["x-a", "b"]);
  encoder.limitTable(0);
  sync(["x-a", "b"]);
  expect(encoder.tableSize).toBe(0);
});

const fields = fc.array(
  fc.tuple(
    fc.constantFrom("x-a", "x-b", "server", "cookie", "etag", "content-type", ":status", "a-longer-name-of-a-field"),
    fc.oneof(
      fc.constantFrom("200", "", "text/html"),
      fc.string({ unit: fc.constantFrom("a", "b", "Z", "~", "^", "|", "\xff"), maxLength: 200 }),
    ),
  ),
  { maxLength: 20 },
);

test("what one side writes the other one reads, block after block, at any size of the table", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fields, fc.option(fc.nat(5000))), { maxLength: 8 }), (blocks) => {
      const encoder = new HpackEncoder();
      const decoder = new HpackDecoder();
      for (const [block, limit] of blocks) {
        if (limit !== null) encoder.limitTable(limit);
        const bytes = encodeBlock(encoder, block.flat());
        expect(decoder.decode(bytes, 0, bytes.length, roomy)?.list).toEqual(block.flat());
        expect(decoder.tableSize).toBe(encoder.tableSize);
      }
    }),
  );
});

test("a decoder lives on under any bytes, and its table stays within its size", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 10 }), (blocks) => {
      const decoder = new HpackDecoder();
      for (const block of blocks) {
        decoder.decode(Buffer.from(block), 0, block.length, roomy);
        expect(decoder.tableSize).toBeLessThanOrEqual(4096);
      }
    }),
    { numRuns: 1000 },
  );
});
