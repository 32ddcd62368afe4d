// Packets that the kernel gives to the wrong one of two workers.

import { createSocket } from "node:dgram";
import { randomBytes } from "node:crypto";
import type { Endpoint } from "@hemi/internal";
import { expect, test } from "vitest";
import { ConnIds, connIdSize } from "./conn-ids.ts";
import { WorkerRelay } from "./worker-relay.ts";

const secret = randomBytes(48);
const from: Endpoint = { address: "2001:db8::1", port: 4711 };
const local: Endpoint = { address: "127.0.0.1", port: 443 };

/** Workers that hear each other. */
function makeWorkers() {
  const all: ((message: unknown) => void)[] = [];
  return async () => {
    const received: unknown[] = [];
    const own: ((message: unknown) => void)[] = [];
    const relay = await WorkerRelay.open({
      secret,
      server: "http3Server.main",
      workers: {
        broadcast: (_topic, message) => {
          for (const listener of all) if (!own.includes(listener)) listener(structuredClone(message));
        },
        subscribe(_topic, listener) {
          all.push(listener);
          own.push(listener);
          return () => void all.splice(all.indexOf(listener), 1);
        },
      },
      received: (datagram, from, local) => received.push([datagram.toString(), from, local]),
    });
    return { relay, received, [Symbol.asyncDispose]: () => relay.close() };
  };
}

test("a packet goes to the worker that its connection ID names", async () => {
  const makeWorker = makeWorkers();
  await using one = await makeWorker();
  await using two = await makeWorker();
  expect(two.relay.pass(Buffer.from("packet"), from, local, one.relay.ids.make())).toBe(true);
  await expect.poll(() => one.received).toEqual([["packet", from, local]]);
  expect(two.relay.pass(Buffer.from("packet"), from, local, two.relay.ids.make())).toBe(false);
});

test("nobody without the secret makes an ID that names a port, and one worker alone names none", () => {
  const ids = new ConnIds(secret, 1);
  const forged = Array.from({ length: 100 }, () => new ConnIds(randomBytes(48), 22).make());
  expect(forged.filter((id) => ids.otherOwner(id) === 22)).toEqual([]);
  expect(ids.otherOwner(new ConnIds(secret, 22).make())).toBe(22);
  expect(ids.otherOwner(Buffer.alloc(8))).toBeUndefined();
  const alone = new ConnIds();
  expect([alone.make().length, alone.otherOwner(ids.make())]).toEqual([connIdSize, undefined]);
});

test("a worker that drains passes first packets to the worker that came last and takes them", async () => {
  const makeWorker = makeWorkers();
  await using leaving = await makeWorker();
  leaving.relay.announce(true);
  await using other = await makeWorker();
  other.relay.announce(true);
  await using successor = await makeWorker();
  successor.relay.announce(true);
  leaving.relay.announce(false);
  leaving.relay.passNew(Buffer.from("first"), from, local);
  await expect.poll(() => successor.received).toEqual([["first", from, local]]);
  successor.relay.announce(false);
  leaving.relay.passNew(Buffer.from("second"), from, local);
  await expect.poll(() => other.received).toEqual([["second", from, local]]);
  // It has heard of those before it.
  successor.relay.passNew(Buffer.from("third"), from, local);
  await expect.poll(() => other.received.length).toBe(2);
});

test("what others send to the port of a worker does no harm", async () => {
  await using worker = await makeWorkers()();
  await using stranger = createSocket("udp4");
  const port = new ConnIds(secret).otherOwner(worker.relay.ids.make());
  for (const bytes of ["", "\0", "\0\x02{}", "\xff\xff", "\0\x04null", "\0\x09[1,2,3,4]"])
    stranger.send(Buffer.from(bytes, "latin1"), port, "127.0.0.1");
  const ends = Buffer.from(JSON.stringify(["a", 1, "b", 2]));
  stranger.send(Buffer.concat([Buffer.from([0, ends.length]), ends, Buffer.from("any")]), port, "127.0.0.1");
  await expect.poll(() => worker.received).toEqual([["any", { address: "a", port: 1 }, { address: "b", port: 2 }]]);
});
