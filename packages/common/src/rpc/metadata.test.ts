import { expect, test } from "vitest";
import { endOfStreamToJson } from "./connect-error.ts";
import { Metadata } from "./metadata.ts";

test("has several values of a name, and finds them without regard to case", () => {
  const metadata = new Metadata({ "X-One": "1" });
  metadata.append("x-one", "2");
  expect(metadata.getAll("X-ONE")).toEqual(["1", "2"]);
  metadata.set("x-one", "3");
  expect([...metadata]).toEqual([["x-one", "3"]]);
});

test("has bytes under names that end in -bin", () => {
  const metadata = new Metadata({ "trace-bin": new Uint8Array([0, 255, 16]) });
  expect(metadata.list).toEqual(["trace-bin", "AP8Q"]);
  expect(metadata.getBinary("trace-bin")).toEqual([new Uint8Array([0, 255, 16])]);
  const padded = Metadata.received([["a-bin", "AP8=, AQ"]]);
  expect(padded.getBinary("a-bin")).toEqual([new Uint8Array([0, 255]), new Uint8Array([1])]);
});

test.each(["*", "a b", "====", "A"])("a -bin value that is no base64 (%s) is the sender's fault", (value) => {
  expect(() => Metadata.received([["a-bin", value]]).getBinary("a-bin")).toThrow(
    expect.objectContaining({ code: "invalid_argument" }) as Error,
  );
});

test.each([
  ["an empty name", "", "x"],
  ["a name with a space", "a b", "x"],
  ["a pseudo field", ":path", "/"],
  ["a name of gRPC", "grpc-status", "0"],
  ["a name of Connect", "Connect-Protocol-Version", "1"],
  ["a name that frames the message", "Content-Length", "5"],
  ["te", "te", "trailers"],
  ["a line end", "x", "a\r\nb: c"],
  ["text beyond ASCII", "x", "é"],
  ["text for bytes", "x-bin", "AA"],
])("refuses %s", (_what, name, value) => {
  expect(() => new Metadata({ [name]: value })).toThrow(TypeError);
});

test("refuses bytes under a name for text", () => {
  expect(() => new Metadata({ x: new Uint8Array(1) })).toThrow("-bin");
});

test("leaves the names of protocols out of what was received", () => {
  const received = Metadata.received([
    ["grpc-timeout", "1S"],
    ["content-type", "application/grpc"],
    ["x-mine", "1"],
  ]);
  expect([...received]).toEqual([["x-mine", "1"]]);
});

test("names that objects of JavaScript have, too, reach the client in the end of a stream", () => {
  const metadata = Metadata.received([
    ["constructor", "a"],
    ["__proto__", "b"],
    ["constructor", "c"],
  ]);
  expect(endOfStreamToJson(undefined, metadata)).toBe('{"metadata":{"constructor":["a","c"],"__proto__":["b"]}}');
});
