import fc from "fast-check";
import { expect, test } from "vitest";
import { isDtlsHandshake, readDtlsClientHello } from "./dtls-client-hello.ts";

/** The body of a ClientHello with these extensions, in hex. */
function body({ cookie = "", serverName = "" }): Buffer {
  const name = Buffer.from(serverName);
  const names = Buffer.concat([Buffer.of(0, name.length + 3, 0, 0, name.length), name]);
  const alpn = Buffer.from("000c08636f61702f746c7300", "hex").subarray(0, 11);
  const extension = (type: number, content: Buffer) =>
    Buffer.concat([Buffer.of(0, type, content.length >> 8, content.length & 255), content]);
  const extensions = Buffer.concat([
    ...(serverName === "" ? [] : [extension(0, names)]),
    extension(16, Buffer.concat([Buffer.of(0, alpn.length - 2), alpn.subarray(2)])),
  ]);
  const cookieBytes = Buffer.from(cookie, "hex");
  return Buffer.concat([
    Buffer.from("fefd", "hex"),
    Buffer.alloc(32, 7),
    Buffer.of(0, cookieBytes.length),
    cookieBytes,
    Buffer.from("0002c02b0100", "hex"),
    Buffer.of(extensions.length >> 8, extensions.length & 255),
    extensions,
  ]);
}

/** A record of DTLS with a part of the message. */
function fragment(message: Buffer, start: number, end: number, { type = 1, sequence = 0 } = {}): Buffer {
  const piece = message.subarray(start, end);
  const head = Buffer.alloc(25);
  head.set([0x16, 0xfe, 0xff]);
  head.writeUInt16BE(piece.length + 12, 11);
  head.writeUInt8(type, 13);
  head.writeUIntBE(message.length, 14, 3);
  head.writeUInt16BE(sequence, 17);
  head.writeUIntBE(start, 19, 3);
  head.writeUIntBE(piece.length, 22, 3);
  return Buffer.concat([head, piece]);
}

/** Records of DTLS with the message in fragments of at most `size` bytes, each in a datagram of its own. */
function datagrams(message: Buffer, size = message.length): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at < message.length; at += size) found.push(fragment(message, at, at + size));
  return found;
}

test.each([
  ["without a cookie", ""],
  ["with a cookie", "0102030405"],
])("the server name and the protocols are found, %s", (_how, cookie) => {
  const hello = readDtlsClientHello(datagrams(body({ cookie, serverName: "a.example" })));
  expect(hello).toEqual({ serverName: "a.example", protocols: ["coap/tls"] });
});

test("a message in fragments is read when all of them are there, in any order", () => {
  const pieces = datagrams(body({ serverName: "a.example" }), 20);
  expect(pieces.length).toBeGreaterThan(2);
  expect(readDtlsClientHello(pieces.slice(0, -1))).toBe(undefined);
  expect(readDtlsClientHello([...pieces.slice(1), ...pieces.slice(0, 1)])?.serverName).toBe("a.example");
});

test("fragments that are cut anywhere, come in any order, overlap and come twice are one message", () => {
  const message = body({ cookie: "0102", serverName: "a.example" });
  const cuts = fc.uniqueArray(fc.integer({ min: 1, max: message.length - 1 }), { maxLength: 6 });
  fc.assert(
    fc.property(cuts, fc.array(fc.nat(30)), fc.array(fc.nat()), fc.boolean(), (cuts, overlaps, order, isJoined) => {
      const bounds = [0, ...cuts.toSorted((a, b) => a - b), message.length];
      const pieces = bounds.slice(1).map((end, i) => {
        const start = Math.max(0, (bounds[i] ?? 0) - (overlaps[i] ?? 0));
        return fragment(message, start, end);
      });
      const [lost = Buffer.alloc(0)] = pieces.splice((order[0] ?? 0) % pieces.length, 1);
      // Other messages of the handshake are no part of it.
      const strange = [fragment(message, 0, 5, { sequence: 3 }), fragment(message, 0, 5, { type: 2 })];
      const shuffled = pieces.map((piece, i) => ({ piece, key: order[i] ?? 0 })).sort((a, b) => a.key - b.key);
      const some = shuffled.map(({ piece }) => piece);
      if (!overlaps.some((overlap) => overlap > 0) && some.length > 0)
        expect(readDtlsClientHello(some)).toBeUndefined();
      const all = [...some, lost, ...strange, ...some];
      const hello = readDtlsClientHello(isJoined ? [Buffer.concat(all)] : all);
      expect(hello).toEqual({ serverName: "a.example", protocols: ["coap/tls"] });
    }),
  );
});

test.each([
  ["another record", "17feff"],
  ["TLS", "160301"],
  ["another version", "16fe00"],
  ["a version below", "16fdff"],
])("%s is no handshake of DTLS", (_what, hex) => {
  expect(isDtlsHandshake(Buffer.from(hex, "hex"))).toBe(false);
});

test("a name that is not asked for is undefined", () => {
  expect(readDtlsClientHello(datagrams(body({})))?.serverName).toBe(undefined);
});

test("any bytes are survived", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 3 }), (arrays) => {
      const pieces = arrays.map((array) => Buffer.concat([Buffer.from("16fefd0000", "hex"), array]));
      for (const piece of pieces) expect(isDtlsHandshake(piece)).toBe(true);
      readDtlsClientHello(pieces);
    }),
  );
});
