import { expect, test } from "vitest";
import { proxyHeader } from "./write-proxy-header.ts";

const signature = "0d0a0d0a000d0a515549540a";
const node = { address: "10.0.0.9", port: 80 };

test.each([
  [{ address: "192.168.0.1", port: 56324 }, "PROXY TCP4 192.168.0.1 10.0.0.9 56324 80\r\n"],
  [{ address: "2001:db8::1", port: 5 }, "PROXY TCP6 2001:db8::1 :: 5 80\r\n"],
  [{ address: "", port: 0 }, "PROXY UNKNOWN\r\n"],
  [undefined, "PROXY UNKNOWN\r\n"],
])("version 1 tells of %j", (from, expected) => {
  expect(proxyHeader("v1", from, node).toString("latin1")).toBe(expected);
});

test.each([
  [{ address: "192.168.0.1", port: 0xdc04 }, "2111000cc0a800010a000009dc040050"],
  [{ address: "2001:db8::ff:1", port: 5 }, `2121002420010db8000000000000000000ff0001${"0".repeat(32)}00050050`],
  [{ address: "::1", port: 5 }, `21210024${"0".repeat(31)}1${"0".repeat(32)}00050050`],
  [{ address: "64:ff9b::1.2.3.4", port: 5 }, `212100240064ff9b${"0".repeat(16)}01020304${"0".repeat(32)}00050050`],
  [{ address: "", port: 0 }, "20000000"],
  [undefined, "20000000"],
])("version 2 tells of %j", (from, expected) => {
  expect(proxyHeader("v2", from, node).toString("hex")).toBe(signature + expected);
});
