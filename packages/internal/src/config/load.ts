// Loads a configuration from a file or text, with all includes.

import path from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { HemiError } from "../errors/hemi-error.ts";
import { sortProblems } from "./config-error.ts";
import { filesOnDisk, type ConfigFiles } from "./files.ts";
import { gatherIncludes, includerFor, type ConfigFile } from "./includes.ts";
import { lex, type Lexed } from "./lexer.ts";
import { parseStage } from "./parser.ts";
import type { Problem } from "./problem.ts";
import type { ComponentSpec } from "./spec.ts";

export type LoadOptions = {
  /** The directory for relative includes. Default: the working directory. */
  readonly baseDir?: string;
  /** The source of files. Default: the disk. */
  readonly files?: ConfigFiles;
} & (
  | {
      /** The path of the configuration, relative to the working directory. */
      readonly file: string;
    }
  | {
      /** The configuration itself. */
      readonly text: string;
      /** Its name in errors. Default: `<text>`. */
      readonly name?: string;
    }
);

export interface Loaded {
  /** The stage, with includes expanded. Incomplete if there are problems; `undefined` if the text contains no stage. */
  readonly spec: ComponentSpec | undefined;
  /** Sorted by file and position. */
  readonly problems: readonly Problem[];
  /** The absolute paths of all files that were read or should have been read, the main one first. */
  readonly files: readonly string[];
}

/** Loads a configuration. Throws only if the main file cannot be read (HEMI_FILE); everything else is a problem. */
export async function loadConfig(options: LoadOptions): Promise<Loaded> {
  const { baseDir = "", files = filesOnDisk } = options;
  const [main, content] = await mainOf(options, files);
  const includes = await gatherIncludes(main, files, path.resolve(baseDir), baseDir);
  const problems: Problem[] = [];
  // Tens of milliseconds each, for thousands of rules: a stage that runs serves in between.
  await turn();
  const spec = parseStage(content, problems, includerFor(main, includes, problems));
  const locations = [main, ...[...includes.values()].flat()].map(({ location }) => location);
  return {
    spec,
    problems: sortProblems(problems),
    files: [...new Set(locations.filter((location) => location !== undefined))],
  };
}

async function mainOf(options: LoadOptions, files: ConfigFiles): Promise<readonly [ConfigFile, Lexed]> {
  if ("text" in options) {
    const { name = "<text>", text } = options;
    const content = lex({ name, text });
    return [{ name, location: undefined, content }, content];
  }
  const name = options.file;
  const location = path.resolve(name);
  try {
    const content = lex({ name, text: await files.read(location) });
    return [{ name, location, content }, content];
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new HemiError("HEMI_FILE", `${name} cannot be read: ${reason}`, { cause });
  }
}
