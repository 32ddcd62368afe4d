// The table of known signs: whoever uses a sign without its package is told the package's name.

import type { Engine } from "./engine.ts";

/** `packages/hemi/src/known-packages.ts`: the signs of all contrib packages, those of the standard pack among them. */
export function knownPackages({ components }: Engine): string {
  const contribs = components.filter(({ packageName }) => packageName.startsWith("@hemi/contrib-"));
  const rows = contribs.flatMap(({ definition: { sign, aliases = [] }, packageName }) =>
    [sign, ...aliases].map((word) => `  [${JSON.stringify(word)}, ${JSON.stringify(packageName)}],`),
  );
  return `// Written by \`pnpm reference\` from the packs of the contrib packages.

/** From the signs of components to the packages that have them. */
export const knownPackages: ReadonlyMap<string, string> = new Map([
${rows.join("\n")}
]);
`;
}
