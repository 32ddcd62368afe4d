import { expect, test } from "vitest";
import { RawBackend } from "../../testing/raw-backend.ts";
import { request } from "../../testing/raw-client.ts";
import { proxyTo } from "../../testing/proxy.ts";

test("a node is told of each client before its request, on a connection for it alone", async () => {
  const told: string[] = [];
  await using backend = await RawBackend.listen(async (conn) => {
    told.push(await conn.through("\r\n"));
    await conn.request();
    conn.answer("ok");
  });
  await using proxy = await proxyTo([backend.address], { backend: { proxyProtocol: "v1" } });
  await using client = await proxy.connect();
  const { localPort } = client.socket;
  for (let i = 0; i < 2; i++) expect((await client.send(request("GET /")).response()).text).toBe("ok");
  const line = `PROXY TCP4 127.0.0.1 127.0.0.1 ${localPort} ${backend.port}\r\n`;
  expect(told).toEqual([line, line]);
});

test("version 2 is bytes", async () => {
  await using backend = await RawBackend.listen(async (conn) => {
    const bytes = Buffer.from(await conn.exactly(28), "latin1");
    await conn.request();
    conn.answer(`${bytes.toString("hex", 0, 24)} ${bytes.readUInt16BE(24)}`);
  });
  await using proxy = await proxyTo([backend.address], { backend: { proxyProtocol: "v2" } });
  await using client = await proxy.connect();
  const { text } = await client.send(request("GET /")).response();
  expect(text).toBe(`0d0a0d0a000d0a515549540a2111000c7f0000017f000001 ${client.socket.localPort}`);
});

test("before TLS it cannot be used as yet, and says so", async () => {
  const backend = { proxyProtocol: "v1", tlsMode: true };
  await expect(proxyTo(["127.0.0.1:1"], { backend })).rejects.toThrow("before TLS as yet");
});
