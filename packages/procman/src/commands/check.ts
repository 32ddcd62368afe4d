// `hemi check`: checks whether a configuration is valid, including the files that it names.

import { bootFile } from "@hemi/hemi";
import type { CommandLine } from "../command-line.ts";
import { exitCodes, type ExitCode } from "../exit-code.ts";
import { loadPacks } from "../load-packs.ts";
import { requireFolder } from "../require-folder.ts";

export async function check(line: CommandLine): Promise<ExitCode> {
  await requireFolder(line.base);
  const use = await loadPacks(line.use);
  const stage = await bootFile(line.config, { baseDir: line.base, use });
  try {
    await stage.examine();
  } finally {
    await stage.quit();
  }
  process.stdout.write("PASS\n");
  return exitCodes.fine;
}
