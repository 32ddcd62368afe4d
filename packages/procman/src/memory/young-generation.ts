// Keeps the young generation of V8's heap as small as the caches of a processor core.
//
// Nearly all that a request needs is garbage when it is answered, so V8 writes through the whole young generation,
// again and again. By default, it lets it grow to two semi-spaces of 64 MB: each object is then written to memory that
// no cache holds. With 1 or 2 MB, it stays in the cache. Measured by processor time for each request: 5 to 12 % less
// for short answers, files and compressed pages, 5 to 15 % less through `httpProxy`.
//
// So small a generation is collected by one thread: to wake others for it costs more than they save, and takes their
// cores from other workers (1,260 switches of threads a second under short requests, 190 without).
//
// Where much of what is made lives for some milliseconds, because requests wait for a database, so small a generation
// is a bad one: what lives is copied by each collection, and what lives for two of them is kept by the old generation.
// So it grows where that is seen to take much time: see young-growth.ts.

import { setFlagsFromString } from "node:v8";

/** Options of Node.js for a process that this one starts. A size that the user has chosen for this one wins. */
export function youngGenerationOptions(
  execArgv: readonly string[] = process.execArgv,
  nodeOptions: string = process.env["NODE_OPTIONS"] ?? "",
): readonly string[] {
  return isYoungGenerationChosen(execArgv, nodeOptions) ? [] : [...startOptions, serial];
}

/** Whether the user has chosen its size, so that it is left alone. */
export function isYoungGenerationChosen(
  execArgv: readonly string[] = process.execArgv,
  nodeOptions: string = process.env["NODE_OPTIONS"] ?? "",
): boolean {
  const others = execArgv.filter((option) => !startOptions.includes(option));
  return [...others, nodeOptions].some((option) => /semi[-_]space/.test(option));
}

/** The young generation of this process, which runs already, does not grow by itself any more. */
export function stopYoungGenerationGrowth(): void {
  if (!isYoungGenerationChosen()) setFlagsFromString(`${fixed} ${serial}`);
}

/** Whether V8 makes the young generation larger when more and more of it is alive at its collections. */
export function letYoungGenerationGrow(mayGrow: boolean): void {
  setFlagsFromString(mayGrow ? growing : fixed);
}

/** In bytes, of a semi-space: so much helps where much is alive. */
export const maxSemiSpace = 8 * 1024 * 1024;
// V8 starts with semi-spaces of 1 MB. A program that has imported much before this is told may have 8 MB, and is back
// at 1 MB after its first collection when it is idle.
const fixed = "--semi-space-growth-factor=1";
const growing = "--semi-space-growth-factor=2";
const startOptions: readonly string[] = [`--max-semi-space-size=${maxSemiSpace / 1024 / 1024}`, fixed];
const serial = "--no-parallel-scavenge";
