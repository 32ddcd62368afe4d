// `hemi webui`: prints the link that opens the web UI of a running program.

import { HemiError } from "@hemi/hemi/base";
import type { CommandLine } from "../command-line.ts";
import { callProgram } from "../control/client.ts";
import { programPlace } from "../control/place.ts";
import { exitCodes, type ExitCode } from "../exit-code.ts";

export async function webUICommand(line: CommandLine): Promise<ExitCode> {
  const found = await callProgram(programPlace(line), "webUI", undefined);
  if (found === null)
    throw new HemiError("HEMI_PROCESS", "the program has no web UI: its log says why, or --webui is off");
  process.stdout.write(line.isJSON ? `${JSON.stringify(found, undefined, 2)}\n` : `${found.link}\n`);
  return exitCodes.fine;
}
