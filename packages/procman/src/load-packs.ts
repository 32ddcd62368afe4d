// Loads the packs of `--use`.

import { createRequire } from "node:module";
import { isAbsolute, join, resolve } from "node:path";
import { HemiError, isPack, loadModule, type Pack } from "@hemi/hemi";

/**
 * Names are paths from the working directory (`./ext.ts`, `ext.ts`), or packages installed there. Throws HEMI_MODULE.
 */
export async function loadPacks(names: readonly string[]): Promise<readonly Pack[]> {
  return Promise.all(names.map(loadPack));
}

async function loadPack(name: string): Promise<Pack> {
  const module = await loadModule(locate(name), `--use ${name}`);
  const exported: unknown =
    typeof module === "object" && module !== null && "default" in module ? module.default : undefined;
  if (!isPack(exported)) {
    throw new HemiError(
      "HEMI_MODULE",
      `--use ${name} has no pack as its default export: \`export default pack("name", [definitions])\``,
    );
  }
  return exported;
}

/** Absolute. Throws HEMI_MODULE for a package that is not installed. */
function locate(name: string): string {
  const isPath = name.startsWith(".") || isAbsolute(name) || /\.[cm]?[jt]s$/.test(name);
  if (isPath) return resolve(name);
  try {
    return createRequire(join(process.cwd(), "noname.js")).resolve(name);
  } catch (cause) {
    const advice = `no package of this name is installed here: npm install ${name}; the path of a file begins with ./`;
    throw new HemiError("HEMI_MODULE", `--use ${name} cannot be loaded: ${advice}`, { cause });
  }
}
