// A pack: the definitions that a package provides.

import type { Definition } from "./definition.ts";

/**
 * A list of definitions with the name of their package. The boot functions take packs in `use`, the command in `--use`.
 */
export interface Pack<Definitions extends readonly Definition[] = readonly Definition[]> {
  /** The package's name, for messages: `@hemi/contrib-handlets`. */
  readonly name: string;
  /** Each sign occurs once. */
  readonly definitions: Definitions;
}

/** Declares a pack. The types keep the signs, kinds and schemas of its definitions. */
export function pack<const Definitions extends readonly Definition[]>(
  name: string,
  definitions: Definitions,
): Pack<Definitions> {
  return { name, definitions };
}

/** Whether a module's export can be used as a pack. */
export function isPack(value: unknown): value is Pack {
  if (typeof value !== "object" || value === null) return false;
  return (
    "name" in value && typeof value.name === "string" && "definitions" in value && Array.isArray(value.definitions)
  );
}
