// What to do about a module that cannot be loaded, for the mistakes that are made most.

import { findPackageJSON } from "node:module";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { missingFile } from "./missing-file.ts";

/** `reason` is the message of Node.js, `file` the module that it is about. Returns `undefined` for other mistakes. */
export async function moduleFix(reason: string, file: string): Promise<string | undefined> {
  return fixForFormat(reason, file) ?? fixForSyntax(reason) ?? (await fixForImport(reason));
}

/** ESM syntax in a package declared as CommonJS, which `npm init` creates, and the reverse. */
function fixForFormat(reason: string, file: string): string | undefined {
  if (!/\.[jt]s$/.test(file)) return undefined;
  const named = (letter: string) => `name the file ${basename(file).replace(/([jt]s)$/, `${letter}$1`)}`;
  if (reason.includes(" is not defined in ES module scope")) {
    return `${named("c")}, or write it as an ES module: import … from, export default`;
  }
  const isModule = /outside a module|Unexpected token 'export'|import\.meta|await is only valid/.test(reason);
  if (!isModule) return undefined;
  const manifest = findPackageJSON(pathToFileURL(file).href);
  return manifest === undefined
    ? named("m")
    : `set "type": "module" in ${manifest} (npm pkg set type=module), or ${named("m")}`;
}

function fixForSyntax(reason: string): string | undefined {
  if (reason.includes('needs an import attribute of "type: json"'))
    return 'write import … from "…" with { type: "json" }';
  if (!reason.includes("not supported in strip-only mode")) return undefined;
  return "Node.js only removes types, and compiles nothing: erasableSyntaxOnly in tsconfig.json finds such syntax";
}

/** Imports name files whole. TypeScript lets them name what its compiler would write: `./lib.js` for `lib.ts`. */
async function fixForImport(reason: string): Promise<string | undefined> {
  const [, found] = /^(?:Cannot find module|Directory import) '([^']+)' .*imported from /.exec(reason) ?? [];
  if (found === undefined) return undefined;
  const missing = found.startsWith("file:") ? fileURLToPath(found) : found;
  const extensions = ["ts", "js", "mts", "mjs"];
  const candidates = [
    ...(/\.[cm]?js$/.test(missing) ? [missing.replace(/js$/, "ts")] : []),
    ...extensions.map((extension) => `${missing}.${extension}`),
    ...extensions.map((extension) => join(missing, `index.${extension}`)),
  ];
  for (const candidate of candidates) {
    if ((await missingFile(candidate)) !== undefined) continue;
    return `an import names its file whole: write …/${relative(dirname(missing), candidate)}`;
  }
  return undefined;
}
