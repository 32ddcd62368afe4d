// Builds the package in the working directory: types from src/ to dist/ by tsc, and for each entry one module by
// rolldown. A program that loads one module starts in half the time of one that loads a hundred.
import { spawnSync } from "node:child_process";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { rolldown } from "rolldown";

/**
 * `base.ts` is a part that can be loaded without the rest. `main.ts` is there where the package has a command, with
 * `worker.ts`, `checker.ts`, `webui.ts` and `stall-thread.ts` for its processes and threads; `testing.ts` where it has
 * contract suites for those who implement its extension points; `rpc.ts`, `proto.ts` and the like are subpaths of their
 * own.
 */
const entries = [
  "src/index.ts",
  "src/base.ts",
  "src/rpc.ts",
  "src/rpc-proto.ts",
  "src/proto.ts",
  "src/wire.ts",
  "src/main.ts",
  "src/worker.ts",
  "src/checker.ts",
  "src/stall-thread.ts",
  "src/webui.ts",
  "src/testing.ts",
].filter(existsSync);

rmSync("dist", { recursive: true, force: true });
const { status } = spawnSync("tsc", ["-p", "tsconfig.build.json", "--emitDeclarationOnly"], { stdio: "inherit" });
if (status !== 0) process.exit(status ?? 1);

const bundle = await rolldown({
  input: Object.fromEntries(entries.map((entry) => [basename(entry, ".ts"), entry])),
  platform: "node",
  // Other packages stay packages: a kind or a class must be the same one for all who import it.
  external: /^[^./]/,
});
// Comments are left out: they are a third of the text, and the types have them.
const { output } = await bundle.write({ dir: "dist", format: "esm", sourcemap: true, comments: false });
await bundle.close();

// Every process decodes the modules when it starts: as ASCII that is done at once, and takes half of the memory.
for (const { type, fileName, code } of output) {
  if (type === "chunk") writeFileSync(join("dist", fileName), code.replace(/[^\0-\x7f]/g, escaped));
}

/** As a string, a template and a regular expression may have it. */
function escaped(unit) {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
