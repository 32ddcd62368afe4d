import { expect, test } from "vitest";
import { WrittenChunks } from "./written-chunks.ts";

test.each([1, 2, 3, 7, 100])("chunks that come in pieces of %i bytes give their content", (size) => {
  const chunks = new WrittenChunks();
  const bytes = Buffer.from("5\r\nhello\r\nA\r\n, 0\r\nworld\r\n0\r\nx-sum: 1\r\n\r\n");
  let content = "";
  for (let at = 0; at < bytes.length; at += size) {
    expect(chunks.isOver).toBe(false);
    content += chunks.take(bytes.subarray(at, at + size)).toString();
  }
  expect(content).toBe("hello, 0\r\nworld");
  expect(chunks.isOver).toBe(true);
});

test.each(["x\r\n", "-1\r\n", "\r\n", "fffffffff\r\n"])("%j is no chunk", (text) => {
  expect(() => new WrittenChunks().take(Buffer.from(text))).toThrow("a chunk that is none");
});
