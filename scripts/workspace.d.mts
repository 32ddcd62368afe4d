// The types of workspace.mjs, for the scripts in TypeScript.

interface WorkspacePackage {
  /** Relative to the root. */
  readonly folder: string;
  readonly path: string;
  readonly manifest: { readonly name: string; readonly private?: boolean };
}

export const root: string;
export function packages(): readonly WorkspacePackage[];
export function publicPackages(): readonly WorkspacePackage[];
