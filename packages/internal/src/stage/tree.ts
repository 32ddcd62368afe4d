// The types of a configuration that is a TypeScript object. Props are checked by their signs, and the named components
// of the stage are known by path. The boot checks what types cannot express: places, names, bounds, references.

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
 * The type of a valid tree. A component may set its own props, and those of other definitions, because a descendant may
 * inherit them. Any other name is an error.
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

/** The possible types of a prop with this name, in any definition that has it. */
type WrittenIn<Known, Name> = Known extends { readonly props?: infer Schema }
  ? Name extends keyof NonNullable<Schema>
    ? NonNullable<Schema>[Name] extends Prop
      ? WrittenOf<NonNullable<Schema>[Name]>
      : never
    : never
  : never;

/** `constant`, `env`, `ref`, `join` and `variable` are allowed in place of any value. */
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
