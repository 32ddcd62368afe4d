import * as net from "node:net";
import { once } from "node:events";
import * as tls from "node:tls";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { maxClientHello, readClientHello } from "./client-hello.ts";

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
