// The ESLint rule `hemi/names`: no file or folder is named for nothing in particular.
import { relative, sep } from "node:path";
import { root } from "../workspace.mjs";

const emptyNames = new Set(["util", "utils", "utilities", "helper", "helpers", "misc", "common2", "stuff"]);

export const namesRule = {
  meta: { type: "suggestion", schema: [], docs: { description: "A file is named for its one idea." } },
  create(context) {
    return {
      Program(node) {
        const words = relative(root, context.filename)
          .split(sep)
          .flatMap((segment) => segment.toLowerCase().split(/[.\-_]/));
        const empty = words.find((word) => emptyNames.has(word));
        if (empty === undefined) return;
        context.report({
          node,
          message: `"${empty}" names nothing: a file and its folder are named for the one idea that they hold.`,
        });
      },
    };
  },
};
