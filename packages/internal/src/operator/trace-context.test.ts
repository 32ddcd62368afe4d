import { expect, test } from "vitest";
import { ListedFields } from "../http/fields.ts";
import { newSpanId, newTraceId, readTraceParent, traceparentOf } from "./trace-context.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const spanId = "b7ad6b7169203331";
const read = (traceparent: string, ...more: readonly string[]) =>
  readTraceParent(new ListedFields(["traceparent", traceparent, ...more]));

test("a traceparent is read, with the state of all tracestate fields", () => {
  expect(read(`00-${traceId}-${spanId}-01`, "tracestate", "a=1", "tracestate", "b=2")).toEqual({
    traceId,
    spanId,
    isSampled: true,
    state: "a=1, b=2",
  });
  expect(read(`00-${traceId}-${spanId}-02`)).toMatchObject({ isSampled: false, state: "" });
  expect(read(`cc-${traceId}-${spanId}-01-what-comes-later`)).toMatchObject({ traceId });
});

test.each([
  "",
  `00-${traceId}-${spanId}`,
  `00-${traceId}-${spanId}-01-more`,
  `ff-${traceId}-${spanId}-01`,
  `00-${"0".repeat(32)}-${spanId}-01`,
  `00-${traceId}-${"0".repeat(16)}-01`,
  `00-${traceId.toUpperCase()}-${spanId}-01`,
  `00-${traceId}-${spanId}-0g`,
  `cc-${traceId}-${spanId}-01-${"x".repeat(60_000)}`,
])("a malformed or huge traceparent begins a new trace: %.80s", (text) => {
  expect(read(text)).toBeUndefined();
});

test("two traceparents begin a new trace, even equal ones", () => {
  const text = `00-${traceId}-${spanId}-01`;
  expect(read(text, "traceparent", text)).toBeUndefined();
});

test.each(["x".repeat(513), Array.from({ length: 33 }, (_, i) => `k${i}=v`).join(","), "a=\u00e9"])(
  "a tracestate that is too long or not ASCII is dropped, and the traceparent counts",
  (state) => {
    expect(read(`00-${traceId}-${spanId}-01`, "tracestate", state)).toMatchObject({ traceId, state: "" });
  },
);

test("what is made is what is read", () => {
  const [trace, span] = [newTraceId(), newSpanId()];
  expect(read(traceparentOf(trace, span, true))).toEqual({ traceId: trace, spanId: span, isSampled: true, state: "" });
  expect(new Set(Array.from({ length: 1000 }, newTraceId)).size).toBe(1000);
});
