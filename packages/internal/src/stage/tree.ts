// The types of a configuration that is a TypeScript object: its props are checked by their signs, and the components of
// its stage are known by path. What types cannot say (places, bounds, what a component offers), the boot checks.

import type { ConfigObject, MarkedValue } from "../config/object.ts";
import type { Capability } from "../component/capability.ts";
import type { Child } from "../component/context.ts";
import type { Definition } from "../component/definition.ts";
import type { Kind } from "../component/kind.ts";
import type { Pack } from "../component/pack.ts";
import type { Prop, PropsSchema, WrittenOf } from "../component/props/prop-type.ts";
import type { KindOfName } from "../component/props/references.ts";

/** A component of a stage. */
export interface StageComponent<
  Sign extends string = string,
  Name extends string = string,
  KindType extends Kind = Kind,
  Made extends object = object,
> extends Child<Made> {
  /** The sign in the configuration. */
  readonly sign: Sign;
  /** "" without a name. */
  readonly name: Name;
  /** The kind, such as `handletKind`. */
  readonly kind: KindType;
  /** The capabilities that its definition offers. */
  readonly offers: readonly Capability[];
}

/** The definitions in some packs, as a union of their types. */
export type DefinitionsIn<Packs extends readonly Pack[]> = Packs[number]["definitions"][number];

/**
 * What a tree must be to be right. A prop is written as its definition takes it, and those that a component must set
 * itself are there. A prop of another definition may stand there, too, because those inside may inherit it; any other
 * name is an error. A reference names a component of its kind.
 */
export type CheckedTree<
  Tree,
  Known extends Definition,
  Named extends NamedComponent = NamedComponentsIn<Tree, Known>,
> = {
  readonly [Key in keyof Tree]: Key extends "sign"
    ? CheckedSign<Tree, Tree[Key], Known>
    : Key extends "name" | "when"
      ? string
      : Key extends "props"
        ? CheckedProps<Tree[Key], SchemaOf<Tree, Known>, Known, Named>
        : Key extends "children"
          ? CheckedTrees<Tree[Key], Known, Named>
          : never;
};

type CheckedTrees<Trees, Known extends Definition, Named extends NamedComponent> = {
  readonly [Index in keyof Trees]: CheckedTree<Trees[Index], Known, Named>;
};

/**
 * What the compiler shows where something is wrong: a sentence. An object, since two texts that differ would become
 * `never`.
 */
interface Mistake<Sentence extends string> {
  readonly [mistake]: Sentence;
}

declare const mistake: unique symbol;

type CheckedSign<Tree, Sign, Known extends Definition> = string extends Sign
  ? Known["sign"] | AnyText
  : Sign extends Known["sign"] | "stage"
    ? "props" extends keyof Tree
      ? Sign
      : CheckedBareSign<Sign, NeededIn<SchemaOf<Tree, Known>>>
    : Mistake<`there is no component "${Sign & string}" in the packs in use`>;

/** Of a component without `props`. */
type CheckedBareSign<Sign extends string, Needed extends string> = [Needed] extends [never]
  ? Sign
  : Mistake<`${Sign} needs the property "${Needed}"`>;

/** `string`, beside words that editors offer. */
type AnyText = string & Record<never, never>;

/** The props of the schema come with their docstrings, whether they are set or not: editors show and offer them. */
type CheckedProps<Props, Schema extends PropsSchema, Known extends Definition, Named extends NamedComponent> = {
  readonly [Name in keyof Schema]?: CheckedValue<ValueOf<Props, Name>, WrittenOf<Schema[Name]>, Named>;
} & {
  readonly [Name in NeededIn<Schema>]: unknown;
} & {
  readonly [Name in Exclude<keyof Props, keyof Schema>]: CheckedOther<WrittenIn<Known, Name>, Name>;
};

type ValueOf<Props, Name> = Name extends keyof Props ? Props[Name] : undefined;

/** The names of those that each component must set itself. */
type NeededIn<Schema extends PropsSchema> = {
  [Name in keyof Schema]: Schema[Name] extends Prop<unknown, unknown, boolean, infer Needed>
    ? [Needed] extends [true]
      ? Name
      : never
    : never;
}[keyof Schema] &
  string;

/** Empty where the sign is worked out, so that types know nothing of it. */
type SchemaOf<Tree, Known extends Definition> = Tree extends { readonly sign: infer Sign extends string }
  ? string extends Sign
    ? Record<never, never>
    : NonNullable<Extract<Known, { readonly sign: Sign }>["props"]>
  : Record<never, never>;

type CheckedOther<Written, Name> = [Written] extends [never]
  ? Mistake<`there is no property "${Name & string}"`>
  : WithMarks<Written>;

/** The possible types of a prop with this name, in any definition that has it. */
type WrittenIn<Known, Name> = Known extends { readonly props?: infer Schema }
  ? Name extends keyof NonNullable<Schema>
    ? NonNullable<Schema>[Name] extends Prop
      ? WrittenOf<NonNullable<Schema>[Name]>
      : never
    : never
  : never;

/** How a value has to be: as its prop is written, and names in it as references have them. */
type CheckedValue<Value, Written, Named extends NamedComponent> =
  KindOfName<Written> extends infer KindName extends string
    ? Value extends string
      ? CheckedName<Value, KindName, Named>
      : WithMarks<Written>
    : Value extends readonly unknown[]
      ? Written extends readonly (infer Item)[]
        ? { readonly [Index in keyof Value]: CheckedValue<Value[Index], Item, Named> }
        : WithMarks<Written>
      : WithMarks<Written>;

/** The name, or what is wrong with it, which the compiler shows as a type. */
type CheckedName<Name extends string, KindName extends string, Named extends NamedComponent> = string extends
  Name | KindName
  ? NameOfKind<Named, KindName> | AnyText
  : Name extends NameOfKind<Named, KindName>
    ? Name
    : Mistake<`there is no ${KindName} "${Name}" in the tree`>;

type NameOfKind<Named extends NamedComponent, KindName extends string> = Extract<Named, readonly [KindName, string]>[1];

/** `constant`, `env`, `ref`, `join` and `variable` may stand wherever a value may. */
type WithMarks<Written> = [Written] extends [never]
  ? never
  : MarkedValue | (Written extends object ? { readonly [Key in keyof Written]: WithMarks<Written[Key]> } : Written);

/** A component that references can name. */
type NamedComponent = readonly [kind: string, name: string];

/** The named components of a tree, as a union: their kinds, and their names. */
export type NamedComponentsIn<Tree, Known extends Definition> = NamedBelow<ChildrenOf<Tree>, Known>;

type NamedBelow<Child, Known extends Definition> = Child extends { readonly sign: infer Sign extends string }
  ? | (Child extends { readonly name: infer Name extends string }
        ? readonly [Extract<Known, { readonly sign: Sign }>["kind"]["name"], Name]
        : never)
    | NamedBelow<ChildrenOf<Child>, Known>
  : never;

/** The named components of a tree, by path. */
export type ComponentsIn<Tree, Known extends Definition> = {
  readonly [Entry in EntriesIn<ChildrenOf<Tree>, "", Known> as Entry["path"]]: Entry["component"];
};

type ChildrenOf<Tree> = Tree extends { readonly children: infer Children extends readonly ConfigObject[] }
  ? Children[number]
  : never;

type EntriesIn<Child, Before extends string, Known extends Definition> = Child extends {
  readonly sign: infer Sign extends string;
  readonly name: infer Name extends string;
}
  ? | EntryOf<`${Before}${Sign}.${Name}`, Name, Extract<Known, { readonly sign: Sign }>>
    | EntriesIn<ChildrenOf<Child>, `${Before}${Sign}.${Name}/`, Known>
  : never;

type EntryOf<Path extends string, Name extends string, Found extends Definition> = Found extends Definition
  ? {
      readonly path: Path;
      readonly component: StageComponent<Found["sign"], Name, Found["kind"], ReturnType<Found["create"]>>;
    }
  : never;
