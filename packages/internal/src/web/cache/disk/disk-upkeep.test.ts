import { mkdir, mkdtempDisposable, readdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, test, vi } from "vitest";
import { Clock } from "../../../fixtures/clock.ts";
import { openErrorLog } from "../../../log/error-log.ts";
import { MemorySink } from "../../../log/sink.ts";
import { onlyWorker } from "../../../stage/workers.ts";
import { wobjectHead } from "../../../testing/wobject-head.ts";
import { DiskIndex } from "./disk-index.ts";
import { DiskUpkeep } from "./disk-upkeep.ts";
import { ObjectFolder } from "./object-folder.ts";
import { writeWobject } from "./wobject-file.ts";

/** An upkeep with an index of so many files of one kilobyte each, which are not there, and at most ten kilobytes. */
async function upkeepOf(files: number, { isComplete = true } = {}) {
  const folder = await mkdtempDisposable(join(tmpdir(), "hemi-upkeep-"));
  const writing = join(folder.path, "writing");
  const objects = new ObjectFolder(join(folder.path, "objects"));
  for (const path of [writing, objects.path]) await mkdir(path);
  const index = await DiskIndex.open(folder.path);
  if (isComplete) await index.completed();
  const names = Array.from({ length: files }, (_, i) => `file-${i}`);
  await Promise.all(names.map((path) => index.add({ path, key: path, url: path, tags: [], size: 1000, storedAt: 0 })));
  let now = 0;
  let wall = 1_000_000;
  const clock = new Clock({ monotonic: () => now, wall: () => wall });
  const log = openErrorLog({ level: "debug", sink: new MemorySink() });
  const removed: string[] = [];
  const subject = {
    index,
    objects,
    writing,
    removed,
    wait: (hours: number) => void (now += hours * 3_600_000),
    /** Sets the clock, in milliseconds since the epoch. */
    setClock: (to: number) => void (wall = to),
    whenRemoved: (): unknown => undefined,
    upkeep: new DiskUpkeep({
      context: { props: { maxSize: 10_000 }, log, workers: onlyWorker, stage: { clock } },
      objects,
      writing,
      isInCharge: () => true,
      index: () => index,
      reopen: () => Promise.resolve(),
      async remove(paths) {
        removed.push(...paths);
        await index.remove(paths, index.lastId);
        subject.whenRemoved();
        return { count: paths.length, left: [], failure: undefined };
      },
    }),
    async [Symbol.asyncDispose]() {
      await index.close();
      await folder[Symbol.asyncDispose]();
    },
  };
  return subject;
}

test("what is beyond the size is evicted, the oldest first", async () => {
  await using subject = await upkeepOf(1000);
  subject.upkeep.run();
  await expect.poll(() => subject.index.size).toBe(10_000);
  expect(new Set(subject.removed).size).toBe(990);
});

test("what was stored before the clock was put back is not kept in place of what is asked for now", async () => {
  await using subject = await upkeepOf(0);
  const { index, upkeep, setClock } = subject;
  const add = (path: string, storedAt: number) =>
    index.add({ path, key: path, url: path, tags: [], size: 1000, storedAt });
  for (let i = 0; i < 10; i++) await add(`future-${i}`, 9_000_000);
  setClock(1_000_000);
  for (let i = 0; i < 5; i++) await add(`now-${i}`, 1_000_000 + i);
  setClock(1_000_010);
  upkeep.run();
  await expect.poll(() => upkeep.isRunning).toBe(false);
  expect(index.size).toBe(10_000);
  for (let i = 0; i < 10; i++) {
    setClock(1_000_020 + i);
    await add(`later-${i}`, 1_000_020 + i);
  }
  upkeep.run();
  await expect.poll(() => upkeep.isRunning).toBe(false);
  expect(Array.from({ length: 10 }, (_, i) => index.has(`later-${i}`))).toEqual(Array(10).fill(true));
});

test("a disk so full that no use can be noted is evicted from all the same", async () => {
  await using subject = await upkeepOf(20);
  const { index, upkeep, objects } = subject;
  vi.spyOn(index, "used").mockRejectedValue(new Error("database or disk is full"));
  upkeep.noteUse(objects.fileOf("a", []));
  upkeep.run();
  await expect.poll(() => upkeep.isRunning).toBe(false);
  expect(index.size).toBe(10_000);
});

test("an end in the middle of an eviction is not kept waiting for the rest", async () => {
  await using subject = await upkeepOf(1000);
  const closing = Promise.withResolvers<void>();
  subject.whenRemoved = () => closing.resolve(subject.upkeep.close());
  subject.upkeep.run();
  await closing.promise;
  expect(subject.removed).toHaveLength(200);
  subject.upkeep.run();
  await subject.upkeep.close();
  expect(subject.removed).toHaveLength(200);
});

test("while the index is made anew, what is beyond the size is evicted all the same", async () => {
  await using subject = await upkeepOf(0, { isComplete: false });
  for (let i = 0; i < 250; i++) {
    const path = subject.objects.fileOf(`key-${i}`, []);
    await mkdir(dirname(path), { recursive: true });
    await writeWobject(path, [Buffer.alloc(1000)], wobjectHead({ key: `key-${i}` }));
  }
  const wereComplete = new Set<boolean>();
  subject.whenRemoved = () => wereComplete.add(subject.index.isComplete);
  subject.upkeep.run();
  await expect.poll(() => subject.index.isComplete).toBe(true);
  expect(wereComplete).toEqual(new Set([false]));
  expect(subject.index.size).toBeLessThanOrEqual(10_000);
});

test("what killed processes were writing is looked for each hour", async () => {
  await using subject = await upkeepOf(0);
  const { upkeep, writing, wait } = subject;
  // No process has such a number.
  const leave = () => writeFile(join(writing, "99999999-a"), "");
  const left = async () => (await readdir(writing)).length;
  const runOnce = async () => {
    upkeep.run();
    await expect.poll(() => upkeep.isRunning).toBe(false);
    return await left();
  };
  await leave();
  expect(await runOnce()).toBe(0);
  await leave();
  wait(0.9);
  expect(await runOnce()).toBe(1);
  wait(0.2);
  expect(await runOnce()).toBe(0);
});
