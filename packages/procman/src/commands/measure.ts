// `hemi loop` and `hemi gc`: durations of a worker of a running program, measured for a while.

import type { CommandLine } from "../command-line.ts";
import { callProgram } from "../control/client.ts";
import { programPlace } from "../control/place.ts";
import { exitCodes, type ExitCode } from "../exit-code.ts";
import { measurementText } from "../observe/measurement-text.ts";

export async function measure(line: CommandLine): Promise<ExitCode> {
  const { slot, period, isJSON } = line;
  const kind = line.command === "gc" ? "gc" : "loop";
  const measured = await callProgram(programPlace(line), "measure", { kind, slot, period });
  process.stdout.write(isJSON ? `${JSON.stringify(measured, undefined, 2)}\n` : measurementText(measured));
  return exitCodes.fine;
}
