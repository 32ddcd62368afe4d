// Check: no circle of imports between files, and no import of a package that the importing package does not declare.
// usage: node scripts/checks/imports.mjs
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { packages, root } from "../workspace.mjs";

/** The circles in a graph (a map from file to the files that it imports), each as a path that ends where it began. */
export function circles(graph) {
  const found = [];
  const state = new Map(); // file → "open" while its imports are walked, "done" after
  const path = [];

  function visit(file) {
    state.set(file, "open");
    path.push(file);
    for (const next of graph.get(file) ?? []) {
      if (state.get(next) === "open") found.push([...path.slice(path.indexOf(next)), next]);
      else if (!state.has(next)) visit(next);
    }
    path.pop();
    state.set(file, "done");
  }

  for (const file of graph.keys()) if (!state.has(file)) visit(file);
  return found;
}

/** The specifiers that a file imports, those of types included: a circle of types is a circle too. */
function importsOf(file) {
  return ts.preProcessFile(readFileSync(file, "utf8")).importedFiles.map(({ fileName }) => fileName);
}

function sourcesOf(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => join(folder, file));
}

/** The package of a specifier: `lru-cache` of `lru-cache/raw`, `@hemi/common` of itself. */
function packageName(specifier) {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

/**
 * What a file may import: the package's dependencies, and in tests and their kits, which are not published, what these
 * need too.
 */
function mayImport(file, specifier, declared) {
  const isForTests = file.endsWith(".test.ts") || file.split(sep).includes("testing");
  return isForTests || isBuiltin(specifier) || declared.has(packageName(specifier));
}

function check() {
  const problems = [];
  const graph = new Map();
  for (const { path, manifest } of packages()) {
    const declared = new Set(Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }));
    for (const file of [...sourcesOf(join(path, "src")), ...sourcesOf(join(path, "e2e"))]) {
      const imports = importsOf(file);
      graph.set(
        file,
        imports.filter((specifier) => specifier.startsWith(".")).map((specifier) => resolve(dirname(file), specifier)),
      );
      for (const specifier of manifest.private ? [] : imports.filter((specifier) => !specifier.startsWith("."))) {
        if (mayImport(file, specifier, declared)) continue;
        problems.push(`${relative(root, file)} imports "${specifier}", which ${manifest.name} does not depend on.`);
      }
    }
  }
  for (const circle of circles(graph)) {
    problems.push(`A circle of imports:\n${circle.map((file) => `    ${relative(root, file)}`).join("\n")}`);
  }
  return problems;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const problems = check();
  for (const problem of problems) console.log(problem);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
