// HTTP/3 as RFC 9114 has it, section by section, at the level of frames.

import type { Duplex } from "node:stream";
import { text as textOf } from "node:stream/consumers";
import { varint } from "@hemi/common";
import type { ExchanWire } from "@hemi/internal";
import { describe, expect, test } from "vitest";
import { integer } from "../qpack/prefix-writer.ts";
import { TestClient } from "../testing/http3-client.ts";
import { errorCode } from "./errors.ts";
import { frame, frameHead, frameType, streamType } from "./frames.ts";
import { settingId, settingsFrame } from "./settings.ts";

const nothing = Buffer.alloc(0);

async function readAll(wire: ExchanWire): Promise<string> {
  const pieces: Uint8Array[] = [];
  for (let piece = await wire.readContent(); piece !== undefined; piece = await wire.readContent()) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

/** Answers with what it was sent. */
const echo = (wire: ExchanWire): void => {
  void readAll(wire).then(
    (text) => wire.sendWhole({ status: 200, fieldList: [] }, text),
    () => wire.abort(),
  );
};
/** Answers later, or never. */
const silent = (): void => undefined;

describe("4.1: messages", () => {
  test("a request is served, and its answer has the fields that HTTP needs", () => {
    using client = new TestClient();
    const { status, content, heads } = client.ask(0, { ":path": "/a?b=c", "x-a": "1" });
    expect([status, content]).toEqual(["200", "hello"]);
    expect(heads[0]?.list).toEqual([":status", "200", "date", "Sun, 29 Nov 2026 12:00:00 GMT", "content-length", "5"]);
    expect(client.quic.sent(0).isEnd).toBe(true);
    const { head } = client.wires[0] ?? {};
    expect(head).toMatchObject({
      version: "3",
      method: "GET",
      scheme: "https",
      authority: "a.example",
      target: "/a?b=c",
    });
    expect([head?.fields.get("host"), head?.fields.get("x-a"), head?.contentSize]).toEqual(["a.example", "1", 0]);
  });

  test("content comes in any pieces, and trailers behind it", async () => {
    const read = Promise.withResolvers<[string, string | undefined]>();
    using client = new TestClient({
      serve: (wire) => void readAll(wire).then((text) => read.resolve([text, wire.trailers.get("x-sum")])),
    });
    const whole = Buffer.concat([
      client.head({ ":method": "POST" }),
      frame(frameType.data, Buffer.from("hel")),
      frame(0x21, Buffer.from("grease")),
      frame(frameType.data, nothing),
      frame(frameType.data, Buffer.from("lo")),
      client.headOf(["x-sum", "7"]),
    ]);
    for (const byte of whole) client.quic.send(0, Buffer.from([byte]));
    client.quic.send(0, nothing, true);
    expect(await read.promise).toEqual(["hello", "7"]);
  });

  test("content is read only as the handlet asks for it", () => {
    using client = new TestClient({ serve: silent });
    client.quic.send(0, client.head({ ":method": "POST" }));
    client.quic.send(0, frame(frameType.data, Buffer.alloc(1000)));
    client.quic.send(0, frame(frameType.data, Buffer.alloc(1000)));
    expect(client.quic.readable()).toContain(0);
  });

  test("interim answers and trailers are sent around the answer", () => {
    using client = new TestClient({
      serve(wire) {
        wire.sendInterim(103, ["link", "</a.css>"]);
        wire.sendHead({ status: 200, fieldList: [] }, undefined);
        wire.sendContent("abc");
        wire.endContent(["x-sum", "1"]);
      },
    });
    const { heads, content, trailers } = client.ask(0);
    expect(heads.map(({ list }) => list[1])).toEqual(["103", "200", "1"]);
    expect([content, trailers]).toEqual(["abc", ["x-sum", "1"]]);
  });

  test("an answer to HEAD has no content", () => {
    using client = new TestClient();
    const { heads, content } = client.ask(0, { ":method": "HEAD" });
    expect([heads[0]?.list.slice(-2), content]).toEqual([["content-length", "5"], ""]);
  });

  test("a 100 is sent when the content is asked for", async () => {
    using client = new TestClient({ serve: echo });
    client.quic.send(0, client.head({ ":method": "POST", expect: "100-continue" }));
    expect(client.answer(0).status).toBe("100");
    client.quic.send(0, frame(frameType.data, Buffer.from("x")), true);
    await expect.poll(() => client.answer(0).content).toBe("x");
  });

  test("a client whose request was answered early is asked to stop sending", () => {
    using client = new TestClient();
    client.quic.send(0, client.head({ ":method": "POST" }));
    expect(client.answer(0).status).toBe("200");
    expect(client.quic.sent(0)).toMatchObject({ stoppedBy: errorCode.noError, resetBy: undefined, isEnd: true });
    expect(client.quic.closedWith).toBeUndefined();
  });

  test("a stream that ends before its head is reset", () => {
    using client = new TestClient();
    client.quic.send(0, nothing, true);
    expect(client.quic.sent(0).resetBy).toBe(errorCode.requestIncomplete);
    client.quic.send(4, frame(0x21, nothing), true);
    expect(client.quic.sent(4).resetBy).toBe(errorCode.requestIncomplete);
    expect(client.ask(8).status).toBe("200");
  });
});

describe("4.1.2: malformed requests are reset, and the connection goes on", () => {
  test.each<[string, string[]]>([
    ["no method", [":scheme", "https", ":authority", "a", ":path", "/"]],
    ["no path", [":method", "GET", ":scheme", "https", ":authority", "a"]],
    ["a pseudo-field twice", [":method", "GET", ":method", "GET", ":scheme", "https", ":authority", "a", ":path", "/"]],
    ["one that is none", [":method", "GET", ":scheme", "https", ":authority", "a", ":path", "/", ":x", "y"]],
    ["one behind a field", [":method", "GET", "x", "y", ":scheme", "https", ":authority", "a", ":path", "/"]],
    ["a field in capitals", [":method", "GET", ":scheme", "https", ":authority", "a", ":path", "/", "X-A", "y"]],
    ["connection", [":method", "GET", ":scheme", "https", ":authority", "a", ":path", "/", "connection", "close"]],
    [
      "transfer-encoding",
      [":method", "GET", ":scheme", "https", ":authority", "a", ":path", "/", "transfer-encoding", "chunked"],
    ],
    ["another host", [":method", "GET", ":scheme", "https", ":authority", "a", ":path", "/", "host", "b"]],
    [
      "two lengths",
      [
        ":method",
        "GET",
        ":scheme",
        "https",
        ":authority",
        "a",
        ":path",
        "/",
        "content-length",
        "1",
        "content-length",
        "2",
      ],
    ],
    [
      "a length and no content",
      [":method", "GET", ":scheme", "https", ":authority", "a", ":path", "/", "content-length", "1"],
    ],
  ])("%s", (_name, fields) => {
    using client = new TestClient();
    client.quic.send(0, client.headOf(fields), true);
    expect(client.quic.sent(0).resetBy).toBe(errorCode.messageError);
    expect(client.wires).toEqual([]);
    expect(client.ask(4).status).toBe("200");
  });

  test.each(["x", "xxxx"])("content %j that is not as long as announced", async (content) => {
    const failed = Promise.withResolvers<unknown>();
    using client = new TestClient({ serve: (wire) => void readAll(wire).catch(failed.resolve) });
    client.ask(0, { ":method": "POST", "content-length": "3" }, content);
    expect(await failed.promise).toMatchObject({ code: "HEMI_CONTENT_BROKEN" });
    expect(client.quic.sent(0).resetBy).toBe(errorCode.messageError);
  });
});

test.each([
  { method: "GET", type: frameType.data },
  { method: "HEAD", type: frameType.reserved },
])("4.1: the end of a streamed response to $method comes in a frame, not by itself", ({ method, type }) => {
  using client = new TestClient({
    serve(wire) {
      wire.sendHead({ status: 200, fieldList: [] }, undefined);
      wire.sendContent(Buffer.from("content"));
      wire.endContent([]);
    },
  });
  client.ask(0, { ":method": method });
  const { bytes, isEnd } = client.quic.sent(0);
  expect([bytes.subarray(-2), isEnd]).toEqual([frame(type, nothing), true]);
});

describe("4.4: tunnels", () => {
  test("an extended CONNECT gives a stream of bytes, both ways (RFC 9220)", async () => {
    using client = new TestClient({
      serve(wire) {
        const tunnel = wire.tunnel({ protocol: "websocket", fieldList: [] }, () => undefined);
        tunnel.pipe(tunnel);
      },
    });
    client.quic.send(0, client.head({ ":method": "CONNECT", ":protocol": "websocket" }));
    expect(client.answer(0).status).toBe("200");
    client.quic.send(0, frame(frameType.data, Buffer.from("ping")));
    await expect.poll(() => client.answer(0).content).toBe("ping");
    client.quic.send(0, nothing, true);
    await expect.poll(() => client.quic.sent(0).isEnd).toBe(true);
    expect(client.wires[0]?.head).toMatchObject({ method: "GET", upgrades: ["websocket"] });
  });

  test("who has ended its side of a tunnel hears the last that its client says", async () => {
    const { promise, resolve } = Promise.withResolvers<Duplex>();
    using client = new TestClient({
      serve: (wire) => resolve(wire.tunnel({ protocol: "websocket", fieldList: [] }, () => undefined).end("bye")),
    });
    client.quic.send(0, client.head({ ":method": "CONNECT", ":protocol": "websocket" }));
    await expect.poll(() => client.quic.sent(0).isEnd).toBe(true);
    const heard = textOf(await promise);
    client.quic.send(0, frame(frameType.data, Buffer.from("late")), true);
    expect(await heard).toBe("late");
  });

  test("a refusal of one never looks like a tunnel", () => {
    using client = new TestClient();
    client.quic.send(0, client.head({ ":method": "CONNECT", ":protocol": "websocket" }));
    expect(client.answer(0)).toMatchObject({ status: "501", content: "" });
  });
});

describe("5.2: shutting down", () => {
  test("what is on its way is served, then nothing more, then the connection is closed", () => {
    using client = new TestClient({ serve: silent });
    client.quic.send(0, client.head(), true);
    client.conn.drain();
    client.quic.send(4, client.head(), true);
    expect(client.wires).toHaveLength(2);
    client.wait(300);
    const control = client.quic.sent(3).bytes;
    expect(control.includes(frame(frameType.goaway, Buffer.from("fffffffffffffffc", "hex")))).toBe(true);
    expect(control.includes(frame(frameType.goaway, varint(8)))).toBe(true);
    client.quic.send(8, client.head(), true);
    expect(client.quic.sent(8).resetBy).toBe(errorCode.requestRejected);
    for (const wire of client.wires) wire.sendWhole({ status: 204, fieldList: [] }, undefined);
    expect([client.answer(0).status, client.answer(4).status]).toEqual(["204", "204"]);
    expect(client.quic.closedWith).toBe(errorCode.noError);
  });

  test("an idle connection is closed", () => {
    using client = new TestClient({ idleTimeout: 1000 });
    client.wait(900);
    client.ask(0);
    client.wait(900);
    expect(client.quic.closedWith).toBeUndefined();
    client.wait(200);
    expect(client.quic.closedWith).toBe(errorCode.noError);
  });

  test("the last request of a connection is served", () => {
    using client = new TestClient({ maxRequestsPerConn: 2 });
    client.ask(0);
    expect(client.quic.closedWith).toBeUndefined();
    expect(client.ask(4).status).toBe("200");
    client.quic.send(8, client.head(), true);
    expect(client.answer(8).status).toBeUndefined();
    expect(client.quic.closedWith).toBe(errorCode.noError);
  });
});

describe("6.2: unidirectional streams", () => {
  test("ours come first, with settings", () => {
    using client = new TestClient({ isGreeted: false, qpackTableSize: 100 });
    const control = client.quic.sent(3).bytes;
    expect(control.subarray(0, 2).toString("hex")).toBe("0004");
    expect([client.quic.sent(7).bytes[0], client.quic.sent(11).bytes[0]]).toEqual([2, 3]);
  });

  test("unknown ones are passed over", () => {
    using client = new TestClient();
    client.sendUni(6, 0x21, Buffer.from("whatever"));
    expect(client.quic.sent(6).stoppedBy).toBe(errorCode.streamCreationError);
    client.quic.send(10, nothing, true);
    expect(client.ask(0).status).toBe("200");
  });

  test.each<[string, number, (client: TestClient) => void]>([
    ["a second control stream", errorCode.streamCreationError, (c) => c.sendUni(6, streamType.control)],
    ["a push stream", errorCode.streamCreationError, (c) => c.sendUni(6, streamType.push, varint(0))],
    ["the end of the control stream", errorCode.closedCriticalStream, (c) => c.quic.send(2, nothing, true)],
    ["a reset of it", errorCode.closedCriticalStream, (c) => c.quic.resetByPeer(2, 0)],
    [
      "the end of a stream of QPACK",
      errorCode.closedCriticalStream,
      (c) => {
        c.sendUni(6, streamType.qpackEncoder);
        c.quic.send(6, nothing, true);
      },
    ],
  ])("%s ends the connection", (_name, code, run) => {
    using client = new TestClient();
    run(client);
    expect(client.quic.closedWith).toBe(code);
  });

  test("a client that sends no settings is let go", () => {
    using client = new TestClient({ isGreeted: false, headTimeout: 1000 });
    client.wait(1100);
    expect(client.quic.closedWith).toBe(errorCode.missingSettings);
  });
});

describe("7.2: frames that stand where they may not end the connection", () => {
  test.each<[string, number, Buffer]>([
    ["DATA before HEADERS", errorCode.frameUnexpected, frame(frameType.data, nothing)],
    ["SETTINGS", errorCode.frameUnexpected, settingsFrame([])],
    ["GOAWAY", errorCode.frameUnexpected, frame(frameType.goaway, varint(0))],
    ["MAX_PUSH_ID", errorCode.frameUnexpected, frame(frameType.maxPushId, varint(0))],
    ["CANCEL_PUSH", errorCode.frameUnexpected, frame(frameType.cancelPush, varint(0))],
    ["PUSH_PROMISE", errorCode.frameUnexpected, frame(frameType.pushPromise, varint(0))],
    ["PRIORITY of HTTP/2", errorCode.frameUnexpected, frame(0x02, nothing)],
    ["CONTINUATION of HTTP/2", errorCode.frameUnexpected, frame(0x09, nothing)],
    [
      "HEADERS that cannot be decoded",
      errorCode.qpackDecompressionFailed,
      frame(frameType.headers, Buffer.from([0, 0, 0x80])),
    ],
  ])("%s on the stream of a request", (_name, code, bytes) => {
    using client = new TestClient();
    client.quic.send(0, bytes);
    expect(client.quic.closedWith).toBe(code);
    expect(client.notes.join()).toContain("its connection was ended with");
  });

  test("a frame that is cut off by the end of the stream", () => {
    using client = new TestClient();
    client.quic.send(0, client.head().subarray(0, -2), true);
    expect(client.quic.closedWith).toBe(errorCode.frameError);
  });

  test("anything behind trailers", () => {
    using client = new TestClient({ serve: echo });
    client.quic.send(0, Buffer.concat([client.head({ ":method": "POST" }), client.headOf(["x", "y"])]));
    client.quic.send(0, frame(frameType.data, Buffer.from("x")));
    expect(client.quic.closedWith).toBe(errorCode.frameUnexpected);
  });

  test.each<[string, number, Buffer]>([
    ["SETTINGS twice", errorCode.frameUnexpected, settingsFrame([])],
    ["DATA", errorCode.frameUnexpected, frame(frameType.data, nothing)],
    ["HEADERS", errorCode.frameUnexpected, frame(frameType.headers, nothing)],
    ["PING of HTTP/2", errorCode.frameUnexpected, frame(0x06, nothing)],
    ["a huge frame", errorCode.excessiveLoad, frameHead(frameType.goaway, 1_000_000)],
    ["MAX_PUSH_ID that is too long", errorCode.frameError, frame(frameType.maxPushId, Buffer.from([0, 0]))],
    ["MAX_PUSH_ID that is empty", errorCode.frameError, frame(frameType.maxPushId, nothing)],
    ["CANCEL_PUSH of nothing", errorCode.idError, frame(frameType.cancelPush, varint(0))],
    ["a priority of no request", errorCode.idError, frame(frameType.priorityUpdate, varint(3))],
    [
      "MAX_PUSH_ID that shrinks",
      errorCode.idError,
      Buffer.concat([frame(frameType.maxPushId, varint(5)), frame(frameType.maxPushId, varint(4))]),
    ],
    [
      "GOAWAY that grows",
      errorCode.idError,
      Buffer.concat([frame(frameType.goaway, varint(4)), frame(frameType.goaway, varint(5))]),
    ],
  ])("%s on the control stream", (_name, code, bytes) => {
    using client = new TestClient({ serve: silent });
    client.quic.send(0, client.head(), true);
    client.quic.send(2, bytes);
    expect(client.quic.closedWith).toBe(code);
  });

  test("a control stream that does not begin with settings", () => {
    using client = new TestClient({ isGreeted: false });
    client.sendUni(2, streamType.control, frame(frameType.maxPushId, varint(0)));
    expect(client.quic.closedWith).toBe(errorCode.missingSettings);
  });

  test.each<[string, number, Buffer]>([
    [
      "one twice",
      errorCode.settingsError,
      settingsFrame([
        [1, 0],
        [1, 0],
      ]),
    ],
    ["one of HTTP/2", errorCode.settingsError, settingsFrame([[2, 0]])],
    ["a switch that is none", errorCode.settingsError, settingsFrame([[8, 2]])],
    ["a frame that is cut off", errorCode.frameError, frame(frameType.settings, Buffer.from([1]))],
  ])("settings: %s", (_name, code, bytes) => {
    using client = new TestClient({ isGreeted: false });
    client.sendUni(2, streamType.control, bytes);
    expect(client.quic.closedWith).toBe(code);
  });

  test("unknown frames are passed over, wherever they stand", () => {
    using client = new TestClient();
    client.quic.send(2, frame(0x21, Buffer.alloc(100)));
    client.quic.send(0, Buffer.concat([frame(0x40, Buffer.alloc(10)), client.head(), frame(0x5f, nothing)]), true);
    expect(client.answer(0).status).toBe("200");
    expect(client.quic.closedWith).toBeUndefined();
  });
});

describe("QPACK (RFC 9204)", () => {
  // A table of 4096 bytes, and the field a: b in it.
  const inserts = Buffer.from("3fe11f41610162", "hex");
  /** A GET of / whose last field is the first one of the table. */
  const blockedHead = (client: TestClient): Buffer => {
    const literal = client.head().subarray(2 + 2);
    return frame(frameType.headers, Buffer.concat([Buffer.from("0200", "hex"), literal, Buffer.from([0x80])]));
  };

  test("a head that refers to a field that comes later waits for it", () => {
    using client = new TestClient();
    client.quic.send(0, blockedHead(client), true);
    expect(client.wires).toEqual([]);
    client.sendUni(6, streamType.qpackEncoder, inserts);
    expect(client.answer(0).status).toBe("200");
    expect(client.wires[0]?.head.fields.get("a")).toBe("b");
    expect(client.quic.sent(11).bytes.subarray(1)).toEqual(Buffer.concat([integer(0x80, 0x7f, 0)]));
  });

  test("acknowledgments of sections wait for each other while requests are served, though not for long", () => {
    const acknowledged = (count: number): Buffer =>
      Buffer.concat(Array.from({ length: count }, (_, i) => integer(0x80, 0x7f, 4 * i)));
    using client = new TestClient({ serve: silent });
    const sent = (): Buffer => client.quic.sent(11).bytes.subarray(1);
    client.sendUni(6, streamType.qpackEncoder, inserts);
    const increment = integer(0x00, 0x3f, 1);
    expect(sent()).toEqual(increment);
    for (let i = 0; i < 31; i++) client.quic.send(4 * i, blockedHead(client), true);
    expect(sent()).toEqual(increment);
    client.quic.send(4 * 31, blockedHead(client), true);
    expect(sent()).toEqual(Buffer.concat([increment, acknowledged(32)]));
    client.quic.send(4 * 32, blockedHead(client), true);
    client.wait(200);
    expect(sent()).toEqual(Buffer.concat([increment, acknowledged(33)]));
  });

  test("acknowledgments of sections that are answered at once wait, too, and are sent when nothing more comes", () => {
    using client = new TestClient();
    const sent = (): Buffer => client.quic.sent(11).bytes.subarray(1);
    client.sendUni(6, streamType.qpackEncoder, inserts);
    const increment = sent();
    for (const id of [0, 4]) {
      client.quic.send(id, blockedHead(client), true);
      expect(client.answer(id).status).toBe("200");
    }
    expect(sent()).toEqual(increment);
    client.wait(200);
    expect(sent()).toEqual(Buffer.concat([increment, integer(0x80, 0x7f, 0), integer(0x80, 0x7f, 4)]));
  });

  test.each<[string, number, object, (client: TestClient) => void]>([
    ["that is rejected", 4, { http3MaxStreams: 1 }, (client) => client.quic.send(4, blockedHead(client), true)],
    ["whose head waits for too long", 0, { headTimeout: 1000 }, (client) => client.wait(1200)],
    ["that is reset", 0, {}, (client) => client.quic.resetByPeer(0, errorCode.requestCancelled)],
  ])("the client hears that nobody reads the sections of a stream %s", (_name, id, settings, end) => {
    using client = new TestClient({ serve: silent, ...settings });
    client.quic.send(0, blockedHead(client));
    end(client);
    client.wait(200);
    expect(client.quic.sent(11).bytes.subarray(1)).toEqual(integer(0x40, 0x3f, id));
    client.sendUni(6, streamType.qpackEncoder, inserts);
    client.wait(200);
    expect(client.quic.closedWith).toBeUndefined();
  });

  test("the client hears that nobody reads trailers, though they have come, and none are acknowledged then", () => {
    using client = new TestClient();
    const content = frame(frameType.data, Buffer.from("abc"));
    client.quic.send(0, Buffer.concat([client.head({ ":method": "POST" }), content, blockedHead(client)]), true);
    expect(client.answer(0).status).toBe("200");
    client.sendUni(6, streamType.qpackEncoder, inserts);
    client.wait(200);
    const told = Buffer.concat([integer(0x40, 0x3f, 0), integer(0x00, 0x3f, 1)]);
    expect(client.quic.sent(11).bytes.subarray(1)).toEqual(told);
  });

  test("more streams may not wait than allowed", () => {
    using client = new TestClient({ qpackBlockedStreams: 1 });
    client.quic.send(0, blockedHead(client), true);
    expect(client.quic.closedWith).toBeUndefined();
    client.quic.send(4, blockedHead(client), true);
    expect(client.quic.closedWith).toBe(errorCode.qpackDecompressionFailed);
  });
});

describe("priorities (RFC 9218)", () => {
  test("are those of the field, then those of the frame", () => {
    using client = new TestClient({ serve: silent });
    client.quic.send(0, client.head({ priority: "u=1, i" }), true);
    expect(client.quic.priorities.get(0)).toBe("u=1, i");
    client.quic.send(2, frame(frameType.priorityUpdate, Buffer.concat([varint(0), Buffer.from("u=6")])));
    expect(client.quic.priorities.get(0)).toBe("u=6");
  });
});

describe("limits", () => {
  test.each<[string, string, Record<string, string>, object]>([
    ["a head that is larger than allowed", "431", { "x-a": "v".repeat(2000) }, { maxHeadSize: 1024 }],
    ["a head in more bytes than are read", "431", { "x-a": "\x01v".repeat(20_000) }, { maxHeadSize: 1024 }],
    ["more fields than allowed", "431", { a: "1", b: "2", c: "3" }, { maxFields: 5 }],
    ["a target that is longer than allowed", "414", { ":path": `/${"p".repeat(300)}` }, { maxTargetSize: 200 }],
  ])("%s gets %s", (_name, status, fields, settings) => {
    using client = new TestClient(settings);
    expect(client.ask(0, fields).status).toBe(status);
    expect(client.ask(4).status).toBe("200");
  });

  test("streams beyond http3MaxStreams are rejected, those of resets counted for as long as a handlet works", () => {
    using client = new TestClient({ serve: silent, http3MaxStreams: 2 });
    client.quic.send(0, client.head(), true);
    client.quic.send(4, client.head());
    client.quic.resetByPeer(4, errorCode.requestCancelled);
    client.quic.send(8, client.head(), true);
    expect(client.quic.sent(8)).toMatchObject({ resetBy: errorCode.requestRejected });
    expect(client.wires).toHaveLength(2);
  });

  test("a flood of resets ends the connection", () => {
    using client = new TestClient({ serve: silent, http3MaxResets: 10 });
    for (let id = 0; id < 80 && client.quic.closedWith === undefined; id += 4) {
      client.quic.send(id, client.head());
      client.quic.resetByPeer(id, errorCode.requestCancelled);
    }
    expect(client.quic.closedWith).toBe(errorCode.excessiveLoad);
  });

  test.each<[string, Buffer]>([
    ["unknown frames", frame(0x21, nothing)],
    ["large unknown frames", frame(0x21, Buffer.alloc(16 * 1024))],
    ["priorities", frame(frameType.priorityUpdate, varint(0))],
  ])("a flood of %s ends the connection", (_name, bytes) => {
    using client = new TestClient({ http3MaxIdleFrames: 100 });
    for (let i = 0; i < 101 && client.quic.closedWith === undefined; i++) client.quic.send(2, bytes);
    expect(client.quic.closedWith).toBe(errorCode.excessiveLoad);
  });

  test("a head that does not come in time is given up", () => {
    using client = new TestClient({ headTimeout: 1000 });
    client.quic.send(0, client.head().subarray(0, 5));
    client.wait(1100);
    expect(client.quic.sent(0).resetBy).toBe(errorCode.requestIncomplete);
    expect(client.ask(4).status).toBe("200");
  });

  test("content that does not come in time fails its reader", async () => {
    const failed = Promise.withResolvers<unknown>();
    using client = new TestClient({ contentTimeout: 1000, serve: (wire) => void readAll(wire).catch(failed.resolve) });
    client.quic.send(0, client.head({ ":method": "POST" }));
    client.wait(1100);
    expect(await failed.promise).toMatchObject({ code: "HEMI_TIMEOUT" });
  });

  test("a handlet that is too late is answered for", () => {
    using client = new TestClient({ handleTimeout: 1000, serve: silent });
    client.quic.send(0, client.head(), true);
    client.wait(1100);
    expect(client.answer(0).status).toBe("503");
  });

  test("a client that takes nothing is given up", () => {
    using client = new TestClient({
      writeTimeout: 1000,
      serve: (wire) => wire.sendWhole({ status: 200, fieldList: [] }, Buffer.alloc(100_000)),
    });
    client.quic.window = 1000;
    client.quic.send(0, client.head(), true);
    client.wait(900);
    client.quic.widen(1000);
    client.wait(900);
    expect(client.quic.sent(0).resetBy).toBeUndefined();
    client.wait(200);
    expect(client.quic.sent(0).resetBy).toBe(errorCode.requestCancelled);
  });
});

describe("back pressure", () => {
  test("a slow client slows its handlet, and gets all of it", async () => {
    const states: boolean[] = [];
    const done = Promise.withResolvers<void>();
    using client = new TestClient({
      serve(wire) {
        wire.sendHead({ status: 200, fieldList: [] }, undefined);
        states.push(wire.sendContent(Buffer.alloc(3000, "a")));
        void wire.writable().then(() => {
          states.push(wire.sendContent("b"));
          wire.endContent([]);
          done.resolve();
        });
      },
    });
    client.quic.window = 1000;
    client.quic.send(0, client.head(), true);
    expect(states).toEqual([false]);
    client.quic.widen(Infinity);
    await done.promise;
    expect(states).toEqual([false, true]);
    expect(client.answer(0).content).toBe(`${"a".repeat(3000)}b`);
  });

  test("who waits for a slow client goes on once the response, ended meanwhile, is taken", async () => {
    let writable: Promise<void> | undefined;
    using client = new TestClient({
      serve(wire) {
        wire.sendHead({ status: 200, fieldList: [] }, undefined);
        wire.sendContent(Buffer.alloc(3000));
        writable = wire.writable();
        wire.endContent([]);
      },
    });
    client.quic.window = 1000;
    client.quic.send(0, client.head(), true);
    client.quic.widen(Infinity);
    await writable;
    expect(client.quic.sent(0).isEnd).toBe(true);
  });

  test("a block that was lent is given back if QUIC takes all of it, and not while some of it waits", () => {
    const block = Buffer.alloc(100_000, "x");
    const returned: number[] = [];
    using client = new TestClient({
      serve: (wire) => {
        wire.sendHead({ status: 200, fieldList: [] }, undefined);
        wire.sendContent(block, () => returned.push(client.wires.length));
      },
    });
    client.quic.send(0, client.head(), true);
    client.quic.window = 50_000;
    client.quic.send(4, client.head(), true);
    expect(returned).toEqual([1]);
  });

  test("a client that stops a response is told of by onAbort", () => {
    using client = new TestClient({ serve: silent });
    client.quic.send(0, client.head(), true);
    let reason: unknown;
    client.wires[0]?.onAbort((why) => (reason = why));
    client.quic.stopByPeer(0);
    client.wait(500);
    expect(reason).toMatchObject({ code: "HEMI_PEER_GONE" });
  });

  test("a handlet hears of a client that resets, though it reads nothing", () => {
    using client = new TestClient({ serve: silent });
    client.quic.send(0, client.head({ ":method": "POST" }));
    let isGone = false;
    client.wires[0]?.onAbort(() => (isGone = true));
    client.quic.resetByPeer(0, errorCode.requestCancelled);
    expect(isGone).toBe(true);
  });
});

describe("early data (RFC 8470)", () => {
  test("is marked for handlets and for servers behind a proxy", () => {
    using client = new TestClient();
    client.quic.isInEarlyData = true;
    client.ask(0);
    client.ask(4, { "early-data": "1" });
    client.quic.isInEarlyData = false;
    client.ask(8);
    expect(client.wires.map(({ head }) => head.fields.getAll("early-data"))).toEqual([["1"], ["1"], []]);
  });

  test.each([
    ["GET", "200"],
    ["POST", "425"],
  ])("%s gets %s", (method, status) => {
    using client = new TestClient();
    client.quic.isInEarlyData = true;
    expect(client.ask(0, { ":method": method }).status).toBe(status);
  });
});

describe("a client that stops a stream which HTTP/3 needs (RFC 9114 6.2.1, RFC 9204 4.2)", () => {
  test.each([
    ["our control stream", 3],
    ["that of our encoder", 7],
    ["that of our decoder", 11],
  ])("%s: the connection ends, also if nothing is sent on it", (_name, id) => {
    using client = new TestClient({ serve: silent });
    client.quic.send(0, client.head(), true);
    client.quic.stopByPeer(id);
    client.wait(200);
    expect([client.quic.closedWith, client.failures]).toEqual([errorCode.closedCriticalStream, []]);
  });

  test("its handlets hear nothing of it while they answer", () => {
    using client = new TestClient({ serve: silent, isGreeted: false });
    client.sendUni(2, streamType.control, settingsFrame([[settingId.qpackMaxTableCapacity, 4096]]));
    for (const id of [0, 4, 8]) client.quic.send(id, client.head(), true);
    client.quic.stopByPeer(7);
    const answer = (): void => {
      const fieldList = ["x-often", "the same, and worth a place in a table"];
      for (const wire of client.wires) wire.sendWhole({ status: 200, fieldList }, "hello");
    };
    expect(answer).not.toThrow();
    client.conn.advance();
    expect([client.quic.closedWith, client.failures]).toEqual([errorCode.closedCriticalStream, []]);
  });
});

test("what is thrown while a request is served ends its connection alone, and is told", () => {
  using client = new TestClient({
    serve() {
      throw new Error("a fault of ours");
    },
  });
  client.quic.send(0, client.head(), true);
  expect(client.quic.closedWith).toBe(errorCode.internalError);
  expect(client.failures).toEqual([new Error("a fault of ours")]);
});

test("the server hears once that a connection is over", () => {
  using client = new TestClient({ serve: silent });
  client.quic.send(0, client.head(), true);
  let ending: string | undefined;
  client.wires[0]?.onEnd((_status, _size, reason) => (ending = reason));
  client.conn.closed();
  client.conn.closed();
  expect([client.closed, ending]).toEqual([1, "leftWaiting"]);
});
