// Loads a user's module, and says where it fails.

import { pathToFileURL } from "node:url";
import { HemiError } from "../../errors/hemi-error.ts";
import { linkModule } from "./link-module.ts";
import { missingFile, moduleFault, type ModuleFault } from "./module-fault.ts";

/** A module that cannot be loaded. The message says why in one line; `fault` has the place, the stack and what to do. */
export class ModuleError extends HemiError {
  /** Why, and where. */
  readonly fault: ModuleFault;

  constructor(subject: string, fault: ModuleFault, cause: unknown) {
    super("HEMI_MODULE", `${subject} cannot be loaded: ${fault.reason}`, { cause });
    this.name = "ModuleError";
    this.fault = fault;
  }
}

/**
 * Imports a TypeScript or JavaScript file, once in the life of the process. `subject` begins the message of an error: `--use ./app.ts`,
 * `the module /srv/app.ts`. Rejects with a ModuleError.
 */
export async function loadModule(file: string, subject = `the module ${file}`): Promise<unknown> {
  try {
    const namespace: unknown = await import(pathToFileURL(file).href);
    return namespace;
  } catch (cause) {
    let fault = await moduleFault(file, cause);
    // The runtime keeps the place of some syntax errors to itself, and tells it only when a process ends of them.
    if (fault.place === undefined && cause instanceof SyntaxError) fault = (await linkModule(file)) ?? fault;
    throw new ModuleError(subject, fault, cause);
  }
}

/**
 * Reads a module with all that it imports, as `loadModule` would, and evaluates none of it: syntax errors, missing files and packages, and
 * missing exports are found. Rejects with a ModuleError.
 */
export async function examineModule(file: string, subject = `the module ${file}`): Promise<void> {
  const missing = await missingFile(file);
  const fault =
    missing === undefined ? await linkModule(file) : { reason: missing, place: undefined, stack: [], fix: undefined };
  if (fault !== undefined) throw new ModuleError(subject, fault, undefined);
}
