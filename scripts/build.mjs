// Builds the package in the working directory: types from src/ to dist/ by tsc, and modules by rolldown: as few as
// possible. A program that loads one module starts in half the time of one that loads a hundred.
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { rolldown } from "rolldown";

const { exports = {}, bin } = JSON.parse(readFileSync("package.json", "utf8"));
const targets = Object.values(exports).filter((target) => target["@hemi/source"] !== undefined);
/** What is imported. One process may load several of them, which share their classes. */
const libraries = targets.filter(({ types }) => types !== undefined).map((target) => target["@hemi/source"]);
if (bin !== undefined) libraries.push("./src/main.ts");
/** What a process or a thread is started with: each has all of its code in one module. */
const programs = targets.filter(({ types }) => types === undefined).map((target) => target["@hemi/source"]);

rmSync("dist", { recursive: true, force: true });
const { status } = spawnSync("tsc", ["-p", "tsconfig.build.json", "--emitDeclarationOnly"], { stdio: "inherit" });
if (status !== 0) process.exit(status ?? 1);

await build(libraries);
for (const program of programs) await build([program]);

async function build(entries) {
  /** By module: the entries that import it, directly or not. What they load later is not among them. */
  const users = new Map();
  const bundle = await rolldown({
    input: Object.fromEntries(entries.map((entry) => [basename(entry, ".ts"), entry])),
    platform: "node",
    // Other packages stay packages: a kind or a class must be the same one for all who import it.
    external: /^[^./]/,
    preserveEntrySignatures: "allow-extension",
    plugins: [{ name: "users", buildEnd: collectUsers }],
  });
  // By default, what is loaded later splits what is loaded at once: each set of modules in common is a chunk.
  const groups = [{ debugName: "users", name: (module) => users.get(module)?.join("-") ?? null }];
  const codeSplitting = { includeDependenciesRecursively: false, groups };
  // Comments are left out: they are a third of the text, and the types have them.
  const { output } = await bundle.write({
    dir: "dist",
    format: "esm",
    sourcemap: true,
    comments: false,
    codeSplitting,
  });
  await bundle.close();
  for (const chunk of output) if (chunk.type === "chunk") finish(chunk);

  /** Where nothing is loaded later, the chunks are few as they are. */
  function collectUsers() {
    if (![...this.getModuleIds()].some((module) => isSplit(this.getModuleInfo(module)))) return;
    for (const entry of entries) {
      for (const imported of this.getModuleInfo(resolve(entry)).importedIds)
        visit(this, imported, basename(entry, ".ts"));
    }
  }

  function visit(graph, module, entry) {
    const known = users.get(module) ?? [];
    // Those of other packages have no code here.
    if (known.includes(entry) || !graph.getModuleInfo(module)?.code) return;
    users.set(module, [...known, entry]);
    for (const imported of graph.getModuleInfo(module).importedIds) visit(graph, imported, entry);
  }
}

function isSplit({ dynamicallyImportedIds }) {
  return dynamicallyImportedIds.some((id) => id.startsWith("/"));
}

/** Every process decodes the modules when it starts: as ASCII that is done at once, and takes half of the memory. */
function finish({ fileName, code, isEntry }) {
  // A package without side effects loses what is there for them alone.
  if (isEntry && /^export \{\};\s*$/.test(code)) throw new Error(`dist/${fileName} would be empty`);
  writeFileSync(join("dist", fileName), code.replace(/[^\0-\x7f]/g, escaped));
}

/** As a string, a template and a regular expression may have it. */
function escaped(unit) {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
