import fc from "fast-check";
import { expect, test } from "vitest";
import { huffmanCodes, huffmanLengths } from "./huffman-code.ts";
import { decodeHuffman, huffmanSize, maxDecodedSize, writeHuffman } from "./huffman.ts";

function encode(text: string): Buffer {
  const bytes = Buffer.alloc(text.length * 4);
  return bytes.subarray(0, writeHuffman(text, bytes, 0));
}

function decode(bytes: Buffer): string | undefined {
  const into = Buffer.alloc(maxDecodedSize(bytes.length));
  const size = decodeHuffman(bytes, 0, bytes.length, into);
  return size < 0 ? undefined : into.toString("latin1", 0, size);
}

test("the code leaves no gap", () => {
  expect(huffmanLengths.reduce((sum, length) => sum + 2 ** -length, 0)).toBe(1);
});

test.each([
  ["0", 0x0, 5],
  ["w", 0x78, 7],
  ["X", 0xfc, 8],
  ["\0", 0x1ff8, 13],
  ["\\", 0x7fff0, 19],
  ["\x80", 0xfffe6, 20],
  ["\xff", 0x3ffffee, 26],
  ["\xf9", 0xffffffe, 28],
  ["\n", 0x3ffffffc, 30],
])("%j has the code that RFC 7541 gives it", (character, code, length) => {
  const symbol = character.charCodeAt(0);
  expect(huffmanCodes[symbol]).toBe(code);
  expect(huffmanLengths[symbol]).toBe(length);
});

test.each([
  ["www.example.com", "f1e3c2e5f23a6ba0ab90f4ff"],
  ["no-cache", "a8eb10649cbf"],
  ["custom-value", "25a849e95bb8e8b4bf"],
  ["Mon, 21 Oct 2013 20:13:21 GMT", "d07abe941054d444a8200595040b8166e082a62d1bff"],
  [
    "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
    "94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007",
  ],
])("%j is encoded as in RFC 7541 Appendix C", (text, hex) => {
  expect(encode(text).toString("hex")).toBe(hex);
  expect(huffmanSize(text)).toBe(hex.length / 2);
  expect(decode(Buffer.from(hex, "hex"))).toBe(text);
});

test("any text survives the way there and back", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      const text = Buffer.from(bytes).toString("latin1");
      expect(encode(text)).toHaveLength(huffmanSize(text));
      expect(decode(encode(text))).toBe(text);
    }),
  );
});

test("what decodes at all is the one encoding of its text", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 20 }), (bytes) => {
      const text = decode(Buffer.from(bytes));
      if (text !== undefined) expect(encode(text)).toEqual(Buffer.from(bytes));
    }),
    { numRuns: 1000 },
  );
});

test.each([
  ["a byte of padding", "1fff"],
  ["padding of zeros", "00"],
  ["the symbol that ends a string", "ffffffff"],
  ["that symbol in the midst", "ffffffffff1f"],
])("%s is refused", (_name, hex) => {
  expect(decode(Buffer.from(hex, "hex"))).toBeUndefined();
});
