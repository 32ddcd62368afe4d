// `hemi log-level`: another level of the error log, for a while.

import { nearestNames } from "@hemi/common";
import { HemiError, logLevels } from "@hemi/hemi/base";
import type { CommandLine } from "../command-line.ts";
import { callProgram } from "../control/client.ts";
import { programPlace } from "../control/place.ts";
import { exitCodes, type ExitCode } from "../exit-code.ts";
import { levelText, readLevelOrder, type LevelOrder } from "../observe/level-order.ts";

export async function logLevel(line: CommandLine): Promise<ExitCode> {
  const levels = await callProgram(programPlace(line), "logLevel", readLevelArguments(line));
  const lines =
    levels.length === 0 ? ["the log has the level that the program was started with"] : levels.map(levelText);
  process.stdout.write(line.isJSON ? `${JSON.stringify(levels, undefined, 2)}\n` : `${lines.join("\n")}\n`);
  return exitCodes.fine;
}

/** Throws HEMI_USAGE. */
export function readLevelArguments({ rest, path, period }: Pick<CommandLine, "rest" | "path" | "period">): LevelOrder {
  const [word, ...others] = rest;
  if (others.length > 0) throw new HemiError("HEMI_USAGE", "log-level takes one level; see hemi help");
  if (word === undefined) return {};
  const words: readonly string[] = [...logLevels, "default"];
  if (!words.includes(word)) {
    const [nearest] = nearestNames(word, words);
    const hint = nearest === undefined ? `there are ${words.join(", ")}` : `did you mean ${nearest}?`;
    throw new HemiError("HEMI_USAGE", `there is no level ${word}; ${hint}`);
  }
  return readLevelOrder({ level: word === "default" ? null : word, path, period });
}
