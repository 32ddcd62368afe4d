import fc from "fast-check";
import { expect, test } from "vitest";
import { more } from "../component/partial-condition.ts";
import { sniffStream } from "./sniff.ts";

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");

const openings: readonly (readonly [string, Buffer])[] = [
  ["tls", hex("16 03 01 02 00 01")],
  ["http", Buffer.from("GET / HTTP/1.1\r\n")],
  ["http", Buffer.from("OPTIONS * HTTP/1.1\r\n")],
  ["http", Buffer.from("GET http://a.example/ HTTP/1.1\r\n")],
  ["http", Buffer.from("CONNECT a.example:443 HTTP/1.1\r\n")],
  ["http2", Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")],
  ["ssh", Buffer.from("SSH-2.0-OpenSSH_9.2p1\r\n")],
  ["redis", Buffer.from("*1\r\n$4\r\nPING\r\n")],
  ["postgres", hex("00 00 00 08 04 d2 16 2f")],
  ["postgres", hex("00 00 00 29 00 03 00 00 75 73 65 72 00")],
  ["mysql", hex("01 00 00 00 01")],
  ["mqtt", hex("10 0c 00 04 4d 51 54 54 04 02 00 3c 00 00")],
  ["mqtt", hex("10 ac 01 00 04 4d 51 54 54 05")],
  ["rdp", hex("03 00 00 13 0e e0 00 00 00 00 00 01 00 08 00 03 00 00 00")],
  ["socks", hex("05 01 00")],
  ["socks", hex("05 02 00 02")],
  ["socks", hex("04 01 00 50 7f 00 00 01 00")],
  ["dns", hex("00 1d ab cd 01 00 00 01 00 00 00 00 00 00 01 61")],
];

test.each(openings)("%s is told by its first bytes, and not by fewer in another way", (protocol, bytes) => {
  expect(sniffStream(bytes)).toBe(protocol);
  for (let size = 0; size < bytes.length; size++) {
    expect([protocol, more]).toContain(sniffStream(bytes.subarray(0, size)));
  }
});

test.each([
  "EHLO a.example\r\n",
  "PING\r\n",
  "USER ann\r\n",
  "\x00\x00\x00\x00\x00\x00\x00\x00\x00",
  "\xff\xff\xff\xff\xff",
])("%j belongs to no known protocol", (text) => {
  expect(sniffStream(Buffer.from(text, "latin1"))).toBe("");
});

test("any bytes are decided within 64, and further bytes change no decision", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 64, maxLength: 80 }), fc.nat(64), (array, size) => {
      const bytes = Buffer.from(array);
      const early = sniffStream(bytes.subarray(0, size));
      const late = sniffStream(bytes);
      expect(late).not.toBe(more);
      if (early === "") expect(late).toBe("");
    }),
  );
});
