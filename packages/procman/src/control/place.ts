// Where the control socket of a program is.

import { join, resolve } from "node:path";

/** In `--vars`, which is `vars` in the base directory by default. Many programs can run on one machine. */
export function controlPath({
  base,
  varsDir,
}: {
  readonly base: string;
  readonly varsDir: string | undefined;
}): string {
  return join(varsFolder({ base, varsDir }), "hemi.sock");
}

export function varsFolder({ base, varsDir }: { readonly base: string; readonly varsDir: string | undefined }): string {
  return resolve(varsDir ?? join(base, "vars"));
}
