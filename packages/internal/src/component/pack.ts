// A pack: what a package gives to a stage.

import type { Definition } from "./definition.ts";

/**
 * A list of definitions under the name of their package: what `use` of the boot functions,
 * and `--use` of the command take.
 */
export interface Pack<Definitions extends readonly Definition[] = readonly Definition[]> {
  /** The package's name, for messages: `@hemi/contrib-handlets`. */
  readonly name: string;
  /** Each sign once. */
  readonly definitions: Definitions;
}

/** Declares a pack; signs, kinds and schemas of its definitions stay known to the types. */
export function pack<const Definitions extends readonly Definition[]>(
  name: string,
  definitions: Definitions,
): Pack<Definitions> {
  return { name, definitions };
}

/** Whether something that a module exports can be used as a pack. */
export function isPack(value: unknown): value is Pack {
  if (typeof value !== "object" || value === null) return false;
  return (
    "name" in value && typeof value.name === "string" && "definitions" in value && Array.isArray(value.definitions)
  );
}
