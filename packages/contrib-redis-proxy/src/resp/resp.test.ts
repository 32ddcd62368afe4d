// Values and requests, whole, in pieces, and broken.

import fc from "fast-check";
import { expect, test } from "vitest";
import { parseValue } from "./parse-value.ts";
import { encodeRequest, RequestReader } from "./requests.ts";
import { RespError, ValueScanner } from "./value-scanner.ts";

/** The values in a text that comes in pieces of this size, or of these in turn. */
function scan(text: string, size: number | readonly number[], maxSize = 1000): string[] {
  const found: string[] = [];
  const scanner = new ValueScanner(
    () => maxSize,
    (bytes, start, end) => found.push(bytes.toString("latin1", start, end)),
  );
  const bytes = Buffer.from(text, "latin1");
  // Each piece is overwritten, as shared bytes are.
  const sizes = typeof size === "number" ? [size] : size;
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const end = at + (sizes[i % sizes.length] ?? bytes.length);
    const piece = Buffer.from(bytes.subarray(at, end));
    scanner.add(piece, true);
    piece.fill(0);
    at = end;
  }
  return found;
}

const values = [
  "+OK\r\n",
  "-ERR x\r\n",
  ":-12\r\n",
  "$-1\r\n",
  "*-1\r\n",
  "$0\r\n\r\n",
  "$5\r\na\r\nbc\r\n",
  "*0\r\n",
  "*2\r\n$1\r\na\r\n*1\r\n:1\r\n",
  "%1\r\n+k\r\n~2\r\n:1\r\n:2\r\n",
  "|1\r\n+k\r\n:1\r\n*1\r\n+x\r\n",
  ">2\r\n+message\r\n+x\r\n",
  "_\r\n",
  "#t\r\n",
  ",1.5\r\n",
  "(123\r\n",
  "=7\r\ntxt:abc\r\n",
  "!3\r\nERR\r\n",
];

test("values of both versions are found, whatever pieces they come in", () => {
  for (let size = 1; size < 40; size++) expect(scan(values.join(""), size)).toEqual(values);
});

test("requests are read as arrays and as lines, in pieces of any size", () => {
  const bytes = Buffer.concat([
    Buffer.from("PING\r\nset  a b\n"),
    encodeRequest(["SET", "k", "a\r\nb"]),
    Buffer.from("\r\n*0\r\nQUIT\r\n"),
  ]);
  for (let size = 1; size <= bytes.length; size++) {
    const found: string[][] = [];
    const reader = new RequestReader(
      () => 1000,
      (request) => found.push(Array.from({ length: request.length }, (_, i) => request.arg(i).toString())),
    );
    for (let at = 0; at < bytes.length; at += size) reader.add(bytes.subarray(at, at + size), true);
    expect(found).toEqual([["PING"], ["set", "a", "b"], ["SET", "k", "a\r\nb"], ["QUIT"]]);
  }
});

test("lengths that lie, and what is no value, are refused", () => {
  const lies = [
    "$3\r\nabcd\r\n",
    "$x\r\n",
    "$\r\n",
    "$2000\r\n",
    "*99999999\r\n",
    "$99999999999999999999\r\n",
    ...["$-2\r\n", "$1x\r\n", "$x1\r\n", "$1:\r\n", "$/1\r\n", "*-2\r\n", "*1-\r\n", "$--1\r\n"],
    ...["$3\r\nabc\rx", "$3\r\nabcx\n", "$3\rxabc\r\n", "*1\rx", ":1\rx"],
    "hello\r\n",
    "+a\rb",
  ];
  for (const lie of lies) expect(() => scan(lie, 100), lie).toThrow(RespError);
  expect(() => scan("*300\r\n" + "+abcdefgh\r\n".repeat(200), 64)).toThrow("a value of more than 1000 bytes");
});

const { value: anyValue } = fc.letrec<{ value: string }>((tie) => {
  const line = fc.tuple(
    fc.constantFrom("+", "-", ":", "_", "#", ",", "("),
    fc.string({ unit: fc.constantFrom("a", "1", "$", "*", "\n"), maxLength: 8 }),
  );
  const text = fc.string({ unit: fc.constantFrom("\r", "\n", "$", "*", "1", "a", "\0"), maxLength: 130 });
  const several = fc
    .tuple(fc.constantFrom("*", "~", ">"), fc.array(tie("value"), { maxLength: 3 }))
    .map(([type, values]) => `${type}${values.length}\r\n${values.join("")}`);
  const pairs = fc
    .array(fc.tuple(tie("value"), tie("value")), { maxLength: 2 })
    .map((values) => `%${values.length}\r\n${values.flat().join("")}`);
  // Attributes, and the value that they stand before.
  const attributed = fc
    .tuple(fc.array(fc.tuple(tie("value"), tie("value")), { maxLength: 2 }), tie("value"))
    .map(([pairs, value]) => `|${pairs.length}\r\n${pairs.flat().join("")}${value}`);
  return {
    value: fc.oneof(
      { maxDepth: 4 },
      line.map(([type, text]) => `${type}${text}\r\n`),
      fc.constantFrom("$-1\r\n", "*-1\r\n", "$0\r\n\r\n", "*0\r\n"),
      fc.tuple(fc.constantFrom("$", "=", "!"), text).map(([type, text]) => `${type}${text.length}\r\n${text}\r\n`),
      ...[several, pairs, attributed],
    ),
  };
});

test("values within values are found one by one, whatever pieces they come in, and none before its last byte", () => {
  fc.assert(
    fc.property(
      fc.array(anyValue, { minLength: 1, maxLength: 5 }),
      fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 10 }),
      (values, sizes) => {
        const text = values.join("");
        expect(scan(text, sizes, 100_000)).toEqual(values);
        expect(scan(text.slice(0, -1), sizes, 100_000)).toEqual(values.slice(0, -1));
      },
    ),
  );
});

test("a text of the largest size is taken, and one that is larger by a byte is not", () => {
  expect(scan("$10\r\n0123456789\r\n", 100, 10)).toHaveLength(1);
  expect(() => scan("$11\r\n0123456789a\r\n", 100, 10)).toThrow(RespError);
  // In pieces, what is kept counts with its length line.
  expect(() => scan("*3\r\n:1\r\n:2\r\n:3\r\n", 1, 10)).toThrow(RespError);
});

test("no bytes make the scanner do anything else than find values or refuse", () => {
  fc.assert(
    fc.property(
      fc.string({
        unit: fc.constantFrom("*", "$", "+", ":", "1", "2", "3", "0", "\r", "\n", "\0", "a", "%", ">", "|", "-"),
        maxLength: 60,
      }),
      fc.integer({ min: 1, max: 9 }),
      (text, size) => {
        try {
          expect(text.startsWith(scan(text, size).join(""))).toBe(true);
        } catch (error) {
          if (!(error instanceof RespError)) throw error;
        }
      },
    ),
  );
});

test("a value is read with what is in it", () => {
  expect(parseValue(Buffer.from("*3\r\n:1\r\n$-1\r\n*2\r\n$1\r\na\r\n+b\r\n"))).toEqual([1, null, ["a", "b"]]);
});

test("a large value that comes in very many pieces is not copied again for each of them", () => {
  let found = 0;
  const scanner = new ValueScanner(
    () => 20_000_000,
    (_, start, end) => (found = end - start),
  );
  const piece = Buffer.from("$2\r\nab\r\n".repeat(32));
  const count = 40_000;
  scanner.add(Buffer.from(`*${count * 32}\r\n`), false);
  for (let i = 0; i < count; i++) scanner.add(piece, true);
  expect(found).toBe(count * piece.length + `*${count * 32}\r\n`.length);
});
