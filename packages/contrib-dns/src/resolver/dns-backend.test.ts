// Questions and their answers, as clients see them.

import { createSocket } from "node:dgram";
import { mkdtempDisposable, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Answer, DecodedPacket } from "dns-packet";
import fc from "fast-check";
import { expect, test } from "vitest";
import { answering, nameServer } from "../testing/name-server.ts";
import { edns, queryFor, resolve } from "../testing/resolve.ts";

const a = (name: string, data: string, ttl = 60): Answer => ({ type: "A", name, ttl, data });
const soa = (minimum: number): Answer => ({
  type: "SOA",
  name: "example",
  ttl: 900,
  data: { mname: "a.example", rname: "b.example", serial: 1, refresh: 1, retry: 1, expire: 1, minimum },
});
const dataOf = ({ answers = [] }: DecodedPacket): unknown[] =>
  answers.map((each) => ("data" in each ? each.data : undefined));

test("static records are answered by name and type, whatever the letters", async () => {
  await using site = await resolve(`.records = (
    ["name": "www.example", "type": "A", "values": ("192.0.2.1", "192.0.2.2")],
    ["name": "mail.example", "type": "MX", "values": ("10 a.example")],
    ["name": "t.example", "type": "TXT", "values": ("${"x".repeat(300)}")],
    ["name": "s.example", "type": "SRV", "values": ("0 5 5060 sip.example")],
    ["name": "c.example", "type": "CAA", "values": ("0 issue ca.example")])`);
  const reply = await site.ask("wWw.eXample A");
  expect(reply.questions?.[0]?.name).toBe("wWw.eXample");
  expect(reply.answers).toMatchObject([a("wWw.eXample", "192.0.2.1", 300), a("wWw.eXample", "192.0.2.2", 300)]);
  expect(reply.flag_aa).toBe(true);
  expect(dataOf(await site.ask("mail.example MX"))).toEqual([{ preference: 10, exchange: "a.example" }]);
  expect(String(dataOf(await site.ask("t.example TXT"))[0])).toHaveLength(301);
  expect(dataOf(await site.ask("s.example SRV"))).toMatchObject([{ port: 5060, target: "sip.example" }]);
  expect(dataOf(await site.ask("c.example CAA"))).toMatchObject([{ tag: "issue", value: "ca.example" }]);
});

test("what is not among the static records does not exist in their zones, and is refused elsewhere", async () => {
  await using site = await resolve(
    `.zones = ("example") .records = (["name": "www.example", "type": "A", "values": ("192.0.2.1")],
      ["name": "*.apps.example", "type": "CNAME", "values": ("www.example")])`,
  );
  expect(await site.ask("no.example")).toMatchObject({
    rcode: "NXDOMAIN",
    authorities: [{ type: "SOA", name: "example" }],
  });
  expect(await site.ask("www.example AAAA")).toMatchObject({
    rcode: "NOERROR",
    answers: [],
    authorities: [{ type: "SOA" }],
  });
  expect(await site.ask("elsewhere.test")).toMatchObject({ rcode: "REFUSED" });
  expect(dataOf(await site.ask("a.apps.example"))).toEqual(["www.example", "192.0.2.1"]);
});

test("a loop of static CNAME records is a mistake of the configuration", async () => {
  const loop = `.records = (["name": "a.example", "type": "CNAME", "values": ("b.example")],
    ["name": "b.example", "type": "CNAME", "values": ("a.example")])`;
  await expect(resolve(loop)).rejects.toThrow("CNAME records from a.example on are a loop");
  await expect(resolve('.records = (["name": "a", "type": "A", "values": ("::1")])')).rejects.toThrow(
    "an IPv4 address",
  );
  await expect(resolve("")).rejects.toThrow("it would refuse everything");
});

test("a static alias of a foreign name brings the records of that name", async () => {
  await using server = await nameServer(answering([a("www.other.test", "192.0.2.7")]));
  await using site = await resolve(
    '.records = (["name": "a.example", "type": "CNAME", "values": ("www.other.test")])',
    server.port,
  );
  expect(dataOf(await site.ask("a.example"))).toEqual(["www.other.test", "192.0.2.7"]);
  expect(server.queries[0]?.questions?.[0]?.name).toBe("www.other.test");
});

test("a loop of CNAME records, from here to elsewhere and back, ends with what was found", async () => {
  const cname = (name: string, data: string): Answer => ({ type: "CNAME", name, ttl: 60, data });
  await using server = await nameServer(answering([cname("www.other.test", "a.example"), cname("b.test", "b.test")]));
  const records = '.records = (["name": "a.example", "type": "CNAME", "values": ("www.other.test")])';
  await using site = await resolve(records, server.port);
  expect(dataOf(await site.ask("a.example"))).toContain("www.other.test");
  expect(dataOf(await site.ask("b.test"))).toContain("b.test");
  expect(server.queries.length).toBe(2);
});

test("an answer is kept, with the letters of each client, and its lifetime is counted down", async () => {
  await using server = await nameServer(answering([a("a.test", "192.0.2.1", 600)]));
  await using site = await resolve("", server.port);
  expect(await site.ask("a.test")).toMatchObject({ id: 7, answers: [a("a.test", "192.0.2.1", 600)] });
  const again = await site.ask("A.tesT", { id: 99 });
  expect(again).toMatchObject({ id: 99, questions: [{ name: "A.tesT" }], flag_aa: false, flag_ra: true });
  expect(server.queries).toHaveLength(1);
});

test("clients that ask the same at once are one question to the name server", async () => {
  await using server = await nameServer(answering([a("a.test", "192.0.2.1", 0)]));
  await using site = await resolve("", server.port);
  const replies = await Promise.all(Array.from({ length: 20 }, () => site.ask("a.test")));
  expect(replies.flatMap(dataOf)).toEqual(Array(20).fill("192.0.2.1"));
  expect(server.queries.length).toBeLessThan(20);
});

test("that a name does not exist is kept as long as its zone says, and not at all without a SOA record", async () => {
  await using server = await nameServer(answering([], { flags: 3, authorities: [soa(60)] }));
  await using site = await resolve("", server.port);
  expect((await site.ask("no.test")).rcode).toBe("NXDOMAIN");
  expect((await site.ask("no.test")).rcode).toBe("NXDOMAIN");
  expect(server.queries).toHaveLength(1);
  server.become(answering([], { flags: 3 }));
  await site.ask("other.test");
  await site.ask("other.test");
  expect(server.queries).toHaveLength(3);
});

test("answers to another question, id or source are not taken", async () => {
  await using server = await nameServer(({ id = 0, questions }) => {
    return { type: "response", id: id ^ 1, questions: questions ?? [], answers: [a("a.test", "192.0.2.66")] };
  });
  await using site = await resolve(".queryTimeout = 100ms .maxTries = 1", server.port);
  expect((await site.ask("a.test")).rcode).toBe("SERVFAIL");
  server.become(({ id = 0 }) => ({ type: "response", id, questions: [{ type: "A", name: "b.test" }], answers: [] }));
  expect((await site.ask("a.test")).rcode).toBe("SERVFAIL");
});

test("an answer whose lifetime is over is used when name servers fail", async () => {
  await using server = await nameServer(answering([a("a.test", "192.0.2.1", 1)]));
  await using site = await resolve(".queryTimeout = 50ms .maxTries = 1 .staleAfter = 5s", server.port);
  await site.ask("a.test");
  server.become(() => undefined);
  await expect
    .poll(
      async () => {
        await site.ask("a.test");
        return server.queries.length;
      },
      { timeout: 10_000 },
    )
    .toBe(2);
  expect(dataOf(await site.ask("a.test"))).toEqual(["192.0.2.1"]);
  // It is left alone for a while.
  expect(server.queries).toHaveLength(2);
});

test("a reply that is too long for a datagram is truncated, and complete over TCP", async () => {
  const many = Array.from({ length: 60 }, (_, i) => a("a.test", `192.0.2.${i}`));
  await using server = await nameServer((query, raw) => answering(many)(query, raw));
  await using site = await resolve("", server.port, ".maxUdpSize = 4096");
  expect(await site.ask("a.test")).toMatchObject({ flag_tc: true, answers: [] });
  expect((await site.ask("a.test", edns(4096))).answers).toHaveLength(60);
  const [whole] = await site.askByStream(["a.test A"]);
  expect(whole?.answers).toHaveLength(60);
});

test("an answer that the name server truncates is fetched over TCP", async () => {
  let isFirst = true;
  await using server = await nameServer(({ id, questions }) => {
    const wasFirst = isFirst;
    isFirst = false;
    const base = { type: "response", id, questions: questions ?? [] } as const;
    return wasFirst ? { ...base, flags: 0x200 } : { ...base, answers: [a("a.test", "192.0.2.9")] };
  });
  await using site = await resolve("", server.port);
  expect(dataOf(await site.ask("a.test"))).toEqual(["192.0.2.9"]);
});

test("EDNS is answered with EDNS, an unknown version of it with BADVERS, and everything with little", async () => {
  await using site = await resolve('.records = (["name": "a.example", "type": "A", "values": ("192.0.2.1")])');
  expect((await site.ask("a.example", edns(1232))).additionals).toMatchObject([{ type: "OPT", udpPayloadSize: 1232 }]);
  expect((await site.ask("a.example")).additionals).toEqual([]);
  const newer = await site.ask("a.example", edns(1232, 1));
  expect(newer.additionals).toMatchObject([{ type: "OPT", extendedRcode: 1 }]);
  expect(dataOf(await site.ask("a.example ANY"))).toMatchObject([{ cpu: "RFC8482" }]);
});

test("queries over TCP are answered, split at every byte, and many at once", async () => {
  await using site = await resolve('.records = (["name": "a.example", "type": "A", "values": ("192.0.2.1")])');
  const replies = await site.askByStream(["a.example A", "a.example AAAA", "b.example A"], 1);
  expect(replies.map(({ rcode }) => rcode)).toEqual(["NOERROR", "NOERROR", "REFUSED"]);
});

test("the log has a line for each session over UDP and TCP with its counts, and no name that was asked", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-dns-"));
  const [udp, tcp] = [join(folder.path, "udp"), join(folder.path, "tcp")];
  {
    const records = '.records = (["name": "a.example", "type": "A", "values": ("192.0.2.1")])';
    await using site = await resolve(records, 0, ".repliesPerSecond = 1", {
      udp: `.connLog = ["file": "${udp}", "format": "json"]`,
      tcp: `.connLog = ["file": "${tcp}", "format": $endReason + " " + $notes]`,
    });
    await site.askByStream(["a.example A", "b.test A", "nothing.a.example A"]);
    await site.ask("a.example");
    await site.raw(queryFor("a.example"), 100);
  }
  const [first = "", second = ""] = (await readFile(udp, "utf8")).split("\n");
  expect(JSON.parse(first)).toMatchObject({ notes: { queries: 1, errors: 0, limited: 0 }, endReason: "complete" });
  expect(JSON.parse(second)).toMatchObject({ notes: { queries: 1, errors: 0, limited: 1 } });
  expect(first).toContain('"totalTime":');
  expect(await readFile(tcp, "utf8")).toMatch(/^\w+ queries=3 errors=2 limited=0\n$/);
  expect(first + second).not.toContain("example");
});

test("a network that asks too much over UDP gets short replies, or none", async () => {
  const records = '.records = (["name": "a.example", "type": "A", "values": ("192.0.2.1")])';
  await using site = await resolve(records, 0, ".repliesPerSecond = 1");
  expect((await site.ask("a.example")).answers).toHaveLength(1);
  const rest = await Promise.all([1, 2].map(() => site.raw(queryFor("a.example"), 300)));
  const short = rest.filter((each) => each !== undefined);
  expect(short).toHaveLength(1);
  expect(short[0]?.length).toBe(queryFor("a.example").length);
  expect((short[0]?.readUInt16BE(2) ?? 0) & 0x0200).toBe(0x0200);
});

test("noise and lies of any kind leave it working, and responses are never answered", async () => {
  await using server = await nameServer((_query, raw) => {
    const noise = Buffer.from(raw);
    noise[2] = 0x80;
    noise[7] = 1;
    return Buffer.concat([noise, Buffer.from([0xc0, 0xff, 0, 1, 0, 1, 0xff, 0xff])]);
  });
  await using site = await resolve(".queryTimeout = 50ms .maxTries = 1", server.port);
  const client = createSocket("udp4");
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(40), (bytes, at) => {
      const broken = queryFor("a.test");
      bytes.forEach((byte, i) => (broken[(at + i) % broken.length] = byte));
      client.send(broken, site.udp, "127.0.0.1");
      client.send(Buffer.from(bytes), site.udp, "127.0.0.1");
    }),
    { numRuns: 300 },
  );
  client.close();
  expect(await site.raw(queryFor("a.test", { type: "response" }), 200)).toBeUndefined();
  expect((await site.ask("a.test")).rcode).toBe("SERVFAIL");
});

test("hemi explain tells which resolver answers, and from where", async () => {
  await using site = await resolve('.records = (["name": "a.example", "type": "A", "values": ("192.0.2.1")])');
  const walk = await site.stage.explainConn({ protocol: "udp" });
  expect(walk.outcome).toMatchObject({ type: "taken", text: "answers its queries by dnsBackend.names" });
  expect(walk.cases?.[0]?.asked?.[0]?.details).toEqual(["1 lists of records, then it refuses"]);
});

test("queries that a client sends at once do not get around maxPending, and are answered later", async () => {
  await using server = await nameServer(() => undefined);
  await using site = await resolve(".queryTimeout = 500ms .maxTries = 1", server.port, ".maxPending = 2");
  const replies = site.askByStream(Array.from({ length: 8 }, (_, i) => `n${i}.example`));
  await expect.poll(() => server.queries.length).toBeGreaterThan(1);
  server.become(answering([]));
  const failed = (await replies).filter(({ rcode }) => rcode === "SERVFAIL");
  expect([(await replies).length, failed.length]).toEqual([8, 2]);
});
