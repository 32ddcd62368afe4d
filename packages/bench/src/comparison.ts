// Two servers under the same load in turn: what is quoted is the ratio of their medians, not either figure alone.

import { measure, type Load } from "./load.ts";
import type { ServerProcess } from "./server-process.ts";
import type { Result } from "./work.ts";

export interface Comparison {
  /** Medians, in requests a second. */
  readonly ours: number;
  readonly theirs: number;
  readonly ratio: number;
  /** The lowest and the highest ratio of a pair. */
  readonly spread: readonly [number, number];
}

export interface ComparisonOptions extends Omit<Load, "port"> {
  /** Where the peer answers. */
  readonly theirPath: string;
  readonly pairs: number;
}

/** Warms both up, then runs pairs: ours, theirs, ours, theirs … */
export async function compare(
  ours: ServerProcess,
  theirs: ServerProcess,
  options: ComparisonOptions,
): Promise<Comparison> {
  const { scheme = "http", headers = [], isVaried, content, cookies, seconds, connections } = options;
  const load = { scheme, headers, isVaried, content, cookies, seconds, connections };
  const ourLoad = { ...load, port: ours.port, path: options.path };
  const theirLoad = { ...load, port: theirs.port, path: options.theirPath };
  for (const load of [ourLoad, theirLoad]) await measure({ ...load, seconds: 2 });
  return await comparePairs(
    () => measure(ourLoad),
    () => measure(theirLoad),
    options.pairs,
  );
}

/** What `ours` and `theirs` measure in turn. */
export async function comparePairs(
  ours: () => Promise<number>,
  theirs: () => Promise<number>,
  count: number,
): Promise<Comparison> {
  const pairs: { ours: number; theirs: number }[] = [];
  while (pairs.length < count) pairs.push({ ours: await ours(), theirs: await theirs() });
  const ratios = pairs.map((pair) => pair.ours / pair.theirs);
  const medians = { ours: median(pairs.map((pair) => pair.ours)), theirs: median(pairs.map((pair) => pair.theirs)) };
  return { ...medians, ratio: medians.ours / medians.theirs, spread: [Math.min(...ratios), Math.max(...ratios)] };
}

/** The line of a comparison: rates a second, and their ratio. */
export function ratioResult(
  { ours, theirs, ratio, spread }: Comparison,
  row: Pick<Result, "against" | "atLeast" | "aim">,
): Result {
  return {
    ...row,
    ours: `${Math.round(ours)}/s`,
    theirs: `${Math.round(theirs)}/s`,
    figure: `${ratio.toFixed(2)} (${spread.map((bound) => bound.toFixed(2)).join("–")})`,
  };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? NaN)) / 2;
}
