// The files that a path may stand for, in the order in which they are looked for.
//
//   /docs/   docs/index.html, then the next index file
//   /about   about, then about.html: the next ending

import type { Entry } from "../../fixtures/fcache-entry.ts";
import type { Fcache } from "../../fixtures/fcache.ts";

export interface CandidateRules {
  /** Absolute. */
  readonly webRoot: string;
  readonly stripPrefix: string | undefined;
  readonly indexFile: readonly string[];
  readonly tryEndings: readonly string[];
  readonly scripts: readonly string[];
}

export interface Candidate {
  /** Absolute. */
  readonly file: string;
  /** A program, which is run and not sent. */
  readonly isScript: boolean;
}

/**
 * The decoded path without the prefix: what is looked up in the web root. "" for the prefix itself, which then is a
 * folder without its slash; `undefined` for a path that does not begin with the prefix.
 */
export function localPathOf(path: string, prefix: string | undefined): string | undefined {
  if (prefix === undefined) return path;
  if (!path.startsWith(prefix)) return undefined;
  const local = path.slice(prefix.length);
  return local === "" || local.startsWith("/") ? local : undefined;
}

/** At least one. `local` is a path as `localPathOf` gives it. */
export function candidatesOf(local: string, rules: CandidateRules): readonly Candidate[] {
  const { webRoot, indexFile, tryEndings, scripts } = rules;
  const base = webRoot + local;
  // Without a name there is none that an ending could belong to.
  const files = local.endsWith("/")
    ? indexFile.map((name) => base + name)
    : [base, ...(local === "" ? [] : tryEndings.map((ending) => base + ending))];
  return files.map((file) => ({ file, isScript: isScript(file, scripts) }));
}

/** Some file systems, and some programs that run scripts, take `.PHP` for `.php`. */
export function isScript(file: string, scripts: readonly string[]): boolean {
  const name = file.toLowerCase();
  return scripts.some((ending) => name.endsWith(ending.toLowerCase()));
}

/** The index file of a folder; `undefined` if it has none. `folder` is a local path that ends with a slash. */
export async function findIndexFile(
  folder: string,
  rules: CandidateRules,
  fcache: Fcache,
): Promise<{ readonly entry: Entry; readonly isScript: boolean } | undefined> {
  for (const { file, isScript } of candidatesOf(folder, rules)) {
    const entry = await fcache.open(file);
    if (entry.kind === "file") return { entry, isScript };
  }
  return undefined;
}
