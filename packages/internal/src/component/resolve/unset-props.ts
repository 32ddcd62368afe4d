// The values of props that components do not set themselves: inherited ones and defaults.

import type { Definition } from "../definition.ts";
import type { Place } from "./place.ts";

/**
 * Siblings of one definition share these values: of thousands of rules, the first one reads them. Contains only valid
 * values that do not depend on the component itself, as references do.
 */
export class UnsetProps {
  readonly #byOwner = new Map<Place | undefined, Map<Definition, UnsetValues>>();

  /** The known values for the components of a definition directly in `owner`. The caller adds those that it reads. */
  in(owner: Place | undefined, definition: Definition): UnsetValues {
    const byDefinition = this.#byOwner.get(owner) ?? new Map<Definition, UnsetValues>();
    this.#byOwner.set(owner, byDefinition);
    const values = byDefinition.get(definition) ?? new Map<string, unknown>();
    byDefinition.set(definition, values);
    return values;
  }
}

/** By the name of the prop; `undefined` for a prop without a default. */
type UnsetValues = Map<string, unknown>;
