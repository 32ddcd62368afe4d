import { bundlet, clientStreaming, serverStreaming, unary } from "@hemi/common/rpc";
import { expect, test } from "vitest";
import { z } from "zod";
import { readLock, type FieldLock } from "./field-lock.ts";
import { protoFileOf } from "./proto-file.ts";

const article = z.object({
  sku: z.string(),
  count: z.int32(),
  price: z.number().optional(),
  inStock: z.boolean(),
  kind: z.enum(["food", "toy"]),
  tags: z.array(z.string()),
  lines: z.array(z.object({ n: z.number() })),
  extra: z.record(z.string(), z.number()),
  note: z.string().nullable(),
  anything: z.unknown(),
});
const stock = bundlet("shop.v1.Stock", {
  find: unary({ input: z.object({ sku: z.string() }), output: article, idempotency: "no_side_effects" }),
  watch: serverStreaming({ input: z.object({ sku: z.string() }), output: article }),
  load: clientStreaming({ input: article, output: z.object({}) }),
});

function fieldsOf(text: string, message: string): string[] {
  const body = new RegExp(`message ${message} \\{\\n([^}]*)\\}`).exec(text)?.[1] ?? "";
  return body.trim().split(/\n\s*/);
}

test("each procedure has a method, and each schema a message whose JSON is the same", () => {
  const { text, problems } = protoFileOf([stock], {});
  expect(problems).toEqual([]);
  expect(text).toMatch(/^syntax = "proto3";$/m);
  expect(text).toMatch(/^package shop\.v1;$/m);
  expect(text).toContain(
    "rpc find(StockFindInput) returns (StockFindOutput) {\n    option idempotency_level = NO_SIDE_EFFECTS;",
  );
  expect(text).toContain("rpc watch(StockWatchInput) returns (stream StockWatchOutput);");
  expect(text).toContain("rpc load(stream StockLoadInput) returns (StockLoadOutput);");
  expect(fieldsOf(text, "StockFindOutput")).toEqual([
    "string sku = 1;",
    "int32 count = 2;",
    "optional double price = 3;",
    "bool in_stock = 4;",
    "// one of food, toy",
    "string kind = 5;",
    "repeated string tags = 6;",
    "repeated StockFindOutputLines lines = 7;",
    "map<string, double> extra = 8;",
    "optional string note = 9;",
    "google.protobuf.Value anything = 10;",
  ]);
});

/** A bundlet with one message. */
function shaped(shape: z.ZodRawShape) {
  return bundlet("a.B", { c: unary({ input: z.object(shape), output: z.object({}) }) });
}

test("a field keeps its number in any order of the schema, and that of a removed one stays taken", () => {
  const first = protoFileOf([shaped({ x: z.string(), y: z.string() })], {});
  const stored: FieldLock = readLock(JSON.stringify(first.lock));
  const second = protoFileOf([shaped({ z: z.string(), y: z.string() })], stored);
  expect(fieldsOf(second.text, "BCInput")).toEqual(["reserved 1;", 'reserved "x";', "string y = 2;", "string z = 3;"]);
  const third = protoFileOf([shaped({ x: z.string(), w: z.string() })], second.lock);
  expect(fieldsOf(third.text, "BCInput")).toEqual([
    "string x = 1;",
    "reserved 2;",
    'reserved "y";',
    "reserved 3;",
    'reserved "z";',
    "string w = 4;",
  ]);
  expect(protoFileOf([shaped({ x: z.string(), w: z.string() })], third.lock)).toEqual(third);
});

test("a field that changes its type under its number is an error that names it", () => {
  const { lock } = protoFileOf([shaped({ x: z.string() })], {});
  expect(protoFileOf([shaped({ x: z.boolean() })], lock).problems).toEqual([
    expect.stringMatching(/^a\.BCInput: the field x was string and is bool: .*give it another name$/) as string,
  ]);
});

test("what protobuf cannot say is refused in plain words", () => {
  const text = bundlet("a.B", { c: unary({ input: z.string(), output: z.object({}) }) });
  expect(() => protoFileOf([text], {})).toThrow(/BCInput is string, not an object/);
  expect(() => protoFileOf([], {})).toThrow(/no bundlet/);
  expect(() => protoFileOf([shaped({}), bundlet("b.C", {})], {})).toThrow(/several packages: a, b/);
  expect(() => readLock('{"a":{"b":1}}')).toThrow(/not a lock file/);
});
