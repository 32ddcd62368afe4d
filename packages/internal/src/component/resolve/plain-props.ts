// The props of a component as plain data, which is equal exactly if the props are.

import type { ResolvedComponent } from "./resolved.ts";

/** What is not set and has no default is left out. References are names here; what they point to is compared on its own. */
export function plainProps({ definition, props }: ResolvedComponent): Readonly<Record<string, unknown>> {
  const plain: Record<string, unknown> = {};
  for (const [name, { type }] of Object.entries(definition?.props ?? {})) {
    const value = props[name];
    if (value !== undefined) plain[name] = type.plain ? type.plain(value) : value;
  }
  return plain;
}
