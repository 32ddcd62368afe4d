import { expect, test } from "vitest";
import { FairQueue, type FairQueueOptions } from "./fair-queue.ts";

/** A queue with jobs that run until they are told to end. */
function makeQueue(options: FairQueueOptions) {
  const queue = new FairQueue(options);
  const started: string[] = [];
  const jobs = new Map<string, PromiseWithResolvers<string>>();
  const waiting = new Map<string, () => void>();
  return {
    started,
    /** The first letter of a job's name is its source. */
    run: (name: string) =>
      queue.run(
        name.charAt(0),
        () => {
          started.push(name);
          const job = Promise.withResolvers<string>();
          jobs.set(name, job);
          return job.promise;
        },
        (giveUp) => waiting.set(name, giveUp),
      ),
    giveUp: (name: string) => waiting.get(name)?.(),
    async end(name: string, error?: Error) {
      if (error === undefined) jobs.get(name)?.resolve(name);
      else jobs.get(name)?.reject(error);
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

test("runs a few jobs at once, the next ones of one source in order, and refuses what is too many", async () => {
  const { run, started, end } = makeQueue({ maxRunning: 2, maxWaiting: 2 });
  const [a1, a2, a3, a4] = ["a1", "a2", "a3", "a4"].map(run);
  expect(await run("a5")).toBeUndefined();
  expect(started).toEqual(["a1", "a2"]);
  await end("a2");
  expect(await a2).toBe("a2");
  // The place of a2 is that of a3, not of one who asks now.
  const a6 = run("a6");
  expect(await run("a7")).toBeUndefined();
  expect(started).toEqual(["a1", "a2", "a3"]);

  const failed = expect(a1).rejects.toThrow("it failed");
  await end("a1", new Error("it failed"));
  await failed;
  for (const name of ["a3", "a4", "a6"]) await end(name);
  expect(await Promise.all([a3, a4, a6])).toEqual(["a3", "a4", "a6"]);

  // All places are free again.
  const last = [run("a8"), run("b1")];
  expect(started.slice(-2)).toEqual(["a8", "b1"]);
  for (const name of ["a8", "b1"]) await end(name);
  expect(await Promise.all(last)).toEqual(["a8", "b1"]);
});

test("sources take turns, however many jobs one of them brings", async () => {
  const { run, started, end } = makeQueue({ maxRunning: 1, maxWaiting: 9 });
  for (const name of ["a1", "a2", "a3", "a4", "b1", "b2", "c1"]) void run(name);
  for (const name of ["a1", "a2", "b1", "c1", "a3", "b2", "a4"]) {
    expect(started.at(-1)).toBe(name);
    await end(name);
  }
});

test("a full queue makes room for who has less in it, at the cost of who has most", async () => {
  const { run, started, end } = makeQueue({ maxRunning: 1, maxWaiting: 4 });
  const flood = ["a1", "a2", "a3", "a4", "a5"].map(run);
  const b1 = run("b1");
  expect(await flood[4]).toBeUndefined();
  const b2 = run("b2");
  expect(await flood[3]).toBeUndefined();
  // Both have two now.
  expect([await run("a6"), await run("b3")]).toEqual([undefined, undefined]);
  const c1 = run("c1");
  const refused = await Promise.race([flood[2], b2]);
  expect(refused).toBeUndefined();
  for (let i = 0; i < 5; i++) await end(started.at(-1) ?? "");
  expect([await b1, await c1]).toEqual(["b1", "c1"]);
});

test("a queue full of sources with one job each refuses the next", async () => {
  const { run, end } = makeQueue({ maxRunning: 1, maxWaiting: 2 });
  const [a1] = ["a1", "b1", "c1"].map(run);
  expect(await run("d1")).toBeUndefined();
  await end("a1");
  expect(await a1).toBe("a1");
});

test("a queue without a place to wait refuses at once", async () => {
  const { run, end } = makeQueue({ maxRunning: 1, maxWaiting: 0 });
  const running = run("a1");
  expect(await run("b1")).toBeUndefined();
  await end("a1");
  expect(await running).toBe("a1");
});

test("a job that is given up leaves its place to others, and is not run", async () => {
  const { run, started, giveUp, end } = makeQueue({ maxRunning: 1, maxWaiting: 2 });
  const [a1, a2, b1] = ["a1", "a2", "b1"].map(run);
  expect(await run("c1")).toBeUndefined();
  giveUp("a2");
  giveUp("a2");
  expect(await a2).toBeUndefined();
  const c2 = run("c2");
  expect(await run("d1")).toBeUndefined();
  // Too late for one that runs.
  giveUp("a1");
  await end("a1");
  await end("b1");
  giveUp("b1");
  await end("c2");
  expect(await Promise.all([a1, b1, c2])).toEqual(["a1", "b1", "c2"]);
  expect(started).toEqual(["a1", "b1", "c2"]);
});
