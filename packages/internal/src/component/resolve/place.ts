// A component in its place in the tree: known by sign, kind and path, its props not yet read.

import { quote } from "../../config/quote.ts";
import type { ComponentSpec, PropSpec } from "../../config/spec.ts";
import type { Definition } from "../definition.ts";
import type { Prop } from "../props/prop-type.ts";
import type { PropPlace } from "./resolved.ts";
import { schemaOf } from "./schema.ts";

export interface Place {
  readonly spec: ComponentSpec;
  /** `undefined` where the sign is unknown; for the stage, what may be set of it. */
  readonly definition: Definition | undefined;
  /** `undefined` for the stage. */
  readonly owner: Place | undefined;
  /** "" for the stage. */
  readonly path: string;
  readonly children: readonly Place[];
  /** What is set here, by the prop's own name if it is one of the definition, else as written. */
  readonly set: ReadonlyMap<string, PropSpec>;
  /** The child of a kind and name: see `childKey`. */
  readonly named: ReadonlyMap<string, Place>;
}

/** The key of a name among siblings: names are apart for each kind. */
export function childKey(kind: string, name: string): string {
  return `${kind} ${name}`;
}

/** For messages: `webapp "shop"`, `rule`, `the stage`. */
export function describePlace({ spec, owner }: Pick<Place, "spec" | "owner">): string {
  if (owner === undefined) return "the stage";
  return spec.name === undefined ? spec.sign : `${spec.sign} ${quote(spec.name)}`;
}

/** The prop's own name, if `written` is it or an older spelling. */
export function propNamed(definition: Definition | undefined, written: string): string | undefined {
  return definition && schemaOf(definition).names.get(written);
}

/** Whether something may stand here or further out that could not be read: then nothing can be said of what is not there. */
export function mayLackStatements(place: Place): boolean {
  for (let at: Place | undefined = place; at !== undefined; at = at.owner) if (hasUnread(at, "body")) return true;
  return false;
}

/** Whether a part of it could not be read. */
export function hasUnread({ spec }: Pick<Place, "spec">, part: "head" | "body"): boolean {
  return spec.unread?.has(part) === true;
}

/** What this place sets under one of these names. */
export function setAt(place: Place, names: readonly string[]): PropSpec | undefined {
  for (const name of names) {
    const found = place.set.get(propNamed(place.definition, name) ?? name);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A prop as a component has it: set there, or, if it is inherited, set by the nearest enclosing component that sets it. */
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
