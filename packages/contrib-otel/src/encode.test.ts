import { finish } from "@hemi/common";
import type { Span } from "@hemi/internal";
import { expect, test } from "vitest";
import { spansAsJSON } from "./encode-json.ts";
import { spansAsProtobuf } from "./encode-protobuf.ts";
import { decodeSpans, type Received } from "./testing/collector.ts";

const span: Span = {
  traceId: "0af7651916cd43dd8448eb211c80319c",
  spanId: "b7ad6b7169203331",
  parentId: "00f067aa0ba902b7",
  state: "a=1",
  name: "GET webapp.shop",
  kind: "server",
  startTime: 1_800_000_000_000.125,
  endTime: 1_800_000_000_004.999,
  attributes: {},
  error: "503",
};

const resource = { "service.name": "shop" };

/** What a collector gets of these spans: the same in both encodings. */
function received(...items: readonly Span[]): Received {
  const json = JSON.parse(finish(spansAsJSON({ resource, items }))) as Received;
  const decoded = decodeSpans(finish(spansAsProtobuf({ resource, items })));
  expect(spansIn(decoded)).toEqual(spansIn(json));
  return decoded;
}

/** Protobuf leaves out what is empty. */
const spansIn = ({ resourceSpans = [] }: Received) =>
  resourceSpans
    .flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans = [] }) => spans))
    .map((span) => ({ ...emptyFields, ...span }));

const emptyFields = { parentSpanId: "", traceState: "", attributes: [], status: {} };

test.each([
  ["a short text", "x"],
  ["no text", ""],
  ["a text that is not ASCII", "käse 🧀"],
  ["a text of more than 127 bytes", "long ".repeat(40)],
  ["a text of more than 16,383 bytes", "longer ".repeat(3000)],
  ["a text of more than 65,536 bytes that is not ASCII", "ä".repeat(70_000)],
  ["true", true],
  ["false", false],
  ["zero", 0],
  ["a number of 53 bits", Number.MAX_SAFE_INTEGER],
  ["a negative number", -12_345],
  ["a fraction", 0.1],
])("an attribute with %s is the same in protobuf as in JSON", (_what, value) => {
  const withValue = { ...span, attributes: { "a.b": value, other: 1 } };
  // The third one has its bytes of the second one.
  const [first] = spansIn(received(withValue, withValue, withValue));
  expect(first?.attributes.map(({ key }) => key)).toEqual(["a.b", "other"]);
});

test("times have nanoseconds, and a span without an error, parent and state has none", () => {
  const [first, second] = spansIn(received(span, { ...span, error: undefined, parentId: "", state: "" }));
  expect(first).toMatchObject({
    startTimeUnixNano: "1800000000000125000",
    endTimeUnixNano: "1800000000004999000",
    status: { code: 2, message: "503" },
  });
  expect(second).toMatchObject({ status: {}, parentSpanId: "", traceState: "" });
});

test("half of a surrogate pair becomes a replacement character", () => {
  const items = [{ ...span, name: "\ud83e" }];
  expect(spansIn(decodeSpans(finish(spansAsProtobuf({ resource, items }))))[0]?.name).toBe("\ufffd");
});

test("a batch without spans has the resource", () => {
  expect(received().resourceSpans?.[0]?.resource.attributes).toEqual([
    { key: "service.name", value: { stringValue: "shop" } },
  ]);
});

test("a large batch is encoded in steps", () => {
  const items = Array<Span>(1000).fill(span);
  for (const steps of [spansAsJSON({ resource, items }), spansAsProtobuf({ resource, items })])
    expect([...steps].length).toBeGreaterThanOrEqual(1000);
});
