import { Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { HandletPart } from "../web/kinds.ts";
import { request } from "../testing/raw-client.ts";
import { serve } from "../testing/serve.ts";
import { Listeners, type Acceptor } from "../net/listener.ts";
import { Gate, type GateConn } from "./gate.ts";

/** A handlet that answers when it is told, and tells when it was asked. */
function held(begin: "whole" | "head"): { handle: HandletPart["handle"]; asked: Promise<void>; answer(): void } {
  const asked = Promise.withResolvers<void>();
  const told = Promise.withResolvers<void>();
  return {
    asked: asked.promise,
    answer: told.resolve,
    async handle(_req, resp) {
      if (begin === "head") await resp.echo("hel");
      asked.resolve();
      await told.promise;
      if (begin === "whole") resp.send("hello");
      else {
        await resp.echo("lo");
        resp.end();
      }
      return true;
    },
  };
}

describe("draining", () => {
  test("closes idle connections at once", async () => {
    const server = await serve((_req, resp) => (resp.send("hello"), true));
    const used = await server.connect();
    await used.send(request("GET /")).response();
    const fresh = await server.connect();
    // The server has both when it has answered a third.
    await server.ask("GET /");
    const quit = server.stage.quit();
    expect(await used.ending()).toBe("end");
    expect(await fresh.ending()).toBe("end");
    used.end();
    fresh.end();
    await quit;
  });

  test.each(["whole", "head"] as const)(
    "lets an answer finish that waits with its %s, and closes after it",
    async (begin) => {
      const { handle, asked, answer } = held(begin);
      await using server = await serve(handle);
      await using client = await server.connect();
      client.send(request("GET /") + request("GET /next"));
      await asked;
      const quit = server.stage.quit();
      await expect(server.connect()).rejects.toMatchObject({ code: "ECONNREFUSED" });
      answer();
      const response = await client.response();
      expect(response.text).toBe("hello");
      if (begin === "whole") expect(response.headers["connection"]).toBe("close");
      expect(await client.ending()).toBe("end");
      client.end();
      await quit;
    },
  );

  test("serves a request whose head has begun", async () => {
    await using server = await serve((_req, resp) => (resp.send("hello"), true));
    await using client = await server.connect();
    client.send("GET / HTTP/1.1\r\n");
    await server.ask("GET /");
    const quit = server.stage.quit();
    await turn();
    client.send("host: a\r\n\r\n");
    expect(await client.response()).toMatchObject({ text: "hello", headers: { connection: "close" } });
    client.end();
    await quit;
  });

  test("breaks off at its deadline, twice is harmless, and nothing is left open", async () => {
    const count = (): number => process.getActiveResourcesInfo().filter((name) => name.startsWith("TCP")).length;
    const before = count();
    const { handle, asked } = held("head");
    await using server = await serve(handle);
    await using client = await server.connect();
    client.send(request("GET /"));
    await asked;
    await Promise.all([server.stage.quit(10), server.stage.quit(10)]);
    expect(await client.ending()).toContain("hel");
    await client[Symbol.asyncDispose]();
    while (count() > before) await turn();
    await server.stage.quit();
  });
});

test("connections beyond maxConns are refused with a line in the log, until others have gone", async () => {
  await using server = await serve({
    handlets: [(_req, resp) => (resp.send("hello"), true)],
    settings: { maxConns: 2 },
  });
  const clients = [await server.connect(), await server.connect()];
  for (const client of clients) await client.send(request("GET /")).response();
  await using third = await server.connect();
  expect(await third.ending()).toMatch(/^(?:end|reset)$/);
  expect(server.log.join("")).toContain("there are 2 already, which is maxConns");
  await clients[0]?.[Symbol.asyncDispose]();
  for (;;) {
    await using next = await server.connect();
    next.send(request("GET /"));
    const response = await next.response().catch(() => undefined);
    if (response !== undefined) break;
  }
});

test("a stage that takes the address over serves new connections, while the old one finishes its own", async () => {
  const listeners = new Listeners();
  const probe = await serve({ listeners });
  const { port } = probe;
  await probe[Symbol.asyncDispose]();
  const address = `127.0.0.1:${port}`;
  const { handle, asked, answer } = held("whole");
  await using old = await serve({ listeners, address, handlets: [handle] });
  await using client = await old.connect();
  client.send(request("GET /"));
  await asked;
  await using next = await serve({ listeners, address, handlets: [(_req, resp) => (resp.send("next"), true)] });
  const quit = old.stage.quit();
  expect(await next.ask("GET /")).toMatchObject({ text: "next" });
  answer();
  expect(await client.response()).toMatchObject({ text: "hello", headers: { connection: "close" } });
  client.end();
  await quit;
  expect(await next.ask("GET /")).toMatchObject({ text: "next" });
});

test("a UNIX socket is served like any other", async () => {
  const address = `/tmp/hemi-gate-${process.pid}.sock`;
  await using server = await serve({
    address,
    handlets: [
      (req, resp) => {
        resp.sendJSON(req.peer);
        return true;
      },
    ],
  });
  expect(await server.ask("GET /")).toMatchObject({ text: '{"address":"","port":0}' });
});

test("a connection that throws when it is opened, enters or is drained is broken off, and the others go on", async () => {
  const told: unknown[] = [];
  let accept: Acceptor | undefined;
  const gate: Gate<GateConn> = new Gate<GateConn>({
    share: {
      accept: (acceptor) => void (accept = acceptor),
      release: () => Promise.resolve(),
    },
    maxConns: () => 10,
    refused: () => told.push("refused"),
    failed: (error) => told.push(error),
    open(socket) {
      const name = names.get(socket) ?? "";
      if (name === "bad") throw new Error("bad at open");
      const conn: GateConn = {
        entered() {
          if (name === "bad now") throw new Error("bad at entering");
        },
        drain() {
          if (name === "bad later") throw new Error("bad at drain");
          told.push(`${name} drains`);
          gate.closed(conn);
        },
        destroy() {
          told.push(`${name} is broken off`);
          gate.closed(conn);
        },
      };
      return conn;
    },
  });
  gate.open();
  const names = new Map(["bad", "bad now", "bad later", "good"].map((name) => [new Socket(), name]));
  for (const socket of names.keys()) accept?.(socket);
  expect([...names.keys()].map(({ destroyed }) => destroyed)).toEqual([true, false, false, false]);
  expect(gate.size).toBe(2);
  await gate.drain();
  expect(told).toEqual([
    new Error("bad at open"),
    ...[new Error("bad at entering"), "bad now is broken off"],
    ...[new Error("bad at drain"), "bad later is broken off"],
    "good drains",
  ]);
});
