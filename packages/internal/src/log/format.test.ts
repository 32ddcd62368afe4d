import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatJson, formatText } from "./format.ts";
import type { LogDetails, LogRecord } from "./record.ts";

function record(message: string, details?: LogDetails, path = "webapp.shop/static"): LogRecord {
  return { time: Date.UTC(2026, 0, 31, 12), level: "error", path, message, details };
}

/** Any details that a caller could pass, with names of our own among the fields. */
const anyDetails = fc.dictionary(
  fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("time", "message", "requestId", "__proto__")),
  fc.anything({ withBigInt: true, withDate: true, withNullPrototype: true, withSparseArray: true }),
);

describe("a record as text", () => {
  test("names time, level, path, request, message and fields on one line", () => {
    expect(formatText(record("cannot send the file", { requestId: 17, name: "a b", size: 3 }))).toBe(
      '2026-01-31T12:00:00.000Z error webapp.shop/static #17 cannot send the file name="a b" size=3\n',
    );
    expect(formatText(record("hello", undefined, ""))).toBe("2026-01-31T12:00:00.000Z error hello\n");
  });

  test("shows an error with its code, its frames and its causes, indented", () => {
    const cause = Object.assign(new Error("EIO: i/o error"), { code: "EIO" });
    cause.stack = "Error: EIO: i/o error\n    at read (fs.ts:1:2)";
    const error = Object.assign(new TypeError("it broke", { cause }), { code: "HEMI_FILE" });
    error.stack = "TypeError: it broke\n    at f (a.ts:1:2)\n    at g (b.ts:3:4)";
    expect(formatText(record("failed", { error }))).toBe(
      [
        "2026-01-31T12:00:00.000Z error webapp.shop/static failed",
        "    TypeError HEMI_FILE: it broke",
        "        at f (a.ts:1:2)",
        "        at g (b.ts:3:4)",
        "    caused by Error: EIO: i/o error",
        "        at read (fs.ts:1:2)",
        "",
      ].join("\n"),
    );
  });

  test("shows what an aggregate holds", () => {
    const text = formatText(record("failed", { error: new AggregateError([new Error("one"), "two"], "both") }));
    expect(text).toContain("AggregateError: both");
    expect(text).toContain("one of them: Error: one");
    expect(text).toContain("one of them: thrown string: two");
  });

  test("takes no frames from an error's message", () => {
    const text = formatText(record("failed", { error: new Error("x\n    at forged (a.ts:1:1)") }));
    expect(text).toContain("Error: x\\n    at forged (a.ts:1:1)\n");
    expect(text).not.toContain("        at forged");
  });

  test("ends with a circle of causes, and with an endless chain", () => {
    const circle = new Error("around");
    circle.cause = circle;
    expect(formatText(record("failed", { error: circle }))).not.toContain("caused by");
    let chain = new Error("0");
    for (let i = 1; i < 100; i++) chain = new Error(String(i), { cause: chain });
    expect(formatText(record("failed", { error: chain })).match(/caused by/g)).toHaveLength(15);
  });

  test("cuts messages that are too long", () => {
    expect(formatText(record("x".repeat(100_000))).length).toBeLessThan(9000);
    expect(formatText(record("x", { error: new Error("x".repeat(100_000)) })).length).toBeLessThan(20_000);
  });

  test.each(["\n", "\r", "\0", "\x1b[31m", "\x7f", "\x9b", "\u2028", "\u202e", "\ud800"])(
    "escapes %j wherever it comes from",
    (evil) => {
      const details = { requestId: evil, [`k${evil}`]: `v${evil}`, error: new Error(evil) };
      for (const line of formatText(record(evil, details, evil))
        .slice(0, -1)
        .split("\n")) {
        expect(line).not.toContain(evil);
      }
    },
  );

  test("stays one record whatever it is made of", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), anyDetails, (message, details) => {
        const text = formatText(record(message, { ...details, error: new Error(message) }));
        const [, ...rest] = text.slice(0, -1).split("\n");
        expect(text.endsWith("\n")).toBe(true);
        expect(rest.every((line) => line.startsWith("    "))).toBe(true);
      }),
    );
  });
});

describe("a record as JSON", () => {
  test("is one object with the error inside", () => {
    const error = new Error("it broke", { cause: "a reason" });
    const line = formatJson(record("failed\n", { requestId: 17, status: 500, peer: "::1", error }));
    expect(line.indexOf("\n")).toBe(line.length - 1);
    expect(JSON.parse(line)).toMatchObject({
      time: "2026-01-31T12:00:00.000Z",
      level: "error",
      path: "webapp.shop/static",
      requestId: "17",
      message: "failed\n",
      status: 500,
      peer: "::1",
      error: { name: "Error", message: "it broke", cause: { name: "thrown string", message: "a reason" } },
    });
  });

  test("gives back text exactly, and keeps its own names", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), anyDetails, (message, details) => {
        const parsed: unknown = JSON.parse(formatJson(record(message, details)));
        expect(parsed).toMatchObject({ level: "error", path: "webapp.shop/static", message });
      }),
    );
  });
});

test.each([
  ["nothing", null],
  ["a symbol", Symbol("s")],
  ["an object without a prototype", Object.create(null)],
  ["a proxy that refuses everything", new Proxy({}, { get: refuse, getPrototypeOf: refuse, ownKeys: refuse })],
  ["an error whose stack throws", Object.defineProperty(new Error("x"), "stack", { get: refuse })],
  ["an error whose message is no string", Object.assign(new Error("x"), { message: { toString: refuse } })],
])("%s can be logged as an error and as a field", (_name, value: unknown) => {
  expect(formatText(record("failed", { error: value, value }))).toContain("failed");
  expect(formatJson(record("failed", { error: value, value }))).toContain("failed");
});

function refuse(): never {
  throw new Error("no");
}
