// Profiles of this worker: of the processor, of the heap, and Node's diagnostic report. One at a time.

import { stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { writeHeapSnapshot } from "node:v8";
import { HemiError } from "@hemi/hemi";
import type { Profile, ProfileOrder } from "../observe/profile-order.ts";

export class Profiler {
  #isBusy = false;

  /** Rejects with HEMI_PROCESS if another profile is being made, and with HEMI_FILE if the file cannot be written. */
  async make(order: ProfileOrder): Promise<Profile> {
    if (this.#isBusy) {
      throw new HemiError("HEMI_PROCESS", `worker ${order.slot} is making another profile: wait until it is done`);
    }
    this.#isBusy = true;
    try {
      // Nothing is overwritten, and what cannot be written is found before the worker is stopped.
      await writeFile(order.file, "", { flag: "wx", mode: 0o600 });
      const stopped = await makers[order.kind](order);
      const { size } = await stat(order.file);
      return { file: order.file, pid: process.pid, size, stopped };
    } catch (cause) {
      if (cause instanceof HemiError) throw cause;
      throw new HemiError("HEMI_FILE", `${order.file} cannot be written: ${String(cause)}`, { cause });
    } finally {
      this.#isBusy = false;
    }
  }
}

/** Each writes the file, and says how long the event loop stood still, in ms. */
const makers: Readonly<Record<ProfileOrder["kind"], (order: ProfileOrder) => Promise<number>>> = {
  async cpu({ file, period }) {
    const { Session } = await import("node:inspector/promises");
    const session = new Session();
    session.connect();
    try {
      await session.post("Profiler.enable");
      const started = await timed(() => session.post("Profiler.start"));
      await sleep(period);
      let profile: unknown;
      const ended = await timed(async () => ({ profile } = await session.post("Profiler.stop")));
      await writeFile(file, JSON.stringify(profile));
      return started + ended;
    } finally {
      session.disconnect();
    }
  },
  heap: ({ file }) => timed(() => Promise.resolve(writeHeapSnapshot(file))),
  report: ({ file }) => timed(() => Promise.resolve(writeReport(file))),
};

/** Node writes it to a folder that is set before. */
function writeReport(file: string): string {
  const { directory } = process.report;
  process.report.directory = dirname(file);
  try {
    return join(dirname(file), process.report.writeReport(basename(file)));
  } finally {
    process.report.directory = directory;
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}
