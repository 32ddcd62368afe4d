// `hemi advise`: what to change, and why, after the running program was watched for a while.

import type { Advice } from "../advise/advice.ts";
import type { CommandLine } from "../command-line.ts";
import { callProgram } from "../control/client.ts";
import { programPlace } from "../control/place.ts";
import { exitCodes, type ExitCode } from "../exit-code.ts";
import { plainText } from "../observe/plain-text.ts";

export async function advise(line: CommandLine): Promise<ExitCode> {
  const report = await callProgram(programPlace(line), "advise", { period: line.period });
  const { advice, facts } = report;
  const text =
    advice.length === 0 ? `nothing to advise after ${facts.time.toFixed(1)} s\n` : advice.map(adviceText).join("\n");
  process.stdout.write(line.isJSON ? `${JSON.stringify(report, undefined, 2)}\n` : text);
  return exitCodes.fine;
}

function adviceText({ about, found, change }: Advice): string {
  return `${[`${about}: ${found}`, `    ${change}`].map(plainText).join("\n")}\n`;
}
