// Cronjobs in a stage. Timers are those of the test, which lets them fire.

import { link, mkdir, mkdtempDisposable, readdir, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { linkedWorkers } from "../../testing/linked-workers.ts";
import { stageAtTime, type StageAtTime } from "../../testing/stage-at-time.ts";
import type { Part } from "../../component/part.ts";
import { defineAddon } from "../kinds/addon.ts";
import { defineCronjob } from "../kinds/cronjob.ts";
import { lockService, type LockService } from "../locks/lock-service.ts";
import { LockTable, MemoryLocks } from "../locks/memory-locks.ts";
import type { Workers } from "../workers.ts";
import { cleanCronjob } from "./clean-cronjob.ts";
import { checkCronProps, cronProps } from "./cron-props.ts";
import type { Work } from "./job-run.ts";
import { managedCronjob, type ManagedCronjob } from "./managed-cronjob.ts";
import { standStill } from "../../testing/pause.ts";
import { ScheduledWork } from "./scheduled-work.ts";

// The dates of the schedule come from the clock of the stage.
const timers = ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "performance"] as const;
beforeEach(() => void vi.useFakeTimers({ toFake: [...timers] }));
afterEach(() => void vi.useRealTimers());

/** A user's own cronjob. */
const jobOf = (work: Work) =>
  defineCronjob({
    sign: "job",
    props: cronProps,
    offers: [managedCronjob],
    check: checkCronProps,
    create: (context): Part & ManagedCronjob => new ScheduledWork(context, work),
  });

interface JobStage extends StageAtTime, AsyncDisposable {
  readonly job: ManagedCronjob;
}

/** `more` stands beside the job. */
async function stageWith(work: Work, props: string, workers?: Workers, more = ""): Promise<JobStage> {
  const history = props.includes("maxHistory") ? "" : ".maxHistory = 0";
  const text = `stage { ${more} job "j" { ${props} ${history} } }`;
  const at = await stageAtTime(text, [jobOf(work), testLocks], workers);
  const [job] = at.stage.offering(managedCronjob);
  if (job === undefined) throw new Error("there is no job");
  return {
    ...at,
    job: job.part,
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

  test("whose clock is put back by three minutes does not run the same time twice", async () => {
    let runs = 0;
    const work = async () => {
      runs++;
      await Promise.resolve();
    };
    await using stage = await stageWith(work, '.schedule = "@hourly"');
    await pass(stage, 3601);
    expect(runs).toBe(1);
    stage.wait(-180);
    await pass(stage, 3600);
    expect(runs).toBe(1);
    await pass(stage, 180);
    expect(runs).toBe(2);
  });

  test("with a schedule that makes no sense is found by check", async () => {
    const wrong = stageWith(() => Promise.resolve(), '.schedule = "0 3 * *"');
    await expect(wrong).rejects.toThrow("is no cron expression");
  });
});

/** The locks of several machines; those that are down reject. */
let table = new LockTable();
let areDown = false;
/** They answer then. */
let answering = Promise.resolve();
const testLocks = defineAddon({
  sign: "testLocks",
  offers: [lockService],
  create: (): Part & LockService => {
    const locks = new MemoryLocks(table);
    return {
      acquireLock: (...asked) =>
        areDown ? Promise.reject(new Error("no answer")) : answering.then(() => locks.acquireLock(...asked)),
    };
  },
});

describe("a cronjob with locks for all machines", () => {
  beforeEach(() => {
    table = new LockTable();
    areDown = false;
  });
  const machine = (work: Work, props = "") =>
    stageWith(work, `.schedule = "every 10s" .withLock = "l" .onDown = "skip" ${props}`, undefined, 'testLocks "l" {}');

  test("that is replaced while it waits for its locks does not begin any more", async () => {
    const slow = Promise.withResolvers<void>();
    answering = slow.promise;
    const aborted: boolean[] = [];
    const work = (signal: AbortSignal) => Promise.resolve(void aborted.push(signal.aborted));
    const props = '.schedule = "every 10s" .overlap = "replace" .withLock = "l" .onDown = "skip"';
    await using stage = await stageWith(work, props, undefined, 'testLocks "l" {}');
    await pass(stage, 22);
    slow.resolve();
    await pass(stage, 2);
    expect(aborted).toEqual([false]);
    answering = Promise.resolve();
  });

  test("runs on one of them, even if the clock of the other one is late", async () => {
    const runs: string[] = [];
    await using one = await machine(() => Promise.resolve(void runs.push("one")));
    await using two = await machine(() => Promise.resolve(void runs.push("two")));
    two.wait(-4);
    for (let i = 0; i < 44; i++) {
      one.wait(1);
      two.wait(1);
      await vi.advanceTimersByTimeAsync(1000);
    }
    expect(runs).toHaveLength(4);
  });

  test("is not begun on another machine while it still runs on one", async () => {
    let runs = 0;
    const work = () => {
      runs++;
      return new Promise<void>(() => undefined);
    };
    await using one = await machine(work);
    await using two = await machine(work);
    for (let i = 0; i < 35; i++) {
      one.wait(1);
      two.wait(1);
      await vi.advanceTimersByTimeAsync(1000);
    }
    expect(runs).toBe(1);
    expect([...one.log, ...two.log].join("\n")).toContain("still runs on another machine");
  });

  test("gets fencing tokens that rise", async () => {
    const tokens: number[] = [];
    await using stage = await machine((_signal, { token }) => Promise.resolve(void tokens.push(token)));
    await pass(stage, 31);
    expect(tokens).toHaveLength(3);
    expect(tokens).toEqual([...new Set(tokens)].sort((a, b) => a - b));
  });

  test.each([
    ["skip", 0, "does not run"],
    ["run", 3, "runs all the same"],
  ])("that cannot be reached: %s", async (onDown, count, told) => {
    areDown = true;
    let runs = 0;
    const props = `.schedule = "every 10s" .withLock = "l" .onDown = "${onDown}"`;
    await using stage = await stageWith(() => Promise.resolve(void (runs += 1)), props, undefined, 'testLocks "l" {}');
    await pass(stage, 31);
    expect(runs).toBe(count);
    expect(stage.log.join("\n")).toContain(told);
  });

  test("has to say what happens while they cannot be reached", async () => {
    const wrong = stageWith(
      () => Promise.resolve(),
      '.schedule = "@daily" .withLock = "l"',
      undefined,
      'testLocks "l" {}',
    );
    await expect(wrong).rejects.toThrow(".onDown is required with .withLock");
  });
});

describe("a pause of the process", () => {
  /** A run that has begun. */
  async function begun(props: string) {
    vi.useRealTimers();
    const gate = Promise.withResolvers<void>();
    let isAborted = false;
    const work = (signal: AbortSignal) => {
      signal.addEventListener("abort", () => (isAborted = true));
      return gate.promise;
    };
    const stage = await stageWith(work, `.schedule = "@yearly" ${props}`);
    const run = stage.job.runNow();
    await expect.poll(() => stage.job.isRunning).toBe(true);
    return { stage, run, end: gate.resolve, isAborted: () => isAborted };
  }

  test("is not the time of the run of a cronjob", async () => {
    const { stage, run, end, isAborted } = await begun(".timeout = 2s");
    await using _stage = stage;
    await standStill(2100);
    expect(isAborted()).toBe(false);
    end();
    expect((await run).outcome).toBe("done");
  });

  test("is not the time that a run has when the program ends", async () => {
    const { stage, run, end, isAborted } = await begun("");
    await using _stage = stage;
    const over = stage.stage.quit(2000);
    await expect.poll(() => stage.job.runNow().catch(String)).toContain("the program ends");
    await standStill(2100);
    expect(isAborted()).toBe(false);
    end();
    await over;
    expect((await run).outcome).toBe("done");
  });
});

describe("the history of a cronjob", () => {
  test("tells how each run ended, and is there after the end of the program", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-cron-"));
    const props = `.schedule = "every 10s" .historyFolder = "${folder.path}" .maxHistory = 3 .timeout = 5s`;
    const works: readonly Work[] = [
      () => Promise.resolve(),
      () => Promise.reject(new Error("it is broken")),
      () => new Promise<void>(() => undefined),
      () => Promise.resolve(),
    ];
    let runs = 0;
    {
      await using stage = await stageWith((...run) => works[runs++]?.(...run) ?? Promise.resolve(), props);
      await pass(stage, 41);
    }
    await using stage = await stageWith(() => Promise.resolve(), props);
    const history = await stage.job.history();
    expect(history.map(({ outcome, error }) => [outcome, error])).toEqual([
      ["failed", "it is broken"],
      ["aborted", "it took longer than 5000 ms"],
      ["done", undefined],
    ]);
    expect(history.map(({ due }) => new Date(due).toISOString().slice(17, 19))).toEqual(["20", "30", "40"]);
  });

  test("tells of a run that has ended its process, and survives a line that was cut", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-cron-"));
    const gone = { id: "x", due: 1000, cause: "schedule", startedAt: 1000, pid: 2 ** 22 + 1 };
    await writeFile(
      join(folder.path, "job.j.jsonl"),
      `${JSON.stringify(gone)}\n["a"]\n{"id":"y","due":"soon"}\n{"id":"x`,
    );
    const props = `.schedule = "every 10s" .historyFolder = "${folder.path}" .maxHistory = 3`;
    await using stage = await stageWith(() => Promise.resolve(), props);
    expect((await stage.job.history()).map(({ due, outcome }) => [due, outcome])).toEqual([[1000, "died"]]);
    await stage.job.runNow();
    expect((await stage.job.history()).map(({ outcome }) => outcome)).toEqual(["died", "done"]);
  });

  test("stays small", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-cron-"));
    const props = `.schedule = "every 10s" .historyFolder = "${folder.path}" .maxHistory = 2`;
    await using stage = await stageWith(() => Promise.resolve(), props);
    for (let i = 0; i < 40; i++) await stage.job.runNow();
    expect(await stage.job.history()).toHaveLength(2);
    expect((await stat(join(folder.path, "job.j.jsonl"))).size).toBeLessThan(3000);
  });

  test("is not written anew at each run, however long the errors are", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-cron-"));
    const props = `.schedule = "@yearly" .historyFolder = "${folder.path}" .maxHistory = 10`;
    await using stage = await stageWith(() => Promise.reject(new Error("ü".repeat(2000))), props);
    const file = join(folder.path, "job.j.jsonl");
    const files = new Set<number>();
    for (let i = 0; i < 60; i++) {
      await stage.job.runNow();
      files.add((await stat(file)).ino);
      // No other file gets its number.
      await link(file, join(folder.path, String(i)));
    }
    expect(await stage.job.history()).toHaveLength(10);
    expect(files.size).toBeLessThan(10);
    expect((await stat(file)).size).toBeLessThan(60_000);
  });

  test.each([
    ["skip", []],
    ["run", ["missed"]],
  ])("of a program that did not run at its time: %s", async (missed, causes) => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-cron-"));
    const props = `.schedule = "every 1h" .historyFolder = "${folder.path}" .maxHistory = 9 .missed = "${missed}"`;
    const long = Date.parse("2025-12-24T00:00:00Z");
    const last = { id: "x", due: long, cause: "schedule", startedAt: long, endedAt: long, outcome: "done", pid: 1 };
    await writeFile(join(folder.path, "job.j.jsonl"), `${JSON.stringify(last)}\n`);
    await using stage = await stageWith(() => Promise.resolve(), props);
    vi.useRealTimers();
    const later = async () => (await stage.job.history()).slice(1).map(({ cause }) => cause);
    await expect.poll(later).toEqual(causes);
  });
});

describe("a cronjob that is run by command", () => {
  test("runs at once, tells how it ended, and is refused while it runs", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    await using stage = await stageWith(() => promise, '.schedule = "@yearly"');
    const running = stage.job.runNow();
    expect(stage.job.isRunning).toBe(true);
    await expect(stage.job.runNow()).rejects.toThrow("job.j is running already");
    resolve();
    expect(await running).toMatchObject({ outcome: "done", cause: "command", attempts: 1 });
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
  const props = `.schedule = "every 10s" .folder = "${folder.path}" .maxTotal = 1000 .maxHistory = 0`;
  const text = `stage { cleanCronjob "c" { ${props} } }`;
  const at = await stageAtTime(text, [cleanCronjob]);
  await pass(at, 10);
  vi.useRealTimers();
  await expect.poll(() => at.log.join("\n")).toContain("removed old files");
  await at.stage.quit(100);
  expect((await readdir(folder.path)).sort()).toEqual(["deep", "link", "new"]);
  expect(await readdir(other.path)).toEqual(["outside"]);
});
