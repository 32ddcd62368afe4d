// A ClientHello in the first packets of a client: in pieces, out of order, and as attackers write it.

import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { varint } from "@hemi/common";
import { clientHello, cryptoFrame, initialDatagram } from "../testing/initial-packets.ts";
import { ClientInitial } from "./client-initial.ts";
import { clientKeys } from "./initial-keys.ts";
import { quicVersion, quicVersion2, readLongHeader } from "./long-header.ts";

const dcid = Buffer.from("8394c8f03e515708", "hex");
const hello = clientHello("Shop.Example.", ["h3", "h3-29"]);
const wanted = { serverName: "shop.example", nextProtos: ["h3", "h3-29"] };

function readAll(datagrams: readonly Buffer[], version = quicVersion) {
  const initial = new ClientInitial(dcid, version);
  let found;
  for (const datagram of datagrams) found ??= initial.push(datagram);
  return { found, isBroken: initial.isBroken };
}

function datagramOf(...frames: readonly Buffer[]): Buffer {
  return initialDatagram(frames, { dcid });
}

test("the keys are those of RFC 9001 A.1 and RFC 9369 A.1", () => {
  const texts = (version: number) => Object.values(clientKeys(dcid, version)).map((key: Buffer) => key.toString("hex"));
  expect(texts(quicVersion)).toEqual([
    "1f369613dd76d5467730efcbe3b1a22d",
    "fa044b2f42a3fd3b46fb255c",
    "9f50449e04a0e810283a1e9933adedd2",
  ]);
  expect(texts(quicVersion2)).toEqual([
    "8b1a0bc121284290a29e0971b5cd045d",
    "91f73e2351d8fa91660e909f",
    "45b95e15235d6f45a6b19cbcb0294ba9",
  ]);
});

test.each([quicVersion, quicVersion2])("a hello of version %d is read", (version) => {
  const datagram = initialDatagram([cryptoFrame(0, hello)], { dcid, version, token: randomBytes(100), number: 3 });
  expect(readAll([datagram], version)).toEqual({ found: wanted, isBroken: false });
});

test("a hello may come in any pieces, in any order, in several datagrams, and twice", () => {
  const cuts = fc.array(fc.integer({ min: 1, max: hello.length - 1 }), { maxLength: 8 });
  fc.assert(
    fc.property(cuts, fc.array(fc.nat(), { minLength: 20, maxLength: 20 }), fc.boolean(), (cuts, order, isTwice) => {
      const bounds = [...new Set([0, ...cuts, hello.length])].sort((one, other) => one - other);
      const pieces = bounds.slice(1).map((end, i) => cryptoFrame(bounds[i] ?? 0, hello.subarray(bounds[i], end)));
      const all = isTwice ? [...pieces, ...pieces] : pieces;
      const shuffled = all.map((piece, i) => ({ piece, key: order[i] ?? 0 })).sort((a, b) => a.key - b.key);
      const datagrams = shuffled.map(({ piece }) => datagramOf(Buffer.of(0x01), piece, Buffer.of(0)));
      expect(readAll(datagrams)).toEqual({ found: wanted, isBroken: false });
    }),
    { numRuns: 50 },
  );
});

test("a hello may be spread over the packets of one datagram, of which four are looked at", () => {
  const quarter = Math.ceil(hello.length / 4);
  const packets = [0, 1, 2, 3].map((i) => {
    const piece = hello.subarray(i * quarter, (i + 1) * quarter);
    return initialDatagram([cryptoFrame(i * quarter, piece)], { dcid, number: i });
  });
  expect(readAll([Buffer.concat(packets)])).toEqual({ found: wanted, isBroken: false });
  const [first = Buffer.alloc(0)] = packets;
  expect(readAll([Buffer.concat([first, ...packets])])).toEqual({ found: undefined, isBroken: false });
});

test("pieces that overlap have to agree: what could be read in two ways is not read", () => {
  const same = [cryptoFrame(20, hello.subarray(20)), cryptoFrame(0, hello.subarray(0, 40))];
  expect(readAll([datagramOf(...same)]).found).toEqual(wanted);
  const other = clientHello("else.example", ["h3", "h3-29"]);
  const conflicting = [cryptoFrame(0, hello.subarray(0, 60)), cryptoFrame(50, other.subarray(50))];
  expect(readAll([datagramOf(...conflicting)])).toEqual({ found: undefined, isBroken: true });
});

test("packets of a datagram that servers do not look at are not looked at", () => {
  const elsewhere = { dcid: randomBytes(8), keysOf: dcid };
  const asked = cryptoFrame(0, clientHello("else.example"));
  const hidden = Buffer.concat([datagramOf(), initialDatagram([asked], elsewhere)]);
  expect(readAll([hidden]).found).toBeUndefined();
  expect(readAll([hidden, datagramOf(cryptoFrame(0, hello))]).found).toEqual(wanted);
});

test("a datagram of many packets is not read to its end", () => {
  const empty = Array.from({ length: 10 }, () => datagramOf());
  expect(readAll([Buffer.concat([...empty, datagramOf(cryptoFrame(0, hello))])]).found).toBeUndefined();
});

test("a hello that is none, too large, or in too many pieces is given up", () => {
  expect(readAll([datagramOf(cryptoFrame(0, Buffer.from("02000004aaaaaaaa", "hex")))]).isBroken).toBe(true);
  expect(readAll([datagramOf(cryptoFrame(0, Buffer.from("01ffffff", "hex")))]).isBroken).toBe(true);
  expect(readAll([datagramOf(cryptoFrame(2 ** 40, hello))]).isBroken).toBe(true);
  const crumbs = Array.from({ length: 101 }, (_, i) => cryptoFrame(1000 + i, Buffer.of(0)));
  expect(readAll([datagramOf(...crumbs)]).isBroken).toBe(true);
});

test("lengths that lie are no hello, and no fault of ours", () => {
  expect(readAll([datagramOf(Buffer.concat([Buffer.of(0x06), varint(0), varint(10_000), hello]))]).found).toBe(
    undefined,
  );
  const datagram = datagramOf(cryptoFrame(0, hello));
  for (const at of [5, 6, 14, 15, 23, 24, 25]) {
    for (const value of [0, 20, 21, 0x7f, 0xff]) {
      const bent = Buffer.from(datagram);
      bent[at] = value;
      readLongHeader(bent);
      readAll([bent]);
    }
  }
});

test("any bytes, and packets with any byte changed, are read without a throw", () => {
  const datagram = datagramOf(cryptoFrame(0, hello));
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(datagram.length - 1), fc.nat(255), (bytes, at, value) => {
      const bent = Buffer.from(datagram);
      bent[at] = value;
      readAll([bent, Buffer.from(bytes), Buffer.concat([Buffer.of(0xc0, 0, 0, 0, 1), bytes])]);
      readAll([datagramOf(Buffer.from(bytes))]);
    }),
    { numRuns: 200 },
  );
});
