import { describe, expect, test } from "vitest";
import type { ConfigValue } from "../config/object.ts";
import { RawClient, request } from "../testing/raw-client.ts";
import { serve } from "../testing/serve.ts";
import type { Response } from "../web/response/response.ts";

/** A server that answers `/wait` when it is told to, and all else at once. */
async function serveWith(settings: Readonly<Record<string, ConfigValue>>) {
  const waits: Response[] = [];
  const server = await serve({
    settings,
    handlets: [
      (req, resp) => {
        if (req.path === "/wait") waits.push(resp);
        else resp.send("ok");
        return true;
      },
    ],
  });
  return {
    waits,
    log: () => server.log.join(""),
    connect: (localAddress = "127.0.0.1") => RawClient.connect({ port: server.port, host: "127.0.0.1", localAddress }),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

const ok = { status: 200, text: "ok" };

describe("maxConnsPerClient", () => {
  test("closes one connection too many of a client, and leaves other clients alone", async () => {
    await using server = await serveWith({ maxConnsPerClient: 2 });
    const clients = [await server.connect(), await server.connect()];
    for (const client of clients) expect(await client.send(request("GET /")).response()).toMatchObject(ok);
    await using third = await server.connect();
    expect(await third.hasMore()).toBe(false);
    expect(server.log()).toContain(
      "refused a connection of 127.0.0.1: a client may have 2 at once, which is maxConnsPerClient",
    );
    await using other = await server.connect("127.0.0.2");
    expect(await other.send(request("GET /")).response()).toMatchObject(ok);
    // One that is over counts no more.
    await clients[0]?.[Symbol.asyncDispose]();
    await expect
      .poll(async () => {
        await using next = await server.connect();
        return await next
          .send(request("GET /"))
          .response()
          .catch(() => undefined);
      })
      .toMatchObject(ok);
    await clients[1]?.[Symbol.asyncDispose]();
  });

  test("does not count those of proxies that name their clients, but of the clients that a PROXY header names", async () => {
    await using forwarding = await serveWith({ maxConnsPerClient: 1, trustForwarded: ["127.0.0.1"] });
    for (let i = 0; i < 3; i++) {
      await using client = await forwarding.connect();
      await using another = await forwarding.connect();
      for (const one of [client, another]) expect(await one.send(request("GET /")).response()).toMatchObject(ok);
    }
    await using passing = await serveWith({ maxConnsPerClient: 1, proxyProtocol: ["127.0.0.1"] });
    const header = (address: string): string => `PROXY TCP4 ${address} 10.0.0.1 1000 80\r\n`;
    await using first = await passing.connect();
    await using second = await passing.connect();
    await using third = await passing.connect();
    expect(await first.send(header("192.0.2.1") + request("GET /")).response()).toMatchObject(ok);
    expect(await second.send(header("192.0.2.2") + request("GET /")).response()).toMatchObject(ok);
    expect(await third.send(header("192.0.2.1") + request("GET /")).hasMore()).toBe(false);
    expect(passing.log()).toContain("refused a connection of 192.0.2.1");
  });
});

describe("maxRequestsPerClient", () => {
  test("answers one request too many of a client with 429, and counts those under way only", async () => {
    await using server = await serveWith({ maxRequestsPerClient: 2 });
    const clients = await Promise.all([1, 2, 3].map(() => server.connect()));
    const [first, second, third] = clients;
    if (first === undefined || second === undefined || third === undefined) throw new Error("there are three");
    first.send(request("GET /wait"));
    await expect.poll(() => server.waits).toHaveLength(1);
    second.send(request("GET /wait"));
    await expect.poll(() => server.waits).toHaveLength(2);
    expect(await third.send(request("GET /")).response()).toMatchObject({
      status: 429,
      headers: { "retry-after": "1" },
    });
    expect(server.log()).toContain(
      "refused a request of 127.0.0.1: a client may have 2 at once, which is maxRequestsPerClient",
    );
    await using other = await server.connect("127.0.0.2");
    expect(await other.send(request("GET /")).response()).toMatchObject(ok);
    server.waits[0]?.send("late");
    expect(await first.response()).toMatchObject({ text: "late" });
    expect(await third.send(request("GET /")).response()).toMatchObject(ok);
    // So does one whose client has left.
    second.reset();
    await expect.poll(async () => (await third.send(request("GET /")).response()).status).toBe(200);
    for (const client of clients) await client[Symbol.asyncDispose]();
  });

  test("counts the requests of a trusted proxy for the clients that it names, of IPv6 by /64", async () => {
    await using server = await serveWith({ maxRequestsPerClient: 1, trustForwarded: ["127.0.0.1"] });
    const ask = (path: string, client: string): string => request(`GET ${path}`, { "x-forwarded-for": client });
    await using first = await server.connect();
    await using second = await server.connect();
    first.send(ask("/wait", "2001:db8::1"));
    await expect.poll(() => server.waits).toHaveLength(1);
    expect(await second.send(ask("/", "2001:db8::2")).response()).toMatchObject({ status: 429 });
    expect(await second.send(ask("/", "2001:db8:0:1::1")).response()).toMatchObject(ok);
    expect(await second.send(ask("/", "192.0.2.1")).response()).toMatchObject(ok);
  });
});
