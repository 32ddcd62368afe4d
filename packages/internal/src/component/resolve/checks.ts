// Runs the `check` functions of definitions on components whose props are valid individually.

import type { Steps } from "@hemi/common";
import { isOffered, type Capability } from "../capability.ts";
import { isMadeBy, type CheckContext, type CheckedMistake, type Definition } from "../definition.ts";
import type { Kind } from "../kind.ts";
import type { PropsOf, PropsSchema } from "../props/prop-type.ts";
import type { ComponentReferences } from "./component-references.ts";
import { describePlace, findSet } from "./place.ts";
import type { Place } from "./place.ts";
import type { Problems } from "./problems.ts";

interface Check {
  readonly definition: Definition;
  readonly context: CheckContext;
}

export class Checks {
  readonly #references: ComponentReferences;
  readonly #problems: Problems;
  /** In the order of the text, owners before their children. */
  readonly #checks = new Map<Place, Check>();
  readonly #claims = new Map<string, { readonly holder: Place; readonly isShared: boolean }>();

  constructor(references: ComponentReferences, problems: Problems) {
    this.#references = references;
    this.#problems = problems;
  }

  /** Added only for components whose props are valid individually, so that a check never finds missing values. */
  add(place: Place, definition: Definition, props: Readonly<Record<string, unknown>>): void {
    this.#checks.set(place, { definition, context: this.#contextOf(place, definition, props) });
  }

  /** Call this after everything has been read: only then are references resolved. */
  *run(): Steps<void> {
    for (const { definition, context } of this.#checks.values()) {
      definition.check?.(context);
      yield;
    }
  }

  #enclosing<Schema extends PropsSchema>(
    place: Place,
    definition: Definition<string, Kind, Schema>,
  ): CheckContext<PropsOf<Schema>> | undefined {
    for (let { owner } = place; owner !== undefined; { owner } = owner) {
      const context = this.#checks.get(owner)?.context;
      if (context !== undefined && isMadeBy(context, definition)) return context;
    }
    return undefined;
  }

  #contextOf(place: Place, definition: Definition, props: Readonly<Record<string, unknown>>): CheckContext {
    const schema = definition.props ?? {};
    const foundFor = (name: string) => {
      const prop = schema[name];
      return prop && findSet(place, name, prop);
    };
    const placed = ({ prop, message, hint }: CheckedMistake<Readonly<Record<string, unknown>>>) => {
      const span = (prop === undefined ? undefined : foundFor(prop)?.spec.span) ?? place.spec.signSpan;
      return { span, message: `${describePlace(place)}: ${message}`, hint };
    };
    const report: CheckContext["report"] = (mistake) => this.#problems.add(place, placed(mistake));
    return {
      definition,
      props,
      name: place.spec.name ?? "",
      path: place.path,
      isSet: (name) => foundFor(name) !== undefined,
      hasChild: ({ name }) => place.children.some((child) => child.definition?.kind.name === name),
      children: () => this.#contextsOf(place.children),
      references: (name) => {
        const targets = this.#references.from(place).filter(({ prop }) => prop === name);
        return this.#contextsOf(new Set(targets.map(({ target }) => target)));
      },
      enclosing: (definition) => this.#enclosing(place, definition),
      isWithin: (capability) => isWithin(place, capability),
      claim: ({ prop, what, isShared = false }) => {
        const other = this.#claims.get(what);
        if (other === undefined) this.#claims.set(what, { holder: place, isShared });
        if (other === undefined || other.holder === place || (other.isShared && isShared)) return;
        const holder = describePlace(other.holder);
        const message = other.isShared
          ? `${what}: ${holder} has a part of it already`
          : `${what} is that of ${holder} already`;
        report({ prop, message });
      },
      referrers: () => this.#contextsOf(this.#references.to(place)),
      report,
      warn: (mistake) => this.#problems.doubt(place, placed(mistake)),
    };
  }

  #contextsOf(places: Iterable<Place>): readonly CheckContext[] {
    return [...places].map((place) => this.#checks.get(place)?.context).filter((context) => context !== undefined);
  }
}

function isWithin({ owner }: Place, capability: Capability): boolean {
  for (let at = owner; at !== undefined; at = at.owner) {
    if (isOffered(capability, at.definition?.offers)) return true;
  }
  return false;
}
