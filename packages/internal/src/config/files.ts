// The source of configuration files: the disk, or a replacement in tests.

import { glob, readFile } from "node:fs/promises";
import path from "node:path";

/** The source of configuration files: the disk, a snapshot, or a replacement in tests. */
export interface ConfigFiles {
  /** Returns the text of a file by its absolute path. Rejects with an error whose message follows "cannot be read:". */
  read(location: string): Promise<string>;
  /**
   * The absolute paths of the files that match a pattern, in any order. The pattern is absolute or relative to
   * `baseDir`.
   */
  glob(pattern: string, baseDir: string): Promise<readonly string[]>;
}

/**
 * Files are UTF-8, with or without a byte order mark. Patterns support `*`, `**`, `?`, `[a-z]` and `{a,b}`; they do not
 * match hidden files.
 */
export const filesOnDisk: ConfigFiles = {
  async read(location) {
    const bytes = await readFile(location).catch((cause: unknown) => {
      throw new Error(reasonFor(cause), { cause });
    });
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    } catch (cause) {
      throw new Error("it is not UTF-8", { cause });
    }
  },

  async glob(pattern, baseDir) {
    const locations: string[] = [];
    for await (const entry of glob(pattern, { cwd: baseDir, withFileTypes: true })) {
      if (!entry.isDirectory()) locations.push(path.join(entry.parentPath, entry.name));
    }
    return locations;
  },
};

export function isPattern(includePath: string): boolean {
  return /[*?[{]/.test(includePath);
}

const reasons: ReadonlyMap<unknown, string> = new Map([
  ["ENOENT", "there is no such file"],
  ["ENOTDIR", "there is no such file"],
  ["EACCES", "permission is denied"],
  ["EISDIR", "it is a directory"],
]);

function reasonFor(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return reasons.get(code) ?? (error instanceof Error ? error.message : String(error));
}
