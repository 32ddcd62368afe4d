import fc from "fast-check";
import { expect, test } from "vitest";
import { FrameReader } from "./frame-reader.ts";
import { frame, frameHead } from "./frames.ts";

/** By type: 0 in pieces, 1 to 9 whole, others skipped. */
function makeReader(): FrameReader {
  return new FrameReader({ treat: (type) => (type === 0 ? "pieces" : type < 10 ? "whole" : "skipped") });
}

test("frames are the same however their bytes come", () => {
  // Types and sizes with numbers of one byte, two and four.
  const type = fc.oneof(fc.nat(20), fc.constantFrom(63, 64, 0x21, 20_000));
  const size = fc.oneof({ weight: 8, arbitrary: fc.nat(80) }, { weight: 1, arbitrary: fc.constantFrom(300, 17_000) });
  const payload = fc.tuple(size, fc.nat(255)).map(([size, byte]) => Buffer.alloc(size, Buffer.of(byte, 1, 2)));
  const frames = fc.array(fc.tuple(type, payload), { maxLength: 8 });
  fc.assert(
    fc.property(frames, fc.array(fc.nat(50)), (frames, cuts) => {
      const bytes = Buffer.concat(frames.map(([type, payload]) => frame(type, payload)));
      const reader = makeReader();
      const ends = new Set<number>();
      for (const [type, payload] of frames) ends.add(Math.max(0, ...ends) + frame(type, payload).length);
      const read: [number, string][] = [];
      for (let at = 0, i = 0; at < bytes.length; i++) {
        const end = at + Math.max(1, cuts[i] ?? 1000);
        reader.push(Buffer.from(bytes.subarray(at, end)));
        at = Math.min(end, bytes.length);
        for (let next = reader.next(); next !== undefined; next = reader.next()) {
          const latest = read.at(-1);
          const text = next.payload.toString("hex");
          if (next.type === 0 && latest?.[0] === 0) latest[1] += text;
          else read.push([next.type, text]);
        }
        expect(reader.isWithinFrame).toBe(!ends.has(at));
      }
      const expected: [number, string][] = [];
      for (const [type, payload] of frames) {
        const text = Buffer.from(payload).toString("hex");
        const latest = expected.at(-1);
        if (type === 0 && text === "") continue;
        if (type === 0 && latest?.[0] === 0) latest[1] += text;
        else if (type < 10) expected.push([type, text]);
      }
      expect(read).toEqual(expected);
      expect(reader.isWithinFrame).toBe(false);
    }),
  );
});

test("a frame that is cut off is seen as one", () => {
  const reader = makeReader();
  reader.push(frame(1, Buffer.from("hello")).subarray(0, -1));
  expect([reader.next(), reader.isWithinFrame]).toEqual([undefined, true]);
});

test("a frame that is refused takes no memory, whatever else comes", () => {
  const reader = new FrameReader({
    treat(type) {
      if (type === 1) throw new Error("refused");
      return "whole";
    },
  });
  reader.push(Buffer.concat([frame(4, Buffer.from("fine")), frameHead(1, 2 ** 40)]));
  expect(reader.next()?.payload.toString()).toBe("fine");
  expect(() => reader.next()).toThrow("refused");
  reader.push(Buffer.from("more"));
  expect(() => reader.next()).toThrow("refused");
});

test("all that follows the head of a frame that takes the rest of its stream is its payload, piece by piece", () => {
  const reader = new FrameReader({ treat: (type) => (type === 9 ? "rest" : "whole") });
  const read = (): [number, string] | undefined => {
    const next = reader.next();
    return next && [next.type, next.payload.toString()];
  };
  reader.push(Buffer.concat([frame(4, Buffer.from("a")), frameHead(9, 0), Buffer.from("bc")]));
  expect([read(), read()]).toEqual([
    [4, "a"],
    [9, "bc"],
  ]);
  reader.push(Buffer.from("def"));
  expect(read()).toEqual([9, "def"]);
});
