// Computes the difference between two configurations, as data for a reload.

import type { ReferenceSlot } from "./reference-slot.ts";
import { plainProps } from "./resolve/plain-props.ts";
import type { ResolvedComponent } from "./resolve/resolved.ts";

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
  const comparison = new Comparison();
  comparison.compareChildren({ before, after });
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

  /** Compares the children of two components that are the same. */
  compareChildren(owners: Pair): void {
    const { before, after } = owners;
    const { partners, equal } = pairUp(before.children, after.children);
    const living = new Set<ResolvedComponent>();
    let isRecomposed = before.children.length !== after.children.length;
    after.children.forEach((child, index) => {
      const partner = partners.get(child);
      const changed = partner && (equal.has(child) ? nothingChanged : changedProps(partner, child));
      if (partner === undefined || changed === undefined) addAll(child, this.created);
      else {
        living.add(partner);
        this.#survivors.set(child, partner);
        if (changed.size === 0) this.kept.push({ before: partner, after: child });
        else this.updated.push({ before: partner, after: child, changed });
        this.compareChildren({ before: partner, after: child });
      }
      if (this.#survivors.get(child) !== before.children[index]) isRecomposed = true;
    });
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

/** How new siblings are compared with the old ones. */
interface Pairing {
  /** From new ones to old ones. */
  readonly partners: ReadonlyMap<ResolvedComponent, ResolvedComponent>;
  /** Those new ones that are equal to their partner: of many thousand rules, all but a few. */
  readonly equal: ReadonlySet<ResolvedComponent>;
}

function pairUp(before: readonly ResolvedComponent[], after: readonly ResolvedComponent[]): Pairing {
  const partners = new Map<ResolvedComponent, ResolvedComponent>();
  const unpaired = new Set(before);
  /** Pairs components with equal keys, in order. */
  const pairBy = (keyOf: (component: ResolvedComponent) => string): void => {
    const byKey = Map.groupBy(unpaired, keyOf);
    const taken = new Map<string, number>();
    for (const component of after) {
      if (partners.has(component)) continue;
      const key = keyOf(component);
      const place = taken.get(key) ?? 0;
      const partner = byKey.get(key)?.[place];
      if (partner === undefined) continue;
      taken.set(key, place + 1);
      partners.set(component, partner);
      unpaired.delete(partner);
    }
  };
  pairBy((component) => (component.name === "" ? content(component) : identity(component)));
  const equal = new Set<ResolvedComponent>();
  for (const [component, { definition }] of partners) {
    if (component.name === "" && component.definition === definition) equal.add(component);
  }
  pairBy(identity);
  return { partners, equal };
}

function identity({ sign, name }: ResolvedComponent): string {
  return JSON.stringify([sign, name]);
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

/** The names of the live props that differ; `undefined` if anything else differs. */
function changedProps(before: ResolvedComponent, after: ResolvedComponent): ReadonlySet<string> | undefined {
  const { definition } = after;
  if (definition === undefined || before.definition !== definition) return undefined;
  if (JSON.stringify(before.condition) !== JSON.stringify(after.condition)) return undefined;
  const changed = new Set<string>();
  const [were, are] = [plainProps(before), plainProps(after)];
  for (const [name, { reload }] of Object.entries(definition.props ?? {})) {
    if (JSON.stringify(were[name]) === JSON.stringify(are[name])) continue;
    if (reload === "recreate") return undefined;
    changed.add(name);
  }
  return changed;
}

function addAll(component: ResolvedComponent, to: ResolvedComponent[]): void {
  to.push(component);
  for (const child of component.children) addAll(child, to);
}
