// Targeted fields (RFC 9213), which are dictionaries of structured fields (RFC 9651).

import fc from "fast-check";
import { expect, test } from "vitest";
import { ListedFields } from "../../../http/fields.ts";
import { targetedDirectives } from "./targeted.ts";

const parse = (field: string) => {
  const found = targetedDirectives(new ListedFields(["cdn-cache-control", field]), ["cdn-cache-control"]);
  return found === undefined ? undefined : Object.fromEntries(found);
};

test.each([
  ["max-age=60", { "max-age": "60" }],
  [" max-age=60 \t,\tno-cache ", { "max-age": "60", "no-cache": "" }],
  ["max-age=60;a;b=5, private", { "max-age": "60", private: "" }],
  ['private="set-cookie, x-y"', { private: "set-cookie, x-y" }],
  ['x="a\\"b\\\\c"', { x: 'a"b\\c' }],
  ["max-age=1, max-age=2", { "max-age": "2" }],
  ["no-store, no-store=?0", {}],
  ["max-age=60, x=(1 2);a", { "max-age": "60", x: "" }],
  ["x=(), y=( a  b;c=1 )", { x: "", y: "" }],
  ["x=:aGVsbG8=:, y=@1659578233, z=1.5", { x: "", y: "", z: "1.5" }],
  ['x=%"f%c3%bc", y=*a/b:c', { x: "", y: "*a/b:c" }],
])("%s is valid", (field, directives) => {
  expect(parse(field)).toEqual(directives);
});

test.each([
  "",
  " ",
  ",",
  "max-age=60,",
  "max-age=60, ",
  "max-age=60,,no-store",
  "max-age = 60",
  "max-age= 60",
  "max-age=",
  "Max-Age=60",
  "max-age=60 no-store",
  "max-age=60, &&&",
  "max-age=60;",
  "max-age=1234567890123456",
  "x=1234567890123.5",
  "x=1.",
  "x=1.2345",
  'x="a',
  'x="ü"',
  'x="\\a"',
  "x=?2",
  "x=(1",
  "x=(1,2)",
  "x=:a b:",
  'x=%"%C3"',
])("%s is malformed or empty, and other fields apply", (field) => {
  expect(parse(field)).toBeUndefined();
});

test("members of the wrong type are ignored, and the field applies all the same", () => {
  for (const value of ['"60"', "60.0", "sixty", "(60)", "?1", "@60"]) expect(parse(`max-age=${value}`)).toEqual({});
  expect(parse("unknown=1")).toEqual({ unknown: "1" });
});

test("what forbids something does so whatever its value is, but `?0`", () => {
  for (const value of ["(a)", ":YQ==:", "@1", '""']) expect(parse(`no-store=${value}`)).toEqual({ "no-store": "" });
});

test("a negative number of seconds is kept: it makes a response stale", () => {
  expect(parse("max-age=-5")).toEqual({ "max-age": "-5" });
});

test("the first field of the list that is valid and not empty counts, in the order of the list", () => {
  const fields = new ListedFields(["b", "max-age=2", "a", "max-age=1", "c", "max-age=3,"]);
  const first = (...targets: string[]) => targetedDirectives(fields, targets)?.get("max-age");
  expect(first("a", "b")).toBe("1");
  expect(first("c", "b", "a")).toBe("2");
  expect(first("d")).toBeUndefined();
});

test("several lines are one field", () => {
  const fields = new ListedFields(["a", "max-age=1", "a", "no-cache"]);
  expect([...(targetedDirectives(fields, ["a"]) ?? [])]).toEqual([
    ["max-age", "1"],
    ["no-cache", ""],
  ]);
});

test("a long hostile field is parsed in linear time", () => {
  const hostile = ["a,", "a=(1 ", "a;b", "a=((", 'a="', "a=1;b=1 ", "(5", "a=(5", " "];
  for (const part of hostile) parse(part.repeat(20_000));
  for (const inner of ["5 ", "5", " ", "a;b "]) parse(`a=(${inner.repeat(20_000)}`);
  // In square time, these would take minutes.
  for (const before of ["a=(", "a=(5", "a=1;", "a=1"]) parse(`${before}${" ".repeat(1_000_000)}`);
});

test("any text is parsed", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (field) => void parse(field)));
});
