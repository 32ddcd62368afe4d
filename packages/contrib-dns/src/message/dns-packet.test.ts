// Our reading of messages against dns-packet: queries that it writes, and what it finds in answers as we keep them.

import dnsPacket from "dns-packet";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readAnswer } from "./answer.ts";
import { headerSize } from "./codes.ts";
import { lowered } from "./names.ts";
import { readQuery } from "./query.ts";

const label = fc.string({ unit: fc.constantFrom("a", "B", "0", "-", "_", "é"), minLength: 1, maxLength: 20 });
const name = fc.array(label, { maxLength: 5 }).map((labels) => (labels.length === 0 ? "." : labels.join(".")));
const recordType = fc.constantFrom("A" as const, "AAAA" as const, "TXT" as const, "MX" as const, "SRV" as const);
const flag = fc.constantFrom(0, dnsPacket.RECURSION_DESIRED, dnsPacket.CHECKING_DISABLED);

/** The name as it stands in a message, in small letters. */
function wire(name: string): string {
  const labels = name === "." ? [] : name.split(".");
  const bytes = labels.map((label) => Buffer.concat([Buffer.of(Buffer.byteLength(label)), Buffer.from(label)]));
  return Buffer.concat([...bytes, Buffer.of(0)])
    .toString("latin1")
    .replaceAll("B", "b");
}

test("a query is read as dns-packet wrote it, and cut off anywhere it is none", () => {
  const edns = fc.option(fc.record({ udpSize: fc.constantFrom(100, 512, 1232, 65_535), wantsDnssec: fc.boolean() }));
  const query = fc.record({ id: fc.nat(65_535), name, type: recordType, flag, edns });
  fc.assert(
    fc.property(query, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (asked, share) => {
      const { id, name, type, flag: flags, edns } = asked;
      const options: dnsPacket.OptAnswer[] = [];
      if (edns !== null) {
        const flags = edns.wantsDnssec ? dnsPacket.DNSSEC_OK : 0;
        const fixed = { extendedRcode: 0, ednsVersion: 0, flag_do: edns.wantsDnssec, options: [] };
        options.push({ type: "OPT", name: ".", udpPayloadSize: edns.udpSize, flags, ...fixed });
      }
      const message = dnsPacket.encode({ type: "query", id, flags, questions: [{ name, type }], additionals: options });
      expect(readQuery(message)).toMatchObject({
        query: {
          ...{ id, flags, name: wire(name), type: dnsPacketTypes[type] },
          edns: edns === null ? undefined : { udpSize: Math.max(512, edns.udpSize), wantsDnssec: edns.wantsDnssec },
        },
      });
      const cut = readQuery(message.subarray(0, Math.floor(message.length * share)));
      expect(cut === undefined || "reply" in cut).toBe(true);
    }),
  );
});

const dnsPacketTypes = { A: 1, AAAA: 28, TXT: 16, MX: 15, SRV: 33 } as const;

interface Entry {
  readonly type: number;
  /** In seconds. */
  readonly ttl: number;
  readonly data: Uint8Array;
}

const ttl = fc.integer({ min: 0, max: 1000 });
const record: fc.Arbitrary<Entry> = fc.oneof(
  fc.record({ type: fc.constant(1), ttl, data: fc.uint8Array({ minLength: 4, maxLength: 4 }) }),
  fc.record({ type: fc.constant(28), ttl, data: fc.uint8Array({ minLength: 16, maxLength: 16 }) }),
  // Of no type that is known.
  fc.record({ type: fc.constant(65_400), ttl, data: fc.uint8Array({ maxLength: 40 }) }),
);
/** With the lifetime of what does not exist in its end; its names are those of the root. */
const soa = fc.tuple(ttl, ttl).map(([ttl, negative]) => {
  const data = Buffer.alloc(22);
  data.writeUInt32BE(negative, 18);
  return { type: 6, ttl, data, negative };
});
const opt: Entry = { type: 41, ttl: 0, data: new Uint8Array() };
function encode(owner: Uint8Array, { type, ttl, data }: Entry): Buffer {
  const fixed = Buffer.alloc(10);
  fixed.writeUInt16BE(type, 0);
  fixed.writeUInt16BE(1, 2);
  fixed.writeUInt32BE(ttl, 4);
  fixed.writeUInt16BE(data.length, 8);
  return Buffer.concat([owner, fixed, data]);
}

test("what is kept of an answer is what dns-packet finds in it, and it lives as long as its records", () => {
  const answer = fc.record({
    ...{ id: fc.nat(65_535), name, rcode: fc.constantFrom(0, 0, 3, 2) },
    answers: fc.array(record, { maxLength: 4 }),
    authorities: fc.option(soa),
    before: fc.array(record, { maxLength: 2 }),
    hasEdns: fc.boolean(),
    behind: fc.array(record, { maxLength: 2 }),
    isPointed: fc.boolean(),
  });
  fc.assert(
    fc.property(answer, ({ id, name, rcode, answers, authorities, before, hasEdns, behind, isPointed }) => {
      const question = Buffer.concat([Buffer.from(wire(name), "latin1"), Buffer.of(0, 1, 0, 1)]);
      const owner = isPointed ? Buffer.of(0xc0, headerSize) : question.subarray(0, -4);
      const soas = authorities === null ? [] : [authorities];
      const additionals = [...before, ...(hasEdns ? [opt] : []), ...behind];
      const head = Buffer.alloc(headerSize);
      for (const [i, value] of [id, 0x8180 | rcode, 1, answers.length, soas.length, additionals.length].entries())
        head.writeUInt16BE(value, i * 2);
      const records = [...answers, ...soas, ...additionals].map((one) =>
        encode(one === opt ? Buffer.of(0) : owner, one),
      );
      const message = Buffer.concat([head, question, ...records]);
      const expected = { id, question: question.toString("latin1") };
      const read = readAnswer(message, expected);
      if (read === undefined) throw new Error("not read");

      const kept = [...answers, ...soas, ...before, ...(hasEdns ? [] : behind)];
      for (const at of read.ttlOffsets) read.message.writeUInt32BE(7, at);
      const { answers: found = [], authorities: zones = [], additionals: others = [] } = dnsPacket.decode(read.message);
      expect([found.length, zones.length]).toEqual([answers.length, soas.length]);
      expect(found.length + zones.length + others.length).toBe(kept.length);
      for (const one of [...found, ...zones, ...others]) expect(one).toMatchObject({ ttl: 7 });

      const least = Math.min(...answers.map(({ ttl }) => ttl));
      const negative = authorities === null ? undefined : Math.min(authorities.ttl, authorities.negative);
      let ttl = 0;
      if (rcode === 0 && answers.length > 0) ttl = Math.min(least, negative ?? Infinity);
      else if (rcode !== 2) ttl = Math.min(least, negative ?? 0);
      expect(read).toMatchObject({ rcode, ttl, isTruncated: false, questionEnd: headerSize + question.length });

      // Behind EDNS, nothing is read.
      if (!hasEdns || behind.length === 0) expect(readAnswer(message.subarray(0, -1), expected)).toBeUndefined();
      expect(readAnswer(message, { ...expected, id: id ^ 1 })).toBeUndefined();
      const otherQuestion = lowered(question, 0, question.length - 1) + "\x02";
      expect(readAnswer(message, { id, question: otherQuestion })).toBeUndefined();
    }),
  );
});
