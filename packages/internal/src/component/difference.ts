// Computes the difference between two configurations, as data for a reload.

import { finish, type Steps } from "@hemi/common";
import { areConditionsEqual, Equality } from "./equality.ts";
import { pairUp } from "./pairing.ts";
import type { ReferenceSlot } from "./reference-slot.ts";
import type { ResolvedComponent } from "./resolve/resolved.ts";
import { schemaOf } from "./resolve/schema.ts";

/** A component of both configurations: `before` is running, `after` is wanted. */
export interface Pair {
  readonly before: ResolvedComponent;
  readonly after: ResolvedComponent;
}

/**
 * Each component of the old configuration is in exactly one of `kept`, `updated` and `dropped`. Each component of the
 * new configuration is in exactly one of `kept`, `updated` and `created`. The lists follow the text, owners before
 * their children.
 *
 * - **Identity.** Two components are the same if their owners are the same and their signs and names are equal. Unnamed
 *   siblings with the same sign are paired by equal content first (props, condition, all descendants), in order; the
 *   rest by position.
 * - **Equality.** Components are equal if they have the same definition, the same condition and the same resolved
 *   props, whether set, inherited or by default.
 * - If only live props change, the component is `updated`. After any other change, the old component is dropped and a
 *   new one is created.
 * - **Owners.** If a component is created anew, so are all its descendants: no part outlives its owner. If a component
 *   has different children, or the same ones in another order, it is kept but `recomposed`.
 * - **References.** A change of a component does not change the components that refer to it. If a reference now points
 *   to another component, it is `relinked`, and `current` returns the new one from then on.
 */
export interface Difference {
  readonly kept: readonly Pair[];
  readonly updated: readonly (Pair & {
    /** The names of the live props with new values; the values are those of `after`. */
    readonly changed: ReadonlySet<string>;
  })[];
  readonly created: readonly ResolvedComponent[];
  readonly dropped: readonly ResolvedComponent[];
  /** Components in `kept` and `updated` whose children changed. */
  readonly recomposed: readonly Pair[];
  /** References held by components in `kept` and `updated`, each with its target in the new configuration. */
  readonly relinked: readonly { readonly slot: ReferenceSlot; readonly target: ResolvedComponent }[];
}

/** Compares two stages. Pure: changes neither. */
export function difference(before: ResolvedComponent, after: ResolvedComponent): Difference {
  return finish(differenceSteps(before, after));
}

/** The same, for stages that serve while they compare thousands of components. */
export function* differenceSteps(before: ResolvedComponent, after: ResolvedComponent): Steps<Difference> {
  const comparison = new Comparison();
  yield* comparison.compareChildren({ before, after });
  comparison.relink();
  return comparison;
}

class Comparison implements Difference {
  readonly kept: Pair[] = [];
  readonly updated: (Pair & { readonly changed: ReadonlySet<string> })[] = [];
  readonly created: ResolvedComponent[] = [];
  readonly dropped: ResolvedComponent[] = [];
  readonly recomposed: Pair[] = [];
  readonly relinked: { readonly slot: ReferenceSlot; readonly target: ResolvedComponent }[] = [];
  /** Maps components of the new configuration to those of the old one that are kept or updated. */
  readonly #survivors = new Map<ResolvedComponent, ResolvedComponent>();
  readonly #equality = new Equality();

  /** Compares the children of two components that are the same. */
  *compareChildren(owners: Pair): Steps<void> {
    const { before, after } = owners;
    if (before.children.length === 0 && after.children.length === 0) return;
    const { partners, equal } = yield* pairUp(before.children, after.children, this.#equality);
    const living = new Set<ResolvedComponent>();
    let isRecomposed = before.children.length !== after.children.length;
    for (const [index, child] of after.children.entries()) {
      yield;
      const partner = partners.get(child);
      const changed = partner && (equal.has(child) ? nothingChanged : changedProps(partner, child, this.#equality));
      if (partner === undefined || changed === undefined) addAll(child, this.created);
      else {
        living.add(partner);
        this.#survivors.set(child, partner);
        if (changed.size === 0) this.kept.push({ before: partner, after: child });
        else this.updated.push({ before: partner, after: child, changed });
        yield* this.compareChildren({ before: partner, after: child });
      }
      if (this.#survivors.get(child) !== before.children[index]) isRecomposed = true;
    }
    for (const child of before.children) if (!living.has(child)) addAll(child, this.dropped);
    // The stage itself has nothing to compose.
    if (isRecomposed && after.path !== "") this.recomposed.push(owners);
  }

  /** Call this after all components have been compared. */
  relink(): void {
    for (const pair of this.kept) this.#relink(pair, nothingChanged);
    for (const pair of this.updated) this.#relink(pair, pair.changed);
  }

  /** A changed prop has its own references: those of `after`. */
  #relink({ before, after }: Pair, changed: ReadonlySet<string>): void {
    if (before.references.length === 0) return;
    const wanted = Map.groupBy(after.references, ({ prop }) => prop);
    for (const [prop, held] of Map.groupBy(before.references, ({ prop }) => prop)) {
      if (changed.has(prop)) continue;
      const targets = wanted.get(prop) ?? [];
      held.forEach(({ slot, target }, index) => {
        const now = targets[index]?.target;
        if (now !== undefined && this.#survivors.get(now) !== target) this.relinked.push({ slot, target: now });
      });
    }
  }
}

const nothingChanged: ReadonlySet<string> = new Set();

/** The names of the live props that differ; `undefined` if anything else differs. */
function changedProps(
  before: ResolvedComponent,
  after: ResolvedComponent,
  equality: Equality,
): ReadonlySet<string> | undefined {
  const { definition } = after;
  if (definition === undefined || before.definition !== definition) return undefined;
  if (!areConditionsEqual(before.condition, after.condition)) return undefined;
  const changed = new Set<string>();
  for (const [name, { type, reload }] of schemaOf(definition).props) {
    if (equality.areValuesEqual(type, before.props[name], after.props[name])) continue;
    if (reload === "recreate") return undefined;
    changed.add(name);
  }
  return changed;
}

function addAll(component: ResolvedComponent, to: ResolvedComponent[]): void {
  to.push(component);
  for (const child of component.children) addAll(child, to);
}
