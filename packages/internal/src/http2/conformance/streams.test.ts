// RFC 9113, sections 5 to 7: the states of a stream, and what each type of frame may say. What no state allows is in
// mistakes.test.ts.

import { frameFlag, frameType, settingId } from "../frames.ts";
import {
  answers,
  describeConformance,
  endsConnection,
  goesOn,
  resetsStream,
  sendsOnly,
  type ExpectedOutcome,
} from "../../testing/conformance.ts";
import { frame, settings, type FrameClient } from "../../testing/frame-client.ts";
import { expect } from "vitest";

const { data, headers, priority, rstStream, ping, goaway, windowUpdate, continuation } = frameType;
const { endHeaders, endStream, padded, ack } = frameFlag;
const whole = endHeaders | endStream;
const post = { ":method": "POST" };
const wait = { ":path": "/wait" };
const depends = (on: number, weight: number): Buffer => Buffer.of(on >>> 24, 0, 0, on & 0xff, weight - 1);

/** The request on stream 1 has been answered, and its stream is closed. */
async function closed(c: FrameClient): Promise<void> {
  await c.send(c.request(1)).response(1);
}

/** The client has given up stream 1. */
function givenUp(c: FrameClient): Uint8Array[] {
  return [c.request(1, { ...post, ...wait }, false), frame(rstStream, 0, 1, 8)];
}

/** The first PING that comes acknowledges this. */
const pongs = (payload: string): ExpectedOutcome => ({
  name: `acknowledges ${payload}`,
  async check(client) {
    const { flags, payload: got } = await client.nextOfType(ping);
    expect([flags, got.toString()]).toEqual([ack, payload]);
  },
});

describeConformance("RFC 9113", {
  "5.1, idle": [
    ["PRIORITY", goesOn, () => [frame(priority, 0, 1, depends(0, 1))]],
    ["CONTINUATION", endsConnection("PROTOCOL_ERROR"), () => [frame(continuation, endHeaders, 1)]],
  ],
  "5.1, half-closed by the client": [
    ["WINDOW_UPDATE", goesOn, (c) => [c.request(1, wait), frame(windowUpdate, 0, 1, 100)]],
    ["PRIORITY", goesOn, (c) => [c.request(1, wait), frame(priority, 0, 1, depends(0, 1))]],
    ["RST_STREAM", goesOn, (c) => [c.request(1, wait), frame(rstStream, 0, 1, 8)]],
    [
      "CONTINUATION",
      endsConnection("PROTOCOL_ERROR"),
      (c) => [c.request(1, wait), frame(continuation, endHeaders, 1, c.block({ a: "b" }))],
    ],
  ],
  "5.1, closed by the ends of both": [
    ["PRIORITY", goesOn, async (c) => (await closed(c), [frame(priority, 0, 1, depends(0, 1))])],
    ["WINDOW_UPDATE", goesOn, async (c) => (await closed(c), [frame(windowUpdate, 0, 1, 1)])],
    ["RST_STREAM", goesOn, async (c) => (await closed(c), [frame(rstStream, 0, 1, 8)])],
    ["DATA", endsConnection("STREAM_CLOSED"), async (c) => (await closed(c), [c.data(1, "a")])],
    ["HEADERS", endsConnection("STREAM_CLOSED"), async (c) => (await closed(c), [c.request(1)])],
    [
      "CONTINUATION",
      endsConnection("PROTOCOL_ERROR"),
      async (c) => (await closed(c), [frame(continuation, endHeaders, 1)]),
    ],
  ],
  "5.1, closed by RST_STREAM of the client": [
    ["PRIORITY", goesOn, (c) => [...givenUp(c), frame(priority, 0, 1, depends(0, 1))]],
    ["DATA", endsConnection("STREAM_CLOSED"), (c) => [...givenUp(c), c.data(1, "a")]],
    ["HEADERS", endsConnection("STREAM_CLOSED"), (c) => [...givenUp(c), c.request(1)]],
    ["CONTINUATION", endsConnection("PROTOCOL_ERROR"), (c) => [...givenUp(c), frame(continuation, endHeaders, 1)]],
  ],
  "5.1, closed by RST_STREAM of ours": [
    ["DATA", goesOn, (c) => [c.request(1, { ...post, te: "x" }, false), c.data(1, "a", true)]],
    ["WINDOW_UPDATE", goesOn, (c) => [c.request(1, { te: "x" }), frame(windowUpdate, 0, 1, 1)]],
    [
      "trailers, which change the table",
      answers(3, { fields: [["x-a", "b"]] }),
      (c) => [
        c.request(1, { ...post, te: "x" }, false),
        frame(headers, whole, 1, c.block({ "x-a": "b" })),
        c.request(3, { "x-a": "b" }),
      ],
    ],
  ],
  "5.1.1": [
    ["a stream that leaves numbers out", answers(101), (c) => [c.request(101)]],
    ["the stream of the highest number", answers(0x7fffffff), (c) => [c.request(0x7fffffff)]],
  ],
  "6.1": [
    [
      "content in several frames, padded and not",
      answers(1, { content: "hello" }),
      (c) => [
        c.request(1, post, false),
        c.data(1, "he"),
        frame(data, padded, 1, "\x02ll\0\0"),
        frame(data, padded | endStream, 1, "\x00o"),
      ],
    ],
    [
      "DATA of as much padding as the frame is long",
      endsConnection("PROTOCOL_ERROR"),
      (c) => [c.request(1, post, false), frame(data, padded | endStream, 1, "\x06Hello")],
    ],
  ],
  "6.2": [
    [
      "a padded head",
      answers(1),
      (c) => [
        frame(headers, whole | padded, 1, Buffer.concat([Buffer.of(5), c.request(1).subarray(9), Buffer.alloc(5)])),
      ],
    ],
    [
      "a head of more padding than there is",
      endsConnection("PROTOCOL_ERROR"),
      (c) => [frame(headers, whole | padded, 1, Buffer.concat([Buffer.of(200), c.request(1).subarray(9, 50)]))],
    ],
    [
      "a head with a priority",
      answers(1),
      (c) => [
        frame(headers, whole | frameFlag.priority, 1, Buffer.concat([depends(0, 256), c.request(1).subarray(9)])),
      ],
    ],
  ],
  "6.3": [
    ["the least weight", answers(1), (c) => [frame(priority, 0, 1, depends(0, 1)), c.request(1)]],
    ["the greatest weight", answers(1), (c) => [frame(priority, 0, 1, depends(0, 256)), c.request(1)]],
    ["a dependency on an idle stream", answers(1), (c) => [frame(priority, 0, 1, depends(7, 16)), c.request(1)]],
    ["an exclusive one", answers(1), (c) => [frame(priority, 0, 1, depends(0x80000007, 16)), c.request(1)]],
    [
      "PRIORITY for a stream of a higher number",
      answers(1),
      (c) => [frame(priority, 0, 9, depends(0, 16)), c.request(1)],
    ],
  ],
  "6.4": [
    ["RST_STREAM of a request that is served", goesOn, givenUp],
    [
      "RST_STREAM of 3 bytes",
      endsConnection("FRAME_SIZE_ERROR"),
      (c) => [c.request(1, wait), frame(rstStream, 0, 1, "abc")],
    ],
    [
      "RST_STREAM of 5 bytes",
      endsConnection("FRAME_SIZE_ERROR"),
      (c) => [c.request(1, wait), frame(rstStream, 0, 1, "abcde")],
    ],
  ],
  "6.5.2": [
    [
      "settings within their bounds",
      answers(1),
      (c) => [
        frame(frameType.settings, 0, 0, settings({ [settingId.enablePush]: 0, [settingId.maxFrameSize]: 0xffffff })),
        frame(frameType.settings, 0, 0, settings({ [settingId.enablePush]: 1, [settingId.maxFrameSize]: 16_384 })),
        frame(frameType.settings, 0, 0, settings({ [settingId.initialWindowSize]: 0x7fffffff })),
        frame(
          frameType.settings,
          0,
          0,
          settings({ [settingId.maxConcurrentStreams]: 0, [settingId.maxHeaderListSize]: 0 }),
        ),
        c.request(1),
      ],
    ],
    ["a setting that is not known", goesOn, () => [frame(frameType.settings, 0, 0, settings({ 0x99: 1 }))]],
  ],
  "6.5.3": [
    [
      "two values of one setting, of which the last counts,",
      sendsOnly(1, 1),
      (c) => [
        frame(
          frameType.settings,
          0,
          0,
          Buffer.concat([100, 1].map((size) => settings({ [settingId.initialWindowSize]: size }))),
        ),
        c.request(1),
      ],
    ],
  ],
  "6.7": [
    ["PING", pongs("abcdefgh"), () => [frame(ping, 0, 0, "abcdefgh")]],
    [
      "PING that acknowledges what nobody asked",
      pongs("ijklmnop"),
      () => [frame(ping, ack, 0, "abcdefgh"), frame(ping, 0, 0, "ijklmnop")],
    ],
    ["PING of 9 bytes", endsConnection("FRAME_SIZE_ERROR"), () => [frame(ping, 0, 0, "abcdefghi")]],
  ],
  "6.8": [
    [
      "GOAWAY behind a request",
      answersThenEnds(1),
      (c) => [c.request(1, post, false), frame(goaway, 0, 0, Buffer.alloc(8)), c.data(1, "a", true)],
    ],
  ],
  "6.9.1": [
    ["a window of the connection that is widened", goesOn, () => [frame(windowUpdate, 0, 0, 100)]],
    [
      "a window of the connection that is widened beyond all bounds in steps",
      endsConnection("FLOW_CONTROL_ERROR"),
      () => [frame(windowUpdate, 0, 0, 0x7fff0000), frame(windowUpdate, 0, 0, 0x7fff0000)],
    ],
    [
      "a window of a stream that is widened beyond all bounds in steps",
      resetsStream(1, "FLOW_CONTROL_ERROR"),
      (c) => [c.request(1, wait), frame(windowUpdate, 0, 1, 0x7fff0000), frame(windowUpdate, 0, 1, 0x7fff0000)],
    ],
  ],
  "6.9.2": [
    [
      "settings that widen a stream beyond all bounds",
      endsConnection("FLOW_CONTROL_ERROR"),
      (c) => [
        c.request(1, wait),
        frame(windowUpdate, 0, 1, 0x7fff0000),
        frame(frameType.settings, 0, 0, settings({ [settingId.initialWindowSize]: 0x7fffffff })),
      ],
    ],
  ],
  "6.10": [
    [
      "CONTINUATION behind DATA",
      endsConnection("PROTOCOL_ERROR"),
      (c) => [c.request(1, post, false), c.data(1, "a"), frame(continuation, endHeaders, 1)],
    ],
    [
      "CONTINUATION on no stream",
      endsConnection("PROTOCOL_ERROR"),
      () => [frame(headers, endStream, 1), frame(continuation, endHeaders, 0)],
    ],
    [
      "CONTINUATION behind the last one of a head",
      endsConnection("PROTOCOL_ERROR"),
      (c) => {
        const block = c.request(1, wait).subarray(9);
        return [
          frame(headers, endStream, 1, block.subarray(0, 2)),
          frame(continuation, endHeaders, 1, block.subarray(2)),
          frame(continuation, endHeaders, 1),
        ];
      },
    ],
  ],
  "7": [
    ["RST_STREAM of an unknown code", goesOn, (c) => [c.request(1, wait), frame(rstStream, 0, 1, 0xff)]],
    [
      "GOAWAY of an unknown code",
      answersThenEnds(1),
      (c) => [c.request(1, post, false), frame(goaway, 0, 0, "\0\0\0\0\0\0\0\xff"), c.data(1, "a", true)],
    ],
  ],
});

/** What was asked for before is served, and the connection ends without an error. */
function answersThenEnds(id: number): ExpectedOutcome {
  return {
    name: "lets it be served, and the connection end",
    async check(client) {
      expect(await client.response(id)).toMatchObject({ status: 200 });
      expect(await client.raw.ending()).toBe("end");
      expect(client.passedOfType(goaway)).toEqual([]);
    },
  };
}
