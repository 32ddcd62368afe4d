// Written by `pnpm reference` from the packs of the contrib packages.

/** From the signs of components to the packages that have them. */
export const knownPackages: ReadonlyMap<string, string> = new Map([
  ["fetchHandlet", "@hemi/contrib-apps"],
  ["nodeHandlet", "@hemi/contrib-apps"],
  ["accessChecker", "@hemi/contrib-handlets"],
  ["basicAuth", "@hemi/contrib-handlets"],
  ["cors", "@hemi/contrib-handlets"],
  ["favicon", "@hemi/contrib-handlets"],
  ["health", "@hemi/contrib-handlets"],
  ["hostnameChecker", "@hemi/contrib-handlets"],
  ["httpsChecker", "@hemi/contrib-handlets"],
  ["limiter", "@hemi/contrib-handlets"],
  ["metrics", "@hemi/contrib-handlets"],
  ["refererChecker", "@hemi/contrib-handlets"],
  ["rewriter", "@hemi/contrib-handlets"],
  ["otel", "@hemi/contrib-otel"],
  ["gzip", "@hemi/contrib-revisers"],
  ["gunzip", "@hemi/contrib-revisers"],
  ["head", "@hemi/contrib-revisers"],
  ["wrap", "@hemi/contrib-revisers"],
  ["replace", "@hemi/contrib-revisers"],
  ["ssi", "@hemi/contrib-revisers"],
]);
