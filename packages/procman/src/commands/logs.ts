// `hemi logs --follow`: the access lines of all workers of a running program, as requests end.

import { once } from "node:events";
import { HemiError } from "@hemi/hemi/base";
import type { CommandLine } from "../command-line.ts";
import { callProgram } from "../control/client.ts";
import { programPlace } from "../control/place.ts";
import { exitCodes, type ExitCode } from "../exit-code.ts";
import { accessText } from "../observe/access-text.ts";
import { readLogOrder, type LogLines, type LogOrder } from "../observe/log-order.ts";

/** Until it is interrupted, nobody reads its output any more, or the program ends. */
export async function logs(line: CommandLine): Promise<ExitCode> {
  if (!line.isFollowing) {
    throw new HemiError("HEMI_USAGE", "logs shows requests as they end, and keeps none: hemi logs --follow");
  }
  const ended = new AbortController();
  process.stdout.on("error", () => ended.abort());
  let order: LogOrder = readLogOrder({ filter: { path: line.path, status: line.status, slow: line.slow } });
  while (!ended.signal.aborted) {
    const next: LogLines = await callProgram(programPlace(line), "logs", order);
    order = { follower: next.follower };
    if (next.dropped > 0) process.stderr.write(`hemi: ${next.dropped} lines were too many to be shown\n`);
    if (next.lines.length === 0) continue;
    const shown = line.isJSON ? next.lines : next.lines.map(accessText);
    // A slow terminal slows the calls: the program drops what is too much.
    if (!process.stdout.write(`${shown.join("\n")}\n`)) await written(ended.signal);
  }
  return exitCodes.fine;
}

async function written(signal: AbortSignal): Promise<void> {
  await once(process.stdout, "drain", { signal }).catch(() => {});
}
