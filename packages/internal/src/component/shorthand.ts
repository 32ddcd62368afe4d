// What a configuration may leave out or write short, because a definition says what stands for it.

import type { ComponentSpec } from "../config/spec.ts";

/**
 * Gives a component as it would be written in full: it is called for each component of the definition, before props are
 * read and references are
 * followed, so that all that comes later (checks, reloads, `hemi explain`) sees the long form only. Returns the spec
 * itself where nothing is to be done.
 */
export type Shorthand = (spec: ComponentSpec, scope: ShorthandScope) => ComponentSpec;

/** The stage, as far as a shorthand may see and change it. */
export interface ShorthandScope {
  /** The names of the components of a kind that the configuration has in the stage, in the order of the text. */
  names(kind: string): readonly string[];
  /** Adds a component to the stage, unless one with its sign and name was added already. */
  add(spec: ComponentSpec & { readonly name: string }): void;
}
