// RFC 9113, section 8: how requests are expressed.

import { frameFlag, frameType } from "../frames.ts";
import {
  answers,
  answersWith,
  describeConformance,
  endsConnection,
  resetsStream,
  type ConformanceCase,
} from "../../testing/conformance.ts";
import { frame, type FrameClient } from "../../testing/frame-client.ts";

const { data, headers } = frameType;
const { endHeaders, endStream } = frameFlag;
const whole = endHeaders | endStream;
const post = { ":method": "POST" };
const get = [":method", "GET", ":scheme", "http", ":path", "/", ":authority", "test.example"];

function without(name: string): string[] {
  return get.filter((_text, i) => get[i - (i % 2)] !== name);
}

/** A head of these fields in this order. */
const head = (c: FrameClient, list: readonly string[], flags = whole): Buffer =>
  frame(headers, flags, 1, c.block(list));

function malformed(what: string, list: readonly string[]): ConformanceCase {
  return [what, resetsStream(1, "PROTOCOL_ERROR"), (c) => [head(c, list)]];
}

function malformedTrailers(what: string, list: readonly string[]): ConformanceCase {
  return [
    `trailers with ${what}`,
    resetsStream(1, "PROTOCOL_ERROR"),
    (c) => [c.request(1, post, false), c.data(1, "a"), head(c, list)],
  ];
}

const octet = (code: number): string => String.fromCharCode(code);

describeConformance("RFC 9113", {
  "8.1": [
    ["GET", answers(1, { method: "GET" }), (c) => [c.request(1)]],
    ["HEAD", answersWith(1, 200), (c) => [c.request(1, { ":method": "HEAD" })]],
    [
      "POST with content",
      answers(1, { method: "POST", content: "hello" }),
      (c) => [c.request(1, post, false), c.data(1, "hello", true)],
    ],
    [
      "POST whose end is an empty frame",
      answers(1, { content: "" }),
      (c) => [c.request(1, post, false), c.data(1, "", true)],
    ],
    [
      "POST with trailers",
      answers(1, { content: "hello", trailers: [["x-sum", "7"]] }),
      (c) => [c.request(1, post, false), c.data(1, "hello"), head(c, ["x-sum", "7"])],
    ],
    [
      "a second head that does not end its request",
      resetsStream(1, "PROTOCOL_ERROR"),
      (c) => [c.request(1, post, false), c.data(1, "a"), head(c, ["x-a", "b"], endHeaders)],
    ],
    [
      "content behind trailers",
      resetsStream(1, "STREAM_CLOSED"),
      (c) => [c.request(1, { ...post, ":path": "/wait" }, false), head(c, ["x-a", "b"]), c.data(1, "a")],
    ],
  ],
  "8.1.1": [
    ...(["1", "3"] as const).flatMap((size): ConformanceCase[] => [
      [
        `content-length ${size} and content of 2 bytes in one frame`,
        resetsStream(1, "PROTOCOL_ERROR"),
        (c) => [c.request(1, { ...post, "content-length": size }, false), c.data(1, "ab", true)],
      ],
      [
        `content-length ${size} and content of 2 bytes in two frames`,
        resetsStream(1, "PROTOCOL_ERROR"),
        (c) => [c.request(1, { ...post, "content-length": size }, false), c.data(1, "a"), c.data(1, "b", true)],
      ],
    ]),
    [
      "content-length 1 and the end behind the head",
      resetsStream(1, "PROTOCOL_ERROR"),
      (c) => [c.request(1, { ...post, "content-length": "1" })],
    ],
    [
      "content-length 0 and an empty frame",
      answers(1, { content: "" }),
      (c) => [c.request(1, { ...post, "content-length": "0" }, false), frame(data, endStream, 1)],
    ],
  ],
  "8.2.1": [
    malformed("a capital letter in a name", [...get, "X-a", "b"]),
    malformed("an empty name", [...get, "", "b"]),
    malformed("a colon within a name", [...get, "x:a", "b"]),
    ...[0x00, 0x09, 0x20, 0x7f, 0x80, 0xff].map((code) =>
      malformed(`0x${code.toString(16)} in a name`, [...get, `x${octet(code)}a`, "b"]),
    ),
    ...[0x00, 0x0a, 0x0d].map((code) =>
      malformed(`0x${code.toString(16)} in a value`, [...get, "x-a", `b${octet(code)}c`]),
    ),
    ...[" b", "b ", "\tb", "b\t"].map((value) =>
      malformed(`the value ${JSON.stringify(value)}`, [...get, "x-a", value]),
    ),
    ["a tab within a value", answers(1, { fields: [["x-a", "b\tc"]] }), (c) => [head(c, [...get, "x-a", "b\tc"])]],
  ],
  "8.2.2": [
    ...["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"].map((name) =>
      malformed(`the field ${name}`, [...get, name, "a"]),
    ),
    malformed("te: gzip", [...get, "te", "gzip"]),
    malformed("te: trailers, gzip", [...get, "te", "trailers, gzip"]),
    ["te: trailers", answers(1, { fields: [["te", "trailers"]] }), (c) => [head(c, [...get, "te", "trailers"])]],
    malformedTrailers("the field connection", ["connection", "close"]),
    malformedTrailers("the field transfer-encoding", ["transfer-encoding", "chunked"]),
  ],
  "8.2.3": [
    [
      "cookies in pieces",
      answers(1, { fields: [["cookie", "a=b; c=d; e=f"]] }),
      (c) => [head(c, [...get, "cookie", "a=b", "x-y", "z", "cookie", "c=d", "cookie", "e=f"])],
    ],
  ],
  "8.3": [
    malformed("an unknown pseudo-field", [...get, ":test", "a"]),
    malformed("a pseudo-field of responses", [...get, ":status", "200"]),
    malformed("a pseudo-field behind a field", [...without(":path"), "x-a", "b", ":path", "/"]),
    malformedTrailers("a pseudo-field of requests", [":method", "GET"]),
    malformedTrailers("a pseudo-field of responses", [":status", "200"]),
    malformedTrailers("a capital letter in a name", ["X-a", "b"]),
  ],
  "8.3.1": [
    ...[":method", ":scheme", ":path"].flatMap((name) => [
      malformed(`no ${name}`, without(name)),
      malformed(`${name} twice`, [...get, name, get[get.indexOf(name) + 1] ?? ""]),
      malformed(`an empty ${name}`, [...without(name), name, ""]),
    ]),
    malformed(":authority twice", [...get, ":authority", "test.example"]),
    malformed("neither :authority nor host", without(":authority")),
    malformed("a host that is not its :authority", [...get, "host", "other.example"]),
    ["host alone", answers(1), (c) => [head(c, [...without(":authority"), "host", "test.example"])]],
    ["OPTIONS *", answersWith(1, 204), (c) => [c.request(1, { ":method": "OPTIONS", ":path": "*" })]],
    malformed("GET *", [...without(":path"), ":path", "*"]),
  ],
  "8.4": [
    [
      "PUSH_PROMISE",
      endsConnection("PROTOCOL_ERROR"),
      (c) => [c.request(1, { ":path": "/wait" }), frame(frameType.pushPromise, endHeaders, 1, 2)],
    ],
  ],
  "8.5": [
    malformed("CONNECT with a scheme and a path", [":method", "CONNECT", ...get.slice(2)]),
    malformed("CONNECT without an authority", [":method", "CONNECT"]),
  ],
});

describeConformance("RFC 8441", {
  "4": [
    malformed("a protocol without CONNECT", [...get, ":protocol", "websocket"]),
    malformed("an extended CONNECT without a path", [
      ":method",
      "CONNECT",
      ":protocol",
      "a",
      ...without(":path").slice(2),
    ]),
    malformed("an extended CONNECT without a scheme", [
      ":method",
      "CONNECT",
      ":protocol",
      "a",
      ...without(":scheme").slice(2),
    ]),
  ],
});
