// Our HTTP/1 codec against llhttp, the parser of Node.js. A stream in which two parsers find different requests is what
// smuggles them.

import { createServer, METHODS, type IncomingMessage } from "node:http";
import { duplexPair } from "node:stream";
import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { BadHead } from "./bad-head.ts";
import { ChunkedReader } from "./chunked.ts";
import { readHttp1RequestHead, type RequestHeadLimits } from "./head.ts";

const limits: RequestHeadLimits = { maxHeadSize: 8192, maxTargetSize: 1000, maxFields: 50 };

interface Message {
  readonly line: string;
  readonly fields: readonly string[];
  readonly content: string;
  readonly trailers: readonly string[];
}

interface Reading {
  /** Those that are complete. */
  readonly messages: readonly Message[];
  /** What comes of the bytes behind them. */
  readonly rest: "refused" | "not read" | "incomplete";
}

function readByOurs(text: string): Reading {
  const bytes = Buffer.from(text, "latin1");
  const messages: Message[] = [];
  for (let at = 0; at < bytes.length;) {
    const head = readHttp1RequestHead(bytes, at, bytes.length, limits);
    if (head === undefined) break;
    // llhttp knows no other methods.
    if (head instanceof BadHead || !METHODS.includes(head.method)) return { messages, rest: "refused" };
    const line = `${head.method} ${head.target} ${head.version}`;
    const fields = [...head.fields].flat();
    at = head.end;
    if (head.contentSize === undefined) {
      const reader = new ChunkedReader(limits);
      let content = "";
      for (let piece = reader.next(bytes, at, bytes.length); piece !== undefined;) {
        content += piece.toString("latin1");
        piece = reader.next(bytes, reader.at, bytes.length);
      }
      if (reader.failure !== undefined) return { messages, rest: "refused" };
      if (!reader.done) break;
      at = reader.at;
      messages.push({ line, fields, content, trailers: [...reader.trailers].flat() });
    } else {
      if (bytes.length - at < head.contentSize) break;
      const content = bytes.toString("latin1", at, at + head.contentSize);
      at += head.contentSize;
      messages.push({ line, fields, content, trailers: [] });
    }
    if (head.wantsClose || (head.version === "1.0" && !head.wantsKeepAlive)) return { messages, rest: "not read" };
  }
  return { messages, rest: "incomplete" };
}

const server = createServer({ requireHostHeader: false });
let take: (message: Message) => void = () => {};
server.on("request", (req: IncomingMessage) => {
  const lowerCase = (list: readonly string[]) => list.map((text, i) => (i % 2 === 0 ? text.toLowerCase() : text));
  let content = "";
  req.setEncoding("latin1").on("data", (piece: string) => (content += piece));
  req.on("error", () => {});
  req.on("end", () => {
    const line = `${req.method} ${req.url} ${req.httpVersion}`;
    take({ line, fields: lowerCase(req.rawHeaders), content, trailers: lowerCase(req.rawTrailers) });
  });
});
server.on("clientError", () => {});
afterAll(() => server.close());

async function readByLlhttp(text: string): Promise<Message[]> {
  const messages: Message[] = [];
  take = (message) => messages.push(message);
  const [near, far] = duplexPair();
  far.on("error", () => {});
  server.emit("connection", far);
  near.write(Buffer.from(text, "latin1"));
  // All within this process: a few turns of the event loop carry it there.
  for (let turn = 0; turn < 4; turn++) await setImmediate();
  far.destroy();
  near.destroy();
  return messages;
}

const framing = fc.constantFrom(
  ...["", "content-length: 5\r\n", "Content-Length:\t05 \r\n", "content-length: 0\r\n", "content-length:\r\n"],
  ...["content-length: +5\r\n", "content-length: 5, 5\r\n", "content-length: 0x5\r\n", "content-length: 5 5\r\n"],
  ...["transfer-encoding: chunked\r\n", "Transfer-Encoding:Chunked \r\n", "transfer-encoding: chunked, chunked\r\n"],
  ...["transfer-encoding: identity\r\n", "transfer-encoding: xchunked\r\n", "transfer-encoding: \x0bchunked\r\n"],
  ...["transfer-encoding: chunked\r\n", "content-length: 5\r\n", "x-a: 1\r\n", "transfer-encoding : chunked\r\n"],
  ...["content-length: 5\r\ncontent-length: 5\r\n", "transfer-encoding: chunked\r\ncontent-length: 5\r\n"],
);
const others = fc.array(
  fc.constantFrom(
    ...[
      "x-a: b\r\n",
      "X-A:b \t\r\n",
      "x-a:\r\n",
      "x_a: \x80\xff\r\n",
      "x-a: b\r\n c\r\n",
      "connection: keep-alive\r\n",
    ],
    ...["x-b: \t\r\n", "host: b\r\n", "!#$%&'*+-.^_`|~: 1\r\n", 'x-c: a\tb, "c"\r\n'],
  ),
  { maxLength: 3 },
);
const content = fc.constantFrom(
  ...["", "hello", "5\r\nhello\r\n0\r\n\r\n", "05\r\nhello\r\nA\r\n0123456789\r\n0\r\n\r\n", "0\r\nx-t: u \r\n\r\n"],
  ...[
    "5;a=b\r\nhello\r\n0;c\r\n\r\n",
    '5;a="b;\\"c"\r\nhello\r\n00\r\nX-T:u\r\nx-v:\r\n\r\n',
    "5\r\nhello\r\n0\r\n\r\n",
  ],
);
const message = fc
  .tuple(
    fc.constantFrom("GET", "POST", "PUT", "HEAD", "OPTIONS", "DELETE"),
    fc.constantFrom("/", "/a?b=c", "/a%2Fb/../c", "//a", "/a|b^{c}"),
    fc.constantFrom("1.1", "1.1", "1.1", "1.1", "1.0"),
    fc.constantFrom("", "", "", "", "connection: close\r\n"),
    framing,
    others,
    content,
  )
  .map(
    ([method, target, version, closing, framing, others, content]) =>
      `${method} ${target} HTTP/${version}\r\nhost: a\r\n${closing}${framing}${others.join("")}\r\n${content}`,
  );
const edit = fc.tuple(
  fc.nat(),
  fc.nat(2),
  fc.constantFrom("", "", "\r", "\n", "\r\n", " ", ":", "\0", ";", ",", "0", "a", "\x0b", "\x7f", "\x80"),
);
/** Some requests in a row, and a few of their characters other ones. */
const stream = fc
  .tuple(fc.array(message, { minLength: 1, maxLength: 4 }), fc.array(edit, { maxLength: 2 }))
  .map(([messages, edits]) => {
    let text = messages.join("");
    for (const [seed, removed, put] of edits) {
      const at = seed % text.length;
      text = text.slice(0, at) + put + text.slice(at + removed);
    }
    return text;
  });

test("what we read of a connection is what llhttp reads of it, to the byte where a request ends", async () => {
  await fc.assert(
    fc.asyncProperty(stream, async (text) => {
      const ours = readByOurs(text);
      const theirs = await readByLlhttp(text);
      // We may refuse what llhttp takes. What we take is taken by both, and behind it no other request begins.
      expect(theirs.slice(0, ours.messages.length)).toEqual(ours.messages);
      if (ours.rest === "incomplete") expect(theirs).toEqual(ours.messages);
    }),
    { numRuns: 1000, seed: 1 },
  );
});
