import { describe, expect, test } from "vitest";
import type { HandletPart } from "../web/kinds.ts";
import { serve } from "../testing/serve.ts";
import { frameFlag, frameType, preface, settingId } from "./frames.ts";
import { frame, FrameClient, settings } from "../testing/frame-client.ts";

const hello: HandletPart["handle"] = (_req, resp) => (resp.send("hello"), true);
/** Answers a POST when its client has ended it. */
const waits: HandletPart["handle"] = async (req, resp) => (await req.content.text(), resp.send("hello"), true);
const helloOrWaits: HandletPart["handle"] = (req, resp) => (req.hasContent ? waits(req, resp) : hello(req, resp));

type Mistake = [what: string, code: string, make: (client: FrameClient) => Uint8Array[]];

const { data, headers, priority, rstStream, ping, goaway, windowUpdate, continuation, pushPromise } = frameType;
const whole = frameFlag.endHeaders | frameFlag.endStream;

describe("a connection ends with a code when its client sends", () => {
  test.each<Mistake>([
    // RFC 9113 4.2
    [
      "a frame larger than allowed",
      "FRAME_SIZE_ERROR",
      (c) => [c.request(1, {}, false), c.data(1, "a".repeat(16_385))],
    ],
    // 4.3
    [
      "a head that cannot be decoded",
      "COMPRESSION_ERROR",
      () => [frame(headers, whole, 1, "\xff\xff\xff\xff\xff\xff")],
    ],
    // 5.1
    ["DATA on a stream that has not begun", "PROTOCOL_ERROR", (c) => [c.data(1, "a")]],
    ["RST_STREAM on a stream that has not begun", "PROTOCOL_ERROR", () => [frame(rstStream, 0, 1, 8)]],
    ["WINDOW_UPDATE on a stream that has not begun", "PROTOCOL_ERROR", () => [frame(windowUpdate, 0, 1, 1)]],
    ["DATA on a stream that has ended", "STREAM_CLOSED", (c) => [c.request(1), c.data(1, "a")]],
    ["a head on a stream that has ended", "STREAM_CLOSED", (c) => [c.request(1), c.request(1)]],
    // 5.1.1
    ["a stream of even number", "PROTOCOL_ERROR", (c) => [c.request(2)]],
    ["a stream of a lower number", "PROTOCOL_ERROR", (c) => [c.request(5), c.request(3)]],
    // 5.3.1 of RFC 7540
    ["a stream that depends on itself", "PROTOCOL_ERROR", () => [frame(priority, 0, 3, "\0\0\0\x03\0")]],
    [
      "a head whose stream depends on itself",
      "PROTOCOL_ERROR",
      (c) => [
        frame(headers, whole | frameFlag.priority, 3, Buffer.concat([Buffer.from([0, 0, 0, 3, 0]), c.block({})])),
      ],
    ],
    // 6.1 to 6.10
    ["DATA on no stream", "PROTOCOL_ERROR", (c) => [c.data(0, "a")]],
    [
      "DATA that is all padding",
      "PROTOCOL_ERROR",
      (c) => [c.request(1, {}, false), frame(data, frameFlag.padded, 1, "\x03ab")],
    ],
    ["a head on no stream", "PROTOCOL_ERROR", (c) => [c.request(0)]],
    ["a head that is all padding", "PROTOCOL_ERROR", () => [frame(headers, whole | frameFlag.padded, 1, "\x03ab")]],
    ["PRIORITY on no stream", "PROTOCOL_ERROR", () => [frame(priority, 0, 0, Buffer.alloc(5))]],
    ["RST_STREAM on no stream", "PROTOCOL_ERROR", () => [frame(rstStream, 0, 0, 8)]],
    ["RST_STREAM of another size", "FRAME_SIZE_ERROR", (c) => [c.request(1), frame(rstStream, 0, 1, "abc")]],
    ["SETTINGS on a stream", "PROTOCOL_ERROR", () => [frame(frameType.settings, 0, 1)]],
    ["SETTINGS of another size", "FRAME_SIZE_ERROR", () => [frame(frameType.settings, 0, 0, "abcde")]],
    [
      "an acknowledgement that holds settings",
      "FRAME_SIZE_ERROR",
      () => [frame(frameType.settings, frameFlag.ack, 0, Buffer.alloc(6))],
    ],
    [
      "ENABLE_PUSH of 2",
      "PROTOCOL_ERROR",
      () => [frame(frameType.settings, 0, 0, settings({ [settingId.enablePush]: 2 }))],
    ],
    [
      "a window beyond its bounds",
      "FLOW_CONTROL_ERROR",
      () => [frame(frameType.settings, 0, 0, settings({ [settingId.initialWindowSize]: 2 ** 31 }))],
    ],
    [
      "frames smaller than allowed",
      "PROTOCOL_ERROR",
      () => [frame(frameType.settings, 0, 0, settings({ [settingId.maxFrameSize]: 16_383 }))],
    ],
    [
      "frames larger than there are",
      "PROTOCOL_ERROR",
      () => [frame(frameType.settings, 0, 0, settings({ [settingId.maxFrameSize]: 2 ** 24 }))],
    ],
    ["PUSH_PROMISE", "PROTOCOL_ERROR", (c) => [c.request(1), frame(pushPromise, frameFlag.endHeaders, 1, 2)]],
    ["PING on a stream", "PROTOCOL_ERROR", () => [frame(ping, 0, 1, Buffer.alloc(8))]],
    ["PING of another size", "FRAME_SIZE_ERROR", () => [frame(ping, 0, 0, Buffer.alloc(7))]],
    ["GOAWAY on a stream", "PROTOCOL_ERROR", () => [frame(goaway, 0, 1, Buffer.alloc(8))]],
    ["GOAWAY that is cut off", "FRAME_SIZE_ERROR", () => [frame(goaway, 0, 0, Buffer.alloc(7))]],
    ["WINDOW_UPDATE of another size", "FRAME_SIZE_ERROR", () => [frame(windowUpdate, 0, 0, "abc")]],
    ["WINDOW_UPDATE of nothing", "PROTOCOL_ERROR", () => [frame(windowUpdate, 0, 0, 0)]],
    ["WINDOW_UPDATE beyond all bounds", "FLOW_CONTROL_ERROR", () => [frame(windowUpdate, 0, 0, 0x7fffffff)]],
    ["CONTINUATION of nothing", "PROTOCOL_ERROR", () => [frame(continuation, frameFlag.endHeaders, 1)]],
    ["CONTINUATION behind a whole head", "PROTOCOL_ERROR", (c) => [c.request(1), frame(continuation, 0, 1)]],
    ["CONTINUATION of another stream", "PROTOCOL_ERROR", () => [frame(headers, 0, 1), frame(continuation, 0, 3)]],
    [
      "another frame in the midst of a head",
      "PROTOCOL_ERROR",
      () => [frame(headers, 0, 1), frame(ping, 0, 0, Buffer.alloc(8))],
    ],
    ["an unknown frame in the midst of a head", "PROTOCOL_ERROR", () => [frame(headers, 0, 1), frame(0x42, 0, 0)]],
    // RFC 9218 7.1
    [
      "PRIORITY_UPDATE on a stream",
      "PROTOCOL_ERROR",
      (c) => [c.request(1), frame(frameType.priorityUpdate, 0, 1, "\0\0\0\x01u=1")],
    ],
    ["PRIORITY_UPDATE for no stream", "PROTOCOL_ERROR", () => [frame(frameType.priorityUpdate, 0, 0, "\0\0\0\0u=1")]],
    ["PRIORITY_UPDATE that is cut off", "FRAME_SIZE_ERROR", () => [frame(frameType.priorityUpdate, 0, 0, "\0\0\0")]],
  ])("%s: %s", async (_what, code, make) => {
    await using server = await serve(helloOrWaits);
    const client = await FrameClient.connect(server);
    client.send(...make(client));
    expect(await client.goaway()).toBe(code);
    expect(await client.raw.ending()).toBe("end");
    expect(server.log.join("")).toContain(`its connection was ended with ${code}: `);
  });

  test("something else than SETTINGS first", async () => {
    await using server = await serve(hello);
    const client = new FrameClient(await server.connect());
    client.send(preface, client.request(1));
    expect(await client.goaway()).toBe("PROTOCOL_ERROR");
  });
});

describe("a stream alone is reset with a code when its client sends", () => {
  test.each<Mistake>([
    ["WINDOW_UPDATE of nothing", "PROTOCOL_ERROR", () => [frame(windowUpdate, 0, 1, 0)]],
    ["WINDOW_UPDATE beyond all bounds", "FLOW_CONTROL_ERROR", () => [frame(windowUpdate, 0, 1, 0x7fffffff)]],
    ["PRIORITY of another size", "FRAME_SIZE_ERROR", () => [frame(priority, 0, 1, "abc")]],
    [
      "trailers that do not end it",
      "PROTOCOL_ERROR",
      (c) => [frame(headers, frameFlag.endHeaders, 1, c.block({ a: "b" }))],
    ],
    ["trailers with a pseudo-field", "PROTOCOL_ERROR", (c) => [frame(headers, whole, 1, c.block({ ":path": "/" }))]],
    ["less content than announced", "PROTOCOL_ERROR", (c) => [c.data(1, "hell", true)]],
    ["more content than announced", "PROTOCOL_ERROR", (c) => [c.data(1, "hello!")]],
    [
      "trailers before all content",
      "PROTOCOL_ERROR",
      (c) => [c.data(1, "h"), frame(headers, whole, 1, c.block({ a: "b" }))],
    ],
  ])("%s: %s", async (_what, code, make) => {
    await using server = await serve(helloOrWaits);
    const client = await FrameClient.connect(server);
    client.send(
      client.request(1, { ":method": "POST", "content-length": "5" }, false),
      ...make(client),
      client.request(3),
    );
    expect(await client.reset(1)).toBe(code);
    expect(await client.response(3)).toMatchObject({ text: "hello" });
    expect(server.log.join("")).toContain(`its stream 1 was reset with ${code}: `);
  });

  test.each<Mistake>([
    ["DATA behind its end", "STREAM_CLOSED", (c) => [c.data(1, "a")]],
    ["a head behind its end", "STREAM_CLOSED", (c) => [frame(headers, whole, 1, c.block({ a: "b" }))]],
  ])("%s: %s, while it is not answered", async (_what, code, make) => {
    await using server = await serve((req, resp) => (req.path === "/" || resp.send("hello"), true));
    const client = await FrameClient.connect(server);
    client.send(client.request(1), ...make(client), client.request(3, { ":path": "/a" }));
    expect(await client.reset(1)).toBe(code);
    expect(await client.response(3)).toMatchObject({ text: "hello" });
  });

  test("a malformed head", async () => {
    await using server = await serve(hello);
    const client = await FrameClient.connect(server);
    client.send(client.request(1, { connection: "close" }), client.request(3));
    expect(await client.reset(1)).toBe("PROTOCOL_ERROR");
    expect(await client.response(3)).toMatchObject({ text: "hello" });
  });
});

test("what a handlet reads after the connection has ended opens no window, which would break the connection off", async () => {
  const ended = Promise.withResolvers<void>();
  const read = Promise.withResolvers<void>();
  await using server = await serve(async (req) => {
    await ended.promise;
    const pieces = req.content[Symbol.asyncIterator]();
    while ((await pieces.next().catch(() => undefined))?.done === false);
    read.resolve();
    return true;
  });
  const client = await FrameClient.connect(server);
  client.send(client.request(1, { ":method": "POST" }, false));
  for (let i = 0; i < 4; i++) client.send(client.data(1, "a".repeat(12_000)));
  await client.roundTrip();
  client.send(client.data(0, "a"));
  expect(await client.goaway()).toBe("PROTOCOL_ERROR");
  ended.resolve();
  await read.promise;
  // What is laid out is written at the end of the turn, and what fails by that closes the socket in the next ones.
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
  const { socket } = client.raw;
  for (let i = 0; i < 2; i++) {
    await new Promise<void>((resolve, reject) => {
      socket.write("a", (error) => (error === null || error === undefined ? resolve() : reject(error)));
    });
  }
  expect(socket.errored).toBeNull();
});
