// Builds the package in the working directory: types from src/ to dist/ by tsc, and for each entry one module by
// rolldown. A program that loads one module starts in half the time of one that loads a hundred.
import { spawnSync } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { basename } from "node:path";
import { rolldown } from "rolldown";

/**
 * `base.ts` is a part that can be loaded without the rest. `main.ts` is there where the package has a command, with
 * `worker.ts`, `checker.ts` and `stall-thread.ts` for its processes and threads; `testing.ts` where it has contract
 * suites for those who implement its extension points.
 */
const entries = [
  "src/index.ts",
  "src/base.ts",
  "src/proto.ts",
  "src/wire.ts",
  "src/main.ts",
  "src/worker.ts",
  "src/checker.ts",
  "src/stall-thread.ts",
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
await bundle.write({ dir: "dist", format: "esm", sourcemap: true });
await bundle.close();
