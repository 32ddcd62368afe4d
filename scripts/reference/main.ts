// Writes the reference pages, the JSON Schema and the table of known signs, or compares those that are there with what
// it would write. usage: node scripts/reference.mjs [--check]

import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { format, resolveConfig } from "prettier";
import { Docstrings } from "./docstrings.ts";
import { loadEngine } from "./engine.ts";
import { configSchema } from "./json-schema.ts";
import { knownPackages } from "./known-packages.ts";
import { referencePages } from "./pages.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const pagesFolder = join(root, "docs", "reference");
const knownPackagesFile = join(root, "packages", "hemi", "src", "known-packages.ts");
const schemaFile = join(root, "docs", "hemi.schema.json");

const isCheck = process.argv.includes("--check");
const wanted = await makeFiles();
const stale = await staleFiles(wanted);
if (isCheck) {
  for (const file of stale) console.log(`${relative(root, file)} does not say what the sources say.`);
  if (stale.length > 0) {
    console.log("Run `node scripts/reference.mjs` (a second) and commit what it changes.");
    process.exitCode = 1;
  }
} else {
  for (const file of stale) {
    const text = wanted.get(file);
    await mkdir(dirname(file), { recursive: true });
    if (text === undefined) await rm(file);
    else await writeFile(file, text);
    console.log(`${text === undefined ? "removed" : "wrote"} ${relative(root, file)}`);
  }
}

/** All files by their paths. Ends the process if something has no docstring. */
async function makeFiles(): Promise<ReadonlyMap<string, string>> {
  const engine = await loadEngine(root);
  const docs = new Docstrings(root, engine);
  const pages = referencePages(engine, docs);
  const schema = configSchema(engine, docs);
  if (docs.problems.length > 0) {
    for (const problem of docs.problems) console.log(problem);
    console.log("Each of these needs a docstring, `/** … */` directly above it: users read it in docs/reference/.");
    process.exit(1);
  }
  const files = new Map<string, string>();
  for (const [name, text] of pages) files.set(join(pagesFolder, name), text);
  files.set(schemaFile, JSON.stringify(schema, undefined, 2));
  files.set(knownPackagesFile, knownPackages(engine));
  return new Map(await Promise.all([...files].map(prettify)));
}

async function prettify([file, text]: readonly [string, string]): Promise<readonly [string, string]> {
  return [file, await format(text, { ...(await resolveConfig(file)), filepath: file })];
}

/** The files that are not as they should be: other, missing, or of a component that is no more. */
async function staleFiles(wanted: ReadonlyMap<string, string>): Promise<readonly string[]> {
  const found = (await readdir(pagesFolder).catch(() => [])).map((name) => join(pagesFolder, name));
  const stale = new Set(found.filter((file) => !wanted.has(file)));
  for (const [file, text] of wanted) if ((await readFile(file, "utf8").catch(() => "")) !== text) stale.add(file);
  return [...stale].toSorted();
}
