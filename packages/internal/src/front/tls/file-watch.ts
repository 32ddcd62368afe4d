// Tells when files have become others. They are looked at from time to time: what the system tells of changes by itself gets lost where files
// are reached by links that are swapped, which is how certificates are renewed.

import { stat } from "node:fs/promises";

export class FileWatch {
  readonly #files: readonly string[];
  #seen = "";

  constructor(files: Iterable<string>) {
    this.#files = [...new Set(files)];
  }

  /** Whether any file, links followed, is another one than at the last call: replaced, written to, given to others, gone. */
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
