// The wait before a request is tried once more.

import { expect, test } from "vitest";
import { RawBackend } from "../../testing/raw-backend.ts";
import { request } from "../../testing/raw-client.ts";
import { proxyTo } from "../../testing/proxy.ts";

test("after a wait, the only node is asked again: it may have been restarted", async () => {
  await using backend = await RawBackend.answering(({ line }, conn, number) =>
    number === 0 ? void conn.socket.destroy() : conn.answer(line),
  );
  const proxy = { retryInterval: 1 };
  await using patient = await proxyTo([backend.address], { proxy });
  expect(await patient.ask("GET /")).toMatchObject({ status: 200, text: "GET / HTTP/1.1" });
  expect(patient.log.join("\n")).toContain("another attempt is made in 1 ms");
});

test("without a wait, it is not", async () => {
  await using backend = await RawBackend.answering((_request, conn) => void conn.socket.destroy());
  await using hasty = await proxyTo([backend.address]);
  expect((await hasty.ask("GET /")).status).toBe(502);
  expect(backend.conns.length).toBe(1);
});

test("maxRetries counts as ever", async () => {
  await using backend = await RawBackend.answering((_request, conn) => void conn.socket.destroy());
  await using proxy = await proxyTo([backend.address], { proxy: { retryInterval: 1, maxRetries: 3 } });
  expect((await proxy.ask("GET /")).status).toBe(502);
  expect(backend.conns.length).toBe(4);
  expect(proxy.log.join("\n")).toContain("which is what maxRetries allows");
});

test("content waits with its request, and arrives whole", async () => {
  await using gone = await RawBackend.answering(() => undefined);
  const { address } = gone;
  await gone[Symbol.asyncDispose]();
  await using backend = await RawBackend.answering(({ content }, conn) => conn.answer(content));
  const proxy = { retryInterval: 1 };
  await using either = await proxyTo([address, backend.address], { proxy });
  const bytes = request("POST /", { "content-length": "5" }) + "hello";
  for (let i = 0; i < 2; i++) expect(await either.ask(bytes, "POST")).toMatchObject({ status: 200, text: "hello" });
  expect(either.log.join("\n")).toContain("another attempt is made in 1 ms");
});

test("a client that leaves meanwhile ends the wait", async () => {
  await using backend = await RawBackend.answering((_request, conn) => void conn.socket.destroy());
  await using proxy = await proxyTo([backend.address], { proxy: { retryInterval: 3_600_000 } });
  const client = await proxy.connect();
  client.send(request("GET /"));
  await expect.poll(() => proxy.log.join("\n")).toContain("another attempt is made in 3600000 ms");
  await client[Symbol.asyncDispose]();
  await proxy.stage.quit();
  expect(backend.conns.length).toBe(1);
});
