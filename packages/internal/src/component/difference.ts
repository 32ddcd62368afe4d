// What a reload has to do: the difference between two configurations, as data.

import type { ReferenceSlot } from "./reference-slot.ts";
import { plainProps } from "./resolve/plain-props.ts";
import type { ResolvedComponent } from "./resolve/resolved.ts";

/** A component in both configurations: `before` runs, `after` is how it is wanted. */
export interface Pair {
  readonly before: ResolvedComponent;
  readonly after: ResolvedComponent;
}

/**
 * Each component of the old configuration is in one of `kept`, `updated` and `dropped`; each of the new one in one of `kept`,
 * `updated` and `created`. The lists follow the text, owners before their children.
 *
 * - **Identity.** Components are the same if their owners are, and their signs, and their names. Unnamed siblings of one sign are
 *   paired by equal content first (props, condition, all that stands in them), in order; the rest by position.
 * - **Equality.** The same definition, the same condition, the same resolved props, whether set, inherited or by default.
 * - A change of live props only: `updated`. Any other change: the old one is dropped, and a new one created.
 * - **Owners.** A component that is created anew is so with everything in it: no part outlives the owner that it was made with. A
 *   component whose children are others than before, or stand in another order, is kept, but `recomposed`.
 * - **References.** A component is not changed by what becomes of those it refers to. Where it now refers to another, its reference is
 *   `relinked`, and `current` gives that from then on.
 */
export interface Difference {
  readonly kept: readonly Pair[];
  readonly updated: readonly (Pair & {
    /** The names of the live props that have new values: those of `after`. */
    readonly changed: ReadonlySet<string>;
  })[];
  readonly created: readonly ResolvedComponent[];
  readonly dropped: readonly ResolvedComponent[];
  /** Those of `kept` and `updated` that must look at their children again. */
  readonly recomposed: readonly Pair[];
  /** References that are held by those of `kept` and `updated`, with the component of the new configuration that they are to point to. */
  readonly relinked: readonly { readonly slot: ReferenceSlot; readonly target: ResolvedComponent }[];
}

/** Takes two stages. Pure: neither is changed. */
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
  /** From the new configuration to the old one, where a component lives on. */
  readonly #survivors = new Map<ResolvedComponent, ResolvedComponent>();

  /** Compares what stands in two that are the same. */
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
    // A stage itself composes nothing.
    if (isRecomposed && after.path !== "") this.recomposed.push(owners);
  }

  /** To be called once it is known who lives on. */
  relink(): void {
    for (const pair of this.kept) this.#relink(pair, nothingChanged);
    for (const pair of this.updated) this.#relink(pair, pair.changed);
  }

  /** A prop that has changed brings references of its own: those of `after`. */
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
  /** Pairs in order what has the same key. */
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

/** The same for two components exactly if they are equal with all that stands in them. */
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

/** The names of the live props that differ; `undefined` if more than that does. */
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
