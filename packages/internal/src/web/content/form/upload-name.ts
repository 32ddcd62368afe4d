// The names of uploads while they are kept: nobody can guess one, and each tells whose it is.
//
//   upload-1f0c9a2b-4711-x8Yq2-Vw0k3RkGkz0kQpTn5hXgYQ
//          host     pid  process  upload

import { createHash, randomBytes } from "node:crypto";
import { hostname } from "node:os";

/** A new one, of this process. */
export function makeUploadName(): string {
  return `upload-${host}-${process.pid}-${own}-${randomBytes(18).toString("base64url")}`;
}

/**
 * Is this the name of an upload whose process is no more? Names of other hosts are left alone: two machines, or two containers, may share
 * a folder, and we cannot see each other's processes.
 */
export function isLeftOver(name: string): boolean {
  const [, itsHost, pid, itsOwn] = /^upload-([0-9a-f]{8})-([1-9]\d{0,9})-([\w-]{6})-[\w-]{24}$/.exec(name) ?? [];
  if (itsHost !== host || pid === undefined) return false;
  // A container's first process has the same number each time.
  return Number(pid) === process.pid ? itsOwn !== own : !isAlive(Number(pid));
}

const host = createHash("sha256").update(hostname()).digest("hex").slice(0, 8);

/** Tells this process from an earlier one with its number. */
const own = randomBytes(4).toString("base64url");

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: there is one, of another user.
    return !(error instanceof Error && "code" in error && error.code === "ESRCH");
  }
}
