// Which protocol the first bytes of a client belong to. Each test decides within a fixed number of bytes.

import { Buffer } from "node:buffer";
import { more } from "../component/partial-condition.ts";

export type StreamProtocol =
  "http" | "http2" | "tls" | "ssh" | "redis" | "postgres" | "mysql" | "mqtt" | "rdp" | "socks" | "dns";

type Test = (bytes: Buffer) => boolean | typeof more;

/** `more`: further bytes may show a protocol. "": the bytes belong to none that is known. */
export function sniffStream(bytes: Buffer): StreamProtocol | "" | typeof more {
  let isOpen = false;
  for (const [protocol, test] of tests) {
    const answer = test(bytes);
    if (answer === true) return protocol;
    if (answer === more) isOpen = true;
  }
  return isOpen ? more : "";
}

/** What a byte has to be: itself, one of a range, or anything (`undefined`). */
type Pattern = readonly (number | readonly [from: number, to: number] | undefined)[];

function begins(pattern: Pattern): Test {
  return (bytes) => {
    for (const [at, expected] of pattern.entries()) {
      const byte = bytes[at];
      if (byte === undefined) return more;
      if (expected === undefined) continue;
      const [from, to] = typeof expected === "number" ? [expected, expected] : expected;
      if (byte < from || byte > to) return false;
    }
    return true;
  };
}

function text(expected: string): Test {
  return begins([...Buffer.from(expected, "latin1")]);
}

function anyOf(...tests: readonly Test[]): Test {
  return (bytes) => {
    const answers = tests.map((test) => test(bytes));
    return answers.includes(true) || (answers.includes(more) ? more : false);
  };
}

/** In the order of preference, where the first bytes of two protocols can be the same. */
const tests: readonly (readonly [StreamProtocol, Test])[] = [
  // A record of type handshake; all versions have the major number 3 (RFC 8446 5.1).
  ["tls", begins([0x16, 3])],
  ["http2", text("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")],
  ["http", isHTTP1],
  ["ssh", text("SSH-")],
  // An array of bulk strings: *1 CR LF $.
  ["redis", isRedis],
  // The length, then the version 3.x, or a request for TLS, GSSAPI or a cancellation (80877102 to 80877104).
  [
    "postgres",
    anyOf(
      begins([0, 0, undefined, undefined, 0, 3, 0, [0, 9]]),
      begins([0, 0, 0, [8, 255], 4, 0xd2, 0x16, [0x2e, 0x30]]),
    ),
  ],
  // CONNECT with the protocol name MQTT, or MQIsdp before version 3.1.1. The remaining length has one or two bytes.
  [
    "mqtt",
    anyOf(
      begins([0x10, [0, 0x7f], 0, [4, 6], 0x4d, 0x51]),
      begins([0x10, [0x80, 0xff], [0, 0x7f], 0, [4, 6], 0x4d, 0x51]),
    ),
  ],
  // TPKT, then a connection request of X.224.
  ["rdp", begins([3, 0, undefined, undefined, undefined, 0xe0])],
  // Version 5 with its number of methods; version 4 with CONNECT or BIND.
  [
    "socks",
    anyOf(begins([5, [1, 255], [0, 9]]), begins([4, [1, 2], undefined, undefined, undefined, undefined, undefined])),
  ],
  // The length, an id, a query with one question and no answers (RFC 1035 4.1, 4.2.2).
  ["dns", begins([[0, 2], undefined, undefined, undefined, [0, 7], undefined, 0, 1, 0, 0, 0, 0, 0, [0, 2]])],
  // X protocol: a small length, then a message that may come first: capabilities or authentication.
  ["mysql", anyOf(begins([[1, 255], undefined, 0, 0, [1, 4]]))],
];

/** A method, then a target in any form: `GET /`, `OPTIONS *`, `GET http://…`, `CONNECT host:port`. */
function isHTTP1(bytes: Buffer): boolean | typeof more {
  const start = bytes.toString("latin1", 0, 40);
  // The preface of HTTP/2.
  if (start.startsWith("PRI ")) return false;
  if (/^(?:CONNECT [\w.[\]:-]|[A-Z][A-Z-]{1,31} (?:\/|\*|https?:))/.test(start)) return true;
  return /^[A-Z][A-Z-]{0,31}(?: (?:h|ht|htt|http|https)?)?$/.test(start) || bytes.length === 0 ? more : false;
}

function isRedis(bytes: Buffer): boolean | typeof more {
  const start = bytes.toString("latin1", 0, 12);
  if (/^\*[1-9]\d{0,6}\r\n\$/.test(start)) return true;
  return /^(?:\*(?:[1-9]\d{0,6}(?:\r\n?)?)?)?$/.test(start) ? more : false;
}
