// `hemi version`: prints the versions.

import { exitCodes, type ExitCode } from "../exit-code.ts";
import { ownVersion } from "../own-version.ts";

export function version(): ExitCode {
  process.stdout.write(`hemi ${ownVersion()}, Node.js ${process.versions.node}\n`);
  return exitCodes.fine;
}
