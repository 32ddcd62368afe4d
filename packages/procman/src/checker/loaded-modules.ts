// The module files that this process has loaded from now on. Once one of them has changed, the process knows a program
// that is not there any more.

import { statSync } from "node:fs";
import { stat } from "node:fs/promises";
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";

export class LoadedModules {
  /** By path: what identifies its content. */
  readonly #stamps = new Map<string, string>();

  constructor() {
    registerHooks({
      load: (url, context, nextLoad) => {
        // Before it is read: a change in between is then found.
        if (url.startsWith("file:")) this.#note(fileURLToPath(url));
        return nextLoad(url, context);
      },
    });
  }

  async haveChanged(): Promise<boolean> {
    const changed = await Promise.all([...this.#stamps].map(async ([path, stamp]) => stamp !== (await stampNow(path))));
    return changed.includes(true);
  }

  #note(path: string): void {
    if (this.#stamps.has(path)) return;
    const facts = statSync(path, { throwIfNoEntry: false });
    this.#stamps.set(path, facts === undefined ? missing : stampOf(facts));
  }
}

interface FileFacts {
  readonly ino: number;
  readonly size: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
}

function stampOf({ ino, size, mtimeMs, ctimeMs }: FileFacts): string {
  return [ino, size, mtimeMs, ctimeMs].join(" ");
}

async function stampNow(path: string): Promise<string> {
  try {
    return stampOf(await stat(path));
  } catch {
    return missing;
  }
}

const missing = "missing";
