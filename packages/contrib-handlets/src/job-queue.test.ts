import { expect, test } from "vitest";
import { JobQueue } from "./job-queue.ts";

test("runs a few jobs at once, the next ones in order, and refuses what is too many", async () => {
  const queue = new JobQueue({ maxRunning: 2, maxWaiting: 2 });
  const started: string[] = [];
  const jobs = new Map<string, PromiseWithResolvers<string>>();
  const run = (name: string) =>
    queue.run(() => {
      started.push(name);
      const job = Promise.withResolvers<string>();
      jobs.set(name, job);
      return job.promise;
    });
  const [a, b, c, d] = ["a", "b", "c", "d"].map(run);
  expect(await run("e")).toBeUndefined();
  expect(started).toEqual(["a", "b"]);

  jobs.get("b")?.resolve("B");
  expect(await b).toBe("B");
  // The place of b is that of c, not of one who asks now.
  const f = run("f");
  expect(await run("g")).toBeUndefined();
  await Promise.resolve();
  expect(started).toEqual(["a", "b", "c"]);

  jobs.get("a")?.reject(new Error("it failed"));
  await expect(a).rejects.toThrow("it failed");
  await Promise.resolve();
  jobs.get("c")?.resolve("C");
  jobs.get("d")?.resolve("D");
  expect([await c, await d]).toEqual(["C", "D"]);
  jobs.get("f")?.resolve("F");
  expect(await f).toBe("F");

  // All places are free again.
  const last = ["h", "i", "j"].map(run);
  expect(started.slice(-2)).toEqual(["h", "i"]);
  for (const name of ["h", "i"]) jobs.get(name)?.resolve(name);
  expect(await Promise.all(last.slice(0, 2))).toEqual(["h", "i"]);
  jobs.get("j")?.resolve("j");
  expect(await last[2]).toBe("j");
});

test("a queue without a place to wait refuses at once", async () => {
  const queue = new JobQueue({ maxRunning: 1, maxWaiting: 0 });
  const job = Promise.withResolvers<number>();
  const running = queue.run(() => job.promise);
  expect(await queue.run(() => Promise.resolve(2))).toBeUndefined();
  job.resolve(1);
  expect(await running).toBe(1);
});
