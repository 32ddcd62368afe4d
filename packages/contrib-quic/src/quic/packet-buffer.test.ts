// The bytes of packets, before and after they are sent.

import { expect, test } from "vitest";
import { PacketBuffer } from "./packet-buffer.ts";

test("a packet that waits to be sent is not overwritten by the next one", () => {
  const packets = new PacketBuffer(8);
  packets.bytes.write("first");
  const waiting = packets.first(5);
  packets.leave();
  packets.bytes.write("other");
  expect(packets.first(5).toString()).toBe("other");
  expect(waiting.toString()).toBe("first");
});
