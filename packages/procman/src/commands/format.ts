// `hemi fmt`: lays configuration files out in the one way.

import { readFile, rename, stat, writeFile } from "node:fs/promises";
import { ConfigError, formatConfig, HemiError } from "@hemi/hemi";
import type { CommandLine } from "../command-line.ts";
import { exitCodes, type ExitCode } from "../exit-code.ts";

/** Rewrites the files that need it; with `--check` names them, and fails if there is one. `-` is standard input, to standard output. */
export async function format({ rest, config, isCheck }: CommandLine): Promise<ExitCode> {
  const files = rest.length > 0 ? rest : [config];
  let code: ExitCode = exitCodes.fine;
  for (const file of files) {
    const given = await read(file);
    const { text, problems } = formatConfig(given, file === "-" ? "<stdin>" : file);
    if (text === undefined) throw new ConfigError(problems);
    if (file === "-" && !isCheck) process.stdout.write(text);
    else if (text !== given) {
      process.stdout.write(`${file}\n`);
      if (isCheck) code = exitCodes.wrongUse;
      else await replace(file, text);
    }
  }
  return code;
}

async function read(file: string): Promise<string> {
  if (file === "-") return (await process.stdin.setEncoding("utf8").toArray()).join("");
  return readFile(file, "utf8").catch((cause: unknown) => {
    throw new HemiError("HEMI_FILE", `cannot read ${file}: ${reasonOf(cause)}`, { cause });
  });
}

/** Whole or not at all: a full disk must not cost a configuration. */
async function replace(file: string, text: string): Promise<void> {
  const draft = `${file}.hemi-fmt`;
  try {
    await writeFile(draft, text, { mode: (await stat(file)).mode });
    await rename(draft, file);
  } catch (cause) {
    throw new HemiError("HEMI_FILE", `cannot write ${file}: ${reasonOf(cause)}`, { cause });
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
