// `pnpm new-contrib NAME`: makes packages/contrib-NAME from templates/contrib, with one handlet, and says what comes
// next.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { root } from "./workspace.mjs";

const template = join(root, "templates", "contrib");

/**
 * Makes the package in the workspace at `root` and returns its folder. Throws for a bad name, and for one that is
 * taken.
 */
export function newContrib(name, { root }) {
  if (!/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/.test(name)) {
    throw new Error(
      `"${name}" is no name for a package: it takes words in lower case, joined by "-", such as rate-table`,
    );
  }
  if (isTaken(signOf(name))) throw new Error(`"${signOf(name)}" is a word of the code that is made: take another name`);
  const folder = join(root, "packages", `contrib-${name}`);
  if (existsSync(folder)) throw new Error(`${folder} is there already`);
  for (const file of readdirSync(template, { recursive: true, withFileTypes: true })) {
    if (!file.isFile()) continue;
    const from = join(file.parentPath, file.name);
    const to = join(folder, from.slice(template.length)).replace(/hello(?=[^/]*$)/, name);
    mkdirSync(dirname(to), { recursive: true });
    writeFileSync(to, rename(readFileSync(from, "utf8"), name));
  }
  cpSync(join(root, "LICENSE"), join(folder, "LICENSE"));
  return folder;
}

/**
 * In file names and package names "hello" is the name as it is; everywhere else it is a word of code, and becomes
 * `rateTable`.
 */
function rename(text, name) {
  const sign = signOf(name);
  return text.replace(/(contrib-|\.\/|src\/)?hello/g, (_, before) => (before === undefined ? sign : before + name));
}

function signOf(name) {
  return name.replace(/-(.)/g, (_, letter) => letter.toUpperCase());
}

/** Is it a word of the language, or one that the template uses? */
function isTaken(sign) {
  if (["await", "pack", "prop", "defineHandlet"].includes(sign)) return true;
  try {
    new Function(`"use strict"; const ${sign} = 0;`);
    return false;
  } catch {
    return true;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [name = "", ...rest] = process.argv.slice(2);
  if (name === "" || name.startsWith("-") || rest.length > 0) {
    console.error("usage: pnpm new-contrib NAME        such as: pnpm new-contrib hello");
    process.exit(2);
  }
  try {
    newContrib(name, { root });
  } catch (error) {
    console.error(error.message);
    process.exit(1);
  }
  console.log(`packages/contrib-${name} is there, with one handlet to begin from. What comes next:

  pnpm install      links it; pnpm-lock.yaml is committed with it
  npm run setup     builds it, so that hemi serve --use @hemi/contrib-${name} finds it
  vitest run packages/contrib-${name}
  pnpm reference    writes its pages in docs/reference/, and its signs into the table of those that are known
  pnpm changeset    asks what users will see

The package itself belongs into the tables of README.md and ARCHITECTURE.md. CONTRIBUTING.md tells more.`);
}
