// Checks a candidate configuration, and compares it with the one that runs. Loads the user's modules, and serves
// nothing.

import {
  bootFile,
  filesOfSnapshot,
  MemorySink,
  modulesNamedIn,
  openErrorLog,
  planBetween,
  problemsText,
  SnapshotRecorder,
  type Problem,
} from "@hemi/hemi";
import { bootOptionsOf } from "../boot-options.ts";
import type { CheckedConfig, CheckerCalls } from "../channel/calls.ts";
import { loadPacks } from "../load-packs.ts";

/** Rejects with what `hemi check` reports. `files`: where the candidate is read. `warned`: is told what is doubtful. */
export async function check(
  { options, running }: CheckerCalls["check"]["params"],
  files = new SnapshotRecorder(),
  warned?: (doubts: readonly Problem[]) => void,
): Promise<CheckedConfig> {
  const use = await loadPacks(options.use);
  // Log lines that components write while they are created are not part of the result.
  const boot = { ...bootOptionsOf(options), use, log: openErrorLog({ sink: new MemorySink() }) };
  let warnings = "";
  await using candidate = await bootFile(options.config, {
    ...boot,
    files,
    warned: (doubts) => {
      warnings = problemsText(doubts);
      warned?.(doubts);
    },
  });
  await candidate.examine();
  const config = { file: options.config, snapshot: files.snapshot };
  const modules = modulesNamedIn(candidate.resolved);
  if (running === undefined) return { config, plan: undefined, modules, warnings };
  await using current = await bootFile(running.file, { ...boot, files: filesOfSnapshot(running.snapshot) });
  return { config, plan: planBetween(current.resolved, candidate.resolved), modules, warnings };
}
