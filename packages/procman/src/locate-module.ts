// Finds the file of a module of the user's, without loading it.

import { createRequire } from "node:module";
import { isAbsolute, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { HemiError } from "@hemi/hemi/base";

/**
 * An absolute path. `name` is a path from `base` (`./ext.ts`, `ext.ts`), a file URL, or a package that is installed
 * there. `subject` starts the message of an error. Throws HEMI_MODULE for a package that is not installed.
 */
export function locateModule(name: string, base: string, subject: string): string {
  if (name.startsWith("file:")) return fileURLToPath(name);
  const isPath = name.startsWith(".") || isAbsolute(name) || /\.[cm]?[jt]s$/.test(name);
  if (isPath) return resolve(base, name);
  try {
    return createRequire(join(resolve(base), "noname.js")).resolve(name);
  } catch (cause) {
    const advice = `no package of this name is installed here: npm install ${name}; the path of a file begins with ./`;
    throw new HemiError("HEMI_MODULE", `${subject} cannot be loaded: ${advice}`, { cause });
  }
}
