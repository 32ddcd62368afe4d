import fc from "fast-check";
import { expect, test } from "vitest";
import { FrameReader } from "./frame-reader.ts";
import { frame, frameHead } from "./frames.ts";

/** By type: 0 in pieces, 1 to 9 whole, others skipped. */
function makeReader(): FrameReader {
  return new FrameReader({ treat: (type) => (type === 0 ? "pieces" : type < 10 ? "whole" : "skipped") });
}

test("frames are the same however their bytes come", () => {
  const frames = fc.array(fc.tuple(fc.nat(20), fc.uint8Array({ maxLength: 300 })), { maxLength: 8 });
  fc.assert(
    fc.property(frames, fc.array(fc.nat(50)), (frames, cuts) => {
      const bytes = Buffer.concat(frames.map(([type, payload]) => frame(type, payload)));
      const reader = makeReader();
      const read: [number, string][] = [];
      for (let at = 0, i = 0; at < bytes.length; i++) {
        const end = at + Math.max(1, cuts[i] ?? 1000);
        reader.push(Buffer.from(bytes.subarray(at, end)));
        at = end;
        for (let next = reader.next(); next !== undefined; next = reader.next()) {
          const latest = read.at(-1);
          const text = next.payload.toString("hex");
          if (next.type === 0 && latest?.[0] === 0) latest[1] += text;
          else read.push([next.type, text]);
        }
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
