// What a component that lives on takes with it into the next generation: the values that its part uses.

import type { Pair } from "./difference.ts";

/**
 * Puts into `after`, which nothing uses yet, the very values of `before` wherever they are equal, reference slots included: the part goes on with
 * them, and the next reload finds its slots there. `changed` are the props with new values, whose slots are new ones.
 */
export function carryOver({ before, after }: Pair, changed: ReadonlySet<string>): void {
  const props: Record<string, unknown> = { ...after.props };
  for (const [name, value] of Object.entries(before.props)) if (!changed.has(name)) props[name] = value;
  const held = Map.groupBy(before.references, ({ prop }) => prop);
  const taken = new Map<string, number>();
  const references = after.references.map((reference) => {
    const { prop, target } = reference;
    if (changed.has(prop)) return reference;
    const index = taken.get(prop) ?? 0;
    taken.set(prop, index + 1);
    const slot = held.get(prop)?.[index]?.slot ?? reference.slot;
    return { prop, slot, target };
  });
  Object.assign(after, { props, references });
}
