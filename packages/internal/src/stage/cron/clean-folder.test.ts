// cleanCronjob while others change what it looks at. Its props are in cronjobs.test.ts.

import { existsSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { mkdir, mkdtempDisposable, readdir, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { cleanFolder } from "./clean-folder.ts";
import { HeldFolder } from "./held-folder.ts";

const long = new Date("2025-01-01");

async function put(path: string, size = 10): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, "x".repeat(size));
  await utimes(path, long, long);
}

/** A folder to clean with `in/old` and `in/empty`, and one outside with files and folders of the same names. */
async function folders() {
  const folder = await mkdtempDisposable(join(tmpdir(), "hemi-clean-"));
  const [top, outside] = [join(folder.path, "top"), join(folder.path, "outside")];
  for (const place of [join(top, "in"), outside]) {
    await put(join(place, "old"));
    await mkdir(join(place, "empty"));
    await utimes(join(place, "empty"), long, long);
  }
  return {
    top,
    outside,
    /** Puts a link to the outside in the place of `in`. */
    swap() {
      if (existsSync(join(top, "aside"))) return;
      renameSync(join(top, "in"), join(top, "aside"));
      symlinkSync(outside, join(top, "in"));
    },
    [Symbol.asyncDispose]: () => folder.remove(),
  };
}

// The first pause is before `in` is opened, later ones are before its files are removed.
test.each([
  ["for their age", 1],
  ["for their age", 2],
  ["for their age", 3],
  ["for their total size", 4],
])("nothing outside is removed %s, if a link takes the place of a folder at pause %i", async (reason, pause) => {
  await using at = await folders();
  let pauses = 0;
  const byAge = reason === "for their age";
  await cleanFolder({
    folder: at.top,
    oldest: byAge ? Date.now() : 0,
    maxTotal: byAge ? undefined : 0,
    signal: {
      throwIfAborted() {
        if (++pauses === pause) at.swap();
      },
    },
  });
  expect(pauses).toBeGreaterThanOrEqual(pause);
  expect((await readdir(at.outside)).sort()).toEqual(["empty", "old"]);
});

test("a folder that is held stays the same when a link takes its place, and a link is no folder of another", async () => {
  await using at = await folders();
  await using top = await HeldFolder.open(at.top);
  await using held = await top?.child("in");
  at.swap();
  await using link = await top?.child("in");
  expect(link).toBeUndefined();
  expect([await held?.removeFile("old"), await held?.removeFolder("empty")]).toEqual([true, true]);
  expect(await readdir(join(at.top, "aside"))).toEqual([]);
  expect((await readdir(at.outside)).sort()).toEqual(["empty", "old"]);
});

test("a folder that others remove during a run is no fault", async () => {
  await using at = await folders();
  let pauses = 0;
  const signal = {
    throwIfAborted() {
      if (++pauses === 2) rmSync(join(at.top, "in"), { recursive: true });
    },
  };
  await put(join(at.top, "other", "old"));
  await cleanFolder({ folder: at.top, oldest: Date.now(), maxTotal: undefined, signal });
  expect(await readdir(at.top)).not.toContain("in");
});

test("it stops when it is aborted, and a folder that is not there is clean", async () => {
  await using at = await folders();
  const signal = AbortSignal.abort(new Error("too late"));
  await expect(cleanFolder({ folder: at.top, oldest: Date.now(), maxTotal: 0, signal })).rejects.toThrow("too late");
  expect(await readdir(join(at.top, "in"))).toHaveLength(2);
  expect(await cleanFolder({ folder: join(at.top, "nothing"), oldest: 0, maxTotal: 0, signal })).toBe(0);
});
