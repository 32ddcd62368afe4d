// `hemi check`: reads a configuration and says whether it can be used, with the files that it names. Warnings go to
// standard error, and change nothing else.

import { bootFile, problemsText } from "@hemi/hemi";
import type { CommandLine } from "../command-line.ts";
import { exitCodes, type ExitCode } from "../exit-code.ts";
import { loadPacks } from "../load-packs.ts";
import { requireFolder } from "../require-folder.ts";

export async function check(line: CommandLine): Promise<ExitCode> {
  await requireFolder(line.base);
  const use = await loadPacks(line.use);
  const stage = await bootFile(line.config, {
    baseDir: line.base,
    use,
    warned: (doubts) => process.stderr.write(`${problemsText(doubts)}\n`),
  });
  try {
    await stage.examine();
  } finally {
    await stage.quit();
  }
  process.stdout.write("PASS\n");
  return exitCodes.fine;
}
