// Requests to a server of HTTP/3 at the level of frames (RFC 9114 sections 4, 5.2, 6.2 and 7.2).

import { describe, expect, test } from "vitest";
import { TestNode } from "../testing/test-node.ts";
import { ListedFields } from "@hemi/internal";
import { integer } from "../qpack/prefix-writer.ts";
import { errorCode } from "./errors.ts";
import { frame, frameType, streamType } from "./frames.ts";
import { settingId, settingsFrame } from "./settings.ts";
import { varint } from "@hemi/common";

const nothing = Buffer.alloc(0);

describe("a request", () => {
  test("has its pseudo-fields, its fields in lower case, and says that trailers are taken", () => {
    using node = new TestNode();
    node.ask({ received: new ListedFields(["X-Inner", "1", "connection", "x-gone", "x-gone", "2"]), target: "/p?q" });
    const { heads } = node.received(0);
    const pseudo = [":method", "GET", ":scheme", "https", ":authority", "a.example", ":path", "/p?q"];
    expect(heads.map(({ list }) => list)).toEqual([[...pseudo, "x-inner", "1", "te", "trailers"]]);
    expect(node.quic.sent(0).isEnd).toBe(true);
  });

  test("gives a block that was lent back if QUIC takes all of it, and not while some of it waits", () => {
    using node = new TestNode();
    const { exchan } = node.ask({ method: "POST", contentSize: undefined });
    let returned = 0;
    exchan.sendContent(Buffer.alloc(100_000), () => returned++);
    expect(returned).toBe(1);
    node.quic.window = 50_000;
    exchan.sendContent(Buffer.alloc(100_000), () => returned++);
    expect(returned).toBe(1);
  });

  test("sends its content as the node takes it, and its trailers behind it", async () => {
    using node = new TestNode();
    const { exchan } = node.ask({ method: "POST", contentSize: undefined });
    node.quic.window = 5;
    expect(exchan.sendContent(Buffer.from("abcdefg"))).toBe(false);
    const writable = exchan.writable();
    node.quic.widen(1000);
    await writable;
    exchan.endContent(new ListedFields(["x-sum", "7"]));
    const { heads, content } = node.received(0);
    expect([content, heads[1]?.list, node.quic.sent(0).isEnd]).toEqual(["abcdefg", ["x-sum", "7"], true]);
  });

  test("is not finished for a node that asks to stop and answers", async () => {
    using node = new TestNode();
    const asked = node.ask({ method: "POST", contentSize: undefined });
    node.quic.window = 0;
    expect(asked.exchan.sendContent(Buffer.alloc(10))).toBe(false);
    const writable = asked.exchan.writable();
    node.quic.stopByPeer(0);
    await writable;
    node.quic.send(0, Buffer.concat([node.head({ ":status": "413" }), node.data("no")]), true);
    expect([asked.head?.status, asked.whole, asked.failure]).toEqual([413, "no", undefined]);
  });
});

test("a node that stops a stream of QPACK ends the connection, and no call throws", () => {
  using node = new TestNode({ isGreeted: false });
  node.sendUni(3, streamType.control, settingsFrame([[settingId.qpackMaxTableCapacity, 4096]]));
  // Our encoder's: the second of our unidirectional streams.
  node.quic.stopByPeer(6);
  // Long enough for the table.
  const received = new ListedFields(["x-often", "the same ".repeat(8)]);
  node.ask({ received });
  expect(() => node.ask({ received })).not.toThrow();
  node.quic.widen(0);
  expect([node.quic.closedWith, node.brokeBy]).toEqual([
    errorCode.closedCriticalStream,
    "it stopped a stream that HTTP/3 needs",
  ]);
});

describe("a response", () => {
  test("that has come in full is given on whole", () => {
    using node = new TestNode();
    const asked = node.ask();
    node.quic.send(0, Buffer.concat([node.head({ "x-a": "1" }), node.data("hello")]), true);
    expect([asked.head?.status, asked.head?.fields.get("x-a"), asked.whole]).toEqual([200, "1", "hello"]);
    expect([node.streams.count, node.quic.sent(0).stoppedBy]).toEqual([0, undefined]);
  });

  test("comes in any pieces, with interim ones before it and trailers behind it", () => {
    using node = new TestNode();
    const asked = node.ask();
    const pieces = [
      node.head({ ":status": "100" }),
      node.head({ ":status": "103", link: "</a>" }),
      node.head(),
      node.data("one "),
      frame(0x21, Buffer.from("grease")),
      node.data("two"),
      node.headOf(["x-sum", "7"]),
    ];
    for (const byte of Buffer.concat(pieces)) node.quic.send(0, Buffer.from([byte]));
    node.quic.send(0, nothing, true);
    expect([asked.interims, asked.text, asked.trailers?.get("x-sum")]).toEqual([[103], "one two", "7"]);
  });

  test("is read only as its client takes it", () => {
    using node = new TestNode();
    const asked = node.ask();
    asked.isTaking = false;
    node.quic.send(0, Buffer.concat([node.head(), node.data("first")]));
    node.quic.send(0, node.data("second"));
    node.quic.send(0, node.data("third"), true);
    expect([asked.text, node.quic.unread(0)]).toEqual(["first", 15]);
    asked.isTaking = true;
    asked.exchan.resume();
    expect([asked.text, asked.trailers?.count]).toEqual(["firstsecondthird", 0]);
  });

  test("in frames of one byte is given on in larger pieces", () => {
    using node = new TestNode();
    const asked = node.ask();
    node.quic.send(0, Buffer.concat([node.head(), ...Array<Buffer>(20_000).fill(node.data("x"))]), true);
    expect([asked.whole?.length, asked.pieces]).toEqual([20_000, 0]);
    const other = node.ask();
    node.quic.send(4, Buffer.concat([node.head(), ...Array<Buffer>(20_000).fill(node.data("x"))]));
    expect(other.text).toHaveLength(20_000);
    expect(other.pieces).toBeLessThan(100);
  });

  test("whose fields come later by QPACK waits for them", () => {
    using node = new TestNode();
    const asked = node.ask();
    node.sendUni(7, streamType.qpackEncoder, integer(0x20, 0x1f, 4096));
    // :status 200, and the first entry of the dynamic table.
    node.quic.send(0, frame(frameType.headers, Buffer.from("0200d980", "hex")), true);
    expect(asked.head).toBeUndefined();
    node.quic.send(7, Buffer.from("43782d610131", "hex"));
    expect(asked.head?.fields.get("x-a")).toBe("1");
  });

  test.each([
    ["no status", [["x-a", "1"]]],
    ["a field of HTTP/1", [[":status", "200", "connection", "close"]]],
    ["a switch of protocols", [[":status", "101"]]],
    [
      "trailers with a pseudo-field",
      [
        [":status", "200"],
        [":status", "200"],
      ],
    ],
  ])("with %s fails its stream alone", (_what, heads) => {
    using node = new TestNode();
    const asked = node.ask();
    node.quic.send(0, Buffer.concat(heads.map((list) => node.headOf(list))), true);
    expect([asked.failure?.status, node.quic.closedWith]).toEqual([502, undefined]);
  });

  test("without a head, or longer or shorter than announced, has failed", () => {
    using node = new TestNode();
    const [none, long, short] = [node.ask(), node.ask(), node.ask()];
    node.quic.send(0, nothing, true);
    node.quic.send(4, Buffer.concat([node.head({ "content-length": "1" }), node.data("ab")]));
    node.quic.send(8, Buffer.concat([node.head({ "content-length": "3" }), node.data("ab")]), true);
    expect([none, long, short].map(({ failure }) => failure?.status)).toEqual([502, 502, 502]);
    expect(node.quic.closedWith).toBeUndefined();
  });

  test("that the node rejects unseen may be asked for again, one that it resets may not", () => {
    using node = new TestNode();
    const [rejected, reset] = [node.ask(), node.ask()];
    node.quic.resetByPeer(0, errorCode.requestRejected);
    node.quic.resetByPeer(4, errorCode.internalError);
    expect([rejected.failure?.wasSent, reset.failure?.wasSent]).toEqual([false, true]);
    expect(reset.failure?.message).toContain("H3_INTERNAL_ERROR");
  });

  test("that nobody wants any more is stopped, and its request reset", () => {
    using node = new TestNode();
    const { exchan } = node.ask({ method: "POST", contentSize: undefined });
    exchan.cancel();
    const { resetBy, stoppedBy } = node.quic.sent(0);
    expect([resetBy, stoppedBy]).toEqual([errorCode.requestCancelled, errorCode.requestCancelled]);
  });

  test("that does not come in time is a failure, and so is content that is not taken", () => {
    using node = new TestNode({ readTimeout: 100, writeTimeout: 200 });
    const silent = node.ask();
    node.wait(110);
    expect(silent.failure?.message).toContain("nothing of its answer came for 100 ms");
    const slow = node.ask({ method: "POST", contentSize: undefined });
    node.quic.window = 0;
    slow.exchan.sendContent(Buffer.alloc(10));
    node.wait(210);
    expect(slow.failure?.message).toContain("it took nothing of the request for 200 ms");
  });
});

describe("GOAWAY", () => {
  test("says which requests the node has not looked at: these may go elsewhere, whatever their method", () => {
    using node = new TestNode();
    const [first, second] = [node.ask({ method: "POST" }), node.ask({ method: "POST" })];
    node.quic.send(3, frame(frameType.goaway, varint(4)));
    expect([first.failure, second.failure?.wasSent, node.isLeaving]).toEqual([undefined, false, true]);
    node.quic.send(0, Buffer.concat([node.head(), node.data("still")]), true);
    expect(first.whole).toBe("still");
  });

  test.each([
    ["that names no stream of requests", [3]],
    ["whose id grows", [0, 4]],
  ])("%s ends the connection with H3_ID_ERROR", (_what, ids) => {
    using node = new TestNode();
    for (const id of ids) node.quic.send(3, frame(frameType.goaway, varint(id)));
    expect(node.quic.closedWith).toBe(errorCode.idError);
  });
});

describe("what a server may not do ends the connection with its code", () => {
  const cases: readonly (readonly [string, number, (node: TestNode) => void])[] = [
    ["a push stream", errorCode.idError, (node) => node.sendUni(7, streamType.push, varint(0))],
    ["a bidirectional stream", errorCode.streamCreationError, (node) => node.quic.send(1, nothing, true)],
    ["PUSH_PROMISE", errorCode.idError, (node) => node.quic.send(0, frame(frameType.pushPromise, Buffer.from([0, 0])))],
    ["MAX_PUSH_ID", errorCode.frameUnexpected, (node) => node.quic.send(3, frame(frameType.maxPushId, varint(1)))],
    [
      "PRIORITY_UPDATE",
      errorCode.frameUnexpected,
      (node) => node.quic.send(3, frame(frameType.priorityUpdate, varint(0))),
    ],
    ["CANCEL_PUSH", errorCode.idError, (node) => node.quic.send(3, frame(frameType.cancelPush, varint(0)))],
    ["SETTINGS twice", errorCode.frameUnexpected, (node) => node.quic.send(3, settingsFrame([]))],
    ["a second control stream", errorCode.streamCreationError, (node) => node.sendUni(7, streamType.control)],
    ["the end of its control stream", errorCode.closedCriticalStream, (node) => node.quic.send(3, nothing, true)],
    ["DATA before HEADERS", errorCode.frameUnexpected, (node) => node.quic.send(0, frame(frameType.data, nothing))],
    ["a frame that is cut off", errorCode.frameError, (node) => node.quic.send(0, node.head().subarray(0, 3), true)],
    [
      "a field section that cannot be read",
      errorCode.qpackDecompressionFailed,
      (node) => node.quic.send(0, frame(frameType.headers, Buffer.from("0000ff", "hex"))),
    ],
    [
      "a flood of frames that bring nothing",
      errorCode.excessiveLoad,
      (node) => node.quic.send(0, Buffer.concat(Array<Buffer>(100).fill(frame(0x21, nothing)))),
    ],
  ];
  test.each(cases)("%s", (_what, code, misbehave) => {
    using node = new TestNode({ http3MaxIdleFrames: 20 });
    node.ask();
    misbehave(node);
    expect([node.quic.closedWith, node.brokeBy]).toEqual([code, expect.any(String)]);
  });

  test("a control stream that does not begin with SETTINGS", () => {
    using node = new TestNode({ isGreeted: false });
    node.sendUni(3, streamType.control, frame(frameType.goaway, varint(0)));
    expect([node.isOpen, node.quic.closedWith]).toEqual([false, errorCode.missingSettings]);
  });

  test("more blocked streams than allowed", () => {
    using node = new TestNode({ qpackBlockedStreams: 1 });
    node.ask();
    node.ask();
    for (const id of [0, 4]) node.quic.send(id, frame(frameType.headers, Buffer.from("0200d980", "hex")), true);
    expect(node.quic.closedWith).toBe(errorCode.qpackDecompressionFailed);
  });
});

test("unknown streams and frames are passed over", () => {
  using node = new TestNode();
  const asked = node.ask();
  node.sendUni(7, 0x21, Buffer.from("grease"));
  node.quic.send(3, frame(0x21, Buffer.from("grease")));
  node.quic.send(0, node.head(), true);
  expect([asked.whole, node.quic.sent(7).stoppedBy]).toEqual(["", errorCode.streamCreationError]);
  expect(node.quic.closedWith).toBeUndefined();
});

test("requests that the node has no stream for wait until it allows one", () => {
  using node = new TestNode();
  node.quic.bidiRoom = 1;
  node.ask();
  expect(node.streams.room).toBe(0);
  node.quic.bidiRoom = 5;
  expect(node.streams.room).toBe(5);
});

test("responses that the node resets unread take from the window of its connection, which is left in time", () => {
  using node = new TestNode({ http3MaxStreams: 4 });
  for (let id = 0; id < 12; id += 4) {
    expect(node.isLeaving).toBe(false);
    const asked = node.ask();
    asked.isTaking = false;
    node.quic.send(id, Buffer.concat([node.head(), node.data("one")]));
    node.quic.send(id, node.data("two"));
    node.quic.resetByPeer(id, errorCode.internalError);
    asked.exchan.resume();
    expect(asked.failure?.status).toBe(502);
  }
  expect(node.isLeaving).toBe(true);
});
