// The sockets that receive datagrams.

import { Socket } from "node:dgram";
import { expect, test, vi } from "vitest";
import { DatagramSockets } from "./datagram-sockets.ts";

test("a datagram from port 0, which cannot be answered, is dropped", async () => {
  const listening = vi.spyOn(Socket.prototype, "on");
  const [share] = await new DatagramSockets().share({ address: { host: "127.0.0.1", port: 0 }, isShared: false });
  const socket = listening.mock.contexts.at(-1) as Socket | undefined;
  listening.mockRestore();
  const ports: number[] = [];
  share?.receive((bytes, from) => {
    ports.push(from.port);
    share.send(bytes, from);
  });
  for (const port of [0, 9]) {
    socket?.emit("message", Buffer.from("?"), { address: "127.0.0.1", family: "IPv4", port, size: 1 });
  }
  expect(ports).toEqual([9]);
  await share?.release();
});
