// One at a time: two commands started together must not install or build over each other.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** Runs `work` while holding the lock file at `path`; waits for another living holder, takes over from a dead one. */
export async function withLock(path, onWait, work) {
  mkdirSync(dirname(path), { recursive: true });
  for (let waited = false; !take(path);) {
    if (isAbandoned(path)) {
      rmSync(path, { force: true });
      continue;
    }
    if (!waited) onWait();
    waited = true;
    await sleep(200);
  }
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

function take(path) {
  try {
    writeFileSync(path, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  }
}

/** Whether the process that wrote the lock is gone. An empty file is one that is just being written. */
function isAbandoned(path) {
  try {
    const holder = Number(readFileSync(path, "utf8"));
    if (holder !== 0) process.kill(holder, 0);
    return false;
  } catch (error) {
    // Not ENOENT, which is a lock that was just given back; nor EPERM, which is one of another user.
    return error.code === "ESRCH";
  }
}
