// Loads a user's module, and reports where it fails.

import { pathToFileURL } from "node:url";
import { HemiError } from "../../errors/hemi-error.ts";
import { linkModule } from "./link-module.ts";
import { missingFile } from "./missing-file.ts";
import { moduleFault, type ModuleFault } from "./module-fault.ts";

/**
 * A module that cannot be loaded. The message gives the reason in one line. `fault` has the position, the stack and a
 * fix.
 */
export class ModuleError extends HemiError {
  /** The reason and the position. */
  readonly fault: ModuleFault;

  constructor(subject: string, fault: ModuleFault, cause: unknown) {
    super("HEMI_MODULE", `${subject} cannot be loaded: ${fault.reason}`, { cause });
    this.name = "ModuleError";
    this.fault = fault;
  }
}

/**
 * Imports a TypeScript or JavaScript file, once in the life of the process. `subject` starts the error message:
 * `--use ./app.ts`, `the module /srv/app.ts`. Rejects with a ModuleError.
 */
export async function loadModule(file: string, subject = `the module ${file}`): Promise<unknown> {
  try {
    const namespace: unknown = await import(pathToFileURL(file).href);
    return namespace;
  } catch (cause) {
    let fault = await moduleFault(file, cause);
    // The runtime does not expose the position of some syntax errors. It prints the position only if the error ends a
    // process.
    if (fault.place === undefined && cause instanceof SyntaxError) fault = (await linkModule(file)) ?? fault;
    throw new ModuleError(subject, fault, cause);
  }
}

/**
 * Parses a module and all its imports, as `loadModule` does, but evaluates nothing. Finds syntax errors, missing files
 * and packages, and missing exports. Rejects with a ModuleError.
 */
export async function examineModule(file: string, subject = `the module ${file}`): Promise<void> {
  const missing = await missingFile(file);
  const fault =
    missing === undefined ? await linkModule(file) : { reason: missing, place: undefined, stack: [], fix: undefined };
  if (fault !== undefined) throw new ModuleError(subject, fault, undefined);
}
