// The names of stored uploads: unpredictable, and each identifies its process.
//
//  upload-1f0c9a2b-4711-x8Yq2-Vw0k3RkGkz0kQpTn5hXgYQ
//         host     pid  process  upload

import { createHash, randomBytes } from "node:crypto";
import { hostname } from "node:os";

/** A new name of this process. */
export function makeUploadName(): string {
  return `upload-${host}-${process.pid}-${own}-${randomBytes(18).toString("base64url")}`;
}

/**
 * Whether this is the name of an upload whose process no longer exists. Names of other hosts are ignored: two machines
 * or containers may share a folder, and cannot see each other's processes.
 */
export function isLeftOver(name: string): boolean {
  const [, itsHost, pid, itsOwn] = /^upload-([0-9a-f]{8})-([1-9]\d{0,9})-([\w-]{6})-[\w-]{24}$/.exec(name) ?? [];
  if (itsHost !== host || pid === undefined) return false;
  // The first process of a container always has the same pid.
  return Number(pid) === process.pid ? itsOwn !== own : !isAlive(Number(pid));
}

const host = createHash("sha256").update(hostname()).digest("hex").slice(0, 8);

/** Distinguishes this process from an earlier one with the same pid. */
const own = randomBytes(4).toString("base64url");

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it exists and belongs to another user.
    return !(error instanceof Error && "code" in error && error.code === "ESRCH");
  }
}
