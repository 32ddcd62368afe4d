// Whether a module's file is there.

import { access, constants } from "node:fs/promises";

/** Why the file itself cannot be read, or `undefined`. */
export async function missingFile(file: string): Promise<string | undefined> {
  try {
    await access(file, constants.R_OK);
    return undefined;
  } catch (error) {
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    return isMissing ? "there is no such file" : error instanceof Error ? error.message : String(error);
  }
}
