// Requests to cancel, which come on connections of their own: to any worker, late, or from somebody else.

import { once } from "node:events";
import type { Socket } from "node:net";
import type { Workers } from "@hemi/internal";
import { linkedWorkers } from "@hemi/internal/testing";
import { expect, test } from "vitest";
import { message } from "./protocol/messages.ts";
import { cancelRequest } from "./protocol/startup.ts";
import { Cancels } from "./server/cancels.ts";
import { fakeServer, friendly } from "./testing/fake-server.ts";
import { ann, proxy } from "./testing/proxied.ts";
import type { RawClient } from "./testing/raw-client.ts";

/** Answers no query, and tells of requests to cancel. */
async function busyServer(answer: (received: Buffer, socket: Socket) => void = () => undefined) {
  const cancels: Socket[] = [];
  const queries: string[] = [];
  const server = await fakeServer((received, socket) => {
    if (received.length === 16) cancels.push(socket);
    else if (received[0] !== 81) friendly(received, socket);
    else {
      queries.push(received.toString("latin1", 5, 6));
      answer(received, socket);
    }
  });
  return { ...server, cancels, queries };
}

async function loggedIn(client: RawClient): Promise<RawClient> {
  await client.logIn("of-the-user");
  await client.next(7);
  return client;
}

/** What a client sends that wants another one's query to end. `more`: added to the key. */
function cancelOf({ received }: RawClient, more = 0): Buffer {
  const key = received[5] ?? Buffer.alloc(13);
  const changed = Buffer.from(key.subarray(9));
  changed.writeInt32BE((changed.readInt32BE() + more) | 0);
  return cancelRequest(key.readInt32BE(5), changed);
}

test("a request to cancel with a wrong key does nothing", async () => {
  await using server = await busyServer();
  await using site = await proxy(server.port);
  const client = await loggedIn(site.client());
  client.send(message("Q", "1\0"));
  await expect.poll(() => server.queries).toEqual(["1"]);
  const canceller = site.client();
  canceller.send(cancelOf(client, 1));
  await once(canceller.socket, "close");
  expect(server.cancels).toEqual([]);
  client.socket.destroy();
});

test("a request to cancel that another worker gets reaches the server of its client", async () => {
  await using server = await busyServer();
  const [first, second] = linkedWorkers(2);
  if (first === undefined || second === undefined) throw new Error("no workers");
  await using here = await proxy(server.port, "", ann, { workers: first });
  await using there = await proxy(server.port, "", ann, { workers: second });
  const client = await loggedIn(here.client());
  client.send(message("Q", "1\0"));
  await expect.poll(() => server.queries).toEqual(["1"]);
  for (const more of [1, 0]) {
    const canceller = there.client();
    canceller.send(cancelOf(client, more));
    await once(canceller.socket, "close");
  }
  await expect.poll(() => server.cancels.length).toBe(1);
  client.socket.destroy();
});

test("wrong keys do not keep a right one from another worker", async () => {
  const [flooded, other] = linkedWorkers(2);
  if (flooded === undefined) throw new Error("no workers");
  if (other === undefined) throw new Error("no workers");
  const make = (workers: Workers) => new Cancels({ workers, path: "x", now: () => 0, cancel: () => undefined });
  const [cancels, others] = [make(flooded), make(other)];
  await Promise.all([cancels.open(), others.open()]);
  let heard = 0;
  other.subscribe("cancel x", () => heard++);
  for (let id = 0; id < 5000; id++) cancels.request({ id, key: 0 });
  expect(heard).toBe(0);
  const key = others.register({ busyServer: undefined });
  // Neither does a right one, repeated, keep the other workers busy.
  for (let times = 0; times < 5000; times++) cancels.request(key);
  expect(heard).toBe(1000);
});

test("a request to cancel that is late does not hit the query of the next client", async () => {
  let answerFirst = (): void => undefined;
  await using server = await busyServer((received, socket) => {
    if (server.queries.length > 1) friendly(received, socket);
    else answerFirst = () => friendly(received, socket);
  });
  await using site = await proxy(server.port, ".poolSize = 1");
  const [cancelled, next] = [await loggedIn(site.client()), await loggedIn(site.client())];
  const canceller = site.client();
  cancelled.send(message("Q", "1\0"));
  next.send(message("Q", "2\0"));
  await expect.poll(() => server.queries).toEqual(["1"]);
  canceller.send(cancelOf(cancelled));
  await expect.poll(() => server.cancels.length).toBe(1);
  answerFirst();
  await cancelled.next(9);
  const third = await loggedIn(site.client());
  expect(server.queries).toEqual(["1"]);
  server.cancels[0]?.end();
  await next.next(9);
  expect(server.queries).toEqual(["1", "2"]);
  for (const client of [cancelled, next, third]) client.socket.destroy();
});
