// What is kept of a message's content comes out as it went in, and its memory is used again.

import { Buffer } from "node:buffer";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readBlocks } from "../net/read-blocks.ts";
import { readSize } from "../net/shared-buffer.ts";
import { ReceivedContent } from "./received-content.ts";

function taken(content: ReceivedContent): Buffer {
  const pieces: Buffer[] = [];
  for (let piece = content.take(); piece !== undefined; piece = content.take()) {
    pieces.push(Buffer.from(piece));
    content.lent(piece)?.();
  }
  return Buffer.concat(pieces);
}

test("content comes out as it went in, however large its frames are and whenever it is taken", () => {
  const frame = fc.record({ size: fc.nat(40_000), isTaken: fc.boolean() });
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 12 }), (frames) => {
      const content = new ReceivedContent(1024 * 1024);
      const sent: Buffer[] = [];
      const came: Buffer[] = [];
      for (const [i, { size, isTaken }] of frames.entries()) {
        const bytes = Buffer.alloc(size + 2, i + 1);
        sent.push(bytes.subarray(1, size + 1));
        content.keep(bytes, 1, size + 1);
        if (isTaken) came.push(taken(content));
      }
      came.push(taken(content));
      expect(Buffer.concat(came).equals(Buffer.concat(sent))).toBe(true);
      expect(content.kept).toBe(0);
    }),
    { numRuns: 50 },
  );
});

test("a large piece that its reader gives back is memory for the next one", () => {
  const content = new ReceivedContent(1024 * 1024);
  const bytes = Buffer.alloc(40_000, 1);
  content.keep(bytes, 0, bytes.length);
  const first = content.take();
  expect(content.lent(Buffer.alloc(1))).toBeUndefined();
  if (first !== undefined) content.lent(first)?.();
  content.keep(bytes, 0, bytes.length);
  expect(content.take()?.buffer).toBe(first?.buffer);
});

test("a small rest behind a full block keeps no block for itself", () => {
  const content = new ReceivedContent(1024 * 1024);
  const bytes = Buffer.alloc(readSize + 1000, 1);
  for (const block of [readBlocks.lend(), readBlocks.lend()]) readBlocks.giveBack(block);
  const before = readBlocks.spare;
  content.keep(bytes, 0, bytes.length);
  expect(readBlocks.spare).toBe(before - 1);
  expect(taken(content).equals(bytes)).toBe(true);
});

test("content that nobody reads gives its blocks back when it is dropped", () => {
  const content = new ReceivedContent(1024 * 1024);
  const bytes = Buffer.alloc(250_000);
  content.keep(bytes, 0, bytes.length);
  const before = readBlocks.spare;
  content.drop();
  expect(content.kept).toBe(0);
  expect(readBlocks.spare).toBe(before + 4);
});
