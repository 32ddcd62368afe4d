// The packets of a turn, which are sent together.

import { expect, test } from "vitest";
import { PacketBurst, type PacketSender } from "./packet-burst.ts";

const to = { host: "127.0.0.1", port: 443 };

function senderOf(isTaken: boolean): PacketSender & { readonly sent: Buffer[] } {
  const sent: Buffer[] = [];
  return { sent, sendPacket: (packet) => sent.push(packet) > 0 && isTaken };
}

function add(burst: PacketBurst, text: string, sender: PacketSender): void {
  burst.add(burst.room.write(text), sender, to);
}

test("packets wait for each other, and keep their order", () => {
  const burst = new PacketBurst(8, 4);
  const sender = senderOf(false);
  for (const text of ["a", "bb", "c"]) add(burst, text, sender);
  expect(sender.sent).toEqual([]);
  burst.send();
  burst.send();
  expect(sender.sent.map(String)).toEqual(["a", "bb", "c"]);
});

test("when as many wait as may, they are sent at once", () => {
  const burst = new PacketBurst(8, 2);
  const sender = senderOf(false);
  for (const text of ["a", "b", "c"]) add(burst, text, sender);
  expect(sender.sent.map(String)).toEqual(["a", "b"]);
  burst.send();
  expect(sender.sent.map(String)).toEqual(["a", "b", "c"]);
});

test("a packet that the system has not taken is not overwritten by the next one", () => {
  const burst = new PacketBurst(8, 2);
  const sender = senderOf(false);
  add(burst, "first", sender);
  burst.send();
  add(burst, "other", sender);
  burst.send();
  expect(sender.sent.map(String)).toEqual(["first", "other"]);
});

test("the bytes of a packet that the system has taken are used again", () => {
  const burst = new PacketBurst(8, 2);
  const sender = senderOf(true);
  const { room } = burst;
  add(burst, "first", sender);
  burst.send();
  expect(burst.room).toBe(room);
});

test("packets that are added and sent while others are being sent overwrite none, and none is lost", () => {
  const burst = new PacketBurst(8, 2);
  const sent: Buffer[] = [];
  const others = senderOf(false);
  const failing: PacketSender = {
    sendPacket(packet) {
      for (const text of ["x", "y", "z"]) add(burst, text, others);
      burst.send();
      sent.push(packet);
      return false;
    },
  };
  add(burst, "first", failing);
  add(burst, "second", others);
  expect(sent.map(String)).toEqual(["first"]);
  expect(others.sent.map(String)).toEqual(["second", "x", "y", "z"]);
  add(burst, "later", others);
  burst.send();
  expect(others.sent.map(String)).toEqual(["second", "x", "y", "z", "later"]);
});

test("what a sender throws loses no packet behind its own, and leaves no slot behind", () => {
  const burst = new PacketBurst(8, 2);
  const sender = senderOf(true);
  const throwing: PacketSender = {
    sendPacket() {
      throw new Error("a mistake");
    },
  };
  add(burst, "first", throwing);
  expect(() => add(burst, "second", sender)).toThrow("a mistake");
  burst.send();
  expect(sender.sent.map(String)).toEqual(["second"]);
  const { room } = burst;
  add(burst, "third", sender);
  burst.send();
  expect(burst.room).toBe(room);
});
