// What would last for ever is told when what serves it goes: by a reload, or at the end.

import { once } from "node:events";
import { expect, test } from "vitest";
import { bootWith } from "../boot.ts";
import { pack } from "../component/pack.ts";
import { prop } from "../component/prop.ts";
import { openErrorLog } from "../log/error-log.ts";
import { MemorySink } from "../log/sink.ts";
import { RawBackend } from "../testing/raw-backend.ts";
import { RawClient, request } from "../testing/raw-client.ts";
import { CLOSE, closing, handshake, nextFrame, webSocketFrame } from "../testing/websocket.ts";
import type { ServerPart } from "../stage/kinds/server.ts";
import { defineHandlet, defineSocklet } from "../web/kinds.ts";

const number = prop.integer({ default: 0 });

const chat = defineSocklet({
  sign: "chat",
  props: { number },
  create: () => ({
    handle(upgrade) {
      const ws = upgrade.accept({ message: (message) => ws.send(String(message)) });
      return true;
    },
  }),
});

async function* oneEvent(): AsyncGenerator<string> {
  yield "data: first\n\n";
  await new Promise(() => {});
}

const events = defineHandlet({
  sign: "events",
  props: { number },
  create: () => ({
    handle(_req, resp) {
      resp.setHeader("content-type", "text/event-stream");
      void resp.sendStream(oneEvent());
      return true;
    },
  }),
});

/** Sends events for as long as anybody takes them. */
const heartbeats = defineHandlet({
  sign: "heartbeats",
  props: { number },
  create: () => ({
    async handle(_req, resp) {
      resp.setHeader("content-type", "text/event-stream");
      try {
        for (;;) {
          await resp.echo("data: beat\n\n");
          await new Promise((resolve) => setImmediate(resolve));
        }
      } catch (error) {
        stopped.push(error);
      }
      return true;
    },
  }),
});
/** Why they have stopped. */
const stopped: unknown[] = [];

/** A long poll. */
const polls = defineHandlet({
  sign: "polls",
  props: { number },
  create: () => ({
    async handle(req, resp) {
      resp.sendHead();
      await once(req.leaving, "abort");
      resp.end();
      return true;
    },
  }),
});

async function serving(text: (number: number) => string) {
  const sink = new MemorySink();
  const config = (n: number): string => `stage { .drainTimeout = 2s
    webapp "a" { .hostnames = ("*") rule { ${text(n)} } }
    httpxServer "main" { .webapps = ("a") .address = "127.0.0.1:0" } }`;
  const options = { log: openErrorLog({ sink }), use: [pack("test", [chat, events, heartbeats, polls])] };
  const stage = await bootWith([]).bootText(config(1), options);
  await stage.start();
  const { listensOn: [listensOn = ""] = [] }: ServerPart = stage.find("httpxServer.main")?.part ?? {};
  return {
    stage,
    lines: sink.lines,
    connect: () => RawClient.connect({ host: "127.0.0.1", port: Number(listensOn.replace(/^.*:/, "")) }),
    reload: () => stage.reload({ text: config(2) }),
    [Symbol.asyncDispose]: () => stage.quit(1000),
  };
}

test("WebSockets of a dropped socklet are closed with 1001, and not all at once", async () => {
  await using site = await serving((n) => `chat { .number = ${n} }`);
  const clients = await Promise.all(Array.from({ length: 20 }, () => site.connect()));
  for (const client of clients) await client.send(handshake()).through("\r\n\r\n");
  const { departed } = await site.reload();
  const closed = new Set<RawClient>();
  const frames = clients.map(async (client) => {
    const frame = await nextFrame(client);
    closed.add(client);
    client.send(webSocketFrame(CLOSE, closing(1001)));
    return frame;
  });
  await Promise.race(frames);
  expect(closed.size).toBeLessThan(clients.length);
  const goodbye = [CLOSE, closing(1001, "the server goes away").toString("latin1")];
  for (const frame of await Promise.all(frames)) expect(frame).toEqual(goodbye);
  await departed;
  await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
});

test.each([
  ["a stream of events", (n: number) => `events { .number = ${n} }`, "data: first\n\n"],
  ["an answer that follows the signal", (n: number) => `polls { .number = ${n} }`, ""],
])("%s of a dropped handlet ends in order", async (_name, text, content) => {
  await using site = await serving(text);
  await using client = await site.connect();
  await client.send(request("GET /")).through("\r\n\r\n");
  const { departed } = await site.reload();
  expect(await client.through("0\r\n\r\n")).toContain(content);
  await departed;
  // The connection is kept.
  expect(await client.send(request("GET /")).through("\r\n")).toContain("200");
});

test("who goes on to send events that a reload has ended is told that nobody takes them, and stops", async () => {
  await using site = await serving((n) => `heartbeats { .number = ${n} }`);
  await using client = await site.connect();
  await client.send(request("GET /")).through("beat");
  const { departed } = await site.reload();
  await client.through("0\r\n\r\n");
  await departed;
  await expect.poll(() => stopped).toEqual([expect.objectContaining({ code: "HEMI_PEER_GONE" })]);
});

test("a stream of events that a dropped proxy passes on ends in order, and its node is told", async () => {
  await using node = await RawBackend.answering((_, conn) => {
    conn.send("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: first\n\n");
  });
  await using site = await serving((n) => `httpProxy { .to = ("${node.address}") .addPrefix = "/${n}" }`);
  await using client = await site.connect();
  await client.send(request("GET /")).through("first");
  const { departed } = await site.reload();
  await client.through("0\r\n\r\n");
  expect(await node.conns[0]?.ended()).toBe(true);
  await departed;
});

test("streams of events end when the server drains", async () => {
  await using site = await serving((n) => `events { .number = ${n} }`);
  await using client = await site.connect();
  await client.send(request("GET /")).through("first");
  const quit = site.stage.quit(10_000);
  await client.through("0\r\n\r\n");
  await quit;
  expect(site.lines.join()).not.toContain("not drained");
});
