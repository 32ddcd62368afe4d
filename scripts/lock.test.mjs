import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { withLock } from "./lock.mjs";

let path;
beforeEach(() => {
  path = join(mkdtempSync(join(tmpdir(), "hemi-lock-")), "lock");
});
afterEach(() => rmSync(join(path, ".."), { recursive: true }));

test("a second taker waits until the first has done its work", async () => {
  const order = [];
  let finishFirst;
  const first = withLock(
    path,
    () => {},
    () => new Promise((resolve) => (finishFirst = resolve)).then(() => order.push("first")),
  );
  const second = withLock(
    path,
    () => finishFirst(order.push("second waits")),
    () => order.push("second"),
  );
  await Promise.all([first, second]);
  expect(order).toEqual(["second waits", "first", "second"]);
  expect(existsSync(path)).toBe(false);
});

test("the lock of a process that is gone is taken over without a wait", async () => {
  const { pid } = spawnSync(process.execPath, ["--version"]);
  writeFileSync(path, String(pid));
  let waits = 0;
  await withLock(
    path,
    () => (waits += 1),
    () => {},
  );
  expect(waits).toBe(0);
});

test("work that fails gives the lock back", async () => {
  await expect(
    withLock(
      path,
      () => {},
      () => Promise.reject(new Error("no")),
    ),
  ).rejects.toThrow("no");
  expect(existsSync(path)).toBe(false);
});
