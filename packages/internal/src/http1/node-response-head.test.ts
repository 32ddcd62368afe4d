import fc from "fast-check";
import { expect, test } from "vitest";
import { connectionFields, FieldNames } from "../http/field-names.ts";
import { maxListMembers } from "../http/list-members.ts";
import { Http1NodeResponseHead, readHttp1ResponseHead } from "./node-response-head.ts";

const limits = { maxHeadSize: 4096, maxFields: 20 };

function read(text: string): Http1NodeResponseHead | string | undefined {
  const bytes = Buffer.from(text, "latin1");
  return readHttp1ResponseHead(bytes, 0, bytes.length, limits);
}

test.each([
  ["HTTP/1.1 200 OK\r\n\r\n", 200, undefined, true],
  ["HTTP/1.1 200 \r\n\r\n", 200, undefined, true],
  ["HTTP/1.1 200\r\n\r\n", 200, undefined, true],
  ["HTTP/1.1 404 Not \xe4 Found\r\nContent-Length: 007\r\n\r\n", 404, 7, true],
  ["HTTP/1.0 200 OK\r\n\r\n", 200, undefined, false],
  ["HTTP/1.0 200 OK\r\nconnection: Keep-Alive\r\n\r\n", 200, undefined, true],
  ["HTTP/1.1 200 OK\r\nConnection: x, CLOSE\r\n\r\n", 200, undefined, false],
  ["HTTP/1.1 200 OK\r\nkeep-alive: max=5, timeout=1\r\n\r\n", 200, undefined, false],
  ["HTTP/1.1 200 OK\r\nkeep-alive: timeout=5\r\n\r\n", 200, undefined, true],
])("%j is read", (text, status, contentSize, mayKeepAlive) => {
  expect(read(text)).toMatchObject({ status, contentSize, mayKeepAlive });
});

test("fields are listed without those of the connection, and without those that it names", () => {
  const head = read(
    "HTTP/1.1 200 OK\r\nA: 1\r\nconnection: b, keep-alive\r\nB: 2\r\nkeep-alive: timeout=5\r\nC:  3 \r\nd:\r\ncontent-length: 0\r\n\r\n",
  );
  expect(head).toBeInstanceOf(Http1NodeResponseHead);
  if (!(head instanceof Http1NodeResponseHead)) return;
  expect(head.fieldList(new FieldNames([...connectionFields, "d"]))).toEqual(["a", "1", "c", "3"]);
  expect(head.fieldList(new FieldNames(connectionFields))).toEqual(["a", "1", "c", "3", "d", ""]);
});

test("white space before the colon of a field is removed", () => {
  const head = read("HTTP/1.1 200 OK\r\nX-A \t: 1\r\nContent-Length : 5\r\n\r\n");
  expect(head).toMatchObject({ contentSize: 5 });
  if (head instanceof Http1NodeResponseHead)
    expect(head.fieldList(new FieldNames([]))).toEqual(["x-a", "1", "content-length", "5"]);
});

test.each(["x y: 1", " x: 1", " : 1", "x 1", "content-length : 5\r\ncontent-length: 5"])(
  "a head with the line %j is refused",
  (line) => {
    expect(typeof read(`HTTP/1.1 200 OK\r\na: b\r\n${line}\r\n\r\n`)).toBe("string");
  },
);

test.each([
  ["two framings", "content-length: 5\r\ntransfer-encoding: chunked", "stand together"],
  ["two framings, the other way round", "transfer-encoding: chunked\r\ncontent-length: 0", "stand together"],
  ["two codings", "transfer-encoding: gzip, chunked", "not chunked alone"],
  ["a coding twice", "transfer-encoding: chunked\r\ntransfer-encoding: chunked", "not chunked alone"],
  ["a length twice", "content-length: 5\r\nContent-Length: 5", "stands twice"],
  ["a list of lengths", "content-length: 5, 5", "not a number"],
  ["a bare CR", "a: b\rx: c", "control byte"],
  ["a bare CR instead of an end", "\rx: c", "a CR stands without its LF"],
  ["too many options", `connection: ${"a,".repeat(maxListMembers)}a`, "more than"],
  ["too many in two fields", `connection: ${"a,".repeat(maxListMembers - 1)}a\r\nconnection: a`, "more than"],
  ["too many fields", "a: b\r\n".repeat(20) + "a: b", "maxFields"],
])("a head with %s is refused", (_what, lines, reason) => {
  expect(read(`HTTP/1.1 200 OK\r\n${lines}\r\n\r\n`)).toContain(reason);
});

test("chunked content of HTTP/1.0, and a status below 100, are refused", () => {
  expect(read("HTTP/1.0 200\r\ntransfer-encoding: chunked\r\n\r\n")).toContain("HTTP/1.0");
  expect(read("HTTP/1.1 099 x\r\n\r\n")).toContain("100 to 999");
});

test("what comes close to what is refused is read", () => {
  expect(read(`HTTP/1.1 999 x\r\n${"a: b\r\n".repeat(20)}\r\n`)).toMatchObject({ status: 999, end: 138 });
  const options = `connection: ${"a,".repeat(maxListMembers - 1)}close`;
  expect(read(`HTTP/1.1 100 x\r\n${options}\r\n\r\n`)).toMatchObject({ status: 100, wantsClose: true });
  // Fields whose names are as long as those of framing.
  expect(read("HTTP/1.1 200\r\nx-content-size: 5\r\nx-transfer-coding: chunked\r\n\r\n")).toMatchObject({
    contentSize: undefined,
    isChunked: false,
  });
});

test.each([
  ["OK", undefined],
  ["", undefined],
  ["Fine", "Fine"],
])("the reason phrase %j is passed on as %j", (phrase, reason) => {
  const head = read(`HTTP/1.1 200 ${phrase}\r\n\r\n`);
  if (!(head instanceof Http1NodeResponseHead)) throw new Error("refused");
  expect([head.reason, head.reason]).toEqual([reason, reason]);
});

test("a head that is cut anywhere is waited for, and is the same when the rest has come", () => {
  const text = "HTTP/1.1 302 Found\r\nlocation: /a b\r\nset-cookie: a=1\r\ncontent-length: 12\r\n\r\n";
  for (let length = 0; length < text.length; length++)
    expect(read(text.slice(0, length)), text.slice(0, length)).toBeUndefined();
  expect(read(text + "and more")).toMatchObject({ status: 302, contentSize: 12, end: text.length });
});

test.each(["SSH-2.0", "HTTP/2", "http/1.1 200", "HTTP/1.1  200", "\r\nHTTP/1.1 200 OK", "<html>"])(
  "%j is refused before more of it comes",
  (text) => {
    expect(typeof read(text)).toBe("string");
  },
);

test("a head without an end is refused at its limit", () => {
  expect(read("HTTP/1.1 200 OK\r\n" + "a: b\r\n".repeat(15) + "x".repeat(4096))).toContain("maxHeadSize");
  expect(read("HTTP/1.1 200 " + "x".repeat(4096))).toContain("maxHeadSize");
});

test("any bytes are read, waited for, or refused", () => {
  const piece = fc.oneof(
    fc.constantFrom(
      "HTTP/1.1 ",
      "200",
      " OK",
      "\r\n",
      "\n",
      "\r",
      ": ",
      "content-length",
      "transfer-encoding",
      "chunked",
      "5",
      ",",
    ),
    fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), fc.boolean(), (pieces, isHead) => {
      const head = read((isHead ? "HTTP/1.1 200 OK\r\n" : "") + pieces.join(""));
      if (!(head instanceof Http1NodeResponseHead)) return;
      // What is passed on holds nothing that could end a line.
      for (const text of head.fieldList(new FieldNames([]))) expect(text).not.toMatch(/[\r\n\0]/);
      expect(head.isChunked && head.contentSize !== undefined).toBe(false);
    }),
  );
});
