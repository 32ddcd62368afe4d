// Values and requests, whole, in pieces, and broken.

import fc from "fast-check";
import { expect, test } from "vitest";
import { parseValue } from "./parse-value.ts";
import { encodeRequest, RequestReader } from "./requests.ts";
import { RespError, ValueScanner } from "./value-scanner.ts";

function scan(text: string, size: number, maxSize = 1000): string[] {
  const found: string[] = [];
  const scanner = new ValueScanner(
    () => maxSize,
    (bytes, start, end) => found.push(bytes.toString("latin1", start, end)),
  );
  const bytes = Buffer.from(text, "latin1");
  // Each piece is overwritten, as shared bytes are.
  for (let at = 0; at < bytes.length; at += size) {
    const piece = Buffer.from(bytes.subarray(at, at + size));
    scanner.add(piece, true);
    piece.fill(0);
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
    "hello\r\n",
    "+a\rb",
  ];
  for (const lie of lies) expect(() => scan(lie, 100), lie).toThrow(RespError);
  expect(() => scan("*300\r\n" + "+abcdefgh\r\n".repeat(200), 64)).toThrow("a value of more than 1000 bytes");
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
