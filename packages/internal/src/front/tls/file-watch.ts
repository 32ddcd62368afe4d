// Detects changed files by polling. Change events of the system are lost if files are reached through links that are
// swapped, which is how certificates are usually renewed.

import { stat } from "node:fs/promises";

export class FileWatch {
  readonly #files: readonly string[];
  #seen = "";

  constructor(files: Iterable<string>) {
    this.#files = [...new Set(files)];
  }

  /**
   * Whether any file (with links followed) differs from the last call: replaced, written to, with another owner or
   * mode, or removed.
   */
  async haveChanged(): Promise<boolean> {
    const found = (await Promise.all(this.#files.map(describe))).join("\n");
    const haveChanged = found !== this.#seen;
    this.#seen = found;
    return haveChanged;
  }
}

async function describe(file: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeMs, ctimeMs } = await stat(file);
    return [dev, ino, size, mtimeMs, ctimeMs].join(" ");
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  }
}
