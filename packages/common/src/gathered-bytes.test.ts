import { expect, test } from "vitest";
import { GatheredBytes } from "./gathered-bytes.ts";

test("pieces are put together, and later ones do not change what was taken", () => {
  const gathered = new GatheredBytes();
  const text = "x".repeat(50) + "y".repeat(200);
  for (let at = 0; at < text.length; at += 7) {
    const piece = Buffer.from(text.slice(at, at + 7));
    gathered.add(piece);
    piece.fill(0);
  }
  expect(gathered.size).toBe(text.length);
  const all = gathered.take();
  expect(gathered.size).toBe(0);
  gathered.add(Buffer.from("z".repeat(300)));
  expect(all.toString()).toBe(text);
  expect(gathered.take().toString()).toBe("z".repeat(300));
});

test("single bytes take no more memory than twice their number", () => {
  const gathered = new GatheredBytes();
  const byte = Buffer.of(1);
  for (let i = 0; i < 100_000; i++) gathered.add(byte);
  expect(gathered.take().buffer.byteLength).toBeLessThanOrEqual(200_000);
});
