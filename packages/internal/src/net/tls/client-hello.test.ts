import * as net from "node:net";
import { once } from "node:events";
import * as tls from "node:tls";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { maxClientHello, readClientHello, readProtocols } from "./client-hello.ts";

/** What a client of Node.js sends first. */
async function helloOf(options: tls.ConnectionOptions): Promise<Buffer> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo;
  const client = tls.connect({ port, host: "127.0.0.1", ...options });
  client.on("error", () => {});
  const [socket] = (await once(server, "connection")) as [net.Socket];
  const [hello] = (await once(socket, "data")) as [Buffer];
  socket.destroy();
  server.close();
  return hello;
}

/** The same message in records of `size` bytes. */
function inRecords(hello: Buffer, size: number): Buffer {
  const records: Buffer[] = [];
  for (let at = 5; at < hello.length; at += size) {
    const piece = hello.subarray(at, at + size);
    records.push(Buffer.from([0x16, 3, 1, piece.length >> 8, piece.length & 0xff]), piece);
  }
  return Buffer.concat(records);
}

/** With its length before it, in one byte or two. */
function vector(lengthSize: 1 | 2, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  const length = lengthSize === 1 ? Buffer.of(content.length) : Buffer.of(content.length >> 8, content.length & 255);
  return Buffer.concat([length, content]);
}

const anyHello = fc
  .record({
    sessionId: fc.uint8Array({ maxLength: 32 }),
    suites: fc.uint8Array({ minLength: 2, maxLength: 300 }),
    compression: fc.uint8Array({ minLength: 1, maxLength: 3 }),
    serverName: fc.option(fc.domain(), { nil: undefined }),
    protocols: fc.array(fc.constantFrom("h2", "http/1.1", "acme-tls/1", "\xfa\xfa"), { maxLength: 4 }),
    // Of types that mean nothing here.
    others: fc.array(fc.tuple(fc.constantFrom(1, 10, 15, 17, 43, 51, 0x0a0a), fc.uint8Array({ maxLength: 300 }))),
    order: fc.nat(),
  })
  .map(({ sessionId, suites, compression, serverName, protocols, others, order }) => {
    const extension = (type: number, content: Uint8Array): Buffer =>
      Buffer.concat([Buffer.of(type >> 8, type & 255), vector(2, content)]);
    const extensions = others.map(([type, content]) => extension(type, content));
    const put = (one: Buffer): unknown => extensions.splice(order % (extensions.length + 1), 0, one);
    if (serverName !== undefined) put(extension(0, vector(2, Buffer.of(0), vector(2, Buffer.from(serverName)))));
    if (protocols.length > 0)
      put(extension(16, vector(2, ...protocols.map((name) => vector(1, Buffer.from(name, "latin1"))))));
    const body = Buffer.concat([
      ...[Buffer.of(3, 3), Buffer.alloc(32, 7), vector(1, sessionId), vector(2, suites), vector(1, compression)],
      vector(2, ...extensions),
    ]);
    const message = Buffer.concat([Buffer.of(1, body.length >> 16, (body.length >> 8) & 255, body.length & 255), body]);
    return { record: Buffer.concat([Buffer.of(0x16, 3, 1), vector(2, message)]), serverName, protocols };
  });

test("whatever else stands in it, and in however many records it comes, its names are found once it is whole", () => {
  fc.assert(
    fc.property(anyHello, fc.integer({ min: 1, max: 600 }), ({ record, serverName, protocols }, size) => {
      const bytes = inRecords(record, size);
      expect(readClientHello(bytes)).toEqual({ serverName });
      expect(readProtocols(bytes)).toEqual(protocols);
      expect(readClientHello(bytes.subarray(0, -1))).toBeUndefined();
      expect(readProtocols(bytes.subarray(0, -1))).toEqual([]);
      // What follows it in the same record is not part of it.
      const longer = Buffer.concat([record, Buffer.of(1, 2, 3)]);
      longer.writeUInt16BE(longer.length - 5, 3);
      expect(readProtocols(longer)).toEqual(protocols);
    }),
  );
});

describe.each(["TLSv1.2", "TLSv1.3"] as const)("of a client by %s", (version) => {
  const versions = { minVersion: version, maxVersion: version };

  test("the server name is found, once all of it has come", async () => {
    const hello = await helloOf({ ...versions, servername: "shop.example" });
    expect(readClientHello(hello)).toEqual({ serverName: "shop.example" });
    for (let size = 0; size < hello.length; size++) expect(readClientHello(hello.subarray(0, size))).toBeUndefined();
  });

  test("there may be none", async () => {
    expect(readClientHello(await helloOf(versions))).toEqual({ serverName: undefined });
  });

  test("it may come in many records", async () => {
    const hello = await helloOf({ ...versions, servername: "shop.example" });
    for (const size of [1, 2, 5, 100]) {
      const bytes = inRecords(hello, size);
      expect(readClientHello(bytes)).toEqual({ serverName: "shop.example" });
      expect(readClientHello(bytes.subarray(0, -1))).toBeUndefined();
    }
  });

  test("a changed one gives some answer, and no error", async () => {
    const hello = await helloOf({ ...versions, servername: "shop.example" });
    const change = fc.tuple(fc.nat(hello.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 5 }), (changes) => {
        const changed = Buffer.from(hello);
        for (const [at, byte] of changes) changed[at] = byte;
        const found = readClientHello(changed);
        expect(["string", "undefined"]).toContain(typeof found?.serverName);
      }),
    );
  });
});

test.each([
  ["another message", Buffer.from("\x16\x03\x01\x00\x04\x02\x00\x00\x00", "latin1")],
  [
    "another record behind the first",
    Buffer.from("\x16\x03\x01\x00\x04\x01\x00\x00\x09\x17\x03\x03\x00\x01x", "latin1"),
  ],
  ["an empty record", Buffer.from("\x16\x03\x01\x00\x00", "latin1")],
  [
    "one without end",
    Buffer.concat([Buffer.from("\x16\x03\x01\xff\xff\x01\xff\xff\xff", "latin1"), Buffer.alloc(maxClientHello)]),
  ],
])("%s has no server name", (_name, bytes) => {
  expect(readClientHello(bytes)).toEqual({ serverName: undefined });
});

test("any bytes give some answer", () => {
  fc.assert(fc.property(fc.uint8Array(), (bytes) => void readClientHello(Buffer.from([0x16, 3, ...bytes]))));
});
