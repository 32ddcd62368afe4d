// Checks the files and folders that a configuration names, for `hemi check`.

import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { PropError } from "./prop-error.ts";

/** Rejects with HEMI_FILE, and blames the prop, where there is none that can be read. `what`: `the web root`. */
export async function examineFolder(prop: string, what: string, path: string): Promise<void> {
  const fault = await faultOf(path, "folder");
  if (fault !== undefined) throw new PropError(prop, "HEMI_FILE", `${what} ${path} ${fault}`);
}

/** The same for a file. */
export async function examineFile(prop: string, what: string, path: string): Promise<void> {
  const fault = await faultOf(path, "file");
  if (fault !== undefined) throw new PropError(prop, "HEMI_FILE", `${what} ${path} ${fault}`);
}

async function faultOf(path: string, wanted: "file" | "folder"): Promise<string | undefined> {
  try {
    const found = await stat(path);
    if (wanted === "file" ? !found.isFile() : !found.isDirectory()) return `is not a ${wanted}`;
    await access(path, wanted === "file" ? constants.R_OK : constants.R_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    return code === "ENOENT" ? "does not exist" : `cannot be read: ${code}`;
  }
}
