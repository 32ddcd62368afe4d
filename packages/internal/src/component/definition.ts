// A definition: one component, declared. `definer(kind)` makes the `define…` function of a kind.

import type { Capability, OfferedBy } from "./capability.ts";
import type { ComponentContext } from "./context.ts";
import type { Kind } from "./kind.ts";
import type { PropsOf, PropsSchema } from "./props/prop-type.ts";
import type { Shorthand } from "./shorthand.ts";

/** What is written in a `define…({ … })`. `Scope`: what all components of a stage find in their contexts. */
export interface Declaration<
  Sign extends string,
  Schema extends PropsSchema,
  Owner,
  Made extends object,
  Scope = unknown,
  Offers extends readonly Capability[] = readonly Capability[],
> {
  /** The word in a configuration that picks it. */
  readonly sign: Sign;
  /** Older words for the sign; they are read as well. */
  readonly aliases?: readonly string[];
  /** What a configuration may set of it, each made by a function of `prop`. */
  readonly props?: Schema;
  /** What its parts can do for those that refer to them, beside what their kind says: they have the members of each capability's type. */
  readonly offers?: Offers;
  /** Props that one may look for here in vain, with what there is instead: a hint for whoever sets them. */
  readonly elsewhere?: Readonly<Record<string, string>>;
  /** Says what a configuration may leave out or write short. */
  readonly shorthand?: Shorthand;
  /** Looks at several props together, and at the components that they refer to, once each is right by itself. */
  check?(context: CheckContext<PropsOf<Schema>>): void;
  /**
   * For handlets: whether it takes every request that it is asked for, so that nothing behind it is ever asked. `hemi check` refuses a socklet there.
   * Default: it may leave some.
   */
  takesAll?(context: CheckContext<PropsOf<Schema>>): boolean;
  /** Makes the part. Does no I/O and starts no timers: that is for `prepare`. */
  create(context: ComponentContext<PropsOf<Schema>, Owner> & Scope): Made;
}

/** A declaration with its kind. Without type arguments: any definition. */
export interface Definition<
  Sign extends string = string,
  KindType extends Kind = Kind,
  Schema extends PropsSchema = PropsSchema,
  Made extends object = object,
  Scope = unknown,
> extends Declaration<Sign, Schema, unknown, Made, Scope> {
  /** What sort of component it is, such as `handletKind`. */
  readonly kind: KindType;
}

/** What `check` of a definition gets: a component whose props are right by themselves. */
export interface CheckContext<Props = Readonly<Record<string, unknown>>> {
  /** What declared it: see `isMadeBy`. */
  readonly definition: Definition;
  /** References among them cannot be followed yet: see `references`. */
  readonly props: Props;
  /** "" if it has none. */
  readonly name: string;
  /** Like `webapp.shop/rule.3/static`. */
  readonly path: string;
  /** Whether the configuration sets this prop here, or an enclosing component sets it and it is inherited. */
  isSet(this: void, prop: keyof Props & string): boolean;
  /** The nearest component of a definition that this one stands in; `undefined` if there is none, or if it is wrong by itself. */
  enclosing<Schema extends PropsSchema>(
    definition: Definition<string, Kind, Schema>,
  ): CheckContext<PropsOf<Schema>> | undefined;
  /** Whether a component of the kind stands directly inside. */
  hasChild(this: void, kind: Kind): boolean;
  /** The components directly inside that are right by themselves, in the order of the text. */
  children(): readonly CheckContext[];
  /**
   * The components that a prop refers to, however deep in it: each once, in its order, without those that are wrong by themselves.
   * Their props have types behind `isMadeBy`; what is reported of them is shown at them.
   */
  references(this: void, prop: keyof Props & string): readonly CheckContext[];
  /**
   * Says that only one component of a stage may have `what`, words that are the same for all who could want it, of whatever kind:
   * `the rotation of /var/log/a.log`. All but the first one get an error, shown like those of `report`. `isShared`: others may have it, too, if
   * they all say so.
   */
  claim(
    this: void,
    claim: {
      readonly prop?: (keyof Props & string) | undefined;
      readonly what: string;
      readonly isShared?: boolean;
    },
  ): void;
  /** The components that refer to this one, each once, without those that are wrong by themselves. */
  referrers(this: void): readonly CheckContext[];
  /** Reports a mistake; it is shown at the prop if that is set here or inherited, else at the sign. */
  report(this: void, mistake: CheckedMistake<Props>): void;
  /** Like `report`, for what is allowed and most likely not meant: a warning, which keeps no stage from starting. */
  warn(this: void, mistake: CheckedMistake<Props>): void;
}

/** What `check` of a definition finds. */
export interface CheckedMistake<Props> {
  readonly prop?: (keyof Props & string) | undefined;
  readonly message: string;
  readonly hint?: string | undefined;
}

/** Whether a component is one of this definition; then the types of its props are known. */
export function isMadeBy<Schema extends PropsSchema>(
  context: CheckContext,
  definition: Definition<string, Kind, Schema>,
): context is CheckContext<PropsOf<Schema>> {
  return context.definition === definition;
}

/**
 * Makes what makes the `define…` functions of kinds, for stages whose components find `Scope` in their contexts.
 *
 * The type of `props` in `create` follows from the schema: what has a default or is required is there, the rest may be `undefined`.
 * What `create` returns must have what the kind asks for, and what is offered.
 */
export function definerIn<Scope extends object>() {
  return function definer<PartType extends object, Owner, Name extends string>(kind: Kind<PartType, Owner, Name>) {
    return function define<
      const Sign extends string,
      Schema extends PropsSchema = Record<never, never>,
      const Offers extends readonly Capability[] = readonly [],
      Made extends PartType & OfferedBy<Offers> = PartType & OfferedBy<Offers>,
    >(
      declaration: Declaration<Sign, Schema, Owner, Made, Scope, Offers>,
    ): Definition<Sign, Kind<PartType, Owner, Name>, Schema, Made & PartType, Scope> {
      return { ...declaration, kind };
    };
  };
}
