// Signs of components that are installed on their own: an unknown sign in a configuration then names the package that has it.

/** Sign to package. */
export const knownPackages: ReadonlyMap<string, string> = new Map([["favicon", "@hemi/contrib-handlets"]]);
