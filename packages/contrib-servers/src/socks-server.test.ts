import { createSocket } from "node:dgram";
import { once } from "node:events";
import { bootWith, type Problem } from "@hemi/internal";
import fc from "fast-check";
import { expect, test } from "vitest";
import contrib from "./index.ts";
import { datagramTarget, echoTarget, serve, uint16, type TestClient } from "./testing/serve.ts";

const toLoopback = '.allowAddresses = ("127.0.0.0/8")';

function v4(port: number, ip = "127.0.0.1"): Buffer {
  return Buffer.concat([Buffer.of(1, ...ip.split(".").map(Number)), uint16(port)]);
}

function name(host: string, port: number): Buffer {
  return Buffer.concat([Buffer.of(3, host.length), Buffer.from(host), uint16(port)]);
}

function v6(hex: string, port: number): Buffer {
  return Buffer.concat([Buffer.of(4), Buffer.from(hex, "hex"), uint16(port)]);
}

/** The code of the reply to a request, from a client that needs no password. */
async function ask(client: TestClient, command: number, address: Buffer): Promise<number | undefined> {
  client.send(Buffer.of(5, 1, 0));
  expect([...(await client.exactly(2))]).toEqual([5, 0]);
  client.send(Buffer.concat([Buffer.of(5, command, 0), address]));
  const head = await client.exactly(4);
  return head[1];
}

test.each([
  ["an address", (port: number) => v4(port)],
  ["a name", (port: number) => name("localhost", port)],
])("version 5 connects to %s, and bytes pass both ways to the end", async (_what, address) => {
  await using target = await echoTarget();
  await using server = await serve("socksServer", toLoopback);
  await using client = await server.connect();
  expect(await ask(client, 1, address(target.port))).toBe(0);
  await client.exactly(6);
  client.send("hello").socket.end();
  expect((await client.toTheEnd()).toString()).toBe("hello");
});

test("a request that comes in single bytes, with data behind it, is served", async () => {
  await using target = await echoTarget();
  await using server = await serve("socksServer", toLoopback);
  await using client = await server.connect();
  const bytes = Buffer.concat([Buffer.of(5, 1, 0, 5, 1, 0), v4(target.port), Buffer.from("early")]);
  for (const byte of bytes) {
    client.send(Buffer.of(byte));
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect((await client.exactly(2 + 10 + 5)).subarray(12).toString()).toBe("early");
});

test.each([
  ["127.0.0.1", v4(80)],
  ["0.0.0.0", v4(80, "0.0.0.0")],
  ["169.254.169.254", v4(80, "169.254.169.254")],
  ["::1", v6("00000000000000000000000000000001", 80)],
  ["::", v6("00000000000000000000000000000000", 80)],
  ["::ffff:127.0.0.1", v6("00000000000000000000ffff7f000001", 80)],
  ["64:ff9b::7f00:1 (NAT64)", v6("0064ff9b00000000000000007f000001", 80)],
  ["a name of this machine", name("localhost", 80)],
  ["a text of an address", name("127.0.0.1", 80)],
])("%s is not connected to", async (_what, address) => {
  await using server = await serve("socksServer");
  await using client = await server.connect();
  expect(await ask(client, 1, address)).toBe(2);
  await using second = await server.connect();
  expect(await ask(second, 1, address)).toBe(2);
});

test.each([
  ["a port that is not allowed", ".ports = (443)", 1, v4(80), 2],
  ["port 0", "", 1, v4(0), 2],
  ["BIND", "", 2, v4(80), 7],
  ["a type of address that does not exist", "", 1, Buffer.of(9), 8],
  ["a name that does not exist", "", 1, name("none.invalid", 80), 4],
])("%s is refused with its code", async (_what, props, command, address, code) => {
  await using server = await serve("socksServer", `${toLoopback} ${props}`);
  await using client = await server.connect();
  expect(await ask(client, command, address)).toBe(code);
});

test("a target that refuses is told", async () => {
  const target = await echoTarget();
  await target[Symbol.asyncDispose]();
  await using server = await serve("socksServer", toLoopback);
  await using client = await server.connect();
  expect(await ask(client, 1, v4(target.port))).toBe(5);
});

test("clients that are not allowed by address need a right name and password", async () => {
  await using target = await echoTarget();
  await using server = await serve("socksServer", `${toLoopback} .allow = () .users = ["ann": "sesame"]`);
  await using without = await server.connect();
  expect([...(await without.send(Buffer.of(5, 1, 0)).toTheEnd())]).toEqual([5, 0xff]);
  const login = (password: string) =>
    Buffer.concat([Buffer.of(1, 3), Buffer.from("ann"), Buffer.of(password.length), Buffer.from(password)]);
  await using wrong = await server.connect();
  expect([
    ...(await wrong
      .send(Buffer.of(5, 1, 2))
      .send(login("x"))
      .toTheEnd()),
  ]).toEqual([5, 2, 1, 1]);
  await using right = await server.connect();
  right.send(Buffer.of(5, 2, 0, 2)).send(login("sesame"));
  right.send(Buffer.concat([Buffer.of(5, 1, 0), v4(target.port), Buffer.from("hi")]));
  expect((await right.exactly(4 + 10 + 2)).subarray(14).toString()).toBe("hi");
  await using old = await server.connect();
  old.send(Buffer.concat([Buffer.of(4, 1), uint16(target.port), Buffer.of(127, 0, 0, 1, 0)]));
  expect((await old.exactly(2))[1]).toBe(0x5b);
});

test.each([
  ["4", Buffer.of(127, 0, 0, 1, 0x61, 0)],
  ["4a", Buffer.concat([Buffer.of(0, 0, 0, 1, 0), Buffer.from("localhost\0")])],
])("version %s connects", async (_version, address) => {
  await using target = await echoTarget();
  await using server = await serve("socksServer", toLoopback);
  await using client = await server.connect();
  client.send(Buffer.concat([Buffer.of(4, 1), uint16(target.port), address, Buffer.from("hello")]));
  expect((await client.exactly(8))[1]).toBe(0x5a);
  expect((await client.exactly(5)).toString()).toBe("hello");
});

test("datagrams are relayed for the client only, and end with its connection", async () => {
  await using target = await datagramTarget();
  await using server = await serve("socksServer", toLoopback);
  await using client = await server.connect();
  expect(await ask(client, 3, v4(0, "0.0.0.0"))).toBe(0);
  const bound = await client.exactly(6);
  const relay = createSocket("udp4");
  relay.connect(bound.readUInt16BE(4), "127.0.0.1");
  await once(relay, "connect");
  const send = (address: Buffer, text: string, fragment = 0) =>
    relay.send(Buffer.concat([Buffer.of(0, 0, fragment), address, Buffer.from(text)]));
  // Dropped: a fragment, and an address that may not be reached.
  send(v4(target.port), "fragment", 1);
  send(v4(target.port, "10.0.0.1"), "private");
  send(name("localhost", target.port), "hello");
  const [answer] = (await once(relay, "message")) as [Buffer];
  expect(answer.subarray(0, 10)).toEqual(Buffer.concat([Buffer.of(0, 0, 0), v4(target.port)]));
  expect(answer.subarray(10).toString()).toBe("hello");
  client.socket.end();
  await client.toTheEnd();
  relay.close();
});

test("any bytes are survived, and the next client is served", { timeout: 60_000 }, async () => {
  await using target = await echoTarget();
  await using server = await serve("socksServer", `${toLoopback} .handshakeTimeout = 1ms`);
  const openings = fc.constantFrom(
    Buffer.of(5),
    Buffer.of(5, 1, 0),
    Buffer.of(5, 1, 0, 5, 1, 0),
    Buffer.of(5, 1, 0, 5, 3, 0),
    Buffer.of(4, 1),
    Buffer.alloc(0),
  );
  await fc.assert(
    fc.asyncProperty(openings, fc.uint8Array({ maxLength: 300 }), async (opening, rest) => {
      await using client = await server.connect();
      client.send(Buffer.concat([opening, rest])).socket.end();
      await client.toTheEnd();
    }),
    { numRuns: 150 },
  );
  expect(server.log.filter((line) => line.includes(" error "))).toEqual([]);
  await using patient = await serve("socksServer", toLoopback);
  await using client = await patient.connect();
  expect(await ask(client, 1, v4(target.port))).toBe(0);
});

test("an open proxy is warned of", async () => {
  const warnings: string[] = [];
  const text = 'stage { socksServer "main" { .address = "127.0.0.1:0" .allow = ("0.0.0.0/0") } }';
  const warned = (problems: readonly Problem[]) => warnings.push(...problems.map(({ message }) => message));
  await using _stage = await bootWith([contrib]).bootText(text, { warned });
  expect(warnings.join()).toContain("an open proxy");
});
