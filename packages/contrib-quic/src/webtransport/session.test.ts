// WebTransport sessions as a client sees them, frame by frame.

import { capsule, type ExchanWire } from "@hemi/internal";
import { afterEach, expect, test } from "vitest";
import { errorCode } from "../http3/errors.ts";
import { varint } from "@hemi/common";
import { Uncaught } from "@hemi/internal/testing";
import { TestClient } from "../testing/http3-client.ts";
import { bidiSignal, fromHttp3Code, sessionCapsule, streamCode, toHttp3Code, uniStreamType } from "./codes.ts";
import { sessionOf } from "./conn-sessions.ts";
import type { SessionEnd, WebTransportEvents, WebTransportSession } from "./session.ts";
import type { QuicStream } from "../quic/stream.ts";
import { defaultSettings, type WebTransportSettings } from "./web-transport-props.ts";

const connect = { ":method": "CONNECT", ":protocol": "webtransport", ":path": "/wt" };
const bidi = (sessionId: number, text = "") =>
  Buffer.concat([varint(bidiSignal), varint(sessionId), Buffer.from(text)]);
const uni = (sessionId: number, text = "") =>
  Buffer.concat([varint(uniStreamType), varint(sessionId), Buffer.from(text)]);

interface Site {
  readonly client: TestClient;
  readonly sessions: WebTransportSession[];
  readonly streams: QuicStream[];
  readonly datagrams: string[];
  readonly ends: SessionEnd[];
}

const open: TestClient[] = [];
afterEach(() => {
  for (const client of open.splice(0)) client[Symbol.dispose]();
});

function site(events: WebTransportEvents = {}, settings: Partial<WebTransportSettings> = {}): Site {
  const sessions: WebTransportSession[] = [];
  const streams: QuicStream[] = [];
  const datagrams: string[] = [];
  const ends: SessionEnd[] = [];
  const serve = (wire: ExchanWire): void => {
    const session = sessionOf(wire.tunnel({ protocol: "webtransport", fieldList: [] }, () => undefined));
    if (session === undefined) throw new Error("there is no session");
    sessions.push(session);
    session.begin(
      {
        stream: (stream) => void streams.push(stream),
        datagram: (bytes) => void datagrams.push(bytes.toString()),
        closed: (end) => void ends.push(end),
        ...events,
      },
      { ...defaultSettings, ...settings },
    );
  };
  const client = new TestClient({ serve, webTransportMaxSessions: 2, http3MaxIdleFrames: 50 });
  open.push(client);
  return { client, sessions, streams, datagrams, ends };
}

/** Opens a session on stream 0. */
function opened(events?: WebTransportEvents, settings?: Partial<WebTransportSettings>): Site {
  const made = site(events, settings);
  made.client.quic.send(0, made.client.head(connect));
  return made;
}

function fail(): never {
  throw new Error("mine");
}

/** An async function, as it fits where the types want one that returns nothing. */
const failLater = (): undefined => Promise.reject(new Error("mine")) as unknown as undefined;

async function textOf(stream: QuicStream | undefined): Promise<string> {
  let text = "";
  for await (const piece of stream ?? []) text += String(piece);
  return text;
}

test("codes of applications pass through those of HTTP/3", () => {
  for (const code of [0, 1, 29, 30, 31, 255, 0xffffffff]) expect(fromHttp3Code(toHttp3Code(code))).toBe(code);
  expect([fromHttp3Code(errorCode.noError), fromHttp3Code(streamCode.sessionGone)]).toEqual([undefined, undefined]);
  expect([toHttp3Code(0), toHttp3Code(0xffffffff)]).toEqual([0x52e4a40fa8db, 0x52e5ac983162]);
});

test("a session is opened by CONNECT, and its client's streams and datagrams reach it", async () => {
  const { client, sessions, streams, datagrams } = opened();
  expect(client.answer(0).status).toBe("200");
  client.quic.send(4, bidi(0, "both ways"), true);
  client.quic.send(6, uni(0, "one way"), true);
  client.quic.datagrams.push(Buffer.concat([varint(0), Buffer.from("datagram")]));
  client.conn.advance();
  expect(streams.map(({ isBidirectional, isOfClient }) => [isBidirectional, isOfClient])).toEqual([
    [true, true],
    [false, true],
  ]);
  expect([await textOf(streams[0]), await textOf(streams[1])]).toEqual(["both ways", "one way"]);
  expect(datagrams).toEqual(["datagram"]);
  streams[0]?.end("answer");
  sessions[0]?.sendDatagram(Buffer.from("back"));
  expect(client.quic.sent(4)).toMatchObject({ bytes: Buffer.from("answer"), isEnd: true });
  expect(client.quic.sentDatagrams).toEqual([Buffer.from("\0back")]);
});

test("the server opens streams of its own", () => {
  const { client, sessions } = opened();
  sessions[0]?.openUniStream()?.end("one way");
  expect(client.quic.sent(15)).toMatchObject({ bytes: uni(0, "one way"), isEnd: true });
});

test("heads of streams may come byte by byte", async () => {
  const { client, streams } = opened();
  for (const byte of bidi(0, "b")) client.quic.send(4, Buffer.of(byte));
  client.quic.send(4, Buffer.alloc(0), true);
  for (const byte of uni(0, "u")) client.quic.send(6, Buffer.of(byte));
  client.quic.send(6, Buffer.alloc(0), true);
  expect(await Promise.all(streams.map(textOf))).toEqual(["b", "u"]);
});

test("streams that come before their session wait for it; too many do not", async () => {
  const { client, streams } = site();
  for (let i = 0; i < 20; i++) client.quic.send(6 + 4 * i, uni(0, String(i)), true);
  client.quic.send(0, client.head(connect));
  await new Promise((resolve) => setImmediate(resolve));
  expect(streams).toHaveLength(16);
  expect(await textOf(streams[0])).toBe("4");
});

test("a slow reader slows its client: what it has not read stays in QUIC", () => {
  const { client, streams } = opened();
  client.quic.send(4, bidi(0));
  for (let i = 0; i < 20; i++) client.quic.send(4, Buffer.alloc(10_000));
  const [stream] = streams;
  expect(client.quic.unread(4)).toBe(200_000);
  stream?.read();
  expect(stream?.readableLength ?? 0).toBeLessThan(100_000);
});

test("what a client does not take waits, and the writer is told", () => {
  const { client, sessions } = opened();
  const stream = sessions[0]?.openUniStream();
  client.quic.window = 10;
  let written = 0;
  stream?.write(Buffer.alloc(100), () => written++);
  expect([written, stream?.writableNeedDrain !== undefined]).toEqual([0, true]);
  client.quic.widen(1000);
  expect(client.quic.sent(15).bytes).toHaveLength(103);
});

test("a stream is reset with a code both ways, and one that the client resets tells its code", async () => {
  const { client, streams } = opened();
  client.quic.send(4, bidi(0));
  streams[0]?.reset(7);
  expect([client.quic.sent(4).resetBy, client.quic.sent(4).stoppedBy]).toEqual([toHttp3Code(7), toHttp3Code(7)]);
  client.quic.send(8, bidi(0));
  const failed = new Promise((resolve) => streams[1]?.on("error", resolve));
  streams[1]?.resume();
  await new Promise((resolve) => setImmediate(resolve));
  client.quic.resetByPeer(8, toHttp3Code(9));
  expect(await failed).toMatchObject({ streamCode: 9 });
});

test("a client that takes no more of a stream breaks it off", async () => {
  const { client, sessions } = opened();
  const stream = sessions[0]?.openUniStream();
  client.quic.stopByPeer(15);
  const failed = new Promise((resolve) => stream?.on("error", resolve));
  stream?.write("more");
  expect(await failed).toMatchObject({ message: "the peer takes no more of the stream" });
});

test("a session is closed by the server with a code and a reason, and its streams with it", async () => {
  const { client, sessions, streams, ends } = opened();
  client.quic.send(4, bidi(0));
  sessions[0]?.close(5, "enough");
  expect(ends).toEqual([{ code: 5, reason: "enough", isClean: true }]);
  expect(client.answer(0).content).toBe(
    capsule(sessionCapsule.close, Buffer.of(0, 0, 0, 5), Buffer.from("enough")).toString(),
  );
  expect(client.quic.sent(4).resetBy).toBe(streamCode.sessionGone);
  expect(streams[0]?.destroyed).toBe(true);
  expect([sessions[0]?.sendDatagram(Buffer.of(1)), sessions[0]?.openUniStream()]).toEqual([false, undefined]);
  client.quic.send(8, bidi(0));
  expect(client.quic.sent(8).resetBy).toBeUndefined();
});

test("a session is closed by its client with a code and a reason, by an end, and by a reset", async () => {
  const { client, ends } = opened();
  const close = capsule(sessionCapsule.close, Buffer.of(0, 0, 1, 0), Buffer.from("bye"));
  client.quic.send(0, Buffer.concat([varint(0), varint(close.length), close]), true);
  await expect.poll(() => ends).toEqual([{ code: 256, reason: "bye", isClean: true }]);
  client.quic.send(4, client.head(connect));
  client.quic.send(4, Buffer.alloc(0), true);
  await expect.poll(() => ends.slice(1)).toEqual([{ code: 0, reason: "", isClean: true }]);
  client.quic.send(8, client.head(connect));
  client.quic.resetByPeer(8, errorCode.requestCancelled);
  await expect.poll(() => ends.slice(2)).toEqual([{ code: 0, reason: "", isClean: false }]);
});

test("a reason is cut to 1024 bytes of UTF-8, between two characters", () => {
  const { sessions, ends } = opened();
  sessions[0]?.close(0, "€".repeat(400));
  expect(ends[0]?.reason).toBe("€".repeat(341));
});

test("what a user's function throws ends its session, and nothing else", () => {
  const { client, ends, sessions } = opened({
    datagram() {
      throw new Error("mine");
    },
  });
  client.quic.datagrams.push(Buffer.of(0, 1));
  client.conn.advance();
  expect(client.failures).toHaveLength(1);
  expect([ends.length, sessions[0]?.isClosed, client.quic.isClosed]).toEqual([1, true, false]);
});

test.each<[string, WebTransportEvents]>([
  ["its promise rejects with", { stream: failLater }],
  ["a listener of a stream throws", { stream: (stream) => void stream.on("data", fail) }],
  ["an asynchronous listener of a stream rejects with", { stream: (stream) => void stream.on("data", failLater) }],
  [
    "its promise rejects with, once it has destroyed the stream by it,",
    {
      stream: (stream) => {
        const error = new Error("mine");
        stream.destroy(error);
        return Promise.reject(error);
      },
    },
  ],
])("what %s ends the session, and nothing else", async (_, events) => {
  using uncaught = new Uncaught();
  const { client, ends } = opened(events);
  client.quic.send(4, bidi(0, "bytes"));
  await expect.poll(() => ends.length).toBe(1);
  expect([client.failures, client.quic.isClosed, uncaught.errors]).toEqual([[new Error("mine")], false, []]);
});

test.each<[string, unknown]>([
  ["nothing", undefined],
  ["null", null],
])("a promise that rejects with %s is a fault as any other", async (_, reason) => {
  const failing = (): Promise<void> => {
    const { promise, reject } = Promise.withResolvers<void>();
    reject(reason);
    return promise;
  };
  for (const events of [{ stream: failing }, { datagram: failing }]) {
    const { client, ends } = opened(events);
    client.quic.send(4, bidi(0, "bytes"));
    client.quic.datagrams.push(Buffer.concat([varint(0), Buffer.from("bytes")]));
    client.quic.user?.advance();
    await expect.poll(() => ends.length).toBe(1);
    expect(client.failures).toEqual([reason]);
  }
});

test("a stream that its client resets is no fault of a user who reads it", async () => {
  using uncaught = new Uncaught();
  const read = Promise.withResolvers<void>();
  const { client, ends } = opened({
    stream: async (stream) => {
      try {
        await textOf(stream);
      } finally {
        setImmediate(read.resolve);
      }
    },
  });
  client.quic.send(4, bidi(0, "bytes"));
  client.quic.resetByPeer(4, toHttp3Code(9));
  await read.promise;
  expect([uncaught.errors, client.failures, ends]).toEqual([[], [], []]);
});

// ---- limits and attacks ----

test("a client has at most webTransportMaxSessions sessions", () => {
  const { client, sessions } = opened();
  client.quic.send(4, client.head(connect));
  client.quic.send(8, client.head(connect));
  expect(sessions).toHaveLength(2);
  expect(client.failures).toMatchObject([{ status: 429 }]);
});

test("a session has at most maxSessionStreams streams, of both sides", () => {
  const { client, sessions, streams } = opened({}, { maxSessionStreams: 2 });
  client.quic.send(4, bidi(0));
  expect(sessions[0]?.openUniStream()).toBeDefined();
  expect(sessions[0]?.openUniStream()).toBeUndefined();
  client.quic.send(8, bidi(0));
  expect(streams).toHaveLength(1);
  expect(client.quic.sent(8).resetBy).toBe(streamCode.bufferedStreamRejected);
  streams[0]?.reset(0);
  client.quic.send(12, bidi(0));
  expect(streams).toHaveLength(2);
});

test("a flood of streams that are refused ends the connection", () => {
  const { client } = opened({}, { maxSessionStreams: 1 });
  for (let i = 0; i < 100 && !client.quic.isClosed; i++) client.quic.send(6 + 4 * i, uni(0, "x"), true);
  expect(client.quic.closedWith).toBe(errorCode.excessiveLoad);
});

test("a stream of a session that cannot be one ends the connection with H3_ID_ERROR", () => {
  const { client } = opened();
  client.quic.send(6, uni(2));
  expect(client.quic.closedWith).toBe(errorCode.idError);
});

test("a datagram that names no stream ends the connection with H3_DATAGRAM_ERROR", () => {
  const { client } = opened();
  client.quic.datagrams.push(Buffer.of(0xc0));
  client.conn.advance();
  expect(client.quic.closedWith).toBe(errorCode.datagramError);
});

test("datagrams of sessions that are not there are dropped", () => {
  const { client, datagrams } = opened();
  client.quic.datagrams.push(Buffer.of(5, 1), Buffer.concat([varint(0), Buffer.from("mine")]));
  client.conn.advance();
  expect(datagrams).toEqual(["mine"]);
});

test("a capsule that is too large, or too small, ends the session", async () => {
  const { client, ends } = opened();
  for (const [at, value] of [Buffer.alloc(2000), Buffer.alloc(3)].entries()) {
    if (at > 0) client.quic.send(4 * at, client.head(connect));
    const bytes = capsule(sessionCapsule.close, value);
    client.quic.send(4 * at, Buffer.concat([varint(0), varint(bytes.length), bytes]));
    await expect.poll(() => ends[at]).toMatchObject({ code: 0, isClean: false });
  }
});

test("a server that takes no sessions says nothing of them, and refuses streams as unknown", () => {
  const client = new TestClient({ webTransportMaxSessions: 0 });
  open.push(client);
  client.quic.send(6, uni(0, "x"));
  expect(client.quic.sent(6).stoppedBy).toBe(errorCode.streamCreationError);
  expect(client.quic.sent(3).bytes.includes(varint(0x2b603742))).toBe(false);
});
