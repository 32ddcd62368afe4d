// `hemi trace`: what is and was done for a request of a running program.

import { HemiError } from "@hemi/hemi/base";
import type { CommandLine } from "../command-line.ts";
import { callProgram } from "../control/client.ts";
import { programPlace } from "../control/place.ts";
import { exitCodes, type ExitCode } from "../exit-code.ts";
import { storyText } from "../observe/story-text.ts";

export async function trace(line: CommandLine): Promise<ExitCode> {
  const [requestId, ...others] = line.rest;
  if (requestId === undefined || others.length > 0) {
    throw new HemiError("HEMI_USAGE", "trace takes the id of one request, as logs have it: hemi trace REQUEST-ID");
  }
  const story = await callProgram(programPlace(line), "trace", { requestId });
  process.stdout.write(line.isJSON ? `${JSON.stringify(story, undefined, 2)}\n` : storyText(story));
  return exitCodes.fine;
}
