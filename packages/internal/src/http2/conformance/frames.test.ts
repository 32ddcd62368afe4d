// RFC 9113, sections 3 and 4: how a connection begins, and what frames look like.

import { describe, expect, test } from "vitest";
import { describeTransports, serve } from "../../testing/serve.ts";
import { frameFlag, frameType, preface } from "../frames.ts";
import {
  answers,
  describeConformance,
  endsConnection,
  goesOn,
  hexRequest,
  type ConformanceCase,
} from "../../testing/conformance.ts";
import { frame, FrameClient } from "../../testing/frame-client.ts";

const { data, headers, priority, rstStream, ping, goaway, windowUpdate, continuation } = frameType;
const { endHeaders, endStream, padded } = frameFlag;
const whole = endHeaders | endStream;
const post = { ":method": "POST" };
const get = { ":method": "GET", ":scheme": "http", ":path": "/", ":authority": "test.example" };
const big = Buffer.alloc(16_385);

describeTransports(({ serve }) => {
  describe("RFC 9113 3.4:", () => {
    test("a connection begins with SETTINGS of ours, and those of the client are acknowledged", async () => {
      await using server = await serve(() => true);
      const client = new FrameClient(await server.connect(["h2"]));
      client.send(preface, frame(frameType.settings, 0, 0));
      expect(await client.next()).toMatchObject({ type: frameType.settings, flags: 0, id: 0 });
      const { payload } = await client.nextOf(({ type, flags }) => type === frameType.settings && flags !== 0);
      expect(payload).toHaveLength(0);
    });

    test("something else than SETTINGS behind the preface ends it with PROTOCOL_ERROR", async () => {
      await using server = await serve(() => true);
      const client = new FrameClient(await server.connect(["h2"]));
      client.send(preface, client.request(1));
      expect(await client.goaway()).toBe("PROTOCOL_ERROR");
    });

    test("an acknowledgement before any SETTINGS ends it with PROTOCOL_ERROR", async () => {
      await using server = await serve(() => true);
      const client = new FrameClient(await server.connect(["h2"]));
      client.send(preface, frame(frameType.settings, frameFlag.ack, 0));
      expect(await client.goaway()).toBe("PROTOCOL_ERROR");
    });
  });

  test("RFC 9113 5.4.1: a GOAWAY names the last stream that may have been served", async () => {
    await using server = await serve((_req, resp) => (resp.send(), true));
    const client = await FrameClient.connect(server);
    client.send(client.request(1), client.request(7), frame(ping, 0, 1, Buffer.alloc(8)), client.request(9));
    const { payload } = await client.nextOfType(goaway);
    expect(payload.readUInt32BE(0)).toBe(7);
    await client.response(1);
    await client.response(7);
    expect(await client.raw.ending()).toBe("end");
    expect(client.passedOfType(headers)).toEqual([]);
  });
});

test("RFC 9113 3.4: over TLS, something else than the preface ends a connection of h2 with PROTOCOL_ERROR", async () => {
  await using server = await serve({ tls: true, handlets: [() => true] });
  const client = new FrameClient(await server.connect(["h2"]));
  client.send(Buffer.from("PRI * HTTP/2.0\r\n\r\nsm\r\n\r\n"));
  expect(await client.goaway()).toBe("PROTOCOL_ERROR");
  expect(await client.raw.ending()).toBe("end");
});

const inTheMidst: readonly (readonly [what: string, bytes: Buffer])[] = [
  ["PRIORITY", frame(priority, 0, 1, Buffer.alloc(5))],
  ["DATA", frame(data, 0, 1, "a")],
  ["RST_STREAM", frame(rstStream, 0, 1, 8)],
  ["WINDOW_UPDATE", frame(windowUpdate, 0, 0, 1)],
  ["PING", frame(ping, 0, 0, "12345678")],
  ["SETTINGS", frame(frameType.settings, 0, 0)],
  ["HEADERS", frame(headers, endHeaders, 1)],
  ["HEADERS of another stream", frame(headers, endHeaders, 3)],
  ["CONTINUATION of another stream", frame(continuation, endHeaders, 3)],
  ["an unknown frame", frame(0x16, 0, 0)],
];

/** A frame whose stream identifier has the reserved bit set. */
function reserved(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  copy[5] = (copy[5] ?? 0) | 0x80;
  return copy;
}

describeConformance("RFC 9113", {
  "4.1": [
    ["a frame of unknown type", goesOn, () => [frame(0x16, 0, 0, "12345678")]],
    ["a frame of unknown type, on a stream that has not begun", goesOn, () => [frame(0x16, 0xff, 9, "12345678")]],
    ["flags that mean nothing", goesOn, () => [frame(ping, 0xfe, 0, "12345678")]],
    ["flags that mean nothing on a request", answers(1), (c) => [frame(headers, whole | 0xd2, 1, c.block(get))]],
    ["the reserved bit", answers(1), (c) => [reserved(frame(ping, 0, 0, "12345678")), reserved(c.request(1))]],
  ],
  "4.2": [
    ["DATA of 16384 bytes", answers(1), (c) => [c.request(1, post, false), c.data(1, "a".repeat(16_384), true)]],
    [
      "DATA of 16385 bytes",
      endsConnection("FRAME_SIZE_ERROR"),
      (c) => [c.request(1, post, false), c.data(1, "a".repeat(16_385), true)],
    ],
    [
      "HEADERS of 16385 bytes",
      endsConnection("FRAME_SIZE_ERROR"),
      (c) => [c.request(1, { "x-a": "~".repeat(16_385) })],
    ],
    ["an unknown frame of 16385 bytes", endsConnection("FRAME_SIZE_ERROR"), () => [frame(0x16, 0, 0, big)]],
    [
      "padded DATA without the size of its padding",
      endsConnection("FRAME_SIZE_ERROR"),
      (c) => [c.request(1, post, false), frame(data, padded, 1)],
    ],
    [
      "a padded head without the size of its padding",
      endsConnection("FRAME_SIZE_ERROR"),
      () => [frame(headers, whole | padded, 1)],
    ],
    [
      "a head that is too short for its priority",
      endsConnection("FRAME_SIZE_ERROR"),
      () => [frame(headers, whole | frameFlag.priority, 1, "\0\0\0\0")],
    ],
  ],
  "4.3": [
    ["a head that cannot be decoded", endsConnection("COMPRESSION_ERROR"), () => [hexRequest(1, "ffffffffffff")]],
    [
      "trailers that cannot be decoded",
      endsConnection("COMPRESSION_ERROR"),
      (c) => [c.request(1, post, false), hexRequest(1, "80")],
    ],
    [
      "a head for nobody that cannot be decoded",
      endsConnection("COMPRESSION_ERROR"),
      async (c) => {
        c.send(c.request(1, { ...post, connection: "close" }, false));
        await c.reset(1);
        return [hexRequest(1, "80")];
      },
    ],
    ...inTheMidst.map(([what, bytes]): ConformanceCase => [
      `a head with ${what} in its midst`,
      endsConnection("PROTOCOL_ERROR"),
      () => [frame(headers, endStream, 1), bytes],
    ]),
  ],
});
