// The files that both sides of a comparison serve, in a folder that goes when the process does.

import { randomBytes } from "node:crypto";
import { appendFileSync, chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const mebibyte = 1024 * 1024;
let folder: string | undefined;

/** The folder, made when it is first asked for. Files in it are made by `fileOf`. */
export function filesFolder(): string {
  if (folder === undefined) {
    const made = mkdtempSync(join(tmpdir(), "hemi-bench-files-"));
    // nginx gives up being root.
    chmodSync(made, 0o755);
    mkdirSync(join(made, "files"));
    process.once("exit", () => rmSync(made, { recursive: true, force: true }));
    folder = made;
  }
  return folder;
}

/** The path of a file of that size as a request has it; its content is nothing that a file system could leave out. */
export function fileOf(size: number): string {
  const path = join(filesFolder(), "files", `${size}.bin`);
  if (!existsSync(path)) {
    const piece = randomBytes(Math.min(size, mebibyte));
    for (let written = 0; written < size; written += piece.length) appendFileSync(path, piece);
  }
  return `/files/${size}.bin`;
}
