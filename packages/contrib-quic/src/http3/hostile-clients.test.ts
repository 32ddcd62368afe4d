// Clients that take little, send much, or let what belongs together come at odd times.

import { expect, test } from "vitest";
import { integer } from "../qpack/prefix-writer.ts";
import { TestClient } from "../testing/http3-client.ts";
import { errorCode } from "./errors.ts";
import { frame, frameType, streamType } from "./frames.ts";

const nothing = Buffer.alloc(0);
const longPath = { ":path": `/${"p".repeat(300)}` };

test("a refusal that the client takes in parts arrives in full", () => {
  using client = new TestClient({ maxTargetSize: 200 });
  client.quic.window = 3;
  client.quic.send(0, client.head(longPath), true);
  expect(client.quic.sent(0)).toMatchObject({ isEnd: false, bytes: { length: 3 } });
  client.conn.drain();
  client.wait(1000);
  expect(client.quic.closedWith).toBeUndefined();
  client.quic.widen(1000);
  expect([client.answer(0).status, client.quic.sent(0).isEnd]).toEqual(["414", true]);
});

test("a client that takes nothing of a refusal has its stream reset after writeTimeout", () => {
  using client = new TestClient({ maxTargetSize: 200, writeTimeout: 5000, idleTimeout: 10_000 });
  client.quic.window = 0;
  client.quic.send(0, client.head(longPath), true);
  client.wait(4000);
  expect(client.quic.sent(0).resetBy).toBeUndefined();
  client.wait(1100);
  expect(client.quic.sent(0).resetBy).toBe(errorCode.requestCancelled);
  client.wait(10_100);
  expect(client.quic.closedWith).toBe(errorCode.noError);
});

test("a stream that ends in the turn in which its fields come is served once, and is over", () => {
  using client = new TestClient();
  client.sendUni(6, streamType.qpackEncoder, integer(0x20, 0x1f, 4096));
  // :method GET, :scheme https, :path /, :authority a, and the first entry of the dynamic table.
  client.quic.send(0, frame(frameType.headers, Buffer.from("0200d1d7c1500161" + "80", "hex")));
  const { user } = client.quic;
  client.quic.user = undefined;
  client.quic.send(6, Buffer.from("43782d610131", "hex"));
  client.quic.send(0, nothing, true);
  client.quic.user = user;
  user?.advance();
  expect([client.answer(0).status, client.wires[0]?.head.fields.get("x-a")]).toEqual(["200", "1"]);
  client.wait(30_000);
  expect([client.notes, client.quic.sent(0).resetBy]).toEqual([[], undefined]);
});

test("content that comes with a head stays within the windows of QUIC", () => {
  using client = new TestClient({ serve: () => undefined });
  const content = frame(frameType.data, Buffer.alloc(60_000));
  client.quic.send(0, Buffer.concat([client.head({ ":method": "POST" }), content]));
  expect(client.wires).toHaveLength(1);
  expect(client.quic.unread(0)).toBeGreaterThan(60_000 - 4096);
});

test("uploads that are reset unread take from the window of their connection: the client is told to make another", () => {
  using client = new TestClient({ serve: () => undefined });
  const content = frame(frameType.data, Buffer.alloc(60_000));
  for (let id = 0; id < 12; id += 4) {
    client.quic.send(id, Buffer.concat([client.head({ ":method": "POST" }), content]));
    expect(client.wires).toHaveLength(id / 4 + 1);
    client.quic.resetByPeer(id, errorCode.requestCancelled);
  }
  client.quic.send(12, client.head(), true);
  expect(client.quic.sent(12).resetBy).toBe(errorCode.requestRejected);
});
