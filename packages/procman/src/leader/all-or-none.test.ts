// How workers that the test decides about follow a configuration: all of them, or none.

import { MemorySink, openErrorLog } from "@hemi/hemi/base";
import { expect, test } from "vitest";
import type { RunningConfig, WorkerCalls } from "../channel/calls.ts";
import { RemoteError } from "../channel/channel.ts";
import { followInAll, type Follower } from "./all-or-none.ts";

const config = (file: string): RunningConfig => ({ file, snapshot: { texts: {}, globs: {} } });
const [before, after] = [config("before.conf"), config("after.conf")];

/** What happens to a worker when it is asked for something. */
type Accident = "ends" | "refuses" | "hangs";

/** A worker process that the test has made up. */
class MadeUpWorker implements Follower {
  readonly slot: number;
  readonly #accidents: Partial<Record<keyof WorkerCalls, Accident>>;
  #prepared: string | undefined;
  follows = before.file;
  isKilled = false;

  constructor(slot: number, accidents: Partial<Record<keyof WorkerCalls, Accident>> = {}) {
    this.slot = slot;
    this.#accidents = accidents;
  }

  async call(name: keyof WorkerCalls, params?: unknown): Promise<never> {
    const accident = this.#accidents[name];
    if (accident === "ends") throw new Error("the other process has ended");
    if (accident === "refuses") throw new RemoteError("no luck", 2);
    if (accident === "hangs") await new Promise(() => {});
    if (name === "prepare") this.#prepared = (params as WorkerCalls["prepare"]["params"]).config.file;
    if (name === "commit") this.follows = this.#prepared ?? "nothing";
    if (name === "discard") this.#prepared = undefined;
    return undefined as never;
  }

  kill(): void {
    this.isKilled = true;
  }
}

async function follow(workers: readonly Follower[], patience = 10_000): Promise<string> {
  const log = openErrorLog({ sink: new MemorySink() });
  const followed = followInAll(workers, { from: before, to: after, log }, patience);
  return await followed.then(
    () => "done",
    (error: unknown) => String(error),
  );
}

test("all workers follow", async () => {
  const workers = [new MadeUpWorker(0), new MadeUpWorker(1)];
  expect(await follow(workers)).toBe("done");
  expect(workers.map(({ follows }) => follows)).toEqual(["after.conf", "after.conf"]);
});

test.each([
  ["refuses", 10_000, /no luck/],
  ["ends", 10_000, /worker 1 did not prepare the new configuration: it ended or stood still; nothing has changed/],
  ["hangs", 1, /worker 1 did not prepare the new configuration: it ended or stood still; nothing has changed/],
] as const)("a worker that %s while it prepares leaves all as they were", async (accident, patience, reason) => {
  const workers = [new MadeUpWorker(0), new MadeUpWorker(1, { prepare: accident })];
  expect(await follow(workers, patience)).toMatch(reason);
  expect(workers.map(({ follows }) => follows)).toEqual(["before.conf", "before.conf"]);
});

test("a worker that refuses to commit takes the others back", async () => {
  const workers = [new MadeUpWorker(0), new MadeUpWorker(1, { commit: "refuses" })];
  expect(await follow(workers)).toMatch(/no luck/);
  expect(workers[0]?.follows).toBe("before.conf");
});

test.each([
  ["ends", 10_000],
  ["hangs", 1],
] as const)("a worker that %s while it commits is replaced, and the others follow", async (accident, patience) => {
  const workers = [new MadeUpWorker(0), new MadeUpWorker(1, { commit: accident })];
  expect(await follow(workers, patience)).toBe("done");
  expect(workers.map(({ isKilled }) => isKilled)).toEqual([false, true]);
  expect(workers[0]?.follows).toBe("after.conf");
});

test("a worker that cannot go back is replaced", async () => {
  class Stubborn extends MadeUpWorker {
    override async call(name: keyof WorkerCalls, params?: unknown): Promise<never> {
      if (name === "prepare" && this.follows === after.file) throw new RemoteError("stays", 2);
      return await super.call(name, params);
    }
  }
  const workers = [new Stubborn(0), new MadeUpWorker(1, { commit: "refuses" })];
  expect(await follow(workers)).toMatch(/no luck/);
  expect(workers[0]?.isKilled).toBe(true);
});
