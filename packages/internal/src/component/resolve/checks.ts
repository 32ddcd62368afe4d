// Runs the `check` functions of definitions on components whose props are valid individually.

import type { Steps } from "@hemi/common";
import { isOffered, type Capability } from "../capability.ts";
import { isMadeBy, type CheckContext, type CheckedMistake, type Definition } from "../definition.ts";
import type { Kind } from "../kind.ts";
import type { Mistake, PropsOf, PropsSchema } from "../props/prop-type.ts";
import type { ComponentReferences } from "./component-references.ts";
import { describePlace, findSet } from "./place.ts";
import type { Place } from "./place.ts";
import type { Problems } from "./problems.ts";

export class Checks {
  readonly #references: ComponentReferences;
  readonly #problems: Problems;
  /** In the order of the text, owners before their children. */
  readonly #contexts = new Map<Place, PlaceContext>();
  readonly #claims = new Map<string, { readonly holder: Place; readonly isShared: boolean }>();

  constructor(references: ComponentReferences, problems: Problems) {
    this.#references = references;
    this.#problems = problems;
  }

  /** Added only for components whose props are valid individually, so that a check never finds missing values. */
  add(place: Place, definition: Definition, props: Readonly<Record<string, unknown>>): void {
    this.#contexts.set(place, new PlaceContext(place, definition, props, this));
  }

  /** Call this after everything has been read: only then are references resolved. */
  *run(): Steps<void> {
    for (const context of this.#contexts.values()) {
      context.definition.check?.(context);
      yield;
    }
  }

  contextOf(place: Place): CheckContext | undefined {
    return this.#contexts.get(place);
  }

  /** Without those that are wrong by themselves. */
  contextsOf(places: readonly Place[]): readonly CheckContext[] {
    if (places.length === 0) return noContexts;
    return places.map((place) => this.#contexts.get(place)).filter((context) => context !== undefined);
  }

  /** What a prop of a component refers to, each once. */
  targetsOf(holder: Place, name: string): readonly Place[] {
    const edges = this.#references.from(holder);
    if (edges.length === 0) return noPlaces;
    return [...new Set(edges.filter(({ prop }) => prop === name).map(({ target }) => target))];
  }

  /** The components that refer to this one, each once. */
  referrersOf(target: Place): readonly Place[] {
    return [...this.#references.to(target)];
  }

  report(place: Place, mistake: Mistake): void {
    this.#problems.add(place, mistake);
  }

  warn(place: Place, mistake: Mistake): void {
    this.#problems.doubt(place, mistake);
  }

  /** Returns why another component has it already; otherwise the claimant has it from now on. */
  claim(claimant: Place, what: string, isShared: boolean): string | undefined {
    const other = this.#claims.get(what);
    if (other === undefined) this.#claims.set(what, { holder: claimant, isShared });
    if (other === undefined || other.holder === claimant || (other.isShared && isShared)) return undefined;
    const holder = describePlace(other.holder);
    return other.isShared ? `${what}: ${holder} has a part of it already` : `${what} is that of ${holder} already`;
  }
}

const noContexts: readonly CheckContext[] = [];
const noPlaces: readonly Place[] = [];

/**
 * A component, as its `check` sees it. Its functions need no `this`; they are made when they are asked for, because
 * most of thousands of rules ask for one or two.
 */
class PlaceContext implements CheckContext {
  readonly definition: Definition;
  readonly props: Readonly<Record<string, unknown>>;
  readonly #place: Place;
  readonly #checks: Checks;

  constructor(place: Place, definition: Definition, props: Readonly<Record<string, unknown>>, checks: Checks) {
    this.#place = place;
    this.definition = definition;
    this.props = props;
    this.#checks = checks;
  }

  get name(): string {
    return this.#place.spec.name ?? "";
  }

  get path(): string {
    return this.#place.path;
  }

  get isSet(): CheckContext["isSet"] {
    return (name) => this.#find(name) !== undefined;
  }

  get hasChild(): CheckContext["hasChild"] {
    return ({ name }) => this.#place.children.some((child) => child.definition?.kind.name === name);
  }

  get children(): CheckContext["children"] {
    return () => this.#checks.contextsOf(this.#place.children);
  }

  get references(): CheckContext["references"] {
    return (name) => this.#checks.contextsOf(this.#checks.targetsOf(this.#place, name));
  }

  get enclosing(): CheckContext["enclosing"] {
    return (definition) => enclosing(this.#place, definition, this.#checks);
  }

  get isWithin(): CheckContext["isWithin"] {
    return (capability) => isWithin(this.#place, capability);
  }

  get referrers(): CheckContext["referrers"] {
    return () => this.#checks.contextsOf(this.#checks.referrersOf(this.#place));
  }

  get claim(): CheckContext["claim"] {
    return ({ prop, what, isShared = false }) => {
      const message = this.#checks.claim(this.#place, what, isShared);
      if (message !== undefined) this.report({ prop, message });
    };
  }

  get report(): CheckContext["report"] {
    return (mistake) => this.#checks.report(this.#place, this.#placed(mistake));
  }

  get warn(): CheckContext["warn"] {
    return (mistake) => this.#checks.warn(this.#place, this.#placed(mistake));
  }

  #placed({ prop, message, hint }: CheckedMistake<Readonly<Record<string, unknown>>>): Mistake {
    const span = (prop === undefined ? undefined : this.#find(prop)?.spec.span) ?? this.#place.spec.signSpan;
    return { span, message: `${describePlace(this.#place)}: ${message}`, hint };
  }

  #find(name: string): ReturnType<typeof findSet> {
    const prop = this.definition.props?.[name];
    return prop && findSet(this.#place, name, prop);
  }
}

function enclosing<Schema extends PropsSchema>(
  place: Place,
  definition: Definition<string, Kind, Schema>,
  checks: Checks,
): CheckContext<PropsOf<Schema>> | undefined {
  for (let { owner } = place; owner !== undefined; { owner } = owner) {
    const context = checks.contextOf(owner);
    if (context !== undefined && isMadeBy(context, definition)) return context;
  }
  return undefined;
}

function isWithin({ owner }: Place, capability: Capability): boolean {
  for (let at = owner; at !== undefined; at = at.owner) {
    if (isOffered(capability, at.definition?.offers)) return true;
  }
  return false;
}
