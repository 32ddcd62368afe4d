import { expect, test } from "vitest";
import { type Coding, rankCodings } from "./codings.ts";
import { memoizeField } from "../../http/field-memo.ts";

const offered: readonly Coding[] = ["br", "zstd", "gzip"];
const no = undefined;

test.each([
  ["", [no, no, no]],
  ["gzip", [no, no, 0]],
  ["gzip, deflate, br, zstd", [0, 1, 2]],
  ["gzip, deflate, br;q=0.9", [1, no, 0]],
  ["zstd;q=1.0, br;q=0.5, gzip;q=0.5", [1, 0, 2]],
  ["br;q=0, *", [no, 0, 1]],
  ["*", [0, 1, 2]],
  ["*;q=0", [no, no, no]],
  ["*;q=0, gzip", [no, no, 0]],
  ["x-gzip", [no, no, 0]],
  ["gzip;q=0, x-gzip", [no, no, no]],
  ["GZIP", [no, no, 0]],
  ["identity", [no, no, no]],
  ["identity, gzip", [no, no, 0]],
  ["identity;q=0.5, gzip;q=0.4, br;q=0.6", [0, no, no]],
  ["identity;q=0", [no, no, no]],
  ["identity;q=0, gzip;q=0.1", [no, no, 0]],
  ["br;q=2, gzip", [no, no, 0]],
  ["bro, gzipped, compress", [no, no, no]],
])("a client that sends %j ranks them so", (field, ranks) => {
  expect(rankCodings(field, offered)).toEqual(ranks);
});

test("what is offered is ranked, whatever else the client takes", () => {
  expect(rankCodings("br, gzip", ["gzip", "br"])).toEqual([0, 1]);
  expect(rankCodings("br, gzip", [])).toEqual([]);
});

test("a field is read once, as long as it is not forgotten, and an overlong one each time", () => {
  const read: string[] = [];
  const lengthOf = memoizeField((field) => {
    read.push(field);
    return field.length;
  });
  expect([lengthOf("a"), lengthOf("a"), lengthOf(undefined), lengthOf("")]).toEqual([1, 1, 0, 0]);
  expect(read).toEqual(["a", ""]);
  for (let i = 0; i < 1000; i++) lengthOf(String(i));
  lengthOf("a");
  expect(read).toHaveLength(1003);
  const long = "x".repeat(5000);
  lengthOf(long);
  lengthOf(long);
  expect(read.filter((field) => field === long)).toHaveLength(2);
});
