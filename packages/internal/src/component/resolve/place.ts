// A component in its place in the tree: sign, kind and path are known, its props are not read yet.

import { quote } from "../../config/quote.ts";
import type { ComponentSpec, PropSpec } from "../../config/spec.ts";
import type { Definition } from "../definition.ts";
import type { Prop } from "../props/prop-type.ts";
import type { PropPlace } from "./resolved.ts";
import { schemaOf } from "./schema.ts";

export interface Place {
  readonly spec: ComponentSpec;
  /** `undefined` if the sign is unknown. For the stage: the definition of its settings. */
  readonly definition: Definition | undefined;
  /** `undefined` for the stage. */
  readonly owner: Place | undefined;
  /** "" for the stage. */
  readonly path: string;
  readonly children: readonly Place[];
  /** The props that are set here, by their current names if the definition has them, otherwise as written. */
  readonly set: ReadonlyMap<string, PropSpec>;
  /** The children by kind and name: see `childKey`. */
  readonly named: ReadonlyMap<string, Place>;
}

/** The key of a name among siblings: each kind has its own names. */
export function childKey(kind: string, name: string): string {
  return `${kind} ${name}`;
}

/** For messages: `webapp "shop"`, `rule`, `the stage`. */
export function describePlace({ spec, owner }: Pick<Place, "spec" | "owner">): string {
  if (owner === undefined) return "the stage";
  return spec.name === undefined ? spec.sign : `${spec.sign} ${quote(spec.name)}`;
}

/** The current name of a prop, if `written` is it or an older spelling. */
export function propNamed(definition: Definition | undefined, written: string): string | undefined {
  return definition && schemaOf(definition).names.get(written);
}

/**
 * Whether part of this component or of an enclosing one could not be read. Then nothing can be concluded from missing
 * settings.
 */
export function mayLackStatements(place: Place): boolean {
  for (let at: Place | undefined = place; at !== undefined; at = at.owner) if (hasUnread(at, "body")) return true;
  return false;
}

/** Whether part of it could not be read. */
export function hasUnread({ spec }: Pick<Place, "spec">, part: "head" | "body"): boolean {
  return spec.unread?.has(part) === true;
}

/** The prop that this place sets under one of these names. */
export function setAt(place: Place, names: readonly string[]): PropSpec | undefined {
  for (const name of names) {
    const found = place.set.get(propNamed(place.definition, name) ?? name);
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * The effective prop of a component: set in it, or, if it is inherited, in the nearest enclosing component that sets
 * it.
 */
export function findSet(
  place: Place,
  name: string,
  prop: Prop,
): { readonly spec: PropSpec; readonly setter: Place } | undefined {
  const own = place.set.get(name);
  if (own !== undefined) return { spec: own, setter: place };
  if (!prop.inherited) return undefined;
  const names = [name, ...prop.aliases];
  for (let setter = place.owner; setter !== undefined; setter = setter.owner) {
    const spec = setAt(setter, names);
    if (spec !== undefined) return { spec, setter };
  }
  return undefined;
}

/** Where a problem with a prop is shown: at what sets it, else at the sign. */
export function placeOfProp(place: Place, name: string): PropPlace {
  const prop = place.definition?.props?.[name];
  const found = prop && findSet(place, name, prop);
  return { span: found?.spec.span ?? place.spec.signSpan, path: (found?.setter ?? place).path };
}
