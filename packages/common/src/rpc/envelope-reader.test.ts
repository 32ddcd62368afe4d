import fc from "fast-check";
import { expect, test } from "vitest";
import { envelope } from "./envelope.ts";
import { EnvelopeReader } from "./envelope-reader.ts";

function take(reader: EnvelopeReader): [number, string][] {
  const taken: [number, string][] = [];
  for (let next = reader.take(); next !== undefined; next = reader.take()) {
    taken.push([next.flags, Buffer.from(next.bytes).toString("hex")]);
  }
  return taken;
}

test("messages come out as they went in, however the stream is cut", () => {
  const message = fc.tuple(fc.nat(255), fc.uint8Array({ maxLength: 40 }));
  fc.assert(
    fc.property(fc.array(message, { maxLength: 8 }), fc.array(fc.nat(20), { minLength: 1 }), (messages, cuts) => {
      const stream = Buffer.concat(messages.map(([flags, bytes]) => envelope(flags, bytes)));
      const reader = new EnvelopeReader(1000);
      const taken: [number, string][] = [];
      for (let at = 0, i = 0; at < stream.length; i++) {
        const size = cuts[i % cuts.length]! + 1;
        const piece = new Uint8Array(stream.subarray(at, at + size));
        reader.push(piece);
        // What is taken may share its memory with the piece, which may be used for something else afterwards.
        taken.push(...take(reader));
        piece.fill(0xaa);
        at += size;
      }
      expect(taken).toEqual(messages.map(([flags, bytes]) => [flags, Buffer.from(bytes).toString("hex")]));
      expect(reader.isBetween).toBe(true);
    }),
  );
});

test("what was taken stays as it is when more comes", () => {
  const reader = new EnvelopeReader(100);
  const stream = Buffer.concat([envelope(0, Buffer.from("one")), envelope(0, Buffer.from("two"))]);
  reader.push(stream.subarray(0, 6));
  expect(reader.take()).toBeUndefined();
  reader.push(stream.subarray(6, 10));
  const first = reader.take()!;
  expect(reader.take()).toBeUndefined();
  reader.push(stream.subarray(10));
  expect(Buffer.from(first.bytes).toString()).toBe("one");
  expect(Buffer.from(reader.take()!.bytes).toString()).toBe("two");
});

test("a size beyond the limit is refused before the message comes", () => {
  const reader = new EnvelopeReader(4 * 1024 * 1024);
  reader.push(Buffer.from([0, 0xff, 0xff, 0xff, 0xff]));
  expect(() => reader.take()).toThrow(expect.objectContaining({ code: "resource_exhausted" }) as Error);
});

test("a size that is announced takes no memory", () => {
  const before = process.memoryUsage().arrayBuffers;
  const readers = Array.from({ length: 100 }, () => {
    const reader = new EnvelopeReader(4 * 1024 * 1024);
    reader.push(Buffer.from([0, 0, 0x3f, 0xff, 0xff]));
    expect(reader.take()).toBeUndefined();
    reader.push(Buffer.from([1]));
    return reader;
  });
  expect(readers.every((reader) => reader.take() === undefined)).toBe(true);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1024 * 1024);
});
