// Checks a candidate for those who want its mistakes one by one, with their places.

import { resolve } from "node:path";
import { ConfigError, SnapshotRecorder, type ConfigFiles, type Problem } from "@hemi/hemi";
import type { CandidateProblem, CandidateReport, CheckerCalls } from "../channel/calls.ts";
import { describeError } from "../describe-error.ts";
import { check } from "./check.ts";

/** Never rejects for what is wrong with the candidate. */
export async function candidate({
  options,
  running,
  text,
}: CheckerCalls["candidate"]["params"]): Promise<CandidateReport> {
  const files = new SnapshotRecorder(withText(resolve(options.config), text));
  const warnings: CandidateProblem[] = [];
  const warned = (doubts: readonly Problem[]): void => void warnings.push(...doubts.map(plainProblem));
  try {
    const { plan } = await check({ options, running }, files, warned);
    return { problems: [], warnings, plan, texts: files.snapshot.texts };
  } catch (error) {
    const problems =
      error instanceof ConfigError
        ? error.problems.slice(0, maxProblems).map(plainProblem)
        : [{ message: describeError(error), hint: undefined, place: undefined }];
    return { problems, warnings, plan: undefined, texts: files.snapshot.texts };
  }
}

/** The disk, where one file has another text. */
function withText(main: string, text: string | undefined): ConfigFiles {
  const disk = new SnapshotRecorder();
  return {
    read: async (location) => (text !== undefined && location === main ? text : await disk.read(location)),
    glob: (pattern, baseDir) => disk.glob(pattern, baseDir),
  };
}

function plainProblem({ message, hint, span, path }: Problem): CandidateProblem {
  const { name, text } = span.source;
  if (text === undefined)
    return { message: path === undefined ? message : `${path}: ${message}`, hint, place: undefined };
  const before = text.slice(0, span.start).split("\n");
  return { message, hint, place: { file: name, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 } };
}

/** More are of no use to anybody. */
const maxProblems = 200;
