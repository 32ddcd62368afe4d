// Checks a candidate configuration, and compares it with the one that runs. Loads the user's modules, and serves
// nothing.

import { isDeepStrictEqual } from "node:util";
import {
  bootFile,
  filesOfSnapshot,
  MemorySink,
  modulesNamedIn,
  openErrorLog,
  planBetween,
  problemsText,
  SnapshotRecorder,
  type BootOptions,
  type Problem,
  type Stage,
} from "@hemi/hemi";
import { bootOptionsOf } from "../boot-options.ts";
import type { CheckedConfig, CheckerCalls, RunningConfig } from "../channel/calls.ts";
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
  const { resolved } = candidate;
  const config = { file: options.config, snapshot: files.snapshot };
  const modules = modulesNamedIn(resolved);
  if (running === undefined) return { config, plan: undefined, modules, warnings };
  const current = checked !== undefined && isDeepStrictEqual(checked.config, running) ? checked : undefined;
  const before = current?.resolved ?? (await resolvedOf(running, boot));
  checked = { config, resolved };
  return { config, plan: planBetween(before, resolved), modules, warnings };
}

/** What was checked last: it runs, if the program has followed it. A process with changed modules checks no more. */
let checked: { readonly config: RunningConfig; readonly resolved: Stage["resolved"] } | undefined;

async function resolvedOf({ file, snapshot }: RunningConfig, boot: BootOptions): Promise<Stage["resolved"]> {
  await using stage = await bootFile(file, { ...boot, files: filesOfSnapshot(snapshot) });
  return stage.resolved;
}
