// Builds the package in the working directory: types from src/ to dist/ by tsc, and for each entry one module by
// rolldown. A program that loads one module starts in half the time of one that loads a hundred.
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { rolldown } from "rolldown";

/** Each module that package.json exports, and the module of its command. */
const { exports = {}, bin } = JSON.parse(readFileSync("package.json", "utf8"));
const exported = Object.values(exports).flatMap((target) => target["@hemi/source"] ?? []);
const entries = bin === undefined ? exported : [...exported, "./src/main.ts"];

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
