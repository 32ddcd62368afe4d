import { expect, test } from "vitest";
import { datagramCapsule, datagramTarget, echoTarget, serve } from "./testing/serve.ts";

const toLoopback = '.allowAddresses = ("127.0.0.0/8")';
const upgrade = "connection: Upgrade\r\nupgrade: connect-udp\r\ncapsule-protocol: ?1\r\n";

test("CONNECT opens a tunnel, with what came behind the head", async () => {
  await using target = await echoTarget();
  await using server = await serve("tunnelServer", toLoopback);
  await using client = await server.connect();
  client.send(`CONNECT localhost:${target.port} HTTP/1.1\r\nhost: localhost:${target.port}\r\n\r\nearly`);
  expect(await client.through("\r\n\r\n")).toBe("HTTP/1.1 200 OK\r\n\r\n");
  client.socket.end("late");
  expect((await client.toTheEnd()).toString()).toBe("earlylate");
});

test("a tunnel passes on what a client has sent before it shut its side, while its target was dialled", async () => {
  await using target = await echoTarget();
  await using server = await serve("tunnelServer", toLoopback);
  await using client = await server.connect();
  client.socket.end(`CONNECT localhost:${target.port} HTTP/1.1\r\nhost: localhost:${target.port}\r\n\r\nearly`);
  expect((await client.toTheEnd()).toString()).toBe("HTTP/1.1 200 OK\r\n\r\nearly");
});

test("connect-udp relays datagrams in capsules", async () => {
  await using target = await datagramTarget();
  await using server = await serve("tunnelServer", toLoopback);
  await using client = await server.connect();
  client.send(`GET /.well-known/masque/udp/127.0.0.1/${target.port}/ HTTP/1.1\r\nhost: a\r\n${upgrade}\r\n`);
  expect(await client.through("\r\n\r\n")).toMatch(/^HTTP\/1\.1 101 .*upgrade: connect-udp/s);
  // A capsule of an unknown type before it is skipped.
  client.send(Buffer.from("19037878", "hex")).send("x");
  client.send(datagramCapsule(Buffer.from("hello")));
  expect(await client.exactly(8)).toEqual(datagramCapsule(Buffer.from("hello")));
});

test.each([
  ["CONNECT 127.0.0.1:80 HTTP/1.1\r\n\r\n", 403],
  ["CONNECT [::1]:80 HTTP/1.1\r\n\r\n", 403],
  ["CONNECT [64:ff9b::7f00:1]:80 HTTP/1.1\r\n\r\n", 403],
  ["CONNECT none.invalid:80 HTTP/1.1\r\n\r\n", 502],
  ["CONNECT a.example HTTP/1.1\r\n\r\n", 400],
  ["CONNECT a.example:99999 HTTP/1.1\r\n\r\n", 400],
  ["CONNECT a.example:80 HTTP/1.1\r\ncontent-length: 5\r\n\r\n", 400],
  ["CONNECT a.example:80 HTTP/1.1\r\nbad field\r\n\r\n", 400],
  ["CONNECT a.example:80 HTTP/1.1\r\na: b \x01\r\n\r\n", 400],
  [`CONNECT 127.0.0.1:80 HTTP/1.1\r\na:\r\nb: \r\nc: d${" ".repeat(4000)}\te \t\r\n\r\n`, 403],
  ["CONNECT a.example:80 HTTP/1.0\r\n\r\n", 400],
  ["GET / HTTP/1.1\r\n\r\n", 400],
  [`GET /.well-known/masque/udp/127.0.0.1/53/ HTTP/1.1\r\n${upgrade}\r\n`, 403],
  [`GET /.well-known/masque/udp/%3A%3A1/53/ HTTP/1.1\r\n${upgrade}\r\n`, 403],
  ["GET /.well-known/masque/udp/a.example/53/ HTTP/1.1\r\n\r\n", 400],
  ["x".repeat(10_000), 400],
])("%j is refused with %i", async (head, status) => {
  await using server = await serve("tunnelServer");
  await using client = await server.connect();
  expect((await client.send(head).toTheEnd()).toString()).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
});

test("clients that are not allowed by address need a right name and password", async () => {
  await using target = await echoTarget();
  await using server = await serve("tunnelServer", `${toLoopback} .allow = () .users = ["ann": "open:sesame"]`);
  const answerTo = async (credentials: string) => {
    await using client = await server.connect();
    const token = Buffer.from(credentials).toString("base64");
    client.send(`CONNECT 127.0.0.1:${target.port} HTTP/1.1\r\nproxy-authorization: Basic ${token}\r\n\r\n`);
    return (await client.through("\r\n\r\n")).slice(9, 12);
  };
  expect(await answerTo("ann:x")).toBe("407");
  expect(await answerTo("eve:open:sesame")).toBe("407");
  expect(await answerTo("ann:open:sesame")).toBe("200");
});

test("tcpohServer has no tunnels for UDP, and udpohServer none for TCP", async () => {
  await using tcp = await serve("tcpohServer", toLoopback);
  await using client = await tcp.connect();
  client.send(`GET /.well-known/masque/udp/127.0.0.1/53/ HTTP/1.1\r\n${upgrade}\r\n`);
  expect((await client.toTheEnd()).toString()).toMatch(/^HTTP\/1\.1 400 /);
  await using udp = await serve("udpohServer", toLoopback);
  await using second = await udp.connect();
  expect((await second.send("CONNECT 127.0.0.1:80 HTTP/1.1\r\n\r\n").toTheEnd()).toString()).toMatch(
    /^HTTP\/1\.1 400 /,
  );
});

test.each([
  ["is larger than a datagram", Buffer.from("00bfffffff", "hex")],
  ["has a context and more content than UDP can carry", datagramCapsule(Buffer.alloc(65_528))],
])("a capsule that %s ends the tunnel", async (_what, capsule) => {
  await using target = await datagramTarget();
  await using server = await serve("tunnelServer", toLoopback);
  await using client = await server.connect();
  client.send(`GET /.well-known/masque/udp/127.0.0.1/${target.port}/ HTTP/1.1\r\nhost: a\r\n${upgrade}\r\n`);
  await client.through("\r\n\r\n");
  expect((await client.send(capsule).toTheEnd()).length).toBe(0);
});

test("a client that ends within a capsule is not answered any more, and one that ends behind it gets our end", async () => {
  await using target = await datagramTarget();
  await using server = await serve("tunnelServer", toLoopback);
  for (const rest of ["", "\x00"]) {
    await using client = await server.connect();
    client.send(`GET /.well-known/masque/udp/127.0.0.1/${target.port}/ HTTP/1.1\r\nhost: a\r\n${upgrade}\r\n`);
    await client.through("\r\n\r\n");
    client.send(datagramCapsule(Buffer.from("hello")));
    expect(await client.exactly(8)).toEqual(datagramCapsule(Buffer.from("hello")));
    client.send(rest).socket.end();
    expect((await client.toTheEnd()).length).toBe(0);
  }
});

test("echoServer sends back what comes, and takes connections of a router", async () => {
  await using server = await serve("echoServer");
  await using client = await server.connect();
  client.send("hello").socket.end();
  expect((await client.toTheEnd()).toString()).toBe("hello");
});
