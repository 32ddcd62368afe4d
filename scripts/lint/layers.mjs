// The arrows between the packages: who may import whom. They only ever point down.

/**
 * Each layer with the layers that it may use. A contrib may not use another contrib; a private package (the prototype
 * program, the benchmarks) may use anything.
 */
export const arrows = {
  common: [],
  "rpc-client": ["common"],
  internal: ["common"],
  contrib: ["internal", "common"],
  hemi: ["internal", "contrib", "common"],
  procman: ["hemi", "common"],
};

const reasons = {
  common: "@hemi/common would make sense in a project without Hemi, so it imports nothing of Hemi",
  "rpc-client":
    "@hemi/rpc-client runs in browsers: it uses what both ends of RPC share, @hemi/common/rpc, and nothing else",
  internal: "@hemi/internal is the core: it stands on @hemi/common alone",
  contrib:
    "a contrib is what anyone could have written: it uses the public entry of @hemi/internal and @hemi/common, no other contrib",
  hemi: "@hemi/hemi is the face: it gathers @hemi/internal and the contribs, and knows nothing of the programs above",
  procman: "@hemi/procman runs programs, so it uses what a program may use: @hemi/hemi and @hemi/common",
};

/** Why a package may not use another (names like `@hemi/internal`), or undefined where it may. */
export function whyNot(from, to) {
  const layer = layerOf(from);
  if (from === to || layer === undefined || arrows[layer].includes(layerOf(to))) return undefined;
  return `${from} must not use ${to}: ${reasons[layer]}.`;
}

/** The layer of a package's name; undefined for a private one, whose arrows are free. */
function layerOf(name) {
  if (name.startsWith("@hemi/contrib-")) return "contrib";
  return Object.keys(arrows).find((layer) => name === `@hemi/${layer}`);
}
