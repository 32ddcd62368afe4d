// Loads the packs of `--use`.

import { HemiError, isPack, loadModule, type Pack } from "@hemi/hemi";
import { locateModule } from "./locate-module.ts";

/**
 * Names are paths from the working directory (`./ext.ts`, `ext.ts`), or packages installed there. Throws HEMI_MODULE.
 */
export async function loadPacks(names: readonly string[]): Promise<readonly Pack[]> {
  return Promise.all(names.map(loadPack));
}

async function loadPack(name: string): Promise<Pack> {
  const module = await loadModule(locateModule(name, process.cwd(), `--use ${name}`), `--use ${name}`);
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
