// Where a program can be reached.

import { join, resolve } from "node:path";
import type { CommandLine } from "../command-line.ts";

/** Its control socket, or an address of `--admin`. */
export type ProgramPlace =
  | { readonly path: string }
  | {
      readonly host: string;
      readonly port: number;
      readonly tokenFile: string;
      /** A file with the certificate of the authority that the program's is of, in PEM. Default: those of Node.js. */
      readonly authority: string | undefined;
    };

/** As the options of a command say. */
export function programPlace(line: CommandLine): ProgramPlace {
  const { admin, adminToken, adminAuthority } = line;
  if (admin === undefined) return { path: controlPath(line) };
  return { ...admin, tokenFile: adminToken ?? join(varsFolder(line), "admin.token"), authority: adminAuthority };
}

/** In `--vars`, which is `vars` in the base directory by default. Many programs can run on one machine. */
export function controlPath(folders: Pick<CommandLine, "base" | "varsDir">): string {
  return join(varsFolder(folders), "hemi.sock");
}

export function varsFolder({ base, varsDir }: Pick<CommandLine, "base" | "varsDir">): string {
  return resolve(varsDir ?? join(base, "vars"));
}
