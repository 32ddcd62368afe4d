// `hemi cron`: lists, previews and runs the cronjobs of a running program, and tells how they ran.

import { nearestNames } from "@hemi/common";
import { HemiError } from "@hemi/hemi/base";
import type { CommandLine } from "../command-line.ts";
import { callProgram } from "../control/client.ts";
import { programPlace } from "../control/place.ts";
import { maxPreview, type CronPreview } from "../cron/cron-actions.ts";
import { cronHistoryText, cronListText, cronPreviewText, runText } from "../cron/cron-text.ts";
import { exitCodes, type ExitCode } from "../exit-code.ts";

type Action = (line: CommandLine, name: string | undefined) => Promise<ExitCode>;

const actions: Readonly<Record<string, Action>> = { list, preview, run, history };

export async function cron(line: CommandLine): Promise<ExitCode> {
  const [name, job, ...others] = line.rest;
  const action = name !== undefined && Object.hasOwn(actions, name) ? actions[name] : undefined;
  if (action === undefined) {
    const what = name === undefined ? "needs an action" : `has no action ${name}`;
    const [nearest] = nearestNames(name ?? "", Object.keys(actions));
    const hint =
      nearest === undefined ? "list, preview, run or history; see hemi help cron" : `did you mean ${nearest}?`;
    throw new HemiError("HEMI_USAGE", `cron ${what}; ${hint}`);
  }
  if (others.length > 0) throw new HemiError("HEMI_USAGE", `cron ${String(name)} takes the name of one cronjob`);
  return await action(line, job);
}

async function list(line: CommandLine, name: string | undefined): Promise<ExitCode> {
  if (name !== undefined) throw new HemiError("HEMI_USAGE", "cron list takes no name");
  const jobs = await callProgram(programPlace(line), "cronList", undefined);
  return print(line, jobs, cronListText(jobs, Date.now()));
}

async function preview(line: CommandLine, name: string | undefined): Promise<ExitCode> {
  const jobs = await callProgram(programPlace(line), "cronPreview", previewOrder(line, name, Date.now()));
  return print(line, jobs, cronPreviewText(jobs));
}

/** Exits with 2 if it does not succeed, as any command whose work fails in the environment. */
async function run(line: CommandLine, name: string | undefined): Promise<ExitCode> {
  if (name === undefined) throw new HemiError("HEMI_USAGE", "cron run takes the name of a cronjob; see hemi cron list");
  const record = await callProgram(programPlace(line), "cronRun", { name });
  print(line, record, `${runText(record)}\n`);
  return record.outcome === "done" ? exitCodes.fine : exitCodes.environment;
}

async function history(line: CommandLine, name: string | undefined): Promise<ExitCode> {
  const jobs = await callProgram(programPlace(line), "cronHistory", name === undefined ? {} : { name });
  return print(line, jobs, cronHistoryText(jobs));
}

/** The times of a year, by the clock of this machine; without one, the next ten. */
function previewOrder({ year }: Pick<CommandLine, "year">, name: string | undefined, now: number): CronPreview {
  const chosen = name === undefined ? {} : { name };
  if (year === undefined) return { ...chosen, from: now, to: now + 5 * 366 * 86_400_000, max: 10 };
  const startOf = (ofYear: number): number => new Date(ofYear, 0, 1).getTime();
  return { ...chosen, from: startOf(year), to: startOf(year + 1), max: maxPreview };
}

function print({ isJSON }: CommandLine, result: unknown, text: string): ExitCode {
  process.stdout.write(isJSON ? `${JSON.stringify(result, undefined, 2)}\n` : text);
  return exitCodes.fine;
}
