// Keeps the young generation of V8's heap as small as the caches of a processor core.
//
// Nearly all that a request needs is garbage when it is answered, so V8 writes through the whole young generation,
// again and again. By default, it lets it grow to two semi-spaces of 64 MB: each object is then written to memory that
// no cache holds. With 2 MB, it stays in the cache. Measured by processor time for each request: 5 to 12 % less for
// short answers, files and compressed pages, 5 to 15 % less through `httpProxy`.
//
// Programs whose requests leave much that lives for some milliseconds may want more: `NODE_OPTIONS`.

import { setFlagsFromString } from "node:v8";

/** Options of Node.js for a process that this one starts. A size that the user has chosen for this one wins. */
export function youngGenerationOptions(
  execArgv: readonly string[] = process.execArgv,
  nodeOptions: string = process.env["NODE_OPTIONS"] ?? "",
): readonly string[] {
  return [...execArgv, nodeOptions].some((option) => /semi[-_]space/.test(option)) ? [] : ["--max-semi-space-size=2"];
}

/** The young generation of this process, which runs already, grows no more: V8 starts with semi-spaces of 1 MB. */
export function stopYoungGenerationGrowth(): void {
  if (youngGenerationOptions().length > 0) setFlagsFromString("--semi-space-growth-factor=1");
}
