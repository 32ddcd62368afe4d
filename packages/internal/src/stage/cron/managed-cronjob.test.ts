import { expect, test } from "vitest";
import { previewCronjobs, type ManagedCronjob } from "./managed-cronjob.ts";

test("a preview of very many times lets the event loop go on", async () => {
  const part: ManagedCronjob = {
    schedule: "every 1s",
    zone: undefined,
    isRunning: false,
    nextTime: (after) => after + 1000 - (after % 1000),
    history: () => Promise.resolve([]),
    runNow: () => Promise.reject(new Error("nobody runs it")),
  };
  let turns = 0;
  let isOver = false;
  const turn = (): void => {
    turns++;
    if (!isOver) setImmediate(turn);
  };
  setImmediate(turn);
  const stage = { offering: () => [{ name: "j", path: "job.j", part }] };
  const [job] = await previewCronjobs(stage, { from: 1, to: 10_000_000, max: 5000 });
  isOver = true;
  expect(job?.times).toEqual(Array.from({ length: 5000 }, (_, i) => (i + 1) * 1000));
  expect(job?.isCut).toBe(true);
  expect(turns).toBeGreaterThan(50);
});
