// Loads the packs that `--use` names.

import { createRequire } from "node:module";
import { isAbsolute, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { HemiError, isPack, type Pack } from "@hemi/hemi";

/** Names are paths from the working directory (`./ext.ts`, `ext.ts`), or packages installed there. Throws HEMI_MODULE. */
export async function loadPacks(names: readonly string[]): Promise<readonly Pack[]> {
  return Promise.all(names.map(loadPack));
}

async function loadPack(name: string): Promise<Pack> {
  let module: { readonly default?: unknown };
  try {
    module = (await import(pathToFileURL(locate(name)).href)) as { readonly default?: unknown };
  } catch (cause) {
    // The first line says it; the rest is how the runtime looked for it.
    const [reason = ""] = (cause instanceof Error ? cause.message : String(cause)).split("\n");
    throw new HemiError("HEMI_MODULE", `--use ${name} cannot be loaded: ${reason}`, { cause });
  }
  if (!isPack(module.default)) {
    throw new HemiError(
      "HEMI_MODULE",
      `--use ${name} has no pack as its default export: \`export default pack("name", [definitions])\``,
    );
  }
  return module.default;
}

function locate(name: string): string {
  const isPath = name.startsWith(".") || isAbsolute(name) || /\.[cm]?[jt]s$/.test(name);
  return isPath ? resolve(name) : createRequire(join(process.cwd(), "noname.js")).resolve(name);
}
