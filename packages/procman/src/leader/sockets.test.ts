import { connect, createServer, type Server } from "node:net";
import { once } from "node:events";
import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Sockets, type SlotSocket } from "./sockets.ts";

const address = { host: "127.0.0.1", port: 0 };
const owner = "server.main";
const worker = {};

/** All that a slot has for an address. */
async function ofSlot(
  sockets: Sockets,
  slot: number,
  at: Parameters<Sockets["acquire"]>[0]["address"],
): Promise<SlotSocket[]> {
  const found = [await sockets.acquire({ address: at, owner, index: 0 }, slot, worker)];
  while (found.length < (found[0]?.sockets ?? 0))
    found.push(await sockets.acquire({ address: at, owner, index: found.length }, slot, worker));
  return found;
}

async function listening(sockets: readonly SlotSocket[]): Promise<Server[]> {
  const servers = sockets.map(({ handle }) => createServer().listen(handle));
  await Promise.all(servers.map((server) => once(server, "listening")));
  return servers;
}

describe.runIf(process.platform === "linux")("on TCP", () => {
  test("each slot has sockets of its own, and the connections of one arrive at it", async () => {
    const sockets = new Sockets(2);
    const first = await ofSlot(sockets, 0, address);
    const second = await ofSlot(sockets, 1, address);
    expect([first.length, second.length]).toEqual([4, 4]);
    const all = [...first, ...second];
    expect(new Set(all.map(({ port }) => port)).size).toBe(1);
    expect(new Set(all.map(({ handle }) => handle)).size).toBe(8);
    const servers = await listening(all);
    const accepted = servers.map((server) => {
      let count = 0;
      server.on("connection", (socket) => (count++, socket.destroy()));
      return () => count;
    });
    for (let i = 0; i < 200; i++) {
      const socket = connect(all[0]?.port ?? 0, "127.0.0.1").resume();
      await once(socket, "close");
    }
    const counts = accepted.map((count) => count());
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(200);
    // 25 are expected at each: that one gets none is out of the question.
    expect(Math.min(...counts)).toBeGreaterThan(0);
    for (const server of servers) server.close();
    await sockets.close();
  });

  test("a slot has no further ones than it says", async () => {
    const sockets = new Sockets(2);
    const wish = { address: { host: "127.0.0.1", port: 0 }, owner, index: 4 };
    await expect(sockets.acquire(wish, 0, worker)).rejects.toThrow("there is no socket for slot 0");
    await sockets.close();
  });

  test("the sockets of many addresses are few", async () => {
    const sockets = new Sockets(2);
    for (let i = 0; i < 32; i++) await sockets.acquire({ address, owner: `server.${i}`, index: 0 }, 0, worker);
    const further = await sockets.acquire({ address, owner: "server.last", index: 0 }, 1, worker);
    expect(further.sockets).toBe(1);
    await sockets.close();
  });

  test("a new leader has the same ones, by slot", async () => {
    const old = new Sockets(2);
    const before = [await ofSlot(old, 0, address), await ofSlot(old, 1, address)];
    const taken = await Sockets.taken(2, await old.list(), (name) => old.at(name));
    for (const slot of [0, 1]) {
      const after = await ofSlot(taken, slot, address);
      expect(after.map(({ handle }) => handle)).toEqual(before[slot]?.map(({ handle }) => handle));
    }
    await old.close();
  });
});

/** The ports on which it listens. */
async function portsOf(sockets: Sockets): Promise<readonly number[]> {
  return (await sockets.list()).listening.map(({ port }) => port);
}

test("an address that a worker has asked for twice is open until it has released it twice", async () => {
  const sockets = new Sockets(1);
  const wish = { address, owner, index: 0 };
  const { key, port } = await sockets.acquire(wish, 0, worker);
  expect((await sockets.acquire(wish, 0, worker)).port).toBe(port);
  await sockets.release(key, worker);
  expect(await portsOf(sockets)).toEqual([port]);
  await sockets.release(key, worker);
  expect(await portsOf(sockets)).toEqual([]);
});

test("an address that is asked for while it is released has sockets that are open", async () => {
  const sockets = new Sockets(1);
  const wish = { address, owner, index: 0 };
  const { key, port } = await sockets.acquire(wish, 0, worker);
  const [, again] = await Promise.all([sockets.release(key, worker), sockets.acquire(wish, 0, worker)]);
  expect(again.port).toBe(port);
  expect(await portsOf(sockets)).toEqual([port]);
  await sockets.close();
});

test("a worker that has released an address has no further sockets of it", async () => {
  const sockets = new Sockets(1);
  const { key } = await sockets.acquire({ address, owner, index: 0 }, 0, worker);
  await sockets.release(key, worker);
  await expect(sockets.acquire({ address, owner, index: 1 }, 0, worker)).rejects.toThrow("there is no socket");
  expect(await portsOf(sockets)).toEqual([]);
});

test("what a worker asked for before it died keeps nothing open", async () => {
  const sockets = new Sockets(1);
  const other = {};
  const { key } = await sockets.acquire({ address, owner, index: 0 }, 0, other);
  sockets.forget(worker);
  await expect(sockets.acquire({ address, owner, index: 0 }, 0, worker)).rejects.toThrow("there is no socket");
  await sockets.release(key, other);
  expect(await portsOf(sockets)).toEqual([]);
});

test("the slots share the socket of a path", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-sockets-"));
  const sockets = new Sockets(3);
  const path = { path: join(folder.path, "s") };
  const handles = await Promise.all([0, 1, 2].map((slot) => ofSlot(sockets, slot, path)));
  expect(handles.map(({ length }) => length)).toEqual([1, 1, 1]);
  expect(new Set(handles.flat().map(({ handle }) => handle)).size).toBe(1);
  await sockets.close();
});
