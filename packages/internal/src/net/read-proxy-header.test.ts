import { expect, test } from "vitest";
import { maxProxyHeader, readProxyHeader } from "./read-proxy-header.ts";

const read = (text: string) => readProxyHeader(Buffer.from(text, "latin1"));

test("a line of version 1 names the client, and ends where the client's bytes begin", () => {
  expect(read("PROXY TCP4 203.0.113.7 192.0.2.1 51234 443\r\nGET / HTTP/1.1\r\n")).toEqual({
    size: 44,
    source: { address: "203.0.113.7", port: 51234 },
  });
  expect(read("PROXY TCP6 2001:db8::7 ::1 0 65535\r\n")).toMatchObject({ source: { address: "2001:db8::7", port: 0 } });
});

test("an address has one form, however a proxy writes it", () => {
  const source = (from: string) => read(`PROXY TCP6 ${from} ::1 1 2\r\n`);
  expect(source("2001:DB8:0:0:0:0:0:7")).toMatchObject({ source: { address: "2001:db8::7" } });
  expect(source("::ffff:10.0.0.1")).toMatchObject({ source: { address: "10.0.0.1" } });
  expect(source("::ffff:a00:1")).toMatchObject({ source: { address: "10.0.0.1" } });
});

test("a proxy that does not know its client says so", () => {
  expect(read("PROXY UNKNOWN\r\n")).toEqual({ size: 15, source: undefined });
  expect(read("PROXY UNKNOWN ff:: ff:: 1 2\r\n")).toEqual({ size: 29, source: undefined });
});

test.each([
  "PROXY TCP4 203.0.113.7 192.0.2.1 51234\r\n",
  "PROXY TCP4 203.0.113.7 192.0.2.1 51234 443 1\r\n",
  "PROXY TCP4  203.0.113.7 192.0.2.1 51234 443\r\n",
  "PROXY TCP4 2001:db8::7 192.0.2.1 51234 443\r\n",
  "PROXY TCP6 203.0.113.7 192.0.2.1 51234 443\r\n",
  "PROXY TCP6 fe80::1%eth0 ::1 51234 443\r\n",
  "PROXY TCP4 203.0.113.07 192.0.2.1 51234 443\r\n",
  "PROXY TCP4 203.0.113.7 192.0.2.1 65536 443\r\n",
  "PROXY TCP4 203.0.113.7 192.0.2.1 01 443\r\n",
  "PROXY UDP4 203.0.113.7 192.0.2.1 1 443\r\n",
  "PROXY tcp4 203.0.113.7 192.0.2.1 1 443\r\n",
  "PROXY \r\n",
  "PROXY TCP4 203.0.113.7 192.0.2.1 1 443\n\r\n",
])("a malformed line is refused: %j", (line) => {
  expect(read(line)).toBe("its PROXY line is malformed");
});

test("a line ends within 107 bytes", () => {
  const longest = `PROXY UNKNOWN ${"f".repeat(91)}\r\n`;
  expect(longest).toHaveLength(107);
  expect(read(longest)).toEqual({ size: 107, source: undefined });
  expect(read("PROXY UNKNOWN ".padEnd(106, "f"))).toBeUndefined();
  expect(read("PROXY UNKNOWN ".padEnd(107, "f"))).toBe("its PROXY line does not end within 107 bytes");
});

test("what begins with neither version is told at its first strange byte", () => {
  for (const text of ["G", "PROXy", "PROXY\t", "\r\n\r\n\0\r\nQUIT\r", "\x16\x03\x01"]) {
    expect(read(text), JSON.stringify(text)).toBe("it does not begin with a PROXY header");
  }
});

const signature = "\r\n\r\n\0\r\nQUIT\n";

function version2(versionAndCommand: number, family: number, rest: readonly number[], length = rest.length): Buffer {
  const fixed = Buffer.from([versionAndCommand, family, length >> 8, length & 255]);
  return Buffer.concat([Buffer.from(signature, "latin1"), fixed, Buffer.from(rest)]);
}

const addresses4 = [203, 0, 113, 7, 192, 0, 2, 1, 0xc8, 0x22, 1, 187];

test("a header of version 2 names the client; what stands behind the addresses is passed over", () => {
  const tlv = [0x03, 0, 4, 1, 2, 3, 4];
  expect(readProxyHeader(version2(0x21, 0x11, [...addresses4, ...tlv]))).toEqual({
    size: 35,
    source: { address: "203.0.113.7", port: 51234 },
  });
  const addresses6 = [0x20, 1, 0xd, 0xb8, ...Array<number>(11).fill(0), 7, ...Array<number>(16).fill(1), 0, 80, 1, 187];
  expect(readProxyHeader(version2(0x21, 0x21, addresses6))).toEqual({
    size: 52,
    source: { address: "2001:db8::7", port: 80 },
  });
  expect(readProxyHeader(version2(0x21, 0x31, Array<number>(216).fill(0x2f)))).toEqual({
    size: 232,
    source: { address: "", port: 0 },
  });
});

test("a proxy that speaks for itself, or does not know, names nobody", () => {
  expect(readProxyHeader(version2(0x20, 0x00, []))).toEqual({ size: 16, source: undefined });
  expect(readProxyHeader(version2(0x20, 0x11, addresses4))).toEqual({ size: 28, source: undefined });
  expect(readProxyHeader(version2(0x21, 0x00, [1, 2, 3]))).toEqual({ size: 19, source: undefined });
});

test("a wrong header of version 2 is refused", () => {
  expect(readProxyHeader(version2(0x11, 0x11, addresses4))).toMatch("unknown version or command, 0x11");
  expect(readProxyHeader(version2(0x22, 0x11, addresses4))).toMatch("unknown version or command, 0x22");
  expect(readProxyHeader(version2(0x21, 0x12, addresses4))).toMatch("not of a stream: family and transport are 0x12");
  expect(readProxyHeader(version2(0x21, 0x11, addresses4.slice(1)))).toMatch("no room for its addresses in 11 bytes");
  expect(readProxyHeader(version2(0x21, 0x11, [], maxProxyHeader - 15))).toMatch("16385 bytes; 16384 are allowed");
  expect(readProxyHeader(version2(0x21, 0x11, [], maxProxyHeader - 16))).toBeUndefined();
});

test("no part of a header is taken for the whole", () => {
  const whole = [version2(0x21, 0x11, addresses4), Buffer.from("PROXY TCP4 203.0.113.7 192.0.2.1 51234 443\r\n")];
  for (const bytes of whole) {
    for (let size = 1; size < bytes.length; size++) expect(readProxyHeader(bytes.subarray(0, size))).toBeUndefined();
    expect(readProxyHeader(bytes)).toMatchObject({ size: bytes.length });
  }
});
