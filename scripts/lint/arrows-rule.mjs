// The ESLint rule `hemi/arrows`: an import must follow the arrows between the packages (layers.mjs).
import { dirname, relative, resolve, sep } from "node:path";
import { root } from "../workspace.mjs";
import { eachImport } from "./each-import.mjs";
import { whyNot } from "./layers.mjs";

export const arrowsRule = {
  meta: { type: "problem", schema: [], docs: { description: "Imports follow the arrows between the packages." } },
  create(context) {
    const from = packageOf(context.filename);
    if (from === undefined) return {};

    return eachImport((node, specifier) => {
      const problem = problemOf(from, context.filename, specifier);
      if (problem !== undefined) context.report({ node, message: problem });
    });
  },
};

function problemOf(from, filename, specifier) {
  if (specifier.startsWith(".")) {
    const to = packageOf(resolve(dirname(filename), specifier));
    if (to === from) return undefined;
    return `"${specifier}" leaves the package: import another package by its name, which is its public entry.`;
  }
  const [, to, rest] = /^(@hemi\/[^/]+)(\/.+)?$/.exec(specifier) ?? [];
  if (to === undefined) return undefined;
  if (to === from) return `"${specifier}" is this very package: import the file itself by a relative path.`;
  if (/^\/(src|dist)\//.test(rest ?? "")) return `"${specifier}" goes past the public entry of ${to}: import "${to}".`;
  return whyNot(from, to);
}

/** The name of the package in whose folder a file stands: the folder `packages/x` is `@hemi/x`. */
function packageOf(filename) {
  const [parent, folder] = relative(root, filename).split(sep);
  return parent === "packages" && folder !== undefined ? `@hemi/${folder}` : undefined;
}
