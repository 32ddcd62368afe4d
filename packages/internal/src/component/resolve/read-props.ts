// Reads the props of one component (set, inherited or default) by the types of its schema.

import type { SourceSpan } from "../../config/spec.ts";
import type { Definition } from "../definition.ts";
import type { Mistake, Prop, PropReader } from "../props/prop-type.ts";
import type { Reference } from "../reference.ts";
import type { VariableTable } from "../variables.ts";
import type { Wanted } from "../wanted.ts";
import type { ComponentReferences } from "./component-references.ts";
import { describePlace, findSet, hasUnread, mayLackStatements } from "./place.ts";
import type { Place } from "./place.ts";
import type { Problems } from "./problems.ts";
import { schemaOf } from "./schema.ts";
import type { UnsetProps } from "./unset-props.ts";
import type { Values } from "./values.ts";

export interface PropScope {
  readonly baseDir: string;
  readonly values: Values;
  readonly references: ComponentReferences;
  readonly problems: Problems;
  readonly unset: UnsetProps;
}

export interface ReadProps {
  /** A value for each prop of the schema; `undefined` if it is invalid, or not set and without a default. */
  readonly props: Readonly<Record<string, unknown>>;
  /** Whether each prop is valid individually. An inherited prop may be invalid without a new problem. */
  readonly areRight: boolean;
}

/** Each problem is reported once. */
export function readProps(place: Place, definition: Definition, scope: PropScope): ReadProps {
  const unset = scope.unset.in(place.owner, definition);
  const props = unset.copy();
  const reader = new PlaceReader(place, definition, scope);
  let areRight = true;
  for (const [name, prop] of unset.isComplete ? propsSetIn(place, definition) : schemaOf(definition).props) {
    const isSetHere = place.set.has(name);
    if (!isSetHere && unset.has(name)) continue;
    const found = findSet(place, name, prop);
    reader.begin(name, found?.setter ?? place, isSetHere);
    const value = found === undefined ? prop.default : scope.values.ofProp(found.spec, found.setter);
    // If a value could not be resolved, that is already reported.
    props[name] = value && prop.type.read(value, `.${name}`, reader);
    const isWrong = props[name] === undefined && (found !== undefined || value !== undefined || prop.required);
    if (isWrong) areRight = false;
    else if (!reader.isOwn) unset.set(name, props[name]);
    if (found !== undefined || value !== undefined || !prop.required) continue;
    if (prop.inherited ? mayLackStatements(place) : hasUnread(place, "body")) continue;
    const message = `${describePlace(place)} needs .${name}, ${prop.type.takes}`;
    scope.problems.add(place, { code: "HEMI_CONFIG_MISSING_PROP", span: place.spec.signSpan, message });
  }
  return { props, areRight };
}

/** All others have values that siblings share. In the order of the schema, as problems are. */
function propsSetIn({ set }: Place, definition: Definition): readonly (readonly [name: string, prop: Prop])[] {
  return set.size === 0 ? [] : schemaOf(definition).props.filter(([name]) => set.has(name));
}

/** Reads one prop after the other. */
class PlaceReader implements PropReader {
  /** Whether the value is for this component only. */
  isOwn = false;
  readonly #place: Place;
  readonly #definition: Definition;
  readonly #scope: PropScope;
  #prop = "";
  /** The component that sets it. */
  #setter: Place;

  constructor(place: Place, definition: Definition, scope: PropScope) {
    this.#place = place;
    this.#definition = definition;
    this.#scope = scope;
    this.#setter = place;
  }

  begin(prop: string, setter: Place, isOwn: boolean): void {
    this.#prop = prop;
    this.#setter = setter;
    this.isOwn = isOwn;
  }

  get path(): string {
    this.isOwn = true;
    return this.#place.path;
  }

  get baseDir(): string {
    return this.#scope.baseDir;
  }

  get constants(): ReadonlyMap<string, string> {
    return this.#scope.values.constants;
  }

  get variables(): VariableTable<never> | undefined {
    return this.#definition.kind.variables;
  }

  report(mistake: Mistake): void {
    this.isOwn = true;
    const message = `${describePlace(this.#setter)}: ${mistake.message}`;
    this.#scope.problems.add(this.#setter, { ...mistake, message });
  }

  warn(mistake: Mistake): void {
    this.isOwn = true;
    const message = `${describePlace(this.#setter)}: ${mistake.message}`;
    this.#scope.problems.doubt(this.#setter, { ...mistake, message });
  }

  refer<PartType extends object>(
    wanted: Wanted<PartType>,
    name: string,
    label: string,
    span: SourceSpan,
  ): Reference<PartType> | undefined {
    this.isOwn = true;
    const [holder, setter, prop] = [this.#place, this.#setter, this.#prop];
    return this.#scope.references.find(wanted, { name, span, label, holder, setter, prop });
  }
}
