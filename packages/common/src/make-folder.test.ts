import { mkdtempDisposable, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeFolder, makeFolderSync } from "./make-folder.ts";

test.each([
  ["makeFolder", makeFolder],
  ["makeFolderSync", async (path: string) => makeFolderSync(path)],
])("%s makes a folder with those above it, and leaves what is there", async (_name, make) => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-"));
  const path = join(folder.path, "a", "b", "c");
  await make(path);
  await make(path);
  expect((await stat(path)).isDirectory()).toBe(true);
  await writeFile(join(folder.path, "file"), "");
  await expect(async () => make(join(folder.path, "file", "x"))).rejects.toThrow("ENOTDIR");
});

test.skipIf(process.platform !== "linux").each([
  ["makeFolder", makeFolder],
  ["makeFolderSync", async (path: string) => makeFolderSync(path)],
])("%s fails where the system makes no folder, instead of trying for ever", async (_name, make) => {
  await expect(async () => make("/proc/none/x/y")).rejects.toThrow("ENOENT");
});
