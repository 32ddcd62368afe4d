// `hemi cpu`, `hemi heap` and `hemi report`: a profile of a worker, written to a file.

import { resolve } from "node:path";
import type { CommandLine } from "../command-line.ts";
import { callProgram } from "../control/client.ts";
import { programPlace } from "../control/place.ts";
import { exitCodes, type ExitCode } from "../exit-code.ts";
import { bytes } from "../observe/activity-text.ts";
import type { ProfileKind } from "../observe/profile-order.ts";

/** The ending by which other tools know the file. */
const endings: Readonly<Record<ProfileKind, string>> = {
  cpu: "cpuprofile",
  heap: "heapsnapshot",
  report: "json",
};

/** The file is made by the worker, in the working directory of the command. */
export async function profile(line: CommandLine): Promise<ExitCode> {
  const kind = line.command === "heap" || line.command === "report" ? line.command : "cpu";
  const time = new Date().toISOString().replace(/[:.]/g, "").replace("T", "-").slice(0, 17);
  const file = resolve(line.out ?? `hemi-${kind}-${line.slot}-${time}.${endings[kind]}`);
  const made = await callProgram(programPlace(line), "profile", { kind, slot: line.slot, file, period: line.period });
  const stopped = `it stood still for ${made.stopped.toFixed(1)} ms`;
  const text = `${made.file}: ${bytes(made.size)}, of worker ${line.slot}, process ${made.pid}; ${stopped}\n`;
  process.stdout.write(line.isJSON ? `${JSON.stringify(made, undefined, 2)}\n` : text);
  return exitCodes.fine;
}
