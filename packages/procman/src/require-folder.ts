// The base directory of relative paths in a configuration.

import type { Stats } from "node:fs";
import { stat } from "node:fs/promises";
import { HemiError } from "@hemi/hemi/base";

/** Without it, every file in it would be missing, without a clear reason. Throws HEMI_FILE. */
export async function requireFolder(base: string): Promise<void> {
  let found: Stats;
  try {
    found = await stat(base);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new HemiError("HEMI_FILE", `--base ${base} cannot be used: ${reason}`, { cause });
  }
  if (!found.isDirectory()) throw new HemiError("HEMI_FILE", `--base ${base} is no folder`);
}
