// Finds for the children of a component those that they were in the configuration before.

import type { Steps } from "@hemi/common";
import type { Equality } from "./equality.ts";
import { plainProps } from "./resolve/plain-props.ts";
import type { ResolvedComponent } from "./resolve/resolved.ts";

/** How new siblings are compared with the old ones. */
export interface Pairing {
  /** From new ones to old ones. */
  readonly partners: ReadonlyMap<ResolvedComponent, ResolvedComponent>;
  /** Those new ones that are equal to their partner: of many thousand rules, all but a few. */
  readonly equal: ReadonlySet<ResolvedComponent>;
}

/** Named siblings by sign and name; unnamed ones by equal content first, in order, then by position. */
export function* pairUp(
  before: readonly ResolvedComponent[],
  after: readonly ResolvedComponent[],
  equality: Equality,
): Steps<Pairing> {
  const partners = new Map<ResolvedComponent, ResolvedComponent>();
  const equal = new Set<ResolvedComponent>();
  /** Pairs them if they are obviously the same. */
  const pair = (old: ResolvedComponent | undefined, now: ResolvedComponent | undefined): boolean => {
    if (old === undefined || now === undefined) return false;
    if (old.sign !== now.sign || old.name !== now.name) return false;
    if (now.name === "") {
      if (!equality.areEqual(old, now)) return false;
      equal.add(now);
    }
    partners.set(now, old);
    return true;
  };
  // Most changes leave nearly all siblings in their places: from both ends, they are compared without keys.
  let start = 0;
  while (pair(before[start], after[start])) {
    start++;
    yield;
  }
  let [oldEnd, newEnd] = [before.length, after.length];
  while (oldEnd > start && newEnd > start && pair(before[oldEnd - 1], after[newEnd - 1])) {
    oldEnd--;
    newEnd--;
    yield;
  }
  const unpaired = new Set(before.slice(start, oldEnd));
  const rest = after.slice(start, newEnd);
  for (const component of [...unpaired, ...rest]) {
    if (component.name === "") content(component);
    yield;
  }
  pairByKey(unpaired, rest, partners, (component) =>
    component.name === "" ? content(component) : identity(component),
  );
  for (const component of rest) {
    const partner = partners.get(component);
    if (partner === undefined || component.name !== "") continue;
    if (partner.definition === component.definition) equal.add(component);
  }
  pairByKey(unpaired, rest, partners, identity);
  return { partners, equal };
}

/** Pairs those with equal keys, in order. */
function pairByKey(
  unpaired: Set<ResolvedComponent>,
  rest: readonly ResolvedComponent[],
  partners: Map<ResolvedComponent, ResolvedComponent>,
  keyOf: (component: ResolvedComponent) => string,
): void {
  const byKey = Map.groupBy(unpaired, keyOf);
  const taken = new Map<string, number>();
  for (const component of rest) {
    if (partners.has(component)) continue;
    const key = keyOf(component);
    const place = taken.get(key) ?? 0;
    const partner = byKey.get(key)?.[place];
    if (partner === undefined) continue;
    taken.set(key, place + 1);
    partners.set(component, partner);
    unpaired.delete(partner);
  }
}

function identity({ sign, name }: ResolvedComponent): string {
  return `${sign} ${name}`;
}

/** A text that is equal for two components exactly if they are equal with all their descendants. */
function content(component: ResolvedComponent): string {
  const known = contents.get(component);
  if (known !== undefined) return known;
  const { sign, name, condition, children } = component;
  const text = JSON.stringify([sign, name, condition, plainProps(component), children.map(content)]);
  contents.set(component, text);
  return text;
}

/** What was worked out before: the next reload compares the same components once more. */
const contents = new WeakMap<ResolvedComponent, string>();
