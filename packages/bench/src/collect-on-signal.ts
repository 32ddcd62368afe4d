// Loaded into each process of a program (`--import`): SIGWINCH, which nobody needs here, collects all garbage, and
// gives the pages of freed memory back. Two figures of memory can then be compared: left to itself, a process at rest
// keeps up to a fifth more than it needs, and tries again within five minutes (procman: idle-collection.ts).

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { isMainThread } from "node:worker_threads";

if (isMainThread) process.on("SIGWINCH", collect);

function collect(): void {
  setFlagsFromString("--expose-gc");
  const gc: unknown = runInNewContext("globalThis.gc");
  setFlagsFromString("--no-expose-gc");
  if (!isGc(gc)) throw new Error("there is no way to collect garbage");
  // What finalizers let go of is garbage of the next collection.
  for (let i = 0; i < 2; i++) gc({ type: "major", flavor: "last-resort", execution: "sync" });
}

function isGc(value: unknown): value is NodeJS.GCFunction {
  return typeof value === "function";
}
