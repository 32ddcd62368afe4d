import { mkdir, mkdtempDisposable, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import { SharedWalks } from "./shared-walks.ts";
import { storedFiles, type FoundFile } from "./stored-files.ts";

async function filesIn(names: readonly string[]) {
  const folder = await mkdtempDisposable(join(tmpdir(), "hemi-walks-"));
  for (const name of names) {
    await mkdir(join(folder.path, name));
    await writeFile(join(folder.path, name, name), "");
  }
  return folder;
}

const namesOf = (found: readonly (readonly FoundFile[])[]) =>
  found
    .flat()
    .map(({ path }) => basename(path))
    .toSorted();

test("a hundred at once need two walks, and each sees all files that were there before it", async () => {
  await using folder = await filesIn(["a", "b"]);
  const walks = new SharedWalks(folder.path);
  const portions = new Set<readonly FoundFile[]>();
  const seen = Array.from({ length: 100 }, async (_, i) => {
    if (i > 0) await Promise.resolve();
    const found: (readonly FoundFile[])[] = [];
    await walks.visitAll((files) => {
      found.push(files);
      portions.add(files);
      return Promise.resolve();
    });
    return namesOf(found);
  });
  expect(new Set((await Promise.all(seen)).map((names) => names.join()))).toEqual(new Set(["a,b"]));
  expect(portions.size).toBeLessThanOrEqual(2);
});

test("who comes during a walk gets one that begins afterwards", async () => {
  await using folder = await filesIn(["a"]);
  const walks = new SharedWalks(folder.path);
  let later: Promise<string[]> | undefined;
  await walks.visitAll(async () => {
    await mkdir(join(folder.path, "b"));
    await writeFile(join(folder.path, "b", "b"), "");
    const found: (readonly FoundFile[])[] = [];
    later = walks.visitAll(async (files) => void found.push(files)).then(() => namesOf(found));
  });
  expect(await later).toEqual(["a", "b"]);
});

test("one that fails is no failure of the others", async () => {
  await using folder = await filesIn(["a"]);
  const walks = new SharedWalks(folder.path);
  const failing = walks.visitAll(() => Promise.reject(new Error("of one")));
  const good = walks.visitAll(() => Promise.resolve());
  await expect(failing).rejects.toThrow("of one");
  await good;
});

test("folders that are removed during a walk are left out", async () => {
  const names = Array.from({ length: 300 }, (_, i) => String(i));
  await using folder = await filesIn(names);
  let count = 0;
  for await (const files of storedFiles(folder.path)) {
    count += files.length;
    for (const name of names) await rm(join(folder.path, name), { recursive: true, force: true });
  }
  expect(count).toBeGreaterThanOrEqual(100);
  expect(count).toBeLessThan(300);
});
