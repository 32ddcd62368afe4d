// Clients at their ClientHello: what is kept for them, and how many of them get through.

import { randomBytes } from "node:crypto";
import { DatagramSockets, noTerms, type DatagramReceiver, type DatagramShare, type Endpoint } from "@hemi/internal";
import { readFile, mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeCertificate } from "@hemi/internal/testing";
import type { AcceptedConn } from "./accepted-conn.ts";
import { chosenIdKey } from "./conn-table.ts";
import { ConnIds } from "./conn-ids.ts";
import { QuicEndpoint, type QuicAcceptor } from "./endpoint.ts";
import { nativeQuic } from "./native.ts";
import { RetryTokens } from "./retry-tokens.ts";
import type { SiteConfig } from "./site-configs.ts";

const local: Endpoint = { address: "127.0.0.1", port: 443 };

function client(port: number): Endpoint {
  return { address: "127.0.0.1", port };
}

/** The first datagram of a client. */
function initial(): Buffer {
  const { Config, Connection } = nativeQuic();
  const config = Config.withBoringSslCtx(false, false, null, null, null, null);
  config.setApplicationProtos(["h3"]);
  const address = { host: "127.0.0.1", port: 443 };
  const conn = Connection.connect("a.example", randomBytes(16), { ...address, port: 1 }, address, config);
  const packet = Buffer.alloc(1350);
  const [size = 0] = conn.send(packet) ?? [];
  return packet.subarray(0, size);
}

function withoutCertificate(): SiteConfig {
  return { native: nativeQuic().Config.withBoringSslCtx(false, false, null, null, null, null), terms: noTerms };
}

/** An endpoint whose certificates are found when `found` is called. */
function makeEndpoint({
  maxConns = 100,
  isOpen = true,
  relay,
  soleConfig,
}: Partial<Pick<QuicAcceptor, "isOpen" | "relay" | "soleConfig">> & { maxConns?: number } = {}) {
  const sent: Buffer[] = [];
  const lookups: PromiseWithResolvers<SiteConfig | undefined>[] = [];
  const began: AcceptedConn[] = [];
  const failures: string[] = [];
  const hellos: number[] = [];
  let receiver: DatagramReceiver = () => undefined;
  const share: DatagramShare = {
    local,
    receive: (next) => (receiver = next),
    send: (bytes) => {
      sent.push(bytes);
      return false;
    },
    release: () => Promise.resolve(),
  };
  const acceptor: QuicAcceptor = {
    native: nativeQuic(),
    tokens: new RetryTokens(randomBytes(32), () => 0),
    ids: new ConnIds(),
    relay,
    isOpen,
    demandsRetry: (count) => hellos.push(count) > 0 && count >= 4,
    admits: () => began.length < maxConns,
    soleConfig,
    configFor() {
      const lookup = Promise.withResolvers<SiteConfig | undefined>();
      lookups.push(lookup);
      return lookup.promise;
    },
    began: (conn) => began.push(conn),
    handshakeFailed: (_client, reason) => failures.push(reason),
    helloTimeout: 5000,
    maxHellos: 10,
    overhead: { max: 1e9, recovery: 1 },
    established: () => ({ advance: () => undefined, closed: () => undefined }),
    gone: () => undefined,
    failed: () => undefined,
  };
  const endpoint = new QuicEndpoint(share, new DatagramSockets(), acceptor);
  endpoint.open();
  return {
    endpoint,
    began,
    sent,
    lookups,
    failures,
    hellos,
    /** A client sends a datagram. */
    receive: (bytes: Buffer, port: number) => receiver(bytes, client(port), share),
    async found(config = withoutCertificate()) {
      for (const lookup of lookups) lookup.resolve(config);
      await Promise.all(lookups.map(({ promise }) => promise));
    },
  };
}

test("clients that come while certificates are looked for do not pass maxConns", async () => {
  const { endpoint, began, lookups, receive, found } = makeEndpoint({ maxConns: 1 });
  for (let port = 1; port <= 3; port++) receive(initial(), port);
  expect(lookups).toHaveLength(3);
  await found();
  expect(began).toHaveLength(1);
  await endpoint.close();
});

test("no connection begins after the end of its server, when its certificate is found at last", async () => {
  const { endpoint, began, receive, found } = makeEndpoint();
  receive(initial(), 1);
  await endpoint.close();
  await found();
  expect(began).toEqual([]);
});

test("where all clients get the same certificate, a connection begins with their first datagram", async () => {
  const { endpoint, began, lookups, receive } = makeEndpoint({ maxConns: 2, soleConfig: withoutCertificate() });
  for (let port = 1; port <= 3; port++) receive(initial(), port);
  expect([began.length, lookups.length]).toEqual([2, 0]);
  for (const { conn } of began) conn.abandon();
  await endpoint.close();
});

test("a first datagram that was not made with the keys of its connection ID is not answered, nor kept", async () => {
  const { endpoint, began, sent, failures, receive } = makeEndpoint({ soleConfig: withoutCertificate() });
  const junk = initial();
  // Behind the header; zeros pad the end of the datagram, and belong to no packet.
  junk.writeUInt8((junk[40] ?? 0) ^ 1, 40);
  receive(junk, 1);
  expect(failures).toEqual(["its first packet cannot be read"]);
  const connId = junk.subarray(6, 6 + (junk[5] ?? 0));
  expect([began.length, endpoint.table.find(chosenIdKey(client(1), connId))]).toEqual([1, undefined]);
  await new Promise((resolve) => setImmediate(resolve));
  expect(sent).toEqual([]);
  await endpoint.close();
});

test("clients that have chosen the same connection ID get a connection each", async () => {
  const { endpoint, began, receive } = makeEndpoint({ soleConfig: withoutCertificate() });
  const hello = initial();
  for (const port of [1, 2, 1]) receive(Buffer.from(hello), port);
  expect(began.map(({ remote }) => remote.port)).toEqual([1, 2]);
  for (const { conn } of began) conn.abandon();
  await endpoint.close();
});

test("the end of a connection leaves another one alone whose client has chosen the same ID", async () => {
  const { endpoint, began, receive, found } = makeEndpoint();
  const hello = initial();
  for (const port of [1, 2]) receive(Buffer.from(hello), port);
  await found();
  const [first, second] = began;
  expect([first?.remote.port, second?.remote.port]).toEqual([1, 2]);
  first?.conn.abandon();
  receive(Buffer.from(hello), 2);
  expect(began).toHaveLength(2);
  const connId = hello.subarray(6, 6 + (hello[5] ?? 0));
  expect(endpoint.table.find(chosenIdKey(client(2), connId))).toBe(second);
  second?.conn.abandon();
  await endpoint.close();
});

test("clients at their ClientHello count as load that demands a Retry", async () => {
  const { endpoint, sent, lookups, hellos, receive } = makeEndpoint();
  for (let port = 1; port <= 6; port++) receive(initial(), port);
  expect(hellos).toEqual([0, 1, 2, 3, 4, 4]);
  expect([lookups.length, sent.length]).toEqual([4, 2]);
  await endpoint.close();
});

test("nothing is kept of datagrams that are larger than any network brings", async () => {
  const { endpoint, lookups, hellos, receive } = makeEndpoint();
  receive(Buffer.concat([initial(), Buffer.alloc(60_000)]), 1);
  expect([lookups, hellos]).toEqual([[], []]);
  await endpoint.close();
});

test("a client of an unproven address is sent three times what it has sent at most (RFC 9000 8.1)", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-amplification-"));
  makeCertificate(folder.path, "site");
  const [key, certificate] = await Promise.all(
    ["site.key", "site.crt"].map((name) => readFile(join(folder.path, name))),
  );
  if (key === undefined || certificate === undefined) throw new Error("there is no certificate");
  // A chain that takes many datagrams.
  const chain = Buffer.concat(Array<Buffer>(40).fill(certificate));
  const config = nativeQuic().Config.withBoringSslCtx(false, false, null, [key], [chain], null);
  config.setApplicationProtos(["a", "h3"]);
  const { endpoint, sent, began, receive, found } = makeEndpoint();
  const hello = initial();
  receive(hello, 1);
  await found({ native: config, terms: noTerms });
  expect(began).toHaveLength(1);
  await expect.poll(() => sent.length).toBeGreaterThan(1);
  const size = sent.reduce((sum, { length }) => sum + length, 0);
  expect(size).toBeGreaterThan(2 * hello.length);
  expect(size).toBeLessThanOrEqual(3 * hello.length);
  for (const { conn } of began) conn.abandon();
  await endpoint.close();
});

test("packets of other workers' connections, and first packets while it drains, are passed on once", () => {
  const passed: string[] = [];
  const relay: QuicAcceptor["relay"] = {
    pass: (datagram) => (datagram[0] ?? 0) < 0x80 && passed.push("short") > 0,
    passNew: () => void passed.push("first"),
  };
  const { endpoint, receive } = makeEndpoint({ isOpen: false, relay });
  const short = Buffer.alloc(40, 0x41);
  receive(short, 1);
  receive(initial(), 2);
  expect(passed).toEqual(["short", "first"]);
  const from = { address: "127.0.0.1", port: 1 };
  for (const datagram of [short, initial()]) endpoint.relayed(datagram, from);
  expect(passed).toEqual(["short", "first"]);
});
