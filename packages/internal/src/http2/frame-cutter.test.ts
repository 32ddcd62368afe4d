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

function cutter(maxFrameSize = 100, isBorrowed = false): { cutter: FrameCutter; frames: Frame[]; refusals: number[] } {
  const frames: Frame[] = [];
  const refusals: number[] = [];
  const cutter = new FrameCutter(
    maxFrameSize,
    (bytes, start, end, type, flags, streamId) =>
      frames.push({ type, flags, streamId, payload: bytes.toString("latin1", start, end) }),
    () => refusals.push(frames.length),
    isBorrowed,
  );
  return { cutter, frames, refusals };
}

function encode({ type, flags, streamId, payload }: Frame): Buffer {
  const bytes = Buffer.alloc(frameHeaderSize + payload.length);
  bytes.write(payload, writeFrameHeader(bytes, 0, payload.length, type, flags, streamId), "latin1");
  return bytes;
}

const payload = fc.oneof(
  { weight: 6, arbitrary: fc.string({ unit: fc.constantFrom("a", "\xff", "\0"), maxLength: 100 }) },
  // About the sizes where a length takes another byte, and where memory is lent.
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom(255, 256, 1015, 1016, 16_384, 65_535, 65_536), fc.nat(2))
      .map(([size, more]) => "ab".repeat(40_000).slice(more, more + size)),
  },
);
const anyFrame: fc.Arbitrary<Frame> = fc.record({
  type: fc.oneof(fc.constant(0), fc.nat(255)),
  flags: fc.nat(255),
  streamId: fc.nat(0x7fffffff),
  payload,
});

/** The stream of the DATA frame of which a part, beyond its header, ends at this place. */
function dataStreamAt(sent: readonly Frame[], at: number): number {
  let start = 0;
  for (const { type, streamId, payload } of sent) {
    const end = start + frameHeaderSize + payload.length;
    if (at < end) return type === 0 && at > start + frameHeaderSize ? streamId : 0;
    start = end;
  }
  return 0;
}

test.each([false, true])(
  "frames come out as they went in, wherever the input is divided, in lent memory: %s",
  (isLent) => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.array(anyFrame, { maxLength: 10 }), fc.array(share, { maxLength: 12 }), (sent, cuts) => {
        const bytes = Buffer.concat(sent.map(encode));
        const { cutter: cutting, frames } = cutter(65_536, isLent);
        let at = 0;
        for (const cut of [...cuts.toSorted((a, b) => a - b), 1]) {
          const end = Math.floor(cut * bytes.length);
          cutting.push(Buffer.from(bytes.subarray(at, end)));
          at = end;
          expect(cutting.partialDataStream).toBe(dataStreamAt(sent, at));
        }
        expect(frames.map((frame) => ({ ...frame, payload: "" }))).toEqual(
          sent.map((frame) => ({ ...frame, payload: "" })),
        );
        expect(frames.every((frame, i) => frame.payload === sent[i]?.payload)).toBe(true);
        expect(cutting.isWithinFrame).toBe(false);
      }),
    );
  },
);

test("a frame of the largest size is taken, and one that is larger by a byte is not, though all of it has come", () => {
  const { cutter: cutting, frames, refusals } = cutter();
  const frame = (size: number): Buffer => encode({ type: 0, flags: 0, streamId: 1, payload: "a".repeat(size) });
  cutting.push(Buffer.concat([frame(100), frame(101), frame(1)]));
  expect(frames).toHaveLength(1);
  expect(refusals).toEqual([1]);
  const { cutter: second, frames: taken, refusals: none } = cutter();
  for (const byte of frame(100)) second.push(Buffer.of(byte));
  expect([taken.length, none.length]).toEqual([1, 0]);
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
