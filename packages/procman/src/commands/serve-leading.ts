// `hemi serve`: this process leads workers that serve.

import { openErrorLog } from "@hemi/hemi/base";
import type { CommandLine } from "../command-line.ts";
import type { ExitCode } from "../exit-code.ts";
import { LedProgram } from "../leader/led-program.ts";
import { Output } from "../leader/output.ts";
import { hasPredecessor } from "../leader/predecessor.ts";
import { collectWhenIdle } from "../memory/this-process.ts";
import { LogTail } from "../webui/log-tail.ts";

export async function serveLeading(line: CommandLine): Promise<ExitCode> {
  const isSuccessor = hasPredecessor();
  const { logLevel: level, logFormat: format, logFile: file } = line;
  const tail = new LogTail();
  const log = openErrorLog({ level, format, follow: tail.follow, ...(file === undefined ? {} : { file }) });
  const output = new Output(line, log);
  const stopCollecting = collectWhenIdle({ servesClients: false });
  try {
    return await new LedProgram(line, log, output, tail).run(isSuccessor);
  } finally {
    stopCollecting();
    await output.close();
    await log.close();
  }
}
