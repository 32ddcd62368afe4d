// `hemi cache`: purges and explains the caches of a running program.

import type { PurgeSelector } from "@hemi/hemi";
import { HemiError } from "@hemi/hemi/base";
import { readCachedUrl, readPurgeOrder, type PurgeOrder } from "../caches/cache-actions.ts";
import { explainedText, purgeText } from "../caches/cache-text.ts";
import type { CommandLine } from "../command-line.ts";
import { callProgram } from "../control/client.ts";
import { programPlace } from "../control/place.ts";
import { exitCodes, type ExitCode } from "../exit-code.ts";
import { readHeaderOptions } from "./header-options.ts";

export async function cache(line: CommandLine): Promise<ExitCode> {
  const [action, ...urls] = line.rest;
  if (action === "purge") return await purge(line, urls);
  if (action === "explain") return await explain(line, urls);
  const what = action === undefined ? "needs an action" : `has no action ${action}`;
  throw new HemiError("HEMI_USAGE", `cache ${what}: purge or explain; see hemi help cache`);
}

async function purge(line: CommandLine, urls: readonly string[]): Promise<ExitCode> {
  // Somebody may believe that it selects a variant.
  if (line.fields.length > 0) {
    throw new HemiError("HEMI_USAGE", "cache purge has no --header: it always takes all variants of a URL");
  }
  const report = await callProgram(programPlace(line), "cachePurge", purgeOrder(urls, line.purge));
  print(line, report, purgeText(report, line.purge.isDryRun));
  return exitCodes.fine;
}

/** What the command line orders. Throws HEMI_USAGE. */
export function purgeOrder(urls: readonly string[], purge: CommandLine["purge"]): PurgeOrder {
  const { isAll, prefixes, tags, isSoft, isDryRun } = purge;
  const named: readonly PurgeSelector[] = [
    ...urls.map((url) => ({ url })),
    ...prefixes.map((prefix) => ({ prefix })),
    ...tags.map((tag) => ({ tag })),
  ];
  if (isAll === named.length > 0) {
    const message = "cache purge takes URLs, --prefix or --tag; or --all, and nothing beside it; see hemi help cache";
    throw new HemiError("HEMI_USAGE", message);
  }
  return readPurgeOrder({ selectors: isAll ? ["all"] : named, isSoft, isDryRun });
}

async function explain(line: CommandLine, [url, ...others]: readonly string[]): Promise<ExitCode> {
  if (others.length > 0) throw new HemiError("HEMI_USAGE", "cache explain takes one URL");
  const { isAll, prefixes, tags, isSoft, isDryRun } = line.purge;
  if (isAll || isSoft || isDryRun || prefixes.length > 0 || tags.length > 0) {
    const message = "cache explain has no --prefix, --tag, --all, --soft and --dry-run: they are for cache purge";
    throw new HemiError("HEMI_USAGE", message);
  }
  const wanted = readCachedUrl({ url, headers: readHeaderOptions(line.fields) });
  const workers = await callProgram(programPlace(line), "cacheExplain", wanted);
  print(line, workers, explainedText(wanted.url, workers));
  return exitCodes.fine;
}

function print({ isJSON }: CommandLine, result: unknown, text: string): void {
  process.stdout.write(isJSON ? `${JSON.stringify(result, undefined, 2)}\n` : text);
}
