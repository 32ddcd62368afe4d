// The ESLint rule `hemi/rooms`: imports between files of packages/internal/src go down only, types too (rooms.mjs).
import { dirname, join, relative, resolve, sep } from "node:path";
import { root } from "../workspace.mjs";
import { eachImport } from "./each-import.mjs";
import { exceptions, roomOf, whyNot } from "./rooms.mjs";

const house = join(root, "packages", "internal", "src");

export const roomsRule = {
  meta: { type: "problem", schema: [], docs: { description: "Imports between the rooms of the core go down only." } },
  create(context) {
    const from = inHouse(context.filename);
    // Tests and their kits look at everything.
    if (from === undefined || from.endsWith(".test.ts") || roomOf(from) === "testing") return {};
    const unused = new Set([...exceptions.keys()].filter((arrow) => arrow.startsWith(`${from} `)));

    return {
      ...eachImport((node, specifier) => {
        const to = specifier.startsWith(".") ? inHouse(resolve(dirname(context.filename), specifier)) : undefined;
        const problem = to === undefined ? undefined : whyNot(from, to);
        if (problem === undefined) return;
        if (exceptions.has(`${from} ${to}`)) unused.delete(`${from} ${to}`);
        else context.report({ node, message: problem });
      }),
      "Program:exit"(node) {
        for (const arrow of unused) {
          const message = `Nothing needs the exception "${arrow}" any more: delete it from scripts/lint/rooms.mjs.`;
          context.report({ node, message });
        }
      },
    };
  },
};

/** The path of a file in the house, with `/`; undefined for others. */
function inHouse(filename) {
  const path = relative(house, filename);
  return path.startsWith("..") ? undefined : path.split(sep).join("/");
}
