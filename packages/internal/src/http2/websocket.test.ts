import { expect, test } from "vitest";
import { serveSocklet } from "../testing/websocket.ts";
import { frameType } from "./frames.ts";
import { FrameClient } from "../testing/frame-client.ts";

test("a WebSocket is opened on a stream (RFC 8441)", async () => {
  await using server = await serveSocklet((upgrade, settings) => {
    upgrade.accept({ settings, message: (message, ws) => ws.send(message) });
    return true;
  });
  const client = await FrameClient.connect(server);
  const open = { ":method": "CONNECT", ":protocol": "websocket", "sec-websocket-version": "13" };
  client.send(client.request(1, open, false));
  const { payload: head } = await client.nextOfType(frameType.headers, 1);
  expect(head[0]).toBe(0x88);
  // Of a client, so that it is masked: here by zeros.
  client.send(client.data(1, "\x81\x82\0\0\0\0hi"));
  expect((await client.nextOfType(frameType.data, 1)).payload.toString("latin1")).toBe("\x81\x02hi");
  // Close, and its answer.
  client.send(client.data(1, "\x88\x82\0\0\0\0\x03\xe8", true));
  expect((await client.nextOfType(frameType.data, 1)).payload.toString("latin1")).toBe("\x88\x02\x03\xe8");
  await client.roundTrip();
});
