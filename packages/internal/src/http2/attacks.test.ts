import { describe, expect, test } from "vitest";
import type { HandletPart } from "../web/kinds.ts";
import { pauseOf } from "../testing/pause.ts";
import { serve, type TestServer } from "../testing/serve.ts";
import { frameFlag, frameType, settingId } from "./frames.ts";
import { frame, FrameClient } from "../testing/frame-client.ts";

type Handle = HandletPart["handle"];

const hello: Handle = (_req, resp) => (resp.send("hello"), true);
const waits: Handle = () => true;
const readAll: Handle = async (req, resp) => (resp.send(String((await req.content.bytes()).length)), true);
const post = { ":method": "POST" };
const longPath = "/" + "a".repeat(9000);

function logOf(server: TestServer): string {
  return server.log.join("");
}

describe("a flood", () => {
  test.each<[string, (client: FrameClient, i: number) => Uint8Array[]]>([
    ["of PING", () => [frame(frameType.ping, 0, 0, Buffer.alloc(8))]],
    ["of SETTINGS", () => [frame(frameType.settings, 0, 0)]],
    ["of acknowledged settings", () => [frame(frameType.settings, frameFlag.ack, 0)]],
    [
      "of PRIORITY that go round in circles",
      (_c, i) => [frame(frameType.priority, 0, 3 + 2 * (i % 2), Buffer.of(0, 0, 0, 5 - 2 * (i % 2), 0))],
    ],
    ["of PRIORITY_UPDATE", (_c, i) => [frame(frameType.priorityUpdate, 0, 0, Buffer.of(0, 0, 0, 2 * i + 1))]],
    ["of unknown frames", () => [frame(0x42, 0, 0)]],
    [
      "of windows widened by little",
      (c, i) => [...(i === 0 ? [c.request(1)] : []), frame(frameType.windowUpdate, 0, 0, 1)],
    ],
    ["of empty DATA", (c, i) => [i === 0 ? c.request(1, post, false) : c.data(1, "")]],
    [
      "of DATA that is all padding",
      (c, i) => [i === 0 ? c.request(1, post, false) : frame(frameType.data, frameFlag.padded, 1, "\0")],
    ],
    [
      "of RST_STREAM for streams that are closed",
      (c, i) => [i === 0 ? c.request(1) : frame(frameType.rstStream, 0, 1, 8)],
    ],
    [
      "of little content for a stream that we have reset",
      (c, i) => [i === 0 ? c.request(1, { ...post, te: "gzip" }, false) : c.data(1, "a")],
    ],
  ])("%s ends the connection with ENHANCE_YOUR_CALM", async (_name, make) => {
    const settings = { http2MaxIdleFrames: 50, http2FloodRecovery: 3_600_000 };
    await using server = await serve({ handlets: [(req, resp) => req.hasContent || hello(req, resp)], settings });
    const client = await FrameClient.connect(server);
    client.send(...Array.from({ length: 200 }, (_, i) => make(client, i)).flat());
    expect(await client.goaway()).toBe("ENHANCE_YOUR_CALM");
    expect(await client.raw.ending()).toBe("end");
    expect(logOf(server)).toContain("floods us with frames that bring nothing");
  });

  test.each<[string, (client: FrameClient, id: number) => Uint8Array[]]>([
    ["that the client resets (CVE-2023-44487)", (c, id) => [c.request(id), frame(frameType.rstStream, 0, id, 8)]],
    [
      "that it has us reset by a window of nothing (CVE-2025-8671)",
      (c, id) => [c.request(id), frame(frameType.windowUpdate, 0, id, 0)],
    ],
    [
      "that it has us reset by a window too wide",
      (c, id) => [c.request(id), frame(frameType.windowUpdate, 0, id, 0x7fffffff)],
    ],
    ["that it has us reset by content behind their end", (c, id) => [c.request(id), c.data(id, "a")]],
    ["that it has us refuse for a target that is too long", (c, id) => [c.request(id, { ":path": longPath })]],
    ["that it has us reset by malformed heads", (c, id) => [c.request(id, { connection: "close" })]],
    [
      "that it has us reset by content that is too long",
      (c, id) => [c.request(id, { ...post, "content-length": "1" }, false), c.data(id, "ab")],
    ],
  ])("of streams %s ends the connection with ENHANCE_YOUR_CALM", async (_name, make) => {
    const settings = { http2MaxResets: 20, http2FloodRecovery: 3_600_000, http2MaxStreams: 1000 };
    await using server = await serve({ handlets: [waits], settings });
    const client = await FrameClient.connect(server);
    client.send(...Array.from({ length: 50 }, (_, i) => make(client, 2 * i + 1)).flat());
    expect(await client.goaway()).toBe("ENHANCE_YOUR_CALM");
    expect(logOf(server)).toContain("floods us with streams that are reset");
  });

  test("of requests that are given up does not run more handlets at once than there may be streams", async () => {
    let running = 0;
    let most = 0;
    const release = Promise.withResolvers<void>();
    await using server = await serve({
      handlets: [
        async (_req, resp) => {
          most = Math.max(most, ++running);
          await release.promise;
          running--;
          resp.send("hello");
          return true;
        },
      ],
      settings: { http2MaxStreams: 10 },
    });
    const client = await FrameClient.connect(server);
    for (let id = 1; id < 80; id += 2) client.send(client.request(id), frame(frameType.rstStream, 0, id, 8));
    await client.roundTrip();
    expect(most).toBe(10);
    release.resolve();
    await client.roundTrip();
    await client.roundTrip();
    expect(await client.send(client.request(101)).response(101)).toMatchObject({ text: "hello" });
  });

  test("of CONTINUATION ends the connection (CVE-2024-27316)", async () => {
    await using server = await serve({ handlets: [hello], settings: { http2MaxContinuations: 3 } });
    const client = await FrameClient.connect(server);
    client.send(
      frame(frameType.headers, 0, 1),
      ...Array.from({ length: 5 }, () => frame(frameType.continuation, 0, 1)),
    );
    expect(await client.goaway()).toBe("ENHANCE_YOUR_CALM");
    expect(logOf(server)).toContain("goes on in more frames than allowed");
  });
});

test("content on its way to a stream that we have reset is not taken for a flood", async () => {
  const settings = { http2MaxIdleFrames: 20, http2FloodRecovery: 3_600_000 };
  await using server = await serve({ handlets: [hello], settings });
  const client = await FrameClient.connect(server);
  client.send(client.request(1, post, false), ...Array.from({ length: 100 }, () => client.data(1, "a".repeat(600))));
  expect(await client.reset(1)).toBe("NO_ERROR");
  await client.roundTrip();
});

test("clients that use windows and pings as they should are not taken for a flood", async () => {
  const settings = { http2MaxIdleFrames: 20, http2FloodRecovery: 3_600_000 };
  await using server = await serve({ handlets: [(_req, resp) => (resp.send("x".repeat(10_000)), true)], settings });
  const client = await FrameClient.connect(server);
  for (let id = 1; id < 200; id += 2) {
    client.send(
      client.request(id),
      frame(frameType.windowUpdate, 0, 0, 10_000),
      frame(frameType.windowUpdate, 0, id, 10_000),
    );
    await client.response(id);
    await client.roundTrip();
  }
});

test("a stream beyond the limit is refused, and another one served when there is room", async () => {
  const release = Promise.withResolvers<void>();
  await using server = await serve({
    handlets: [async (_req, resp) => (await release.promise, resp.send("hello"), true)],
    settings: { http2MaxStreams: 2 },
  });
  const client = await FrameClient.connect(server);
  client.send(client.request(1), client.request(3), client.request(5));
  expect(await client.reset(5)).toBe("REFUSED_STREAM");
  release.resolve();
  await client.response(1);
  await client.response(3);
  expect(await client.send(client.request(7)).response(7)).toMatchObject({ text: "hello" });
});

describe("a head", () => {
  test("of a few bytes that unfold to many is refused, and the connection goes on", async () => {
    await using server = await serve({ handlets: [hello], settings: { maxHeadSize: 16_384 } });
    const client = await FrameClient.connect(server);
    client.send(client.request(1, { "x-large": "a".repeat(900) }));
    await client.response(1);
    const bomb = Buffer.concat([
      client.block({ ":method": "GET", ":scheme": "http", ":path": "/", ":authority": "a" }),
      Buffer.alloc(10_000, client.block({ "x-large": "a".repeat(900) })),
    ]);
    client.send(frame(frameType.headers, frameFlag.endHeaders | frameFlag.endStream, 3, bomb), client.request(5));
    expect(await client.response(3)).toMatchObject({ status: 431 });
    expect(await client.response(5)).toMatchObject({ text: "hello" });
    expect(logOf(server)).toContain("refused with 431");
  });

  test.each<[string, number, Record<string, string>]>([
    ["fields", 431, Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`x-${i}`, "a"]))],
    ["a target", 414, { ":path": "/" + "a".repeat(100) }],
    ["fields that are large", 431, { "x-a": "a".repeat(2000) }],
  ])("with more of %s than allowed is answered with %i", async (_name, status, fields) => {
    const settings = { maxFields: 15, maxTargetSize: 100, maxHeadSize: 1500 };
    await using server = await serve({ handlets: [hello], settings });
    const client = await FrameClient.connect(server);
    client.send(client.request(1, fields), client.request(3));
    expect(await client.response(1)).toMatchObject({ status });
    expect(await client.response(3)).toMatchObject({ status: 200 });
  });

  test("that is larger than allowed before it is decoded ends the connection", async () => {
    await using server = await serve({ handlets: [hello], settings: { maxHeadSize: 1024 } });
    const client = await FrameClient.connect(server);
    const piece = Buffer.alloc(10_000);
    client.send(frame(frameType.headers, 0, 1, piece), frame(frameType.continuation, 0, 1, piece));
    expect(await client.goaway()).toBe("ENHANCE_YOUR_CALM");
  });

  test.each<[string, (client: FrameClient) => Buffer]>([
    ["that goes on in no other frame", () => frame(frameType.headers, 0, 1)],
    ["whose frame is not complete", (client) => client.request(1).subarray(0, 12)],
    ["that does not come", () => Buffer.alloc(1)],
  ])("%s must be complete in time", async (_name, make) => {
    await using server = await serve({ handlets: [hello], settings: { headTimeout: 30 } });
    const client = await FrameClient.connect(server);
    client.send(make(client));
    expect(await client.goaway()).toBe("ENHANCE_YOUR_CALM");
    expect(logOf(server)).toContain("its head was not complete after 30 ms");
  });
});

describe("a client that is slow", () => {
  test("to acknowledge our settings is let go", async () => {
    await using server = await serve({ handlets: [hello], settings: { http2SettingsTimeout: 30 } });
    const client = new FrameClient(await server.connect());
    client.send(Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), frame(frameType.settings, 0, 0));
    expect(await client.goaway()).toBe("SETTINGS_TIMEOUT");
  });

  test("to ask for anything is let go", async () => {
    await using server = await serve({ handlets: [hello], settings: { idleTimeout: 30 } });
    const client = await FrameClient.connect(server);
    await client.send(client.request(1)).response(1);
    expect(await client.goaway()).toBe("NO_ERROR");
    expect(await client.raw.ending()).toBe("end");
  });

  test("with the content of one request is answered with 408 on that alone", async () => {
    await using server = await serve({
      handlets: [(req, resp) => (req.hasContent ? readAll(req, resp) : hello(req, resp))],
      settings: { contentTimeout: 30 },
    });
    const client = await FrameClient.connect(server);
    client.send(client.request(1, post, false), client.data(1, "a"));
    expect(await client.response(1)).toMatchObject({ status: 408 });
    expect(await client.send(client.request(3)).response(3)).toMatchObject({ text: "hello" });
    expect(logOf(server)).toContain("no content came for 30 ms");
  });

  test("beyond what the rate of content allows is answered with 408", async () => {
    let now = 1000;
    const settings = { minContentRate: 100, contentRateGrace: 5000, contentTimeout: 600_000, handleTimeout: 600_000 };
    await using server = await serve({ handlets: [readAll], settings, monotonic: () => now });
    const client = await FrameClient.connect(server);
    client.send(client.request(1, post, false));
    await client.roundTrip();
    now += 10_000;
    client.send(client.data(1, "x".repeat(500)));
    expect(await client.response(1)).toMatchObject({ status: 408 });
    expect(logOf(server)).toContain("its content came at less than 100 bytes a second");
  });

  test("since the process stood is served", async () => {
    const settings = { minContentRate: 100, contentRateGrace: 5000 };
    await using server = await serve({ handlets: [readAll], settings });
    const client = await FrameClient.connect(server);
    client.send(client.request(1, post, false));
    await client.roundTrip();
    using _pause = pauseOf(60_000);
    client.send(client.data(1, "x".repeat(50)));
    await client.roundTrip();
    client.send(client.data(1, "x".repeat(50), true));
    expect(await client.response(1)).toMatchObject({ status: 200 });
  });

  test("with its content takes nothing of what other requests of the connection may send", async () => {
    let now = 1000;
    const settings = { minContentRate: 10_000, contentRateGrace: 0, contentTimeout: 600_000, http2ConnWindow: 65_536 };
    await using server = await serve({ handlets: [readAll], settings, monotonic: () => now });
    const client = await FrameClient.connect(server);
    const late = Buffer.alloc(16_000);
    for (let id = 1; id <= 7; id += 2) {
      client.send(client.request(id, post, false));
      await client.roundTrip();
      now += 10_000;
      expect(await client.send(client.data(id, late)).response(id)).toMatchObject({ status: 408 });
    }
    await client.roundTrip();
    const widened = client.passedOfType(frameType.windowUpdate).filter(({ id }) => id === 0);
    expect(widened.reduce((sum, { payload }) => sum + payload.readUInt32BE(), 0)).toBeGreaterThan(2 * late.length);
  });

  test("to widen a window has that stream reset alone", async () => {
    await using server = await serve({ handlets: [hello], settings: { writeTimeout: 30 } });
    const client = await FrameClient.connect(server, { [settingId.initialWindowSize]: 2 });
    client.send(client.request(1));
    expect(await client.reset(1)).toBe("CANCEL");
    expect(logOf(server)).toContain("it took nothing of its answer for 30 ms");
    await client.roundTrip();
  });

  test("to read anything at all is cut off, and what waits for it is bounded", async () => {
    const settings = { writeTimeout: 50, http2MaxBufferedOutput: 128 * 1024, http2MaxIdleFrames: 10_000_000 };
    await using server = await serve({ handlets: [hello], settings });
    const client = await FrameClient.connect(server);
    client.raw.socket.pause();
    const cut = Promise.withResolvers<void>();
    client.raw.socket.on("error", () => cut.resolve()).on("close", () => cut.resolve());
    const pings = Buffer.alloc(17 * 4000, frame(frameType.ping, 0, 0, Buffer.alloc(8)));
    const sendOn = (): void => void client.raw.socket.write(pings, (error) => error ?? setImmediate(sendOn));
    sendOn();
    await cut.promise;
    expect(logOf(server)).toContain("it took nothing of its answers for 50 ms");
  });
});

test("a handlet that is too late is given up on its stream alone", async () => {
  await using server = await serve({
    handlets: [(req, resp) => (req.path === "/wait" ? true : hello(req, resp))],
    settings: { handleTimeout: 30 },
  });
  const client = await FrameClient.connect(server);
  client.send(client.request(1, { ":path": "/wait" }));
  expect(await client.response(1)).toMatchObject({ status: 503 });
  expect(await client.send(client.request(3)).response(3)).toMatchObject({ text: "hello" });
});

test("the last request of a connection is told to be so", async () => {
  await using server = await serve({ handlets: [hello], settings: { maxRequestsPerConn: 2 } });
  const client = await FrameClient.connect(server);
  client.send(client.request(1), client.request(3), client.request(5));
  expect(await client.goaway()).toBe("NO_ERROR");
  expect(await client.response(1)).toMatchObject({ text: "hello" });
  expect(await client.response(3)).toMatchObject({ text: "hello" });
});
