// `hemi version`: prints the versions.

import { readFileSync } from "node:fs";
import { exitCodes, type ExitCode } from "../exit-code.ts";

export function version(): ExitCode {
  const manifest: unknown = JSON.parse(
    readFileSync(new URL(import.meta.resolve("@hemi/procman/package.json")), "utf8"),
  );
  const own =
    typeof manifest === "object" && manifest !== null && "version" in manifest ? String(manifest.version) : "?";
  process.stdout.write(`hemi ${own}, Node.js ${process.versions.node}\n`);
  return exitCodes.fine;
}
