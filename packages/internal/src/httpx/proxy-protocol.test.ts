import { expect, test } from "vitest";
import { connect, type TLSSocket } from "node:tls";
import { once } from "node:events";
import { describeTransports, serve } from "../testing/serve.ts";
import { RawClient, request } from "../testing/raw-client.ts";
import type { HandletPart } from "../web/kinds.ts";

const line = "PROXY TCP4 203.0.113.7 192.0.2.1 51234 443\r\n";
const settings = { proxyProtocol: ["127.0.0.0/8"] };

const tellAddresses: HandletPart["handle"] = (req, resp) => {
  resp.send(`${req.srcHost} ${req.srcPort} ${req.peer.address} ${req.peer.port > 0} ${req.scheme}`);
  return true;
};

test("the client is whom the header names, and the peer stays readable", async () => {
  await using server = await serve({ handlets: [tellAddresses], settings });
  await using client = await server.connect();
  client.send(line + request("GET /") + request("GET /again"));
  const responses = await client.responses(2);
  for (const { text } of responses) expect(text).toBe("203.0.113.7 51234 127.0.0.1 true http");
});

test("a header may come byte by byte, and the request with it", async () => {
  await using server = await serve({ handlets: [tellAddresses], settings });
  await using client = await server.connect();
  await client.sendByteByByte(line + request("GET /"));
  expect((await client.response()).text).toBe("203.0.113.7 51234 127.0.0.1 true http");
});

test("a client that shuts its side behind its request is answered", async () => {
  await using server = await serve({ handlets: [tellAddresses], settings });
  await using client = await server.connect();
  client.send(line).send(request("GET /")).end();
  expect((await client.response()).text).toContain("203.0.113.7");
  expect(await client.ending()).toBe("end");
});

test("HTTP/2 with prior knowledge stands behind a header", async () => {
  await using server = await serve({ handlets: [tellAddresses], settings });
  await using client = await server.connect();
  client.send(`${line}PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0`);
  // The frame SETTINGS, of the connection as a whole.
  expect([...(await client.exactly(9))].slice(3)).toEqual([4, 0, 0, 0, 0, 0]);
});

test("TLS begins behind the header", async () => {
  await using server = await serve({ handlets: [tellAddresses], settings, tls: true });
  await using beneath = await RawClient.connect({ port: server.port, host: "127.0.0.1" });
  beneath.send(line);
  const socket: TLSSocket = connect({ ...server.tls, socket: beneath.socket });
  await once(socket, "secureConnect");
  socket.end(request("GET /", { connection: "close" }));
  const pieces: Buffer[] = [];
  for await (const piece of socket) if (piece instanceof Buffer) pieces.push(piece);
  expect(Buffer.concat(pieces).toString()).toContain("203.0.113.7 51234 127.0.0.1 true https");
});

describeTransports(({ serve, isTLS }) => {
  test("from elsewhere a header is no right beginning", async () => {
    await using server = await serve({ handlets: [tellAddresses], settings: { proxyProtocol: ["10.0.0.0/8"] } });
    expect((await server.ask("GET /")).text).toMatch(/^127\.0\.0\.1 \d+ 127\.0\.0\.1 true https?$/);
    if (isTLS) return;
    await using client = await server.connect();
    client.send(line + request("GET /"));
    expect((await client.response()).status).toBe(400);
  });
});

test("without a right header a connection of a proxy is closed, and the log says why", async () => {
  await using server = await serve({ handlets: [tellAddresses], settings });
  await using client = await server.connect();
  client.send(request("GET /"));
  expect(await client.ending()).toMatch(/^(?:end|reset)$/);
  expect(server.log.join("")).toContain(
    "closed a connection of a proxy, 127.0.0.1: it does not begin with a PROXY header",
  );
});

test("a header that does not come in time ends the connection", async () => {
  await using server = await serve({ handlets: [tellAddresses], settings: { ...settings, proxyHeaderTimeout: 20 } });
  await using client = await server.connect();
  client.send("PROXY ");
  expect(await client.ending()).toMatch(/^(?:end|reset)$/);
  expect(server.log.join("")).toContain("its PROXY header was not complete in time");
});

test("a proxy that only looks whether the port is open leaves no line", async () => {
  await using server = await serve({ handlets: [tellAddresses], settings });
  await using client = await server.connect();
  client.end();
  expect(await client.ending()).toBe("end");
  expect(server.log.join("")).not.toContain("PROXY");
});

test("the server stops while a header is waited for", async () => {
  await using server = await serve({ handlets: [tellAddresses], settings: { ...settings, drainIdleTimeout: 10 } });
  await using client = await server.connect();
  client.send("PROXY ");
  // The greeting stands once its bytes have been read, which is before another client has its answer.
  await using other = await server.connect();
  await other.send(line + request("GET /", { connection: "close" })).response();
  const quitting = server.stage.quit(5000);
  expect(await client.ending()).toMatch(/^(?:end|reset)$/);
  await quitting;
});
