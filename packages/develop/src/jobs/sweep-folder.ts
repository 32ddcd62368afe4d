// sweepFolder: a cronjob that removes old files from a folder.

import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { Cron } from "croner";
import { defineCronjob, prop } from "@hemi/hemi";

export const sweepFolder = defineCronjob({
  sign: "sweepFolder",
  props: {
    /** When, as a cron expression of five or six fields: `0 3 * * *` is each night at three, by the local clock. */
    schedule: prop.string({ required: true }),
    /** Only files right in it are looked at. */
    folder: prop.path({ required: true }),
    /** Since the last change. */
    maxAge: prop.duration({ default: "7d", max: "3650d" }),
  },
  check(context) {
    const { props } = context;
    try {
      new Cron(props.schedule, { paused: true });
    } catch {
      context.report({ prop: "schedule", message: `${JSON.stringify(props.schedule)} is no cron expression` });
    }
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
      start() {
        // `protect`: a sweep that takes longer than its interval is not begun twice.
        job = new Cron(props.schedule, { protect: true, unref: true }, () =>
          sweep().catch((error: unknown) => log.error("could not sweep", { error })),
        );
      },
      shutdown() {
        job?.stop();
      },
    };
  },
});
