// reference: a value that names another component.

import type { Capability } from "../capability.ts";
import type { Kind } from "../kind.ts";
import type { Reference } from "../reference.ts";
import { makeProp } from "./prop-type.ts";
import type { AlwaysOptions, MaybeOptions, NeededOptions, Prop, PropOptions, PropType } from "./prop-type.ts";
import { refuse } from "./refuse.ts";
import { describeWanted, wanted, type Wanted } from "../wanted.ts";

interface Offering<Offered> {
  /** A capability that the component must offer. `current` then also has its type. Default: none. */
  readonly offering?: Capability<Offered>;
}

/**
 * How a reference is written in a TypeScript object: the name of a component, any text to the compiler, with the kind
 * that it must be of.
 */
export type NameOf<KindName extends string> = string & { readonly [named]?: KindName };

declare const named: unique symbol;

/** The kind that a value of a prop, as it is written, names a component of; `undefined` for what is no reference. */
export type KindOfName<Written> = typeof named extends keyof Written ? NonNullable<Written[typeof named]> : undefined;

/**
 * The name of a component of a kind, such as `"shop"`. It refers to a sibling, or to a sibling of an enclosing
 * component; the nearest one wins. It must have a lower rank or be a sibling.
 */
export function reference<PartType extends object, KindName extends string, Offered = unknown>(
  kind: Kind<PartType, unknown, KindName>,
  options: NeededOptions & Offering<Offered>,
): Prop<Reference<PartType & Offered>, NameOf<KindName>, true, true>;
export function reference<PartType extends object, KindName extends string, Offered = unknown>(
  kind: Kind<PartType, unknown, KindName>,
  options: AlwaysOptions<string> & Offering<Offered>,
): Prop<Reference<PartType & Offered>, NameOf<KindName>, true, false>;
export function reference<PartType extends object, KindName extends string, Offered = unknown>(
  kind: Kind<PartType, unknown, KindName>,
  options?: MaybeOptions & Offering<Offered>,
): Prop<Reference<PartType & Offered>, NameOf<KindName>, false, false>;
export function reference<PartType extends object, KindName extends string, Offered = unknown>(
  kind: Kind<PartType, unknown, KindName>,
  options?: PropOptions<string> & Offering<Offered>,
): Prop<Reference<PartType & Offered>, NameOf<KindName>> {
  return makeProp(referenceType(wanted(kind, options?.offering)), options);
}

function referenceType<PartType extends object>(wanted: Wanted<PartType>): PropType<Reference<PartType>> {
  return {
    name: "reference",
    takes: `the name of ${describeWanted(wanted)}`,
    read(value, label, reader) {
      if (value.type !== "string") return refuse(this, value, label, reader);
      return reader.refer(wanted, value.value, label, value.span);
    },
    // The referenced component is compared separately. The name and the tree determine which one it is.
    plain: ({ name }) => name,
    jsonSchema: () => ({ type: "string", minLength: 1 }),
  };
}
