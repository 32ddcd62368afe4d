import { expect, test } from "vitest";
import { Input } from "./input.ts";

const shared = Buffer.alloc(16);

/** Bytes as a socket reads them into the shared buffer. */
function read(text: string): Buffer {
  shared.write(text, "latin1");
  return shared.subarray(0, text.length);
}

test("what is not read yet stands before what comes", () => {
  const input = new Input();
  input.add(Buffer.from("abcd"), false);
  input.at = 3;
  input.add(Buffer.from("efg"), false);
  expect([input.bytes.toString(), input.at, input.size]).toEqual(["defg", 0, 4]);
});

test("what all has been read is let go", () => {
  const input = new Input();
  const bytes = Buffer.from("abcd");
  input.add(bytes, false);
  input.at = 4;
  input.own();
  expect([input.bytes.length, input.at, input.size]).toEqual([0, 0, 0]);
});

test("what stays of shared bytes is copied, and what was read of them is not", () => {
  const input = new Input();
  input.add(read("abcdef"), true);
  input.at = 2;
  expect(input.bytes.buffer).toBe(shared.buffer);
  input.own();
  read("XXXXXX");
  expect([input.bytes.toString(), input.at]).toEqual(["cdef", 0]);
  const { bytes } = input;
  input.own();
  expect(input.bytes).toBe(bytes);
});

test("a piece of shared bytes is copied where it is to be kept, and no other", () => {
  const input = new Input();
  input.add(read("abcdef"), true);
  const kept = input.owned(input.bytes.subarray(1, 3));
  read("XXXXXX");
  expect(kept.toString()).toBe("bc");
  input.clear();
  input.add(Buffer.from("own"), false);
  const piece = input.bytes.subarray(1);
  expect(input.owned(piece)).toBe(piece);
});

test("a piece that is kept, as one of many, keeps no more memory than its own", () => {
  const input = new Input();
  input.add(read("abcdef"), true);
  expect(input.owned(input.bytes.subarray(1, 3)).buffer.byteLength).toBe(2);
  input.at = 2;
  expect(input.take().buffer.byteLength).toBe(4);
});

test.each([0, 1, 64, 65, 5000])("%d bytes of a piece that is taken may be kept, whatever is read then", (size) => {
  const large = Buffer.alloc(6000);
  const text = Array.from({ length: 6000 }, (_, i) => String(i % 10)).join("");
  for (const isShared of [true, false]) {
    large.write(text);
    const input = new Input();
    input.add(large.subarray(0, size + 8), isShared);
    input.at = 3;
    const kept = input.takeWhole(size);
    expect([kept.toString(), input.at, input.size]).toEqual([text.slice(3, 3 + size), 3 + size, 5]);
    if (isShared) large.fill("X");
    expect(kept.toString()).toBe(text.slice(3, 3 + size));
  }
});

test("shared bytes behind others become bytes of one's own", () => {
  const input = new Input();
  input.add(Buffer.from("ab"), false);
  input.at = 1;
  input.add(read("cd"), true);
  read("XX");
  input.own();
  expect(input.bytes.toString()).toBe("bcd");
});

test("what is taken out may be kept, and is gone", () => {
  const input = new Input();
  input.add(read("abcd"), true);
  input.at = 1;
  const rest = input.take();
  read("XXXX");
  expect([rest.toString(), input.size]).toEqual(["bcd", 0]);
  expect(input.take().length).toBe(0);
});
