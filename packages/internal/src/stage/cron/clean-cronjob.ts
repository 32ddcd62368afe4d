// cleanCronjob: removes old files, and what is too much, from a folder of temporary files.

import { relative } from "node:path";
import type { Part } from "../../component/part.ts";
import { prop } from "../../component/prop.ts";
import { defineCronjob } from "../kinds/cronjob.ts";
import { cleanFolder } from "./clean-folder.ts";
import { checkCronProps, cronProps } from "./cron-props.ts";
import { managedCronjob, type ManagedCronjob } from "./managed-cronjob.ts";
import { ScheduledWork } from "./scheduled-work.ts";

/**
 * Removes old files and empty folders below a folder, by a schedule. Symbolic links are not followed, also those that
 * take the place of a folder during a run (on Linux): nothing outside of the folder is ever removed. The folder itself
 * stays.
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
      const { folder, maxAge, maxTotal } = props;
      const removed = await cleanFolder({ folder, oldest: stage.clock.now() - maxAge, maxTotal, signal });
      if (removed > 0) log.info("removed old files", { folder, removed });
    });
  },
});
