import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ChunkedReader } from "./chunked.ts";

const limits = { maxHeadSize: 256, maxFields: 3 };

interface Outcome {
  readonly content: string;
  readonly trailers: readonly (readonly [string, string])[];
  /** `done`, `incomplete`, or why it failed. */
  readonly end: string;
  /** What was not read. */
  readonly rest: string;
}

/** Reads text that arrives in pieces of these sizes; the last piece is what is left. */
function read(text: string, ...sizes: readonly number[]): Outcome {
  return readBy(new ChunkedReader(limits), text, sizes);
}

function readBy(reader: ChunkedReader, text: string, sizes: readonly number[]): Outcome {
  let bytes = Buffer.alloc(0);
  let content = "";
  let from = 0;
  for (const size of [...sizes, text.length]) {
    bytes = Buffer.concat([bytes, Buffer.from(text.slice(from, from + size), "latin1")]);
    from += size;
    let at = 0;
    for (;;) {
      const piece = reader.next(bytes, at, bytes.length);
      at = reader.at;
      if (piece === undefined) break;
      content += piece.toString("latin1");
    }
    bytes = bytes.subarray(at);
    if (reader.done || reader.failure !== undefined) break;
  }
  return {
    content,
    trailers: [...reader.trailers],
    end: reader.done ? "done" : (reader.failure ?? "incomplete"),
    rest: reader.failure === undefined ? bytes.toString("latin1") + text.slice(from) : "",
  };
}

test.each([
  ["0\r\n\r\n", { content: "", trailers: [] }],
  ["5\r\nhello\r\n0\r\n\r\n", { content: "hello" }],
  ["00a\r\n0123456789\r\n00\r\n\r\n", { content: "0123456789" }],
  ["A\r\n0123456789\r\n0\r\n\r\n", { content: "0123456789" }],
  ["2\r\n\r\n\r\n0\r\n\r\n", { content: "\r\n" }],
  ['5;a\r\nhello\r\n0;b=c;d="e \\" f"\r\n\r\n', { content: "hello" }],
  [
    "0\r\nA:  1 \t\r\nb: \xe4\xa0\r\n\r\n",
    {
      trailers: [
        ["a", "1"],
        ["b", "\xe4\xa0"],
      ],
    },
  ],
  ["0\r\n\r\nGET /", { rest: "GET /" }],
])("%j is read", (text, expected) => {
  expect(read(text)).toMatchObject({ end: "done", ...expected });
});

test.each([
  ["\r\n", /not a hexadecimal number/],
  ["x\r\n", /not a hexadecimal number/],
  ["-1\r\n", /not a hexadecimal number/],
  [" 5\r\n", /not a hexadecimal number/],
  ["0x5\r\n", /extension is malformed/],
  ["5 \r\nhello\r\n", /extension is malformed/],
  ["5 ;a\r\nhello\r\n", /extension is malformed/],
  ["5;\r\nhello\r\n", /extension is malformed/],
  ["5;a=\r\nhello\r\n", /extension is malformed/],
  ['5;a="b\r\nhello\r\n', /extension is malformed/],
  ["5;a\rb\r\nhello\r\n", /extension is malformed/],
  ["5;a\0b\r\nhello\r\n", /extension is malformed/],
  [`5;${"a".repeat(300)}`, /extension is too long/],
  ["12345678901234\r\n", /too many digits/],
  ["5\nhello\r\n", /bare LF/],
  ["5\rhello\r\n", /extension is malformed|bare LF/],
  ["5\r\nhellox\r\n", /longer than its size/],
  ["5\r\nhello\n0\r\n\r\n", /longer than its size/],
  ["0\r\nx\r\n\r\n", /trailer field line/],
  ["0\r\nx : 1\r\n\r\n", /trailer field line/],
  ["0\r\n x: 1\r\n\r\n", /trailer field line/],
  ["0\r\nx: 1\n\r\n", /trailer field value/],
  ["0\r\nx: \x7f\r\n\r\n", /trailer field value/],
  ["0\r\n\rx", /bare CR/],
  ["0\r\na: 1\r\nb: 1\r\nc: 1\r\nd: 1\r\n\r\n", /too many trailer/],
  [`0\r\na: ${"1".repeat(300)}\r\n\r\n`, /trailers are too large/],
  [`0\r\na: ${"1".repeat(300)}`, /trailers are too large/],
])("%j is refused", (text, expected) => {
  expect(read(text).end).toMatch(expected);
});

test.each([
  ["5  \r\nhello\r\n0 \t\r\n\r\n", []],
  ["5 ;a=b\r\nhello\r\n0\r\nx : 1\r\n\r\n", [["x", "1"]]],
  ['5 ; a = b\t; c="d e" \r\nhello\r\n0 ; x\r\n\r\n', []],
])("white space that servers send, and clients must not, is passed over in a response: %j", (text, trailers) => {
  for (let size = 1; size <= text.length; size++) {
    const outcome = readBy(new ChunkedReader(limits, true), text, Array<number>(100).fill(size));
    expect(outcome).toEqual({ content: "hello", trailers, end: "done", rest: "" });
  }
});

test.each([
  [" 5\r\n"],
  ["5 5\r\n"],
  ["5 a\r\n"],
  ["5 \n"],
  ["5 ; a b\r\n"],
  ["5 ; = b\r\n"],
  ["0\r\n x: 1\r\n\r\n"],
  ["0\r\nx y: 1\r\n\r\n"],
])("other white space is refused in a response, too: %j", (text) => {
  expect(readBy(new ChunkedReader(limits, true), text, []).end).toMatch(/not a hexadecimal|malformed|bare LF/);
});

describe("under any bytes", () => {
  const pieces = fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 50 });

  test("what was sent is what is read, however it is split", () => {
    const chunk = fc.uint8Array({ minLength: 1, maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString("latin1"));
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 8 }), pieces, (chunks, sizes) => {
        const encoded = chunks.map((text) => `${text.length.toString(16)};x=y\r\n${text}\r\n`).join("");
        expect(read(`${encoded}0\r\nt: 1\r\n\r\nrest`, ...sizes)).toEqual({
          content: chunks.join(""),
          trailers: [["t", "1"]],
          end: "done",
          rest: "rest",
        });
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  test("nothing is thrown, and the outcome is the same however it is split", () => {
    const text = fc.oneof(
      fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
      fc
        .array(fc.constantFrom("0", "1", "5", "a", ";", "=", '"', "\r\n", "\r", "\n", "x: 1", "hello", " ", "\0"), {
          maxLength: 30,
        })
        .map((parts) => parts.join("")),
    );
    fc.assert(
      fc.property(text, pieces, (text, sizes) => {
        expect(read(text, ...sizes)).toEqual(read(text));
      }),
      { numRuns: 1000, seed: 2 },
    );
  });
});
