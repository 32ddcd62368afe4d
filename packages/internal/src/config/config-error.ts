// All problems of a configuration, as one error.

import { HemiError } from "../errors/hemi-error.ts";
import { problemText } from "./problem-text.ts";
import type { Problem } from "./problem.ts";
import type { SpecSource } from "./spec.ts";

/** The maximum number of problems in a message. */
const mostShown = 100;

/** An invalid configuration. Its code is that of the first problem; its message shows all problems, up to 100. */
export class ConfigError extends HemiError {
  /** Sorted by source and position, without duplicates. Never empty. */
  readonly problems: readonly Problem[];

  /** Takes at least one problem, in any order. */
  constructor(problems: readonly Problem[]) {
    const sorted = sortProblems(problems);
    super(sorted[0]?.code ?? "HEMI_CONFIG_SYNTAX", problemsText(sorted));
    this.name = "ConfigError";
    this.problems = sorted;
  }
}

/** Formats problems one below the other, up to 100, then the number of further ones. */
export function problemsText(problems: readonly Problem[]): string {
  const shown = problems.slice(0, mostShown).map(problemText);
  const more = problems.length - shown.length;
  if (more > 0) shown.push(`and ${more} more`);
  return shown.join("\n");
}

/** Sorts by source, in the order of first appearance, then by position. Removes duplicates. */
export function sortProblems(problems: readonly Problem[]): readonly Problem[] {
  const ranks = new Map<SpecSource, number>();
  const once = new Map<string, Problem>();
  for (const problem of problems) {
    const { source, start, end } = problem.span;
    const rank = ranks.get(source) ?? ranks.size;
    ranks.set(source, rank);
    const identity = JSON.stringify([rank, start, end, problem.code, problem.message, problem.path]);
    if (!once.has(identity)) once.set(identity, problem);
  }
  const rankOf = (problem: Problem): number => ranks.get(problem.span.source) ?? 0;
  return [...once.values()].sort((a, b) => rankOf(a) - rankOf(b) || a.span.start - b.span.start);
}
