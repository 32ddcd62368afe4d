// Includes (`<path>`). All files are collected first, and each is read and tokenized once. The parser then requests
// them.

import path from "node:path";
import { maxDepth } from "./cursor.ts";
import { isPattern, type ConfigFiles } from "./files.ts";
import { lex, type Lexed } from "./lexer.ts";
import type { Includer } from "./parse-body.ts";
import { parseFragment } from "./parser.ts";
import type { Problem } from "./problem.ts";

/** One text of a configuration. */
export interface ConfigFile {
  /** Its name in errors. */
  readonly name: string;
  /** Absolute; `undefined` for a text without a file. */
  readonly location: string | undefined;
  readonly content: Lexed | { readonly failure: string };
}

/** The files of each include, by the path as it is written. The same path means the same files everywhere. */
export type Includes = ReadonlyMap<string, readonly ConfigFile[]>;

/** Files that include each other repeatedly, but without a cycle, could grow without limit. */
const mostInclusions = 10_000;

/**
 * Reads the includes of `main`, their includes, and so on. `shownBase` is the prefix of relative names in messages.
 * Never rejects.
 */
export async function gatherIncludes(
  main: ConfigFile,
  files: ConfigFiles,
  baseDir: string,
  shownBase: string,
): Promise<Includes> {
  const includes = new Map<string, readonly ConfigFile[]>();
  const known = new Map<string, ConfigFile>();
  if (main.location !== undefined) known.set(main.location, main);

  async function fileAt(location: string, name: string): Promise<ConfigFile> {
    const file = known.get(location) ?? { name, location, content: await readContent(location, name, files) };
    known.set(location, file);
    return file;
  }

  const waiting = [main];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    for (const includePath of includePaths(file)) {
      if (includes.has(includePath)) continue;
      const found: ConfigFile[] = [];
      includes.set(includePath, found);
      const locations = await locationsOf(includePath, files, baseDir);
      if ("failure" in locations) found.push({ name: includePath, location: undefined, content: locations });
      else {
        for (const location of locations) {
          const isNew = !known.has(location);
          const name = path.isAbsolute(includePath) ? location : path.join(shownBase, path.relative(baseDir, location));
          const included = await fileAt(location, name);
          found.push(included);
          if (isNew) waiting.push(included);
        }
      }
    }
  }
  return includes;
}

/** Makes the function that the parser calls for each include in `main` and in included files. */
export function includerFor(main: ConfigFile, includes: Includes, problems: Problem[]): Includer {
  const chain = [main];
  let inclusions = 0;

  const include: Includer = ({ path: includePath, span, depth }, into) => {
    const report = (message: string, hint?: string): void => {
      into.isUnread = true;
      problems.push({ code: "HEMI_CONFIG_INCLUDE", message, hint, span, path: undefined });
    };
    for (const file of includes.get(includePath) ?? []) {
      const { content, name, location } = file;
      if ("failure" in content) {
        const hint = location === undefined || location === name ? undefined : `this is ${location}`;
        report(`${name} cannot be included: ${content.failure}${throughText(chain)}`, hint);
      } else if (chain.includes(file)) {
        const circle = [...chain.slice(chain.indexOf(file)), file].map((link) => link.name);
        report(`${name} includes itself: ${circle.join(" includes ")}`);
      } else if (depth >= maxDepth) report(`this stands more than ${maxDepth} levels deep${throughText(chain)}`);
      else if (++inclusions > mostInclusions)
        report(`more than ${mostInclusions} inclusions`, "files are included over and over");
      else {
        chain.push(file);
        parseFragment(content, problems, include, into, depth + 1);
        chain.pop();
      }
    }
  };
  return include;
}

/** How the file with the include was reached, if it is not the main file. */
function throughText(chain: readonly ConfigFile[]): string {
  return chain.length < 2 ? "" : ` (${chain.map(({ name }) => name).join(" includes ")})`;
}

function includePaths({ content }: ConfigFile): string[] {
  if ("failure" in content) return [];
  const { text } = content.source;
  return content.tokens
    .filter(({ kind }) => kind === "include")
    .map(({ start, end }) => text.slice(start + 1, end - 1).trim());
}

async function locationsOf(
  includePath: string,
  files: ConfigFiles,
  baseDir: string,
): Promise<readonly string[] | { readonly failure: string }> {
  if (!isPattern(includePath)) return [path.resolve(baseDir, includePath)];
  try {
    const locations = await files.glob(includePath, baseDir);
    return locations.toSorted((a, b) => (a < b ? -1 : Number(a > b)));
  } catch (error) {
    return { failure: reasonOf(error) };
  }
}

async function readContent(location: string, name: string, files: ConfigFiles): Promise<ConfigFile["content"]> {
  try {
    return lex({ name, text: await files.read(location) });
  } catch (error) {
    return { failure: reasonOf(error) };
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
