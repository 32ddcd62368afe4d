// The types of a configuration that is a TypeScript object: its props are checked by their signs, and the components of its stage
// are known by path. What types cannot say (places, names, bounds, references), the boot checks.

import type { ConfigObject, MarkedValue } from "../config/object.ts";
import type { Capability } from "../component/capability.ts";
import type { Child } from "../component/context.ts";
import type { Definition } from "../component/definition.ts";
import type { Kind } from "../component/kind.ts";
import type { Pack } from "../component/pack.ts";
import type { Prop, PropsSchema, WrittenOf } from "../component/props/prop-type.ts";

/** A component of a stage. */
export interface StageComponent<
  Sign extends string = string,
  Name extends string = string,
  KindType extends Kind = Kind,
  Made extends object = object,
> extends Child<Made> {
  /** The word in the configuration that picked it. */
  readonly sign: Sign;
  /** "" if it has none. */
  readonly name: Name;
  /** What sort of component it is, such as `handletKind`. */
  readonly kind: KindType;
  /** The capabilities that its definition offers. */
  readonly offers: readonly Capability[];
}

/** The definitions that some packs hold, as a union of their types. */
export type DefinitionsIn<Packs extends readonly Pack[]> = Packs[number]["definitions"][number];

/**
 * What a tree must be to be right. A prop is written as its definition takes it. So is one of another definition, because those inside may
 * inherit it; any other name is an error.
 */
export type CheckedTree<Tree, Known extends Definition> = {
  readonly [Key in keyof Tree]: Key extends "sign"
    ? Known["sign"] | "stage"
    : Key extends "name" | "when"
      ? string
      : Key extends "props"
        ? CheckedProps<Tree[Key], SchemaOf<Tree, Known>, Known>
        : Key extends "children"
          ? CheckedTrees<Tree[Key], Known>
          : never;
};

type CheckedTrees<Trees, Known extends Definition> = {
  readonly [Index in keyof Trees]: CheckedTree<Trees[Index], Known>;
};

type CheckedProps<Props, Schema extends PropsSchema, Known extends Definition> = {
  readonly [Name in keyof Props]: Name extends keyof Schema
    ? WithMarks<WrittenOf<Schema[Name]>>
    : WithMarks<WrittenIn<Known, Name>>;
};

type SchemaOf<Tree, Known extends Definition> = Tree extends { readonly sign: infer Sign }
  ? NonNullable<Extract<Known, { readonly sign: Sign }>["props"]>
  : never;

/** How a prop of this name may be written, in any definition that has it. */
type WrittenIn<Known, Name> = Known extends { readonly props?: infer Schema }
  ? Name extends keyof NonNullable<Schema>
    ? NonNullable<Schema>[Name] extends Prop
      ? WrittenOf<NonNullable<Schema>[Name]>
      : never
    : never
  : never;

/** `constant`, `env`, `ref`, `join` and `variable` may stand wherever a value may. */
type WithMarks<Written> = [Written] extends [never]
  ? never
  : MarkedValue | (Written extends object ? { readonly [Key in keyof Written]: WithMarks<Written[Key]> } : Written);

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
