// A folder for programs that documentation shows.

import { mkdtempDisposable, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../..", import.meta.url));

/**
 * Lies outside of the workspace, so that no linter or formatter that runs beside the tests comes upon it; the
 * workspace's packages are found from there. Is removed when it is disposed.
 */
export async function programFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const folder = await mkdtempDisposable(join(tmpdir(), "hemi-program-"));
  await symlink(join(root, "node_modules"), join(folder.path, "node_modules"));
  // As the README tells whoever starts a program.
  await writeFile(join(folder.path, "package.json"), '{ "type": "module" }\n');
  return folder;
}
