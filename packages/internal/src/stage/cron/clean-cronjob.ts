// cleanCronjob: removes old files, and what is too much, from a folder of temporary files.

import { opendir, rmdir, stat, unlink } from "node:fs/promises";
import { join, relative, isAbsolute } from "node:path";
import type { Part } from "../../component/part.ts";
import { prop } from "../../component/prop.ts";
import { defineCronjob } from "../kinds/cronjob.ts";
import { checkCronProps, cronProps } from "./cron-props.ts";
import { managedCronjob, type ManagedCronjob } from "./managed-cronjob.ts";
import { ScheduledWork } from "./scheduled-work.ts";

/**
 * Removes old files and empty folders below a folder, by a schedule. Symbolic links are not followed: nothing outside
 * of the folder is ever removed. The folder itself stays.
 */
export const cleanCronjob = defineCronjob({
  sign: "cleanCronjob",
  props: {
    ...cronProps,
    /** The folder with the files. Default: `%tmpsDir`. */
    folder: prop.path({ default: ".", defaultIn: "tmpsDir" }),
    /** Files that were changed so long ago are removed. */
    maxAge: prop.duration({ default: "7d", max: "3650d" }),
    /** If the files have more bytes together, the oldest are removed, too. Default: no limit. */
    maxTotal: prop.size(),
  },
  offers: [managedCronjob],
  check(context) {
    checkCronProps(context);
    const { props, report } = context;
    if (relative("/", props.folder) === "")
      report({ prop: "folder", message: "the whole file system is no such folder" });
  },
  create(context): Part & ManagedCronjob {
    const { props, log, stage } = context;
    return new ScheduledWork(context, async (signal) => {
      const oldest = stage.clock.now() - props.maxAge;
      const left: Found[] = [];
      let removed = 0;
      const remove = async (path: string): Promise<void> => {
        if (await isGone(unlink(path))) removed++;
      };
      for await (const file of filesBelow(props.folder, signal)) {
        if (file.changedAt < oldest) await remove(file.path);
        else if (props.maxTotal !== undefined) left.push(file);
      }
      let total = left.reduce((sum, { size }) => sum + size, 0);
      left.sort((one, other) => one.changedAt - other.changedAt);
      for (const { path, size } of left) {
        if (total <= (props.maxTotal ?? Infinity)) break;
        signal.throwIfAborted();
        total -= size;
        await remove(path);
      }
      await removeEmpty(props.folder, props.folder, oldest);
      if (removed > 0) log.info("removed old files", { folder: props.folder, removed });
    });
  },
});

interface Found {
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  /** In milliseconds since the epoch. */
  readonly changedAt: number;
}

async function* filesBelow(folder: string, signal: AbortSignal): AsyncGenerator<Found, void, void> {
  const entries = await opendir(folder).catch(() => undefined);
  if (entries === undefined) return;
  for await (const entry of entries) {
    signal.throwIfAborted();
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesBelow(path, signal);
    if (!entry.isFile()) continue;
    const stats = await stat(path).catch(() => undefined);
    if (stats !== undefined) yield { path, size: stats.size, changedAt: stats.mtimeMs };
  }
}

/** A folder that was made just now is somebody's who is about to put a file into it. */
async function removeEmpty(top: string, folder: string, oldest: number): Promise<void> {
  const entries = await opendir(folder).catch(() => undefined);
  if (entries === undefined) return;
  for await (const entry of entries) if (entry.isDirectory()) await removeEmpty(top, join(folder, entry.name), oldest);
  const stats = await stat(folder).catch(() => undefined);
  if (folder !== top && !isAbsolute(relative(top, folder)) && stats !== undefined && stats.mtimeMs < oldest) {
    // One that is not empty stays.
    await isGone(rmdir(folder));
  }
}

function isGone(removal: Promise<void>): Promise<boolean> {
  return removal.then(
    () => true,
    () => false,
  );
}
