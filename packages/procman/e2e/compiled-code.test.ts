import { execFile } from "node:child_process";
import { chmod, mkdir, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { folderWith } from "./command.ts";

const bin = fileURLToPath(new URL("../bin/hemi.js", import.meta.url));
const folderName = `hemi-code-${process.geteuid?.() ?? 0}`;

/** What is in an empty folder of temporary files after the command was started with it, built or not. */
async function startIn(tmpdir: string): Promise<readonly string[]> {
  const { NODE_COMPILE_CACHE: _, ...env } = process.env;
  await promisify(execFile)(process.execPath, [bin, "version"], { env: { ...env, TMPDIR: tmpdir } }).catch(() => {});
  return await readdir(tmpdir);
}

test("compiled code is kept where no other user can put some", async () => {
  await using folder = await folderWith({});
  expect(await startIn(folder.path)).toEqual([folderName]);
  expect((await stat(join(folder.path, folderName))).mode & 0o777).toBe(0o700);
});

test("a folder that others can write to is not used for compiled code", async () => {
  await using folder = await folderWith({});
  const path = join(folder.path, folderName);
  await mkdir(path);
  await chmod(path, 0o777);
  expect(await startIn(folder.path)).toEqual([folderName]);
  expect(await readdir(path)).toEqual([]);
});
