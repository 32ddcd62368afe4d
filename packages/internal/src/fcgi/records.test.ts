import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FcgiParams } from "./params.ts";
import { RecordReader } from "./record-reader.ts";
import { beginRequest, maxContentSize, paramsRecords, recordTypes } from "./records.ts";
import { end, fcgiRecord } from "../testing/fcgi-program.ts";

const { stdout, stderr, endRequest } = recordTypes;

/** What a reader tells of bytes that come in these pieces. */
function readAll(pieces: readonly Buffer[]): {
  out: string;
  err: string;
  ends: unknown[];
  failure: string | undefined;
} {
  const told = { out: "", err: "", ends: [] as unknown[], failure: undefined as string | undefined };
  const reader = new RecordReader({
    stdout: (piece) => (told.out += piece.toString("latin1")),
    stderr: (piece) => (told.err += piece.toString("latin1")),
    ended: (end) => told.ends.push(end),
  });
  for (const piece of pieces) {
    told.failure = reader.read(piece);
    if (told.failure !== undefined) break;
  }
  return told;
}

describe("a reader of records", () => {
  const answer = Buffer.concat([
    fcgiRecord(stdout, "Status: 200\r\n", { padding: 3 }),
    fcgiRecord(stderr, "warning"),
    fcgiRecord(stdout, "\r\nhello", { padding: 255 }),
    fcgiRecord(stdout, ""),
    end(3, 0),
  ]);

  test("hears the same however the bytes are cut", () => {
    const whole = readAll([answer]);
    expect(whole).toEqual({
      out: "Status: 200\r\n\r\nhello",
      err: "warning",
      ends: [{ appStatus: 3, protocolStatus: 0 }],
      failure: undefined,
    });
    for (let at = 0; at <= answer.length; at++) {
      expect(readAll([answer.subarray(0, at), answer.subarray(at)])).toEqual(whole);
    }
    expect(readAll([...answer].map((byte) => Buffer.from([byte])))).toEqual(whole);
  });

  test("hands content on before its record is complete", () => {
    expect(readAll([fcgiRecord(stdout, "hello").subarray(0, 10)]).out).toBe("he");
  });

  test.each([
    ["another version", Buffer.from([2, stdout, 0, 1, 0, 0, 0, 0]), "version"],
    ["another request", fcgiRecord(stdout, "x", { id: 2 }), "the request 2"],
    ["a type that clients send", fcgiRecord(recordTypes.stdin, "x"), "the type 5"],
    ["a management record", fcgiRecord(11, "x", { id: 0 }), "the request 0"],
    ["an end of another size", fcgiRecord(endRequest, "1234"), "malformed"],
    ["anything behind the end", Buffer.concat([end(0, 0), fcgiRecord(stdout, "x")]), "behind the end"],
    ["text", Buffer.from("HTTP/1.1 400 Bad Request\r\n"), "version"],
  ])("refuses %s", (_name, bytes, reason) => {
    expect(readAll([bytes]).failure).toContain(reason);
  });

  test("stays alive under any bytes", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), (pieces) => {
        readAll(pieces.map((piece) => Buffer.from(piece)));
      }),
    );
  });
});

describe("what is written", () => {
  test("a request begins as a responder, on a connection that is kept or not", () => {
    expect([...beginRequest(true)]).toEqual([1, 1, 0, 1, 0, 8, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]);
    expect(beginRequest(false)[10]).toBe(0);
  });

  test("names and values have their lengths in one byte or four", () => {
    const params = new FcgiParams();
    params.add("A", "b");
    params.add("LONG", "x".repeat(128));
    params.add("BYTES", "\xe4", "latin1");
    params.add("TEXT", "\xe4");
    expect(params.bytes()).toEqual(
      Buffer.concat([
        Buffer.from([1, 1, 0x41, 0x62]),
        Buffer.from([4, 0x80, 0, 0, 128]),
        Buffer.from("LONG" + "x".repeat(128)),
        Buffer.from([5, 1]),
        Buffer.from("BYTES\xe4", "latin1"),
        Buffer.from([4, 2]),
        Buffer.from("TEXT\xe4"),
      ]),
    );
  });

  test.each([0, 1, maxContentSize, maxContentSize + 1, 3 * maxContentSize])(
    "%i bytes of parameters are cut into records, the last one empty",
    (size) => {
      const records = paramsRecords(Buffer.alloc(size, 1));
      const sizes: number[] = [];
      for (let at = 0; at < records.length; at += 8 + (sizes.at(-1) ?? 0)) {
        expect(records[at + 1]).toBe(recordTypes.params);
        sizes.push(records.readUInt16BE(at + 4));
      }
      expect(sizes.pop()).toBe(0);
      expect(sizes.every((size) => size > 0)).toBe(true);
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(size);
    },
  );
});
