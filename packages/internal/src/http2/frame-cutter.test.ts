import fc from "fast-check";
import { expect, test } from "vitest";
import { FrameCutter } from "./frame-cutter.ts";
import { frameHeaderSize, readUint31, writeFrameHeader } from "./frames.ts";

interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: string;
}

function cutter(maxFrameSize = 100): { cutter: FrameCutter; frames: Frame[]; refusals: number[] } {
  const frames: Frame[] = [];
  const refusals: number[] = [];
  const cutter = new FrameCutter(
    maxFrameSize,
    (bytes, start, end, type, flags, streamId) =>
      frames.push({ type, flags, streamId, payload: bytes.toString("latin1", start, end) }),
    () => refusals.push(frames.length),
  );
  return { cutter, frames, refusals };
}

function encode({ type, flags, streamId, payload }: Frame): Buffer {
  const bytes = Buffer.alloc(frameHeaderSize + payload.length);
  bytes.write(payload, writeFrameHeader(bytes, 0, payload.length, type, flags, streamId), "latin1");
  return bytes;
}

const anyFrame: fc.Arbitrary<Frame> = fc.record({
  type: fc.nat(255),
  flags: fc.nat(255),
  streamId: fc.nat(0x7fffffff),
  payload: fc.string({ unit: fc.constantFrom("a", "\xff", "\0"), maxLength: 100 }),
});

test("frames come out as they went in, wherever the input is divided", () => {
  fc.assert(
    fc.property(fc.array(anyFrame, { maxLength: 10 }), fc.array(fc.nat(1200), { maxLength: 12 }), (sent, cuts) => {
      const bytes = Buffer.concat(sent.map(encode));
      const { cutter: cutting, frames } = cutter();
      let at = 0;
      for (const cut of [...cuts.toSorted((a, b) => a - b), bytes.length]) {
        cutting.push(bytes.subarray(at, cut));
        at = Math.max(at, Math.min(cut, bytes.length));
      }
      expect(frames).toEqual(sent);
      expect(cutting.isWithinFrame).toBe(false);
    }),
  );
});

test("a frame larger than allowed is refused as soon as its header is there, and nothing follows it", () => {
  const { cutter: cutting, frames, refusals } = cutter();
  const good = encode({ type: 0, flags: 0, streamId: 1, payload: "a" });
  const large = encode({ type: 0, flags: 0, streamId: 1, payload: "a".repeat(101) });
  cutting.push(Buffer.concat([good, large.subarray(0, 5)]));
  cutting.push(large.subarray(5, 9));
  cutting.push(good);
  expect(frames).toHaveLength(1);
  expect(refusals).toEqual([1]);
});

test("who stops in the midst of the input is handed nothing more", () => {
  const seen: number[] = [];
  const cutting: FrameCutter = new FrameCutter(
    100,
    (_bytes, _start, _end, type) => {
      seen.push(type);
      cutting.stop();
    },
    () => seen.push(-1),
  );
  const frame = encode({ type: 7, flags: 0, streamId: 0, payload: "" });
  cutting.push(Buffer.concat([frame, frame]));
  cutting.push(frame);
  expect(seen).toEqual([7]);
});

test("the reserved bit of a number is not part of it", () => {
  expect(readUint31(Buffer.from("ffffffff", "hex"), 0)).toBe(0x7fffffff);
});
