import fc from "fast-check";
import { expect, test } from "vitest";
import { EventReader, type ServerEvent } from "./event-stream.ts";

function read(text: string, cuts: readonly number[] = [1000]): ServerEvent[] {
  const reader = new EventReader(10_000);
  const bytes = Buffer.from(text);
  const events: ServerEvent[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = cuts[i % cuts.length]!;
    events.push(...reader.push(bytes.subarray(at, at + size)));
    at += size;
  }
  return events;
}

test.each([
  ["a message", "data: x\n\n", [{ type: "message", data: "x", id: undefined }]],
  ["a message of two lines", "data:x\ndata: y\n\n", [{ type: "message", data: "x\ny", id: undefined }]],
  [
    "a type, which holds for one event",
    "event: end\ndata: 1\n\ndata: 2\n\n",
    [
      { type: "end", data: "1", id: undefined },
      { type: "message", data: "2", id: undefined },
    ],
  ],
  [
    "an id, which holds on",
    "id: 7\ndata: 1\n\ndata: 2\n\n",
    [
      { type: "message", data: "1", id: "7" },
      { type: "message", data: "2", id: "7" },
    ],
  ],
  [
    "comments, unknown fields and empty events",
    ": hi\nretry: 5\nx\n\nevent: a\n\ndata: é\n\n",
    [{ type: "message", data: "é", id: undefined }],
  ],
])("reads %s, with any line end and however it is cut", (_what, text, expected) => {
  for (const end of ["\n", "\r\n", "\r"]) {
    // A CR at the end may be the half of a CRLF: the next line shows it.
    const lines = text.replaceAll("\n", end) + (end === "\r" ? ":" : "");
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (cuts) => {
        expect(read(lines, cuts)).toEqual(expected);
      }),
    );
  }
});

test("an event beyond the limit is refused", () => {
  const push = (text: string): unknown => [...new EventReader(100).push(Buffer.from(text))];
  const refused = expect.objectContaining({ code: "resource_exhausted" }) as Error;
  expect(() => push("data: " + "x".repeat(200))).toThrow(refused);
  expect(() => push("data: 0123456789\n".repeat(20))).toThrow(refused);
  expect(() => push("data:\n".repeat(200))).toThrow(refused);
});
