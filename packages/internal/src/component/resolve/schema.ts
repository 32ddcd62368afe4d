// The props of a definition, in forms that are fast to look up for each component.

import type { Definition } from "../definition.ts";
import type { Prop } from "../props/prop-type.ts";

export interface Schema {
  readonly props: readonly (readonly [name: string, prop: Prop])[];
  /** Maps each spelling to the prop's current name. */
  readonly names: ReadonlyMap<string, string>;
}

const schemas = new WeakMap<Definition, Schema>();

/** Computed once for each definition: a configuration may contain thousands of its components. */
export function schemaOf(definition: Definition): Schema {
  const known = schemas.get(definition);
  if (known !== undefined) return known;
  const props = Object.entries(definition.props ?? {});
  const aliases = props.flatMap(([name, prop]) => prop.aliases.map((alias) => [alias, name] as const));
  const names = new Map([...aliases, ...props.map(([name]) => [name, name] as const)]);
  const schema = { props, names };
  schemas.set(definition, schema);
  return schema;
}
