// A component as the configuration wants it: every prop is read and checked, nothing is created yet.

import type { SourceSpan } from "../../config/spec.ts";
import type { Condition } from "../condition.ts";
import type { Definition } from "../definition.ts";
import type { ReferenceSlot } from "../reference-slot.ts";

export interface ResolvedComponent {
  /** For the stage: the definition of its settings, if any. */
  readonly definition: Definition | undefined;
  /** The definition's current sign, whichever alias the configuration uses; `stage` for the stage. */
  readonly sign: string;
  /** "" if it has none. */
  readonly name: string;
  /** "" for the stage. */
  readonly path: string;
  readonly condition: Condition | undefined;
  /** A value for every prop of the definition; `undefined` if it is not set and has no default. */
  readonly props: Readonly<Record<string, unknown>>;
  /** The references in the values of the props, at any depth. */
  readonly references: readonly ResolvedReference[];
  /** In the order of the text. */
  readonly children: readonly ResolvedComponent[];
  readonly span: SourceSpan;
  /**
   * Where the value of a prop comes from: the prop as it is set here, or further out and inherited; the sign where it
   * is not set.
   */
  placeOf(prop: string): PropPlace;
}

/** A place in the configuration, for errors. */
export interface PropPlace {
  readonly span: SourceSpan;
  /** Of the component that sets the prop: stands in for the position where the source is a TypeScript object. */
  readonly path: string;
}

export interface ResolvedReference {
  /** The prop that contains it. */
  readonly prop: string;
  readonly slot: ReferenceSlot;
  readonly target: ResolvedComponent;
}
