// References between components: found by kind and name. They only point to components that are prepared earlier.

import { quote } from "../../config/quote.ts";
import type { SourceSpan } from "../../config/spec.ts";
import { didYouMean } from "../did-you-mean.ts";
import { isOffered } from "../capability.ts";
import type { Definition } from "../definition.ts";
import { describeKind } from "../kind.ts";
import { ReferenceSlot } from "../reference-slot.ts";
import { isWanted, type Wanted } from "../wanted.ts";
import { childKey, describePlace, hasUnread, mayLackStatements } from "./place.ts";
import type { Place } from "./place.ts";
import type { Problems } from "./problems.ts";

/** A resolved reference. */
export interface Edge {
  readonly holder: Place;
  readonly target: Place;
  /** The prop that contains it. */
  readonly prop: string;
  readonly slot: ReferenceSlot;
  readonly span: SourceSpan;
}

/** A name that refers to a component. */
export interface Mention {
  readonly name: string;
  readonly span: SourceSpan;
  /** The component that refers to another. */
  readonly holder: Place;
  /** The component that sets the prop: the holder, or the one from which it inherits. */
  readonly setter: Place;
  readonly prop: string;
  /** The position in the prop: `.handlets[2]`. */
  readonly label: string;
}

export class ComponentReferences {
  readonly #edges = new Map<Place, Edge[]>();
  readonly #definitions: readonly Definition[];
  readonly #problems: Problems;

  /** `definitions`: all that the stage may use, for suggestions. */
  constructor(definitions: readonly Definition[], problems: Problems) {
    this.#definitions = definitions;
    this.#problems = problems;
  }

  from(holder: Place): readonly Edge[] {
    return this.#edges.get(holder) ?? noEdges;
  }

  /** Who refers to a place, each once. */
  to(target: Place): ReadonlySet<Place> {
    const holders = new Set<Place>();
    for (const [holder, edges] of this.#edges) if (edges.some((edge) => edge.target === target)) holders.add(holder);
    return holders;
  }

  /**
   * Finds the component that is meant, lexically outwards from the holder; reports if there is none, or it must not be
   * referred to.
   */
  find<PartType extends object>(wanted: Wanted<PartType>, mention: Mention): ReferenceSlot<PartType> | undefined {
    const { holder, setter, name, label, span, prop } = mention;
    const { kind, offering } = wanted;
    const target = lookUp(holder, childKey(kind.name, name));
    if (target === undefined) this.#reportMissing(wanted, mention);
    else if (target === holder) this.#report(setter, span, `${label} refers to the ${kind.name} itself`);
    else if (!mayRefer(holder, target)) {
      const message = `${label} cannot refer to ${describePlace(target)}: it is not prepared before ${describePlace(holder)}`;
      this.#report(setter, span, message, "references point to lower ranks, or to siblings");
    } else if (offering !== undefined && !isOffered(offering, target.definition?.offers)) {
      const message = `${label} refers to ${describePlace(target)}, which does not offer "${offering.key}"`;
      this.#report(setter, span, message, this.#whoOffers(wanted, mention));
    } else {
      const slot = new ReferenceSlot(wanted, name);
      const edge: Edge = { holder, target, prop, slot, span };
      const edges = this.#edges.get(holder);
      if (edges === undefined) this.#edges.set(holder, [edge]);
      else edges.push(edge);
      return slot;
    }
    return undefined;
  }

  /** Only siblings can form cycles: all other references point to lower ranks. Each cycle is reported once. */
  checkCircles(): void {
    const done = new Set<Place>();
    const underway: Place[] = [];
    const visit = (place: Place): void => {
      if (done.has(place)) return;
      underway.push(place);
      for (const { target, span } of this.from(place)) {
        const from = underway.indexOf(target);
        if (from === -1) visit(target);
        else {
          const circle = [...underway.slice(from), target].map(describePlace).join(" → ");
          this.#report(place, span, `a circle of references: ${circle}`);
        }
      }
      underway.pop();
      done.add(place);
    };
    for (const place of this.#edges.keys()) visit(place);
  }

  /** Suggestions: visible components, the nearest name first; otherwise signs. */
  #whoOffers(wanted: Wanted, { holder, name }: Mention): string {
    const known = [...visibleFrom(holder)].filter(
      ({ spec, definition }) => spec.name !== undefined && definition !== undefined && isWanted(definition, wanted),
    );
    const near = didYouMean(
      name,
      known.map(({ spec }) => spec.name ?? ""),
      quote,
    );
    if (near !== undefined) return near;
    const some = known.slice(0, 3).map(describePlace);
    const signs = this.#definitions.filter((definition) => isWanted(definition, wanted)).map(({ sign }) => sign);
    const those = some.length > 0 ? some : signs;
    if (those.length === 0) return `no ${wanted.kind.name} of the packs in use does`;
    return `${listed(those)} ${those.length === 1 ? "does" : "do"}`;
  }

  #reportMissing(wanted: Wanted, { holder, setter, name, label, span }: Mention): void {
    const { kind } = wanted;
    const inSight = [...visibleFrom(holder)];
    // The intended component may be in a part that could not be read.
    const mayBeMeant = (place: Place): boolean =>
      hasUnread(place, "head") && (place.definition === undefined || place.definition.kind === kind);
    if (mayLackStatements(holder) || inSight.some(mayBeMeant)) return;
    const visible = inSight.filter(({ spec }) => spec.name !== undefined);
    const namesake = visible.find(({ spec }) => spec.name === name);
    // The component with the unknown sign may be the intended one. The unknown sign is already reported.
    if (namesake !== undefined && namesake.definition === undefined) return;
    const fitting = visible.filter(({ definition }) => definition !== undefined && isWanted(definition, wanted));
    const known = fitting.map(({ spec }) => spec.name ?? "");
    const hint =
      namesake?.definition === undefined
        ? (kind.hintForName?.(name) ?? didYouMean(name, known, quote))
        : `${describePlace(namesake)} is ${describeKind(namesake.definition.kind)}`;
    this.#report(setter, span, `${label} refers to ${describeKind(kind)} ${quote(name)}, which does not exist`, hint);
  }

  #report(place: Place, span: SourceSpan, message: string, hint?: string): void {
    const whole = `${describePlace(place)}: ${message}`;
    this.#problems.add(place, { code: "HEMI_CONFIG_REFERENCE", span, message: whole, hint });
  }
}

const noEdges: readonly Edge[] = [];

/** `a, b and c` */
function listed(items: readonly string[]): string {
  return items.length < 2 ? items.join("") : `${items.slice(0, -1).join(", ")} and ${items.at(-1)}`;
}

function lookUp(from: Place, key: string): Place | undefined {
  for (let place = from.owner; place !== undefined; place = place.owner) {
    const found = place.named.get(key);
    if (found !== undefined) return found;
  }
  return undefined;
}

function* visibleFrom(from: Place): Iterable<Place> {
  for (let place = from.owner; place !== undefined; place = place.owner) yield* place.children;
}

function mayRefer(holder: Place, target: Place): boolean {
  const from = holder.definition?.kind.rank ?? 0;
  const to = target.definition?.kind.rank ?? Infinity;
  return to < from || (to === from && holder.owner === target.owner);
}
