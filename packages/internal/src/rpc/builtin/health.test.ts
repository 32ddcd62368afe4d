// grpc.health.v1 where many watch it.

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { RpcError } from "@hemi/common/rpc";
import { expect, test } from "vitest";
import { openErrorLog } from "../../log/error-log.ts";
import { MemorySink } from "../../log/sink.ts";
import { Call } from "../call.ts";
import { isAsyncIterable } from "../call-run.ts";
import { HealthState } from "./health.ts";

const surroundings = { log: openErrorLog({ sink: new MemorySink() }), noteFault: () => undefined };
const origin = {
  req: undefined,
  peer: undefined,
  caller: undefined,
  trace: undefined,
  readIdentity: () => expect.unreachable(),
  readMetadata: () => expect.unreachable(),
};

/** A call of `watch`, and what it tells. */
function watch(health: HealthState): { call: Call; statuses: AsyncIterator<unknown> } {
  const served = health.served.procedures.find(({ path }) => path.endsWith("/Watch"));
  const call = new Call("/grpc.health.v1.Health/Watch", origin, surroundings, Infinity);
  const statuses = served?.invoke({ service: "" }, call);
  if (!isAsyncIterable(statuses)) throw new Error("watch is no stream");
  return { call, statuses: statuses[Symbol.asyncIterator]() };
}

/** In bytes, without garbage. */
function memory(): number {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  return process.memoryUsage().heapUsed;
}

test("those that watch hear of each change, and of the end", async () => {
  const health = new HealthState();
  const { statuses } = watch(health);
  expect(await statuses.next()).toEqual({ done: false, value: { status: 1 } });
  const next = statuses.next();
  health.serve(["other"]);
  health.drain();
  expect(await next).toEqual({ done: false, value: { status: 2 } });
  expect(await statuses.next()).toEqual({ done: true, value: undefined });
});

test("those that have given up watching leave nothing behind", async () => {
  const health = new HealthState();
  const gone = new RpcError("canceled");
  const watchOnce = async (): Promise<void> => {
    const { call, statuses } = watch(health);
    await statuses.next();
    const next = statuses.next();
    call.cancel(gone);
    expect((await next).done).toBe(true);
  };
  for (let i = 0; i < 1000; i++) await watchOnce();
  const before = memory();
  for (let i = 0; i < 5000; i++) await watchOnce();
  expect(memory() - before).toBeLessThan(500_000);
  // It is in use until here.
  health.drain();
});
