import { varint } from "@hemi/common";
import fc from "fast-check";
import { expect, test } from "vitest";
import { capsule, CapsuleReader, capsuleType } from "./capsules.ts";

/** Handles two types: datagrams of 300 bytes at most, and one of an extension, 10 at most. */
function reader() {
  const received: string[] = [];
  const maxSizes = new Map<number, number>([
    [capsuleType.datagram, 300],
    [0x2843, 10],
  ]);
  const capsules = new CapsuleReader({
    maxCapsuleSize: (type) => maxSizes.get(type),
    capsuleReceived: (type, value) => received.push(`${type} ${value.toString("hex")}`),
  });
  return { capsules, received };
}

const anyCapsule = fc.record({
  type: fc.constantFrom(capsuleType.datagram, 0x17, 0x3fffffffff),
  value: fc.uint8Array({ maxLength: 300 }),
});

test("capsules may be cut anywhere, and those of unknown types are skipped", () => {
  fc.assert(
    fc.property(fc.array(anyCapsule), fc.integer({ min: 1, max: 50 }), (sent, size) => {
      const { capsules, received } = reader();
      const stream = Buffer.concat(
        sent.map(({ type, value }) => capsule(type, value.subarray(0, 3), value.subarray(3))),
      );
      for (let at = 0; at < stream.length; at += size) {
        expect(capsules.push(stream.subarray(at, at + size))).toBe(true);
      }
      expect(capsules.isBetweenCapsules).toBe(true);
      const known = sent.filter(({ type }) => type === capsuleType.datagram);
      expect(received).toEqual(known.map(({ value }) => `0 ${Buffer.from(value).toString("hex")}`));
    }),
  );
});

test("a capsule that is larger than its type may be is refused before its value comes", () => {
  expect(reader().capsules.push(Buffer.concat([varint(0x2843), varint(10)]))).toBe(true);
  expect(reader().capsules.push(Buffer.concat([varint(0x2843), varint(11)]))).toBe(false);
  expect(reader().capsules.push(Buffer.concat([varint(0), varint(2 ** 50)]))).toBe(false);
});

test("a skipped capsule may be of any size", () => {
  const { capsules, received } = reader();
  expect(capsules.push(Buffer.concat([varint(0x17), varint(2 ** 50), Buffer.alloc(1000)]))).toBe(true);
  expect(capsules.isBetweenCapsules).toBe(false);
  expect(received).toEqual([]);
});

test.each(["00", "0005aabb", "1705", "c0"])("a stream that ends after %s has cut a capsule short", (bytes) => {
  const { capsules } = reader();
  expect(capsules.push(Buffer.from(bytes, "hex"))).toBe(true);
  expect(capsules.isBetweenCapsules).toBe(false);
});

test("any bytes are read without a throw", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), (pieces) => {
      const { capsules } = reader();
      for (const piece of pieces) if (!capsules.push(Buffer.from(piece))) return;
    }),
  );
});
