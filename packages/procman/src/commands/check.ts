// `hemi check`: reads a configuration and says whether it can be used, with the files that it names. Warnings go to
// standard error, and change nothing else.

import { bootFile, ConfigError, problemPlace, problemsText, type Problem } from "@hemi/hemi";
import type { CommandLine } from "../command-line.ts";
import { exitCodeOf, exitCodes, type ExitCode } from "../exit-code.ts";
import { loadPacks } from "../load-packs.ts";
import { requireFolder } from "../require-folder.ts";

export async function check(line: CommandLine): Promise<ExitCode> {
  const warnings: Problem[] = [];
  try {
    await requireFolder(line.base);
    const use = await loadPacks(line.use);
    const warned = (doubts: readonly Problem[]): void => void warnings.push(...doubts);
    const stage = await bootFile(line.config, { baseDir: line.base, use, warned });
    try {
      await stage.examine();
    } finally {
      await stage.quit();
    }
  } catch (error) {
    if (!line.isJSON) {
      if (warnings.length > 0) process.stderr.write(`${problemsText(warnings)}\n`);
      throw error;
    }
    print({ passes: false, problems: problemsOf(error), warnings: warnings.map(plainProblem) });
    return exitCodeOf(error);
  }
  if (line.isJSON) print({ passes: true, problems: [], warnings: warnings.map(plainProblem) });
  else {
    if (warnings.length > 0) process.stderr.write(`${problemsText(warnings)}\n`);
    process.stdout.write("PASS\n");
  }
  return exitCodes.fine;
}

/** What editors and scripts need of a problem. */
interface PlainProblem {
  readonly code: string;
  readonly message: string;
  /** `hemi.conf:3:9`; `null` if it has no place in a configuration. */
  readonly place: string | null;
  readonly hint: string | null;
}

interface CheckReport {
  readonly passes: boolean;
  readonly problems: readonly PlainProblem[];
  readonly warnings: readonly PlainProblem[];
}

function print(report: CheckReport): void {
  process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
}

function problemsOf(error: unknown): readonly PlainProblem[] {
  if (error instanceof ConfigError) return error.problems.map(plainProblem);
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return [{ code, message: error instanceof Error ? error.message : String(error), place: null, hint: null }];
}

function plainProblem(problem: Problem): PlainProblem {
  const { code, message, hint = null } = problem;
  return { code, message, place: problemPlace(problem), hint };
}
