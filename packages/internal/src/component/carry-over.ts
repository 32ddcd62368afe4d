// Carries the prop values of a kept component over to the next generation.

import type { Pair } from "./difference.ts";

/**
 * Replaces equal values in `after`, which is not in use yet, with the values of `before` themselves, including
 * reference slots. The part continues to use them, and the next reload finds its slots there. `changed` lists the props
 * with new values; their slots are new.
 */
export function carryOver({ before, after }: Pair, changed: ReadonlySet<string>): void {
  if (changed.size === 0 && after.references.length === 0) {
    Object.assign(after, { props: before.props });
    return;
  }
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
