// What the servers for connections have in common.

import { expect, test } from "vitest";
import { datagramTarget, echoTarget, serve, uint16, type TestClient } from "./testing/serve.ts";

const toLoopback = '.allowAddresses = ("127.0.0.0/8")';
const loopback = Buffer.of(1, 127, 0, 0, 1);

async function askOfSocks(client: TestClient, command: number, port: number): Promise<void> {
  client.send(Buffer.of(5, 1, 0, 5, command, 0)).send(Buffer.concat([loopback, uint16(port)]));
  expect((await client.exactly(12))[3]).toBe(0);
}

async function askOfTunnels(client: TestClient, head: string, status: string): Promise<void> {
  expect(await client.send(`${head}\r\n\r\n`).through("\r\n\r\n")).toContain(status);
}

const upgrade = "connection: Upgrade\r\nupgrade: connect-udp\r\ncapsule-protocol: ?1";

/** What makes a connection one that waits for its client. */
const openings: [
  sign: string,
  what: string,
  open: (client: TestClient, tcp: number, udp: number) => Promise<unknown>,
][] = [
  ["echoServer", "that it has echoed", (client) => client.send("x").exactly(1)],
  ["socksServer", "by CONNECT", (client, tcp) => askOfSocks(client, 1, tcp)],
  ["socksServer", "by UDP ASSOCIATE", (client) => askOfSocks(client, 3, 0)],
  ["tunnelServer", "by CONNECT", (client, tcp) => askOfTunnels(client, `CONNECT 127.0.0.1:${tcp} HTTP/1.1`, "200")],
  [
    "tunnelServer",
    "by connect-udp",
    (client, _tcp, udp) =>
      askOfTunnels(client, `GET /.well-known/masque/udp/127.0.0.1/${udp}/ HTTP/1.1\r\nhost: a\r\n${upgrade}`, "101"),
  ],
];

test.each(openings)("a shorter idleTimeout holds at once in %s for a connection %s", async (sign, _what, open) => {
  await using tcp = await echoTarget();
  await using udp = await datagramTarget();
  const props = sign === "echoServer" ? "" : toLoopback;
  await using server = await serve(sign, props);
  await using client = await server.connect();
  await open(client, tcp.port, udp.port);
  await server.reload(`${props} .idleTimeout = 1ms`);
  await client.toTheEnd();
});
