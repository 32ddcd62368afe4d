// Each dealet, as clients of a router see it.

import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { bootWith, MemorySink, openErrorLog, type RouterPart } from "@hemi/internal";
import { expect, test } from "vitest";
import contrib from "./index.ts";

async function route(cases: string, sign = "tcpsRouter", props = "") {
  const sink = new MemorySink();
  const stage = await bootWith([contrib]).bootText(
    `stage { ${sign} "main" { .address = "127.0.0.1:0" ${props} ${cases} } }`,
    { log: openErrorLog({ sink }) },
  );
  await stage.start();
  const { listensOn: [address = ""] = [] }: RouterPart = stage.find(`${sign}.main`)?.part ?? {};
  const port = Number(address.split(":")[1]);
  return {
    stage,
    log: sink.lines,
    async connect(): Promise<Socket> {
      const socket = connect(port, "127.0.0.1").on("error", () => undefined);
      await once(socket, "connect");
      return socket;
    },
    /** The answer to one datagram, and none to datagrams that go before it. */
    async ask(datagram: string, { from = "127.0.0.1", before = [] as readonly string[] } = {}): Promise<string> {
      const early = createSocket("udp4").on("message", () => expect.unreachable());
      const socket = createSocket("udp4");
      await new Promise<void>((resolve) => early.bind(0, "127.0.0.1", resolve));
      await new Promise<void>((resolve) => socket.bind(0, from, resolve));
      for (const each of before) await new Promise((resolve) => early.send(each, port, "127.0.0.1", resolve));
      socket.send(datagram, port, "127.0.0.1");
      const [answer] = (await once(socket, "message")) as [Buffer];
      socket.close();
      early.close();
      return answer.toString();
    },
    [Symbol.asyncDispose]: () => stage.quit(1000),
  };
}

/** Whether it was closed without a word. */
async function isRefused(socket: Socket): Promise<boolean> {
  return (await text(socket).catch(() => "")) === "";
}

test("accessDealet lets in by the most specific network", async () => {
  await using site = await route('case { accessDealet { .allow = ("127.0.0.0/8") } helloDealet {} }');
  expect(await text(await site.connect())).toBe("hello, world!\n");
  await using closed = await route(
    'case { accessDealet { .allow = ("127.0.0.0/8") .deny = ("127.0.0.1") } helloDealet {} }',
  );
  expect(await isRefused(await closed.connect())).toBe(true);
});

test("an accessDealet that lets nobody in is a mistake of the configuration", async () => {
  await expect(route("case { accessDealet {} }")).rejects.toThrow("it would let nobody in");
});

test("limitDealet limits the connections of a client, until they end", async () => {
  await using site = await route("case { limitDealet { .maxConns = 1 } echoDealet {} }");
  const first = await site.connect();
  first.write("x");
  await once(first, "data");
  expect(await isRefused(await site.connect())).toBe(true);
  first.end();
  await once(first, "close");
  const second = await site.connect();
  second.end("y");
  expect(await text(second)).toBe("y");
  expect(site.log.join("\n")).toContain("refused 1 connections beyond a limit, the last of 127.0.0.1");
});

test("limitDealet limits new connections, with a burst", async () => {
  await using site = await route("case { limitDealet { .newPerSecond = 1 .burst = 2 } helloDealet {} }");
  expect(await text(await site.connect())).toBe("hello, world!\n");
  expect(await text(await site.connect())).toBe("hello, world!\n");
  expect(await isRefused(await site.connect())).toBe(true);
});

test("limitDealet holds a client that sends too fast", async () => {
  await using site = await route("case { limitDealet { .maxUploadRate = 1M } echoDealet {} }");
  const client = await site.connect();
  const before = performance.now();
  client.end(Buffer.alloc(400_000, "x"));
  expect((await text(client)).length).toBe(400_000);
  expect(performance.now() - before).toBeGreaterThan(100);
});

test.each(["maxUploadRate", "maxDownloadRate"])("limitDealet drops datagrams beyond %s", async (prop) => {
  await using site = await route(`case { limitDealet { .${prop} = 1 } echoDealet {} }`, "udpsRouter");
  // The first one takes the second that it is allowed for, and hours more.
  expect(await site.ask("x".repeat(10_000))).toHaveLength(10_000);
  // Another client is not concerned, and comes behind what is dropped.
  expect(await site.ask("y", { from: "127.0.0.2", before: ["dropped", "dropped, too"] })).toBe("y");
  await site.stage.quit(1000);
  expect(site.log.join("\n")).toContain(`datagrams, the last of 127.0.0.1: the limit is ${prop}`);
});

test("echoDealet sends back what comes, in both kinds of routers", async () => {
  await using site = await route("case { echoDealet {} }");
  const client = await site.connect();
  client.end(Buffer.alloc(3_000_000, "x"));
  expect((await text(client)).length).toBe(3_000_000);
  await using datagrams = await route("case { echoDealet {} }", "udpsRouter");
  expect(await datagrams.ask("hello")).toBe("hello");
});

test("echoDealet closes an idle connection", async () => {
  await using site = await route("case { echoDealet { .idleTimeout = 1ms } }");
  expect(await isRefused(await site.connect())).toBe(true);
});

test("an idleTimeout of echoDealet that a reload makes shorter holds for connections that are idle", async () => {
  const config = (props: string) => `case { echoDealet { ${props} } }`;
  await using site = await route(config(""));
  const client = await site.connect();
  client.write("x");
  await once(client, "data");
  const closed = once(client, "close");
  const text = `stage { tcpsRouter "main" { .address = "127.0.0.1:0" ${config(".idleTimeout = 1ms")} } }`;
  await site.stage.reload({ text });
  await closed;
});

test("helloDealet says what it knows of the client", async () => {
  await using site = await route('case { helloDealet { .text = "hello, " + $srcHost } }');
  expect(await text(await site.connect())).toBe("hello, 127.0.0.1");
  await using datagrams = await route('case { helloDealet { .text = "by " + $transport } }', "udpsRouter");
  expect(await datagrams.ask("x")).toBe("by udp");
});

test("tarpitDealet sends nonsense now and then, and holds only so many", async () => {
  await using site = await route("case { tarpitDealet { .interval = 1ms .maxConns = 1 .duration = 5s } }");
  const client = await site.connect();
  client.write("hello");
  const [line] = (await once(client, "data")) as [Buffer];
  expect(line.toString()).toMatch(/^(?:[0-9a-f]{16}\r\n)+$/);
  expect(await isRefused(await site.connect())).toBe(true);
  client.destroy();
});

test("tarpitDealet is not for datagrams", async () => {
  await expect(route("case { tarpitDealet {} }", "udpsRouter")).rejects.toThrow("does not handle datagrams");
});
