import { expect, test } from "vitest";
import { readWrittenHead } from "./written-head.ts";

const read = (lines: string): ReturnType<typeof readWrittenHead> =>
  readWrittenHead(Buffer.from(`HTTP/1.1 101 Switching Protocols\r\n${lines}\r\n\r\n`, "latin1"));

test("a head has its fields in the order written, and what stands behind it", () => {
  const head = readWrittenHead(
    Buffer.from("HTTP/1.1 101 x\r\nUpgrade: \ta b\t \r\nX:\r\nY: \xa0\r\n\r\nrest", "latin1"),
  );
  expect(head).toMatchObject({
    status: 101,
    fields: [
      ["upgrade", "a b"],
      ["x", ""],
      ["y", "\xa0"],
    ],
  });
  expect(head?.rest.toString()).toBe("rest");
});

test.each(["no field", ": a", "a b: c", "a: b\nc: d", "a: \n", "a: b\r"])("%j is no field line", (line) => {
  expect(() => read(line)).toThrow("a field line that is none");
});

test("400 KB of spaces take no time to speak of", () => {
  const spaces = " \t".repeat(200_000);
  expect(read(`a:${spaces}b${spaces}`)?.fields).toEqual([["a", "b"]]);
  expect(read(`a:${spaces}`)?.fields).toEqual([["a", ""]]);
  expect(() => read(`a:${spaces}\n`)).toThrow("a field line that is none");
  expect(() => read(`a:b${spaces}b${spaces}\n`)).toThrow("a field line that is none");
});
