// Keeps compiled code between runs, which halves the time to start.

import module from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * In a folder of this user. The default of Node.js is one folder in /tmp for all users: whoever makes it first may put
 * code there that the others then run, root included. An operator chooses another folder by NODE_COMPILE_CACHE.
 */
export function keepCompiledCode() {
  const { enableCompileCache } = module;
  if (!enableCompileCache || !process.geteuid || process.env.NODE_COMPILE_CACHE !== undefined) return;
  const folder = ownFolder();
  if (folder !== undefined) enableCompileCache(folder);
}

/** An import of this module loads its streams and promises, too, and delays the first worker by that. */
const { lstatSync, mkdirSync } = process.getBuiltinModule("node:fs");

/** `undefined`: there is none that only this user can write to. */
function ownFolder() {
  const user = process.geteuid();
  const folder = join(tmpdir(), `hemi-code-${user}`);
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch {
    // It is there, or cannot be made: what is there tells.
  }
  try {
    const stats = lstatSync(folder);
    return stats.isDirectory() && stats.uid === user && (stats.mode & 0o022) === 0 ? folder : undefined;
  } catch {
    return undefined;
  }
}
