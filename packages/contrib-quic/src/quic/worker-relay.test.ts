// Packets that the kernel gives to the wrong one of two workers.

import { createSocket } from "node:dgram";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
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

test("what others send to the port of a worker is dropped", async () => {
  const makeWorker = makeWorkers();
  await using worker = await makeWorker();
  await using other = await makeWorker();
  await using stranger = createSocket("udp4");
  const port = new ConnIds(secret).otherOwner(worker.relay.ids.make()) ?? 0;
  const sent: Promise<unknown>[] = [];
  const send = (bytes: Buffer) => {
    const done = Promise.withResolvers<unknown>();
    sent.push(done.promise);
    stranger.send(bytes, port, "127.0.0.1", done.resolve);
  };
  for (const bytes of ["", "\0", "\0\x02{}", "\xff\xff", "\0\x04null", "\0\x09[1,2,3,4]"])
    send(Buffer.from(bytes, "latin1"));
  // As a worker passes a packet on, of a client that the server trusts.
  const ends = Buffer.from(JSON.stringify(["10.0.0.1", 4711, local.address, local.port]));
  send(Buffer.concat([Buffer.from([0, ends.length]), ends, Buffer.from("forged")]));
  await Promise.all(sent);
  other.relay.pass(Buffer.from("packet"), from, local, worker.relay.ids.make());
  await expect.poll(() => worker.received.length).toBeGreaterThan(0);
  expect(worker.received).toEqual([["packet", from, local]]);
});

test("nothing is passed on to a port that no worker has, or has no longer", async () => {
  const makeWorker = makeWorkers();
  await using worker = await makeWorker();
  await using service = createSocket("udp4").bind(0, "127.0.0.1");
  await once(service, "listening");
  const { port } = service.address();
  // The check of an ID is short: one of some that were tried names the port.
  expect(worker.relay.pass(Buffer.from("packet"), from, local, new ConnIds(secret, port).make())).toBe(false);
  const leaving = await makeWorker();
  const id = leaving.relay.ids.make();
  expect(worker.relay.pass(Buffer.from("packet"), from, local, id)).toBe(true);
  await leaving.relay.close();
  expect(worker.relay.pass(Buffer.from("packet"), from, local, id)).toBe(false);
});
