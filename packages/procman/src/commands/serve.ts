// `hemi serve`: serves a configuration until it is told to end.

import type { CommandLine } from "../command-line.ts";
import type { ExitCode } from "../exit-code.ts";
import { requireFolder } from "../require-folder.ts";

/** With `--single` and `--dev` in this process; otherwise this process leads workers, and does not load the engine. */
export async function serve(line: CommandLine): Promise<ExitCode> {
  await requireFolder(line.base);
  if (line.isDaemon) return (await import("./serve-in-background.ts")).serveInBackground(line);
  if (line.isSingle) return (await import("./serve-single.ts")).serveSingle(line);
  return (await import("./serve-leading.ts")).serveLeading(line);
}
