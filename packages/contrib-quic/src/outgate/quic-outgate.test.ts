// quicOutgate before http3Server: a program that speaks HTTP/3 by itself, byte by byte.

import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bootWith, MemorySink, openErrorLog, type Stage } from "@hemi/internal";
import { makeCertificate, Uncaught } from "@hemi/internal/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import contrib from "../index.ts";
import type { QuicConnectionEvents } from "./quic-connection.ts";
import { QuicOutgate, type QuicHost } from "./quic-outgate.ts";

let folder: Awaited<ReturnType<typeof mkdtempDisposable>>;
let stage: Stage | undefined;
let port = 0;
const sink = new MemorySink();

beforeAll(async () => {
  folder = await mkdtempDisposable(join(tmpdir(), "hemi-quic-outgate-"));
  makeCertificate(folder.path, "site");
  const file = join(folder.path, "site");
  stage = await bootWith([contrib]).bootText(
    `stage {
      quicOutgate { .tlsCA = "${file}.crt" .dialTimeout = 300ms .maxConns = 2 }
      webapp "site" {
        .hostnames = ("*") .tlsCert = ("${file}.crt") .tlsKey = ("${file}.key")
        rule { .returnText = "hello, world!" }
      }
      http3Server "quic" { .webapps = ("site") .address = "127.0.0.1:0" }
    }`,
    { log: openErrorLog({ sink }) },
  );
  await stage.start();
  const part = stage.find("http3Server.quic")?.part;
  const [address = ""] = part !== undefined && "listensOn" in part ? (part.listensOn as readonly string[]) : [];
  port = Number(/:(\d+)$/.exec(address)?.[1]);
});
afterAll(async () => {
  await stage?.quit(1000);
  await folder[Symbol.asyncDispose]();
});

function needOutgate(): QuicOutgate {
  const outgate = stage?.find("quicOutgate")?.part;
  if (!(outgate instanceof QuicOutgate)) throw new Error("the stage has no quicOutgate");
  return outgate;
}

const host = (changed: Partial<QuicHost> = {}): QuicHost => ({
  ips: ["127.0.0.1"],
  port,
  hostname: "localhost",
  nextProtos: ["other", "h3"],
  ...changed,
});

function fail(): never {
  throw new Error("a fault of the user's");
}

/** `GET https://a.example/` (RFC 9204, appendix A). */
const get = Buffer.from("01100000d1d7c15009612e6578616d706c65", "hex");
/** The control stream with empty SETTINGS (RFC 9114 6.2.1). */
const control = Buffer.from("000400", "hex");

test("a protocol of one's own has streams of both sides, and the end of the connection is told", async () => {
  const begins: number[] = [];
  const closed = Promise.withResolvers<string | undefined>();
  const conn = await needOutgate().dial(host(), {
    stream: (stream) => void stream.once("data", (bytes: Buffer) => begins.push(bytes[0] ?? -1)),
    closed: closed.resolve,
  });
  expect(conn.nextProto).toBe("h3");
  conn.openUniStream()?.write(control);
  const request = conn.openStream();
  request?.end(get);
  const pieces: Buffer[] = [];
  for await (const piece of request ?? []) pieces.push(piece as Buffer);
  expect(Buffer.concat(pieces).toString("latin1")).toMatch(/hello, world!$/);
  // Its control stream; those of QPACK begin with the first instruction.
  expect(begins).toContain(0);
  const waiting = conn.openStream();
  conn.close(0x100);
  expect([await closed.promise, conn.isClosed, conn.openStream()]).toEqual([undefined, true, undefined]);
  expect(waiting?.destroyed).toBe(true);
});

test.each<[string, QuicConnectionEvents]>([
  ["function throws", { stream: fail }],
  ["promise rejects with", { stream: () => Promise.reject(new Error("a fault of the user's")) }],
  ["listener of a stream throws", { stream: (stream) => void stream.on("data", fail) }],
])("what a user's %s is logged, and ends its connection alone", async (_, events) => {
  using uncaught = new Uncaught();
  sink.lines.length = 0;
  const closed = Promise.withResolvers<string | undefined>();
  const other = await needOutgate().dial(host(), { stream() {} });
  await needOutgate().dial(host(), { ...events, closed: closed.resolve });
  await closed.promise;
  expect(sink.lines.join("")).toContain("a fault of the user's");
  expect([other.isClosed, uncaught.errors]).toEqual([false, []]);
  other.close(0x100);
});

test("a connection that cannot be made says why", async () => {
  await using silent = createSocket("udp4");
  silent.bind(0, "127.0.0.1");
  await once(silent, "listening");
  const failureOf = (changed: Partial<QuicHost>): Promise<unknown> =>
    needOutgate()
      .dial(host(changed), {})
      .then(
        () => undefined,
        (error: unknown) => error,
      );
  expect(await failureOf({ nextProtos: ["other"] })).toMatchObject({
    code: "HEMI_BACKEND_DIAL",
    message: expect.stringContaining("no protocol in common") as string,
  });
  expect(await failureOf({ hostname: "other.example" })).toMatchObject({
    code: "HEMI_BACKEND_DIAL",
    message: expect.stringContaining("certificate") as string,
  });
  expect(await failureOf({ port: silent.address().port })).toMatchObject({ code: "HEMI_TIMEOUT" });
  expect(await failureOf({ ips: [] })).toMatchObject({ code: "HEMI_BACKEND_DIAL" });
  const two = await Promise.all([1, 2].map(() => needOutgate().dial(host(), { stream() {} })));
  expect(await failureOf({})).toMatchObject({ code: "HEMI_BACKEND_BUSY" });
  for (const conn of two) conn.close(0x100);
});

test("a server that sends a stream where nobody takes one ends the connection", async () => {
  const closed = Promise.withResolvers<string | undefined>();
  await needOutgate().dial(host(), { closed: closed.resolve });
  expect(await closed.promise).toBeDefined();
});
