// `hemi fmt`: formats configuration files.

import { chmod, readFile, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import { ConfigError, formatConfig, HemiError, type Problem } from "@hemi/hemi";
import type { CommandLine } from "../command-line.ts";
import { exitCodes, type ExitCode } from "../exit-code.ts";

/**
 * Rewrites unformatted files. With `--check`, it names them, and fails if there are any. `-` reads standard input and
 * writes standard output.
 */
export async function format({ rest, config, isCheck }: CommandLine): Promise<ExitCode> {
  const files = rest.length > 0 ? rest : [config];
  let code: ExitCode = exitCodes.fine;
  const problems: Problem[] = [];
  for (const file of files) {
    const given = await read(file);
    const formatted = formatConfig(given, file === "-" ? "<stdin>" : file);
    const { text } = formatted;
    if (text === undefined) problems.push(...formatted.problems);
    else if (file === "-" && !isCheck) process.stdout.write(text);
    else if (text !== given) {
      process.stdout.write(`${file}\n`);
      if (isCheck) code = exitCodes.wrongUse;
      else await replace(file, text);
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return code;
}

async function read(file: string): Promise<string> {
  try {
    const bytes = file === "-" ? Buffer.concat(await process.stdin.toArray()) : await readFile(file);
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new HemiError("HEMI_FILE", `cannot read ${file}: ${reasonOf(cause)}`, { cause });
  }
}

/**
 * Replaces the file atomically: a full disk must not destroy a configuration. The target of a symbolic link is
 * replaced, not the link.
 */
async function replace(file: string, text: string): Promise<void> {
  const draft = `${file}.hemi-fmt`;
  try {
    const target = await realpath(file);
    await writeFile(draft, text);
    // Not as an option of the write, which the umask would restrict.
    await chmod(draft, (await stat(target)).mode);
    await rename(draft, target);
  } catch (cause) {
    await rm(draft, { force: true });
    throw new HemiError("HEMI_FILE", `cannot write ${file}: ${reasonOf(cause)}`, { cause });
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
