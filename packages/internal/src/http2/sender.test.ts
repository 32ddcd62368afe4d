// What waits in HTTP/2 for a client that reads nothing.

import { expect, test } from "vitest";
import { SendQueue } from "./sender.ts";

test("a small part of a large buffer that waits for a client does not keep all of it in memory", () => {
  const buffer = Buffer.alloc(1024 * 1024, "a");
  const queue = new SendQueue();
  queue.add(buffer.subarray(10, 20));
  queue.add(buffer);
  expect(queue.pieces.map((piece) => [piece.length, piece.buffer.byteLength])).toEqual([
    [10, 10],
    [buffer.length, buffer.length],
  ]);
  expect(Buffer.from(queue.pieces[0] ?? []).toString()).toBe("a".repeat(10));
});
