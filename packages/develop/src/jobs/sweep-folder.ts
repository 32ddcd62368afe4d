// sweepFolder: a cronjob that removes old files from a folder.

import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { Cron } from "croner";
import { defineCronjob, HemiError, prop } from "@hemi/hemi";

export const sweepFolder = defineCronjob({
  sign: "sweepFolder",
  props: {
    /** When, as a cron expression of five or six fields: `0 3 * * *` is each night at three, by the local clock. */
    schedule: prop.string({ required: true }),
    /** Only files right in it are looked at. */
    folder: prop.path({ required: true }),
    /** Since the last change. */
    maxAge: prop.duration({ default: "7d" }),
  },
  create({ props, log, stage }) {
    let job: Cron | undefined;

    async function sweep(): Promise<void> {
      const oldest = stage.clock.now() - props.maxAge;
      let removed = 0;
      for (const entry of await readdir(props.folder, { withFileTypes: true })) {
        const path = join(props.folder, entry.name);
        if (!entry.isFile() || (await stat(path)).mtimeMs >= oldest) continue;
        await rm(path, { force: true });
        removed++;
      }
      if (removed > 0) log.info("removed old files", { folder: props.folder, removed });
    }

    return {
      prepare() {
        try {
          // `protect`: a sweep that takes longer than its interval is not begun twice.
          job = new Cron(props.schedule, { paused: true, protect: true, unref: true }, () =>
            sweep().catch((error: unknown) => log.error("could not sweep", { error })),
          );
        } catch (cause) {
          throw new HemiError(
            "HEMI_CONFIG_BAD_VALUE",
            `.schedule: ${JSON.stringify(props.schedule)} is no cron expression`,
            { cause },
          );
        }
      },
      start() {
        job?.resume();
      },
      shutdown() {
        job?.stop();
      },
    };
  },
});
