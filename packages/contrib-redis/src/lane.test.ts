import { setImmediate as turn } from "node:timers/promises";
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
