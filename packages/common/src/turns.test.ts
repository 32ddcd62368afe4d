import { expect, test } from "vitest";
import { Turns } from "./turns.ts";

test("so many jobs run at once, the others in order, and one that fails gives its turn on", async () => {
  const turns = new Turns(2);
  const started: string[] = [];
  const jobs = new Map<string, PromiseWithResolvers<string>>();
  const run = (name: string): Promise<string> =>
    turns.run(() => {
      started.push(name);
      const job = Promise.withResolvers<string>();
      jobs.set(name, job);
      return job.promise;
    });
  const [a, b, c, d] = ["a", "b", "c", "d"].map(run);
  expect(started).toEqual(["a", "b"]);
  jobs.get("b")?.reject(new Error("no"));
  await expect(b).rejects.toThrow("no");
  expect(started).toEqual(["a", "b", "c"]);
  jobs.get("a")?.resolve("A");
  expect(await a).toBe("A");
  expect(started).toEqual(["a", "b", "c", "d"]);
  for (const name of ["c", "d"]) jobs.get(name)?.resolve(name);
  expect(await Promise.all([c, d])).toEqual(["c", "d"]);
});
