import { expect, test } from "vitest";
import { request } from "../../testing/raw-client.ts";
import { handshake, serveSocklet, type SockletServer } from "../../testing/websocket.ts";
import type { AcceptOptions } from "./upgrade.ts";

const serve = (settings = "", options: Partial<AcceptOptions> = {}): Promise<SockletServer> =>
  serveSocklet(
    (upgrade, settings) => {
      upgrade.accept({ settings, message: (message, ws) => ws.send(message), ...options });
      return true;
    },
    { settings, rule: '.returnText = "page"' },
  );

test("the key of the RFC is answered as in the RFC", async () => {
  await using server = await serve();
  const head = await (await server.connect()).send(handshake()).through("\r\n\r\n");
  expect(head).toContain("HTTP/1.1 101 Switching Protocols\r\n");
  expect(head).toContain("sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n");
  expect(head).not.toContain("sec-websocket-extensions");
});

test.each<[string, Record<string, string>, number]>([
  ["no key", { "sec-websocket-key": "" }, 400],
  ["a key of another length", { "sec-websocket-key": "dGhlIHNhbXBsZQ==" }, 400],
  ["an old version", { "sec-websocket-version": "8" }, 400],
  ["a page of another host", { origin: "https://evil.example" }, 403],
  ["a page of another port", { origin: "http://test.example:8080" }, 403],
  ["a page without a host", { origin: "null" }, 403],
])("%s is refused", async (_name, fields, status) => {
  await using server = await serve();
  const response = await (await server.connect()).send(handshake(fields)).response();
  expect(response.status).toBe(status);
  if ("sec-websocket-version" in fields) expect(response.headers["sec-websocket-version"]).toBe("13");
});

test.each([
  ["a page of the same host", "", "http://test.example"],
  ["a page that is named", '.origins = ("https://b.example")', "https://b.example"],
  ["any page where all may", '.origins = ("*")', "https://evil.example"],
])("%s may open a WebSocket", async (_name, settings, origin) => {
  await using server = await serve(settings);
  expect(await (await server.connect()).send(handshake({ origin })).through("\r\n")).toContain(" 101 ");
});

test("a page of the same host may not where others are named", async () => {
  await using server = await serve('.origins = ("https://b.example")');
  expect((await (await server.connect()).send(handshake({ origin: "http://test.example" })).response()).status).toBe(
    403,
  );
});

test("the subprotocol is the first of ours that the client has", async () => {
  await using server = await serve("", { subprotocols: ["v2", "v1"] });
  const client = await server.connect();
  const head = await client.send(handshake({ "sec-websocket-protocol": "v0, v1,v2" })).through("\r\n\r\n");
  expect(head).toContain("sec-websocket-protocol: v2\r\n");
});

test("compression is agreed upon where it is switched on and offered", async () => {
  await using server = await serve(".compression = true");
  const client = await server.connect();
  const fields = { "sec-websocket-extensions": "permessage-deflate; client_max_window_bits" };
  expect(await client.send(handshake(fields)).through("\r\n\r\n")).toContain(
    "sec-websocket-extensions: permessage-deflate\r\n",
  );
});

test.each([
  ["permessage-deflate; foo, permessage-deflate", "sec-websocket-extensions: permessage-deflate\r\n"],
  ["permessage-deflate; server_max_window_bits=99, permessage-deflate; server_no_context_takeover", "context_takeover"],
  ["permessage-deflate; foo", undefined],
  ["x-webkit-deflate-frame", undefined],
])("an offer of compression that cannot be met is declined, and the next one taken: %s", async (offered, agreed) => {
  await using server = await serve(".compression = true");
  const client = await server.connect();
  const head = await client.send(handshake({ "sec-websocket-extensions": offered })).through("\r\n\r\n");
  expect(head).toContain("HTTP/1.1 101 ");
  if (agreed === undefined) expect(head).not.toContain("sec-websocket-extensions");
  else expect(head).toContain(agreed);
});

test("an offer of compression that is malformed is refused", async () => {
  await using server = await serve(".compression = true");
  const client = await server.connect();
  expect((await client.send(handshake({ "sec-websocket-extensions": ";;" })).response()).status).toBe(400);
});

test("a request that asks for nothing else gets what stands behind the socklet", async () => {
  await using server = await serve();
  expect(await (await server.connect()).send(request("GET /")).response()).toMatchObject({ status: 200, text: "page" });
});

test.each([
  ["at once", () => false],
  ["later", () => Promise.resolve(false)],
])(
  "a socklet that says %s that it is not its own leaves the request to what stands behind it",
  async (_name, handle) => {
    await using server = await serveSocklet(handle, { rule: '.returnText = "page"' });
    expect(await (await server.connect()).send(handshake()).response()).toMatchObject({ status: 200, text: "page" });
  },
);

test("what a socklet throws is a 500 with its path in the log", async () => {
  await using server = await serveSocklet(() => {
    throw new Error("on purpose");
  });
  expect((await (await server.connect()).send(handshake()).response()).status).toBe(500);
  expect(server.log.join("")).toMatch(/webapp\.app\/rule\/socklet .*on purpose/s);
});
