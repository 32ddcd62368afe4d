// What waits in HTTP/2 for a client that reads nothing.

import { expect, test } from "vitest";
import { SendQueue } from "./send-queue.ts";

test("a small part of a large buffer that waits for a client does not keep all of it in memory", () => {
  const buffer = Buffer.alloc(1024 * 1024, "a");
  const queue = new SendQueue();
  queue.add(buffer.subarray(10, 20));
  queue.add(buffer.subarray(0, 5000));
  queue.add(buffer.subarray(0, 100 * 1024));
  queue.add(buffer);
  const kept: [size: number, memory: number][] = [];
  for (let piece = queue.first; piece !== undefined; queue.shift(), piece = queue.first) {
    expect(Buffer.from(piece).every((byte) => byte === 0x61)).toBe(true);
    kept.push([piece.length, piece.buffer.byteLength]);
  }
  expect(kept).toEqual([
    [10, 10],
    [5000, 16 * 1024],
    [100 * 1024, 100 * 1024],
    [buffer.length, buffer.length],
  ]);
});

test("the memory of what has been sent serves what waits next", () => {
  const buffer = Buffer.alloc(1024 * 1024);
  const sent = new SendQueue();
  sent.add(buffer.subarray(0, 10_000));
  const memory = sent.first?.buffer;
  sent.shift();
  const dropped = new SendQueue();
  dropped.add(buffer.subarray(0, 5000));
  expect(dropped.first?.buffer).toBe(memory);
  dropped.drop();
  const next = new SendQueue();
  next.add(buffer.subarray(0, 6000));
  expect(next.first?.buffer).toBe(memory);
});
