// Check: the packages' dependencies follow the arrows, their manifests agree, the documentation lists them, and the
// lock file names no host.
// usage: node scripts/checks/manifests.mjs
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { whyNot } from "../lint/layers.mjs";
import { packages, root } from "../workspace.mjs";

/** What is wrong with the arrows of one manifest. Tools for development count too: they make circles of builds. */
export function brokenArrows(manifest) {
  const fields = ["dependencies", "peerDependencies", "optionalDependencies", "devDependencies"];
  const used = new Set(fields.flatMap((field) => Object.keys(manifest[field] ?? {})));
  return [...used]
    .filter((name) => name.startsWith("@hemi/"))
    .map((name) => whyNot(manifest.name, name))
    .filter((problem) => problem !== undefined);
}

/** The documents that list all packages, by their links or folders, and which of the contribs each of them lacks. */
export function unlisted(contribs, documents) {
  return Object.entries(documents).flatMap(([file, text]) =>
    contribs
      .filter((folder) => !new RegExp(`${folder}(?![\\w-])`).test(text))
      .map((folder) => `${file} does not list ${folder}: add a line to its table of packages.`),
  );
}

function check() {
  const problems = [];
  const engines = packages()[0].manifest.engines.node;
  for (const { folder, manifest } of packages()) {
    const say = (text) => problems.push(`${folder}/package.json: ${text}`);
    for (const problem of brokenArrows(manifest)) say(problem);
    const isPackage = folder.startsWith("packages/");
    if (isPackage && manifest.name !== folder.replace("packages", "@hemi")) {
      say(`the folder and the name ${manifest.name} do not agree.`);
    }
    if (isPackage && manifest.engines?.node !== engines)
      say(`"engines" asks for another Node than the other packages (${engines}).`);
    for (const [name, range] of Object.entries(manifest.dependencies ?? {})) {
      if (name.startsWith("@hemi/") && !range.startsWith("workspace:")) say(`${name} must be "workspace:…".`);
    }
  }
  const contribs = packages()
    .map(({ folder }) => folder)
    .filter((folder) => folder.startsWith("packages/contrib-"));
  const documents = ["README.md", "ARCHITECTURE.md"].map((file) => [file, readFileSync(join(root, file), "utf8")]);
  problems.push(...unlisted(contribs, Object.fromEntries(documents)));
  // The registry is each machine's own choice; a host in the lock file would make it everybody's.
  const host = /https?:\/\/\S+/.exec(readFileSync(join(root, "pnpm-lock.yaml"), "utf8"));
  if (host !== null) problems.push(`pnpm-lock.yaml names a host: ${host[0]}`);
  return problems;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const problems = check();
  for (const problem of problems) console.log(problem);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
