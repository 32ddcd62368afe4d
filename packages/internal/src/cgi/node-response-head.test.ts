import fc from "fast-check";
import { expect, test } from "vitest";
import { connectionFields, FieldNames } from "../http/field-names.ts";
import { CgiNodeResponseHead, readCgiHead } from "./node-response-head.ts";

const limits = { maxHeadSize: 200, maxFields: 3 };
const read = (text: string): ReturnType<typeof readCgiHead> => readCgiHead(Buffer.from(text, "latin1"), limits);
const dropped = new FieldNames(connectionFields);
const fieldsOf = (head: unknown): unknown => (head instanceof CgiNodeResponseHead ? head.fieldList(dropped) : head);

test.each([
  ["CRLF", "Status: 404 Not Found\r\nContent-Type: text/plain\r\n\r\nhello"],
  ["LF", "Status: 404 Not Found\nContent-Type: text/plain\n\nhello"],
])("a head has a status and fields (%s)", (_name, text) => {
  const head = read(text);
  expect(head).toMatchObject({ status: 404, contentSize: undefined, size: text.indexOf("hello") });
  expect(fieldsOf(head)).toEqual(["content-type", "text/plain"]);
});

test.each([
  ["Content-Type: a/b\n\n", 200],
  ["Location: /elsewhere\n\n", 302],
  ["Location: https://a.example/\nStatus: 201\n\n", 201],
  ["Status: 599\n\n", 599],
  ["Status: 999\n\n", 999],
  ["status:204 \n\n", 204],
])("the status of %j is %i", (text, status) => {
  expect(read(text)).toMatchObject({ status });
});

test("a content-length is known, and not passed on: whoever sends the content says how long it is", () => {
  const head = read("Content-Length: 12\nX-A: b\n\n");
  expect(head).toMatchObject({ contentSize: 12 });
  expect(fieldsOf(head)).toEqual(["x-a", "b"]);
});

test.each([
  ["nothing", "\n", "no field"],
  ["a page without a head", "<html>\n\n", 'no field: "<html>"'],
  ["a name with a space", "A b: c\n\n", "no field"],
  ["a folded line", "A: b\n c\n\n", "no field"],
  ["a control character", "A: b\x00c\n\n", "no field"],
  ["a bare CR", "A: b\rSet-Cookie: c\n\n", "no field"],
  ["a status that is no number", "Status: OK\n\n", "its status"],
  ["an interim status", "Status: 100 Continue\n\n", "its status"],
  ["two statuses", "Status: 200\nStatus: 500\n\n", "twice"],
  ["two lengths", "Content-Length: 1\nContent-Length: 1\n\n", "twice"],
  ["a length that is no number", "Content-Length: -1\n\n", "number of bytes"],
  ["many fields", "a: b\na: b\na: b\na: b\n\n", "maxFields"],
  ["a head without an end", "a: " + "b".repeat(300), "maxHeadSize"],
  ["a head that is too large", "a: " + "b".repeat(300) + "\n\n", "maxHeadSize"],
])("%s is refused", (_name, text, reason) => {
  expect(read(text)).toContain(reason);
});

test("a value is without the spaces around it", () => {
  const head = read("a:\t b\t c \t\nd: \ne:\n\n");
  expect(fieldsOf(head)).toEqual(["a", "b\t c", "d", "", "e", ""]);
  expect(fieldsOf(read("a: \xa0b\xa0\n\n"))).toEqual(["a", "\xa0b\xa0"]);
});

test.each([
  ["around a value", (spaces: string) => `a:${spaces}b${spaces}\n\n`, ["a", "b"]],
  ["instead of a value", (spaces: string) => `a:${spaces}\n\n`, ["a", ""]],
  ["before a control character", (spaces: string) => `a:${spaces}\0\n\n`, undefined],
  ["within a value that holds one", (spaces: string) => `a:b${spaces}b${spaces}\0\n\n`, undefined],
])("400 KB of spaces %s take no time to speak of", (_where, write, fields) => {
  const head = readCgiHead(Buffer.from(write(" \t".repeat(200_000)), "latin1"), { ...limits, maxHeadSize: 2_000_000 });
  expect(fieldsOf(head)).toEqual(fields ?? expect.stringContaining("no field"));
});

test("a head is waited for until it is complete", () => {
  const text = "Status: 200 OK\r\na: b\r\n\r\n";
  for (let size = 0; size < text.length; size++) expect(read(text.slice(0, size))).toBeUndefined();
});

test("any bytes are a head, or refused, or waited for", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      readCgiHead(Buffer.from(bytes), limits);
    }),
  );
});
