import fc from "fast-check";
import { expect, test } from "vitest";
import type { FormLimits } from "./form-part.ts";
import { readUrlencoded } from "./urlencoded.ts";

const limits: FormLimits = {
  maxMemoryContentSize: 1000,
  maxUploadFileSize: undefined,
  maxFormFiles: 0,
  maxFormFields: 3,
  maxFormNameSize: 4,
  maxFormValueSize: 8,
  maxPartHeadSize: 128,
};

test.each<[content: string, pairs: [string, string][]]>([
  ["", []],
  ["a=1&b=x+y&a=2", [["a", "1"], ["b", "x y"], ["a", "2"]]], // prettier-ignore
  ["a", [["a", ""]]],
  ["=1", [["", "1"]]],
  ["?a=1", [["?a", "1"]]],
  ["a=%C3%A4%26", [["a", "ä&"]]],
  ["a=%zz%", [["a", "%zz%"]]],
  ["a=%FF", [["a", "\uFFFD"]]],
  ["\uFEFFa=1", [["\uFEFFa", "1"]]],
  ["__p=1", [["__p", "1"]]],
])("%j is %j", (content, pairs) => {
  expect(readUrlencoded(Buffer.from(content), { ...limits, maxFormNameSize: 10 })).toEqual(pairs);
});

test("raw bytes beyond ASCII are UTF-8, too", () => {
  expect(readUrlencoded(Buffer.from("a=ä"), limits)).toEqual([["a", "ä"]]);
  expect(readUrlencoded(Buffer.from("a=\xe4", "latin1"), limits)).toEqual([["a", "\uFFFD"]]);
});

test.each([
  ["a&a&a&a", "maxFormFields"],
  ["&&&&", "maxFormFields"],
  ["%61bcde=1", "maxFormNameSize"],
  ["a=123456789", "maxFormValueSize"],
])("%j passes %s", (content, prop) => {
  expect(() => readUrlencoded(Buffer.from(content), limits)).toThrow(prop);
  expect(() => readUrlencoded(Buffer.from(content), limits)).toThrow(
    expect.objectContaining({ code: "HEMI_CONTENT_TOO_LARGE" }),
  );
});

test("what reaches each limit is taken", () => {
  expect(readUrlencoded(Buffer.from("%61bcd=12345678&a&b"), limits)).toEqual([
    ["abcd", "12345678"],
    ["a", ""],
    ["b", ""],
  ]);
});

test("what URLSearchParams writes is read as it was", () => {
  const pairs = fc.array(fc.tuple(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" })));
  const wide = { ...limits, maxFormFields: 1000, maxFormNameSize: 1e6, maxFormValueSize: 1e6 };
  fc.assert(
    fc.property(pairs, (pairs) => {
      const content = Buffer.from(new URLSearchParams(pairs).toString());
      expect(readUrlencoded(content, wide)).toEqual(pairs);
    }),
  );
});

test("whatever a client writes is read as URLSearchParams reads it", () => {
  const piece = fc.constantFrom(
    "a",
    "b",
    "=",
    "&",
    "+",
    "%",
    "%4",
    "%41",
    "%26",
    "%C3%A9",
    "%ff",
    "%e4%bd",
    "é",
    "?",
    ";",
  );
  const wide = { ...limits, maxFormFields: 1000, maxFormNameSize: 1e6, maxFormValueSize: 1e6 };
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      // A question mark at the start is none of a form, and to URLSearchParams none of a query.
      const text = pieces.join("").replace(/^\?+/, "");
      expect(readUrlencoded(Buffer.from(text), wide)).toEqual([...new URLSearchParams(text)]);
    }),
    { numRuns: 300 },
  );
});
