// Which modules of the user this process has loaded, and from which version of their files.

import { statSync } from "node:fs";
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";
import type { LoadedModule } from "../channel/calls.ts";

/** Modules that are loaded after this, except those of installed packages. */
export class LoadedModules {
  readonly #times = new Map<string, number>();

  constructor() {
    registerHooks({
      resolve: (specifier, context, next) => {
        const resolved = next(specifier, context);
        this.#note(resolved.url);
        return resolved;
      },
    });
  }

  get all(): readonly LoadedModule[] {
    return [...this.#times].map(([path, modifiedAt]) => ({ path, modifiedAt }));
  }

  #note(url: string): void {
    if (!url.startsWith("file:") || url.includes("/node_modules/") || this.#times.size >= maxModules) return;
    const path = fileURLToPath(url);
    if (this.#times.has(path)) return;
    const found = statSync(path, { throwIfNoEntry: false });
    if (found !== undefined) this.#times.set(path, found.mtimeMs);
  }
}

/** A program that loads modules without end must not grow by this, too. */
const maxModules = 10_000;
