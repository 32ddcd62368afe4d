// One at a time: two commands started together must not install or build over each other.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** Runs `work` while holding the lock file at `path`; waits for another living holder, takes over from a dead one. */
export async function withLock(path, onWait, work) {
  mkdirSync(dirname(path), { recursive: true });
  for (let waited = false; !take(path); waited = true) {
    if (!waited) onWait();
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
    if (error.code !== "EEXIST") throw error;
    if (!isHeld(path)) rmSync(path, { force: true });
    return false;
  }
}

/** Whether the process that wrote the lock still lives. An empty file is one that is just being written. */
function isHeld(path) {
  try {
    const holder = Number(readFileSync(path, "utf8"));
    if (holder !== 0) process.kill(holder, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, and is another user's. Gone (ENOENT) counts as held, so that nobody removes a newer one.
    return error.code === "EPERM" || error.code === "ENOENT";
  }
}
