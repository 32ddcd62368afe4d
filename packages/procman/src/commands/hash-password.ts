// `hemi hash-password`: converts a password to the form that `basicAuth` uses.

import { hashPassword, HemiError } from "@hemi/hemi";
import type { CommandLine } from "../command-line.ts";
import { exitCodes, type ExitCode } from "../exit-code.ts";
import { readPassword } from "../read-password.ts";

export async function hashPasswordCommand({ rest: [name, surplus] }: CommandLine): Promise<ExitCode> {
  if (surplus !== undefined) {
    const advice = "the password is read from standard input, so that no list of processes shows it";
    throw new HemiError("HEMI_USAGE", `hash-password takes one name; ${advice}`);
  }
  if (name !== undefined && !/^[^:"\p{Cc}]+$/u.test(name)) {
    throw new HemiError("HEMI_USAGE", "a name has no colon, no quotes and no control characters, and is not empty");
  }
  const hash = await hashPassword(await readPassword());
  process.stdout.write(name === undefined ? `${hash}\n` : `"${name}": "${hash}",\n`);
  return exitCodes.fine;
}
