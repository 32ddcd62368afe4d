// The props of a component as plain data, which is equal exactly if the props are equal.

import type { ResolvedComponent } from "./resolved.ts";

/**
 * Unset props without a default are omitted. References are represented by names; their targets are compared
 * separately.
 */
export function plainProps({ definition, props }: ResolvedComponent): Readonly<Record<string, unknown>> {
  const plain: Record<string, unknown> = {};
  for (const [name, { type }] of Object.entries(definition?.props ?? {})) {
    const value = props[name];
    if (value !== undefined) plain[name] = type.plain ? type.plain(value) : value;
  }
  return plain;
}
