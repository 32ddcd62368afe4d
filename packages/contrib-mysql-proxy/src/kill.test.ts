// KILL names sessions by ids of the proxy.

import { linkedWorkers } from "@hemi/internal/testing";
import { expect, test } from "vitest";
import { readError } from "./protocol/errors.ts";
import { headSize, packet } from "./protocol/packets.ts";
import { FakeServer, queriesIn } from "./testing/fake-server.ts";
import { proxy, query } from "./testing/proxied.ts";

test("KILL names a session by the id that its client has learned", async () => {
  await using server = await FakeServer.listen();
  await using site = await proxy(server);
  const [busy, killer] = [site.client(), site.client()];
  await busy.logIn();
  await killer.logIn();
  const greeting = busy.received[0]?.subarray(headSize) ?? Buffer.alloc(0);
  const id = greeting.readUInt32LE(greeting.indexOf(0, 1) + 1);
  killer.command(query, `KILL QUERY ${id}`);
  await killer.next();
  killer.command(query, "KILL 4294967295");
  expect(readError((await killer.next()).subarray(headSize)).code).toBe(1094);
  killer.command(query, "KILL 5");
  await killer.next();
  expect(queriesIn(server.commands)).toEqual(["KILL QUERY 7", "KILL 5"]);
  for (const client of [busy, killer]) client.socket.destroy();
});

test("KILL finds a session at another worker, and what stands behind it waits", async () => {
  await using server = await FakeServer.listen();
  const [first, second] = linkedWorkers(2);
  if (first === undefined || second === undefined) throw new Error("no workers");
  await using here = await proxy(server, "", "", { workers: first });
  await using there = await proxy(server, "", "", { workers: second });
  const [busy, killer] = [here.client(), there.client()];
  await busy.logIn();
  await killer.logIn();
  const greeting = busy.received[0]?.subarray(headSize) ?? Buffer.alloc(0);
  const id = greeting.readUInt32LE(greeting.indexOf(0, 1) + 1);
  const texts = [`KILL QUERY ${id}`, "select 1", "KILL 4294967295", "select 2"];
  killer.send(Buffer.concat(texts.map((text) => packet(0, Buffer.of(query), text))));
  for (const isRefused of [false, false, true, false]) {
    expect((await killer.next())[headSize]).toBe(isRefused ? 0xff : 0);
  }
  expect(queriesIn(server.commands)).toEqual(["KILL QUERY 7", "select 1", "select 2"]);
  for (const client of [busy, killer]) client.socket.destroy();
});
