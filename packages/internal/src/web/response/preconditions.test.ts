import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ListedFields } from "../../http/fields.ts";
import { evaluatePreconditions, isRangeCurrent, type Validators } from "./preconditions.ts";

const modified = "Sun, 06 Nov 1994 08:49:37 GMT";
const earlier = "Sun, 06 Nov 1994 08:49:36 GMT";
const later = "Sun, 06 Nov 1994 08:49:38 GMT";
const strong: Validators = { etag: '"a"', lastModified: 784111777 };
const weak: Validators = { etag: 'W/"a"', lastModified: 784111777 };
const bare: Validators = { etag: undefined, lastModified: undefined };

function evaluate(
  method: string,
  conditions: Record<string, string>,
  validators: Validators | undefined,
): "proceed" | 304 | 412 {
  return evaluatePreconditions(method, new ListedFields(Object.entries(conditions).flat()), validators);
}

test("a request without conditions proceeds", () => {
  expect(evaluate("GET", {}, strong)).toBe("proceed");
  expect(evaluate("PUT", {}, undefined)).toBe("proceed");
});

describe("If-Match", () => {
  test.each([
    ['"a"', strong, "proceed"],
    ['"b", "a"', strong, "proceed"],
    ['"b","a"', strong, "proceed"],
    [', ,"a",', strong, "proceed"],
    ["*", strong, "proceed"],
    ["*", bare, "proceed"],
    ['"b"', strong, 412],
    ['W/"a"', strong, 412],
    ['"a"', weak, 412],
    ['W/"a"', weak, 412],
    ["*", undefined, 412],
    ['"a"', undefined, 412],
    ['"a"', bare, 412],
    ["a", strong, 412],
    ["", strong, 412],
    ['"', strong, 412],
    ['w/"a"', strong, 412],
    ['"b" "a"', strong, 412],
    ['"b, "a"', strong, 412],
    ['*, "b"', strong, 412],
  ] as const)("%s: %o gives %s", (list, validators, expected) => {
    expect(evaluate("GET", { "if-match": list }, validators)).toBe(expected);
    expect(evaluate("PUT", { "if-match": list }, validators)).toBe(expected);
  });

  test("knows commas within a tag", () => {
    expect(evaluate("PUT", { "if-match": '"x,y", "z"' }, { etag: '"x,y"', lastModified: undefined })).toBe("proceed");
    expect(evaluate("PUT", { "if-match": '"x,y"' }, { etag: '"y"', lastModified: undefined })).toBe(412);
  });

  test("hides If-Unmodified-Since, and lets If-None-Match have its say", () => {
    expect(evaluate("GET", { "if-match": '"a"', "if-unmodified-since": earlier }, strong)).toBe("proceed");
    expect(evaluate("GET", { "if-match": '"a"', "if-none-match": '"a"' }, strong)).toBe(304);
    expect(evaluate("GET", { "if-match": '"b"', "if-none-match": '"a"' }, strong)).toBe(412);
  });
});

describe("If-Unmodified-Since", () => {
  test.each([
    [modified, "proceed"],
    [later, "proceed"],
    [earlier, 412],
    ["Sunday, 06-Nov-94 08:49:36 GMT", 412],
    ["1994", "proceed"],
    [`${earlier}, ${earlier}`, "proceed"],
  ])("%s gives %s", (date, expected) => {
    expect(evaluate("DELETE", { "if-unmodified-since": date }, strong)).toBe(expected);
  });

  test("is ignored where there is no date to compare with", () => {
    expect(evaluate("DELETE", { "if-unmodified-since": earlier }, bare)).toBe("proceed");
    expect(evaluate("PUT", { "if-unmodified-since": earlier }, undefined)).toBe("proceed");
  });
});

describe("If-None-Match", () => {
  test.each([
    ['"a"', strong, 304],
    ['W/"a"', strong, 304],
    ['"a"', weak, 304],
    ['W/"a"', weak, 304],
    ['"b", W/"c", "a"', strong, 304],
    ["*", strong, 304],
    ["*", bare, 304],
    ["*", undefined, "proceed"],
    ['"b"', strong, "proceed"],
    ['"A"', strong, "proceed"],
    ["a", strong, "proceed"],
    ["", strong, "proceed"],
    ['"a"', undefined, "proceed"],
  ] as const)("%s: %o gives %s", (list, validators, expected) => {
    expect(evaluate("GET", { "if-none-match": list }, validators)).toBe(expected);
    expect(evaluate("HEAD", { "if-none-match": list }, validators)).toBe(expected);
    expect(evaluate("PUT", { "if-none-match": list }, validators)).toBe(expected === 304 ? 412 : expected);
  });

  test("hides If-Modified-Since", () => {
    expect(evaluate("GET", { "if-none-match": '"b"', "if-modified-since": later }, strong)).toBe("proceed");
  });
});

describe("If-Modified-Since", () => {
  test.each([
    [modified, 304],
    [later, 304],
    [earlier, "proceed"],
    ["Sun Nov  6 08:49:37 1994", 304],
    ["yesterday", "proceed"],
    ["", "proceed"],
  ])("%s gives %s", (date, expected) => {
    expect(evaluate("GET", { "if-modified-since": date }, strong)).toBe(expected);
    expect(evaluate("HEAD", { "if-modified-since": date }, strong)).toBe(expected);
    expect(evaluate("POST", { "if-modified-since": date }, strong)).toBe("proceed");
  });

  test("is ignored where there is no date to compare with", () => {
    expect(evaluate("GET", { "if-modified-since": later }, bare)).toBe("proceed");
  });

  test("counts beside If-Unmodified-Since", () => {
    expect(evaluate("GET", { "if-unmodified-since": later, "if-modified-since": later }, strong)).toBe(304);
  });
});

test.each([
  [undefined, strong, true],
  ['"a"', strong, true],
  [modified, strong, true],
  ['"b"', strong, false],
  ['W/"a"', strong, false],
  ['W/"a"', weak, false],
  ['"a"', weak, false],
  ['"a", "b"', strong, false],
  ["*", strong, false],
  [earlier, strong, false],
  [later, strong, false],
  ["", strong, false],
  [modified, bare, false],
  [modified, { ...strong, date: 784111777 }, false],
  [modified, { ...strong, date: 784111778 }, true],
])("If-Range %s: %o lets the range be followed: %s", (ifRange, validators, expected) => {
  expect(isRangeCurrent(ifRange, validators)).toBe(expected);
});

test("any list of tags is read in linear time and without harm", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('"', "W/", ",", " ", "a", "b", "*", "\t"), maxLength: 60 }),
      (list) => {
        expect(["proceed", 304]).toContain(evaluate("GET", { "if-none-match": list }, strong));
      },
    ),
  );
  expect(evaluate("GET", { "if-none-match": ", ".repeat(50_000) + '"' }, strong)).toBe("proceed");
  expect(evaluate("GET", { "if-none-match": '"b",'.repeat(50_000) + '"a"' }, strong)).toBe(304);
});
