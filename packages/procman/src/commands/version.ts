// `hemi version`: prints the versions, and those of the program that runs, which may be older.

import type { CommandLine } from "../command-line.ts";
import type { Actions } from "../control/actions.ts";
import { callProgram } from "../control/client.ts";
import { programPlace } from "../control/place.ts";
import { exitCodes, type ExitCode } from "../exit-code.ts";
import { ownVersion } from "../own-version.ts";

type Versions = Actions["version"]["result"];

export async function version(line: CommandLine): Promise<ExitCode> {
  const own: Versions = { hemi: ownVersion(), node: process.versions.node };
  // A program need not run.
  const running = await callProgram(programPlace(line), "version", undefined).catch(() => null);
  const lines = [textOf(own), ...(running === null ? [] : [`running: ${textOf(running)}`])];
  process.stdout.write(
    line.isJSON ? `${JSON.stringify({ ...own, running }, undefined, 2)}\n` : `${lines.join("\n")}\n`,
  );
  return exitCodes.fine;
}

function textOf({ hemi, node }: Versions): string {
  return `hemi ${hemi}, Node.js ${node}`;
}
