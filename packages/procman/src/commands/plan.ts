// `hemi plan`: what a reload would do. With two files, it compares them, and no program need run.

import { resolve } from "node:path";
import { HemiError } from "@hemi/hemi/base";
import type { CommandLine } from "../command-line.ts";
import type { PlanReport } from "../control/actions.ts";
import { callProgram } from "../control/client.ts";
import { programPlace } from "../control/place.ts";
import { planText } from "../control/plan-text.ts";
import { exitCodes, type ExitCode } from "../exit-code.ts";

export async function plan(line: CommandLine): Promise<ExitCode> {
  const report = line.rest.length === 0 ? await planOfProgram(line) : await planOfFiles(line);
  process.stdout.write(line.isJSON ? `${JSON.stringify(report, undefined, 2)}\n` : planText(report));
  return exitCodes.fine;
}

/** Without --config, the file that the program serves is compared with what it has read of it. */
function planOfProgram(line: CommandLine): Promise<PlanReport> {
  const params = line.isConfigGiven ? { config: resolve(line.config) } : undefined;
  return callProgram(programPlace(line), "plan", params);
}

async function planOfFiles(line: CommandLine): Promise<PlanReport> {
  const [before, after, ...others] = line.rest;
  if (before === undefined || after === undefined || others.length > 0) {
    throw new HemiError(
      "HEMI_USAGE",
      "plan takes no file, for the running program, or two: hemi plan OLD.conf NEW.conf",
    );
  }
  const { check } = await import("../checker/check.ts");
  const running = (await check({ options: { ...line, config: before }, running: undefined })).config;
  const { plan: changes = { kept: 0, changes: [] }, warnings } = await check({
    options: { ...line, config: after },
    running,
  });
  return { plan: changes, warnings, unlisted: 0, cost: null, changedModules: [], newModules: [], nodeOrders: [] };
}
