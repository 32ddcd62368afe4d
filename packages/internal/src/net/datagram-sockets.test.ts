// The sockets that receive datagrams.

import { createSocket, Socket } from "node:dgram";
import { once } from "node:events";
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

test("bytes of a datagram that are said to be free may be used again: it arrives as it was sent", async () => {
  const [share] = await new DatagramSockets().share({ address: { host: "127.0.0.1", port: 0 }, isShared: false });
  const receiver = createSocket("udp4").bind(0, "127.0.0.1");
  await once(receiver, "listening");
  const bytes = Buffer.from("before");
  const arrived = once(receiver, "message");
  const isFree = share?.send(bytes, receiver.address());
  if (isFree === true) bytes.write("behind");
  const [message] = (await arrived) as [Buffer];
  expect(message.toString()).toBe("before");
  receiver.close();
  await share?.release();
});
