// A definition: the declaration of one component. `definer(kind)` makes the `define…` function of a kind.

import type { Capability, OfferedBy } from "./capability.ts";
import type { ComponentContext } from "./context.ts";
import type { Kind } from "./kind.ts";
import type { PropsOf, PropsSchema } from "./props/prop-type.ts";
import type { Shorthand } from "./shorthand.ts";

/**
 * The argument of a `define…({ … })` function. `Scope`: the members that all components of a stage have in their
 * contexts.
 */
export interface Declaration<
  Sign extends string,
  Schema extends PropsSchema,
  Owner,
  Made extends object,
  Scope = unknown,
  Offers extends readonly Capability[] = readonly Capability[],
> {
  /** The word in a configuration that selects this definition. */
  readonly sign: Sign;
  /** Older signs. They still work. */
  readonly aliases?: readonly string[];
  /** The props that a configuration may set, each made by a function of `prop`. */
  readonly props?: Schema;
  /** The capabilities of its parts, in addition to their kind: parts have the members of each capability's type. */
  readonly offers?: Offers;
  /** Props that users may expect here but that do not exist, each with a hint to use instead. */
  readonly elsewhere?: Readonly<Record<string, string>>;
  /** Says what a configuration may leave out or write short. */
  readonly shorthand?: Shorthand;
  /** Looks at several props together, and at the components that they refer to, once each is right by itself. */
  check?(context: CheckContext<PropsOf<Schema>>): void;
  /**
   * For handlets: whether it takes every request that reaches it, so that later handlets never run. `hemi check`
   * rejects a socklet behind such a handlet. Default: it may leave some requests.
   */
  takesAll?(context: CheckContext<PropsOf<Schema>>): boolean;
  /** Creates the part. Does no I/O and starts no timers; `prepare` does that. */
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
  /** The kind, such as `handletKind`. */
  readonly kind: KindType;
}

/** The argument of `check` in a definition. Describes a component whose props are valid individually. */
export interface CheckContext<Props = Readonly<Record<string, unknown>>> {
  /** Its definition: see `isMadeBy`. */
  readonly definition: Definition;
  /** The props. References in them are not linked yet: see `references`. */
  readonly props: Props;
  /** "" without a name. */
  readonly name: string;
  /** For example `webapp.shop/rule.3/static`. */
  readonly path: string;
  /** Whether the prop is set here, or is inherited and set in an enclosing component. */
  isSet(this: void, prop: keyof Props & string): boolean;
  /** The nearest enclosing component of a definition; `undefined` if there is none or if its props are invalid. */
  enclosing<Schema extends PropsSchema>(
    definition: Definition<string, Kind, Schema>,
  ): CheckContext<PropsOf<Schema>> | undefined;
  /** Whether an enclosing component offers the capability. */
  isWithin(this: void, offering: Capability): boolean;
  /** Whether a component of the kind is a direct child. */
  hasChild(this: void, kind: Kind): boolean;
  /** The direct children with valid props, in the order of the text. */
  children(): readonly CheckContext[];
  /**
   * The components that a prop refers to, at any depth of its value: each once, in order, without those with invalid
   * props. `isMadeBy` gives the types of their props. Problems reported on them are shown at their own positions.
   */
  references(this: void, prop: keyof Props & string): readonly CheckContext[];
  /**
   * Claims `what` for this component: only one component of a stage may have it. `what` is a phrase that is the same
   * for all claimants, of whatever kind: `the rotation of /var/log/a.log`. All claimants except the first get an error,
   * shown like those of `report`. `isShared`: several components may have it, if all of them set this.
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

/** Whether a component has this definition. If so, the types of its props are known. */
export function isMadeBy<Schema extends PropsSchema>(
  context: CheckContext,
  definition: Definition<string, Kind, Schema>,
): context is CheckContext<PropsOf<Schema>> {
  return context.definition === definition;
}

/**
 * Returns the function that makes the `define…` functions of kinds, for stages that put `Scope` in the contexts of
 * their components.
 *
 * The type of `props` in `create` follows from the schema: a prop with a default or `required` always has a value,
 * others may be `undefined`. The return value of `create` must have the members that the kind requires and those of all
 * offered capabilities.
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
