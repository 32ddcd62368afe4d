// Cronjobs in a stage. Timers are those of the test, which lets them fire.

import { mkdir, mkdtempDisposable, readdir, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { linkedWorkers } from "../../testing/linked-workers.ts";
import { stageAtTime, type StageAtTime } from "../../testing/stage-at-time.ts";
import { defineCronjob } from "../kinds/cronjob.ts";
import type { Workers } from "../workers.ts";
import { cleanCronjob } from "./clean-cronjob.ts";
import { checkCronProps, cronProps } from "./cron-props.ts";
import { ScheduledWork, type Work } from "./scheduled-work.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

/** A user's own cronjob. */
const jobOf = (work: Work) =>
  defineCronjob({
    sign: "job",
    props: cronProps,
    check: checkCronProps,
    create(context) {
      const scheduled = new ScheduledWork(context, work);
      return {
        start: () => scheduled.start(),
        drain: (deadline: number) => scheduled.stop(deadline),
        shutdown: () => scheduled.stop(0),
      };
    },
  });

async function stageWith(work: Work, props: string, workers?: Workers) {
  const at = await stageAtTime(`stage { job "j" { ${props} } }`, [jobOf(work)], workers);
  return {
    ...at,
    async [Symbol.asyncDispose]() {
      vi.useRealTimers();
      await at.stage.quit(100);
    },
  };
}

/** Lets time go on, second by second. */
async function pass({ wait }: Pick<StageAtTime, "wait">, seconds: number): Promise<void> {
  for (let i = 0; i < seconds; i++) {
    wait(1);
    await vi.advanceTimersByTimeAsync(1000);
  }
}

describe("a cronjob", () => {
  test("runs at its times, in the primary worker only", async () => {
    const runs: number[] = [];
    const workers = linkedWorkers(2);
    await using first = await stageWith(
      () => Promise.resolve(void runs.push(0)),
      '.schedule = "every 10s"',
      workers[0],
    );
    await using second = await stageWith(
      () => Promise.resolve(void runs.push(1)),
      '.schedule = "every 10s"',
      workers[1],
    );
    for (let i = 0; i < 35; i++) {
      first.wait(1);
      second.wait(1);
      await vi.advanceTimersByTimeAsync(1000);
    }
    expect(runs).toEqual([0, 0, 0]);
  });

  test.each([
    ["skip", 2],
    ["queue", 3],
    ["replace", 4],
  ])("that still runs when its time comes: %s", async (overlap, begun) => {
    let runs = 0;
    const work = (signal: AbortSignal) => {
      runs++;
      return new Promise<void>((resolve) => {
        setTimeout(resolve, 25_000);
        signal.addEventListener("abort", () => resolve());
      });
    };
    await using stage = await stageWith(work, `.schedule = "every 10s" .overlap = "${overlap}"`);
    await pass(stage, overlap === "replace" ? 45 : 62);
    expect(runs).toBe(begun);
  });

  test("that hangs is aborted, and does not hold up the runs after it", async () => {
    let runs = 0;
    const work = () => {
      runs++;
      return new Promise<void>(() => undefined);
    };
    await using stage = await stageWith(work, '.schedule = "every 10s" .timeout = 5s');
    await pass(stage, 31);
    expect(runs).toBe(3);
    expect(stage.log.join("\n")).toMatch(/was aborted\n +Error: it took longer than 5000 ms/);
  });

  test("that fails is tried again, then told in the log, and runs at its next time", async () => {
    let runs = 0;
    const work = () => Promise.reject(new Error(`broken ${++runs}`));
    await using stage = await stageWith(work, '.schedule = "every 10s" .retries = 2');
    await pass(stage, 14);
    expect(runs).toBe(3);
    expect(stage.log.filter((line) => line.includes("is tried again"))).toHaveLength(2);
    expect(stage.log.join("\n")).toMatch(/error job\.j failed\n +Error: broken 3/);
    await pass(stage, 10);
    expect(runs).toBe(6);
  });

  test("whose clock jumps back by a day runs by the new time", async () => {
    let runs = 0;
    const work = async () => {
      runs++;
      await Promise.resolve();
    };
    await using stage = await stageWith(work, '.schedule = "every 10s"');
    await pass(stage, 11);
    stage.wait(-86_400);
    await pass(stage, 81);
    expect(runs).toBeGreaterThan(1);
  });

  test("with a schedule that makes no sense is found by check", async () => {
    const wrong = stageWith(() => Promise.resolve(), '.schedule = "0 3 * *"');
    await expect(wrong).rejects.toThrow("is no cron expression");
  });
});

test("cleanCronjob removes old files and empty folders, and nothing outside of its folder", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-clean-"));
  await using other = await mkdtempDisposable(join(tmpdir(), "hemi-outside-"));
  const long = new Date("2025-12-01");
  const file = async (path: string, at: Date, size = 10) => {
    await writeFile(path, "x".repeat(size));
    await utimes(path, at, at);
  };
  await mkdir(join(folder.path, "empty"));
  await mkdir(join(folder.path, "deep", "er"), { recursive: true });
  await file(join(other.path, "outside"), long);
  await symlink(other.path, join(folder.path, "link"));
  await file(join(folder.path, "old"), long);
  await file(join(folder.path, "deep", "er", "old"), long);
  await file(join(folder.path, "large"), new Date("2025-12-30"), 900);
  await file(join(folder.path, "new"), new Date("2025-12-31"), 500);
  for (const name of ["empty", "deep/er", "deep"]) await utimes(join(folder.path, name), long, long);
  const text = `stage { cleanCronjob "c" { .schedule = "every 10s" .folder = "${folder.path}" .maxTotal = 1000 } }`;
  const at = await stageAtTime(text, [cleanCronjob]);
  await pass(at, 10);
  vi.useRealTimers();
  await expect.poll(() => at.log.join("\n")).toContain("removed old files");
  await at.stage.quit(100);
  expect((await readdir(folder.path)).sort()).toEqual(["deep", "link", "new"]);
  expect(await readdir(other.path)).toEqual(["outside"]);
});
