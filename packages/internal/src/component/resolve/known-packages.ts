// Signs of components that are installed on their own: an unknown sign in a configuration then names the package that has it.

const apps = "@hemi/contrib-apps";
const handlets = "@hemi/contrib-handlets";
const revisers = "@hemi/contrib-revisers";

/** Sign to package. */
export const knownPackages: ReadonlyMap<string, string> = new Map([
  ["accessChecker", handlets],
  ["basicAuth", handlets],
  ["cors", handlets],
  ["favicon", handlets],
  ["hostnameChecker", handlets],
  ["httpsChecker", handlets],
  ["limiter", handlets],
  ["refererChecker", handlets],
  ["rewriter", handlets],
  ["gunzip", revisers],
  ["gzip", revisers],
  ["head", revisers],
  ["replace", revisers],
  ["ssi", revisers],
  ["wrap", revisers],
  ["fetchHandlet", apps],
  ["nodeHandlet", apps],
]);
