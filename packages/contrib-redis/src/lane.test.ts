import { setTimeout as pause, setImmediate as turn } from "node:timers/promises";
import { MemorySink, openErrorLog } from "@hemi/internal";
import { expect, test } from "vitest";
import type { Client } from "./client.ts";
import { Lane } from "./lane.ts";

/** A lane to a Redis that answers nothing; each of `writes` is the number of commands that went out at once. */
async function openLane() {
  const writes: number[] = [];
  let held = 0;
  const stream = {
    cork() {},
    uncork() {
      writes.push(held);
      held = 0;
    },
  };
  const send = (): Promise<never> => {
    held++;
    return new Promise(() => {});
  };
  const client: Client = {
    status: "ready",
    connect: () => Promise.resolve(),
    disconnect() {},
    call: send,
    callBuffer: send,
    on() {},
    stream,
  };
  const limits = { connectTimeout: 1000, commandTimeout: 1000, maxPending: 1000 };
  const log = openErrorLog({ sink: new MemorySink() });
  const lane = new Lane({ makeClient: () => client, limits, log });
  await lane.open();
  return { lane, writes };
}

test("the few commands of a turn go out in one write, and when it ends", async () => {
  const { lane, writes } = await openLane();
  for (let i = 0; i < 3; i++) void lane.call("get", ["key"]);
  expect(writes).toEqual([]);
  await turn();
  expect(writes).toEqual([3]);
});

test("Redis has the first of many commands while the last of the turn are made", async () => {
  const { lane, writes } = await openLane();
  for (let i = 0; i < 60; i++) void lane.call("get", ["key"]);
  expect(writes).toEqual([24, 24]);
  await turn();
  expect(writes).toEqual([24, 24, 12]);
});

/** A lane whose clients send by these, the first client by the first one; none of them notices that it is closed. */
async function openLaneOf(...sends: readonly Client["call"][]) {
  return await openLaneTo({}, ...sends);
}

/** `more`: what its clients have beside. */
async function openLaneTo(more: Partial<Client>, ...sends: readonly Client["call"][]) {
  const left = [...sends];
  const makeClient = (): Client => {
    const send = left.shift() ?? (() => Promise.reject(new Error("one client too many")));
    return {
      ...more,
      status: "ready",
      connect: () => Promise.resolve(),
      disconnect() {},
      call: send,
      callBuffer: send,
      on() {},
    };
  };
  const limits = { connectTimeout: 1000, commandTimeout: 10, maxPending: 2 };
  const sink = new MemorySink();
  const lane = new Lane({ makeClient, limits, log: openErrorLog({ sink }) });
  await lane.open();
  return { lane, sink };
}

const never = () => new Promise<never>(() => {});
const fine = () => Promise.resolve("fine");

test("a connection that takes the place of one with an overdue answer has no part in it", async () => {
  const { lane } = await openLaneOf(never, fine);
  await expect(lane.call("get", ["key"])).rejects.toThrow("Redis did not answer within 10 ms");
  await expect(lane.call("get", ["key"])).rejects.toThrow("an answer of Redis is overdue");
  await lane.open();
  expect(await lane.call("get", ["key"])).toBe("fine");
});

test("a command that ends late on a connection that was replaced is no outage of the new one", async () => {
  const { lane, sink } = await openLaneOf(never, fine);
  const late = lane.call("get", ["key"]);
  await lane.open();
  expect(await lane.call("get", ["key"])).toBe("fine");
  await expect(late).rejects.toThrow("Redis did not answer within 10 ms");
  expect(sink.lines).toEqual([]);
});

test("a command that could not be made up leaves nothing under way", async () => {
  let isBroken = true;
  const { lane } = await openLaneOf(() => {
    if (isBroken) throw new RangeError("Invalid string length");
    return fine();
  });
  await expect(lane.call("get", ["key"])).rejects.toThrow("Invalid string length");
  isBroken = false;
  expect(await lane.call("get", ["key"])).toBe("fine");
  await pause(30);
  expect(await lane.call("get", ["key"])).toBe("fine");
});

test("a node of a cluster that owes an answer holds up its own slots, and no others", async () => {
  const nodeOf = (_: string, [key]: readonly unknown[]) => (String(key).startsWith("a") ? "a:1" : "b:1");
  const send: Client["call"] = (_, [key]) => (key === "a1" ? never() : fine());
  const { lane, sink } = await openLaneTo({ nodeOf }, send);
  await expect(lane.call("get", ["a1"])).rejects.toThrow("Redis at a:1 did not answer within 10 ms");
  await expect(lane.call("get", ["a2"])).rejects.toThrow("an answer of Redis at a:1 is overdue");
  expect(await lane.call("get", ["b1"])).toBe("fine");
  expect(sink.lines).toHaveLength(1);
});
