// A prop: a type of value with what is so of all props: default, required, inherited, aliases, reload.

import type { Span } from "../../config/spec.ts";
import type { ErrorCode } from "../../errors/codes.ts";
import { shape } from "../kind.ts";
import type { Shape } from "../kind.ts";
import type { Reference } from "../reference.ts";
import type { Value } from "../value.ts";
import type { VariableTable } from "../variables.ts";
import type { Wanted } from "../wanted.ts";
import { writtenValue } from "../written.ts";
import type { JsonSchema } from "./json-schema.ts";

/** What a value may be, and how it is read. `undefined` never is a value. */
export interface PropType<T> {
  /** As in `prop.size`. */
  readonly name: string;
  /** For messages, as in `takes a size such as 64K`. */
  readonly takes: string;
  /** Reads a value, or reports what is wrong with it and returns `undefined`. `label` names the place: `.nodes[2].weight`. */
  read(value: Value, label: string, reader: PropReader): T | undefined;
  /** Plain data that is the same for two values exactly if the values are. Left out where the values are plain data. */
  plain?(value: T): unknown;
  /** How a value is written in a TypeScript object without marks (`ref`, `env`, …). May allow more than `read`, never less. */
  jsonSchema(): JsonSchema;
  /** What the values in a list or dict are, where `takes` does not say so. */
  readonly of?: PropType<unknown>;
  /** What a record holds. */
  readonly fields?: PropsSchema;
}

/** What a type may ask while it reads a value. */
export interface PropReader {
  /** Of the component, for errors: `webapp.shop/rule.3`. */
  readonly path: string;
  /** Absolute; what relative paths start from. */
  readonly baseDir: string;
  /** Such as `tmpsDir`, without the percent sign; the folders among them are absolute. */
  readonly constants: ReadonlyMap<string, string>;
  /** What $names mean to the component; `undefined` where there are none. */
  readonly variables: VariableTable<never> | undefined;
  report(mistake: Mistake): void;
  /** Like `report`, for what is allowed and most likely not meant. */
  warn(mistake: Mistake): void;
  /** Finds a component by name, lexically outwards; reports if there is none. */
  refer<PartType extends object>(
    wanted: Wanted<PartType>,
    name: string,
    label: string,
    span: Span,
  ): Reference<PartType> | undefined;
}

export interface Mistake {
  /** Default: HEMI_CONFIG_BAD_VALUE. */
  readonly code?: ErrorCode;
  readonly span: Span;
  /** Without the component, such as `.weight takes an integer from 1 to 100, not 0`. */
  readonly message: string;
  readonly hint?: string | undefined;
}

/**
 * `Always`: it has a default or is required, so that a component always has a value. `Needed`: it is required and not inherited, so that each component
 * must set it itself.
 */
export interface Prop<
  T = unknown,
  Written = unknown,
  Always extends boolean = boolean,
  Needed extends boolean = boolean,
> {
  /** What its values may be, and how they are read. */
  readonly type: PropType<T>;
  /** What stands in where nothing is set. */
  readonly default: Value | undefined;
  /** Whether leaving it out is a mistake. */
  readonly required: boolean;
  /** Whether a component always has a value of it: it is required, or has a default. */
  readonly always: Always;
  /** Whether the nearest enclosing component that sets it counts where it is not set. */
  readonly inherited: boolean;
  /** For types only: whether it must be set of each component itself. */
  readonly needed: Shape<Needed>;
  /** Older spellings; they are read as well. */
  readonly aliases: readonly string[];
  /** How a reload applies a change: in place, or by making the component anew. */
  readonly reload: "live" | "recreate";
  /** How a value is written in a TypeScript object. */
  readonly written: Shape<Written>;
}

/** The props of a definition, by name. */
export type PropsSchema = Readonly<Record<string, Prop>>;

/** What `props` of a component with this schema is. */
export type PropsOf<Schema extends PropsSchema> = {
  readonly [Name in keyof Schema]: Schema[Name] extends Prop<infer T, unknown, infer Always>
    ? [Always] extends [true]
      ? T
      : T | undefined
    : never;
};

/** How a value of a prop may be written in a TypeScript object. */
export type WrittenOf<PropType extends Prop> = PropType extends Prop<unknown, infer Written> ? Written : never;

interface CommonOptions {
  /** Taken from the nearest enclosing component that sets it, if it is not set. Default: false. */
  readonly inherited?: boolean;
  /** Older spellings; they are read as well. */
  readonly aliases?: readonly string[];
  /** How a reload applies a change: in place, with a call of `update`, or by making the component anew. Default: recreate. */
  readonly reload?: "live" | "recreate";
}

/** Options of a prop that always has a value. */
export type AlwaysOptions<Written> = CommonOptions &
  ({ readonly required: true; readonly default?: never } | { readonly required?: false; readonly default: Written });

/** Options of a prop that each component must set itself. */
export type NeededOptions = CommonOptions & {
  readonly required: true;
  readonly inherited?: false;
  readonly default?: never;
};

/** Options of a prop that may be left unset. */
export interface MaybeOptions extends CommonOptions {
  readonly required?: false;
  readonly default?: never;
}

export type PropOptions<Written> = AlwaysOptions<Written> | MaybeOptions;

/** A function that declares props of one type, such as `prop.size`. `Bounds` are the options that the type adds. */
export interface PropMaker<T, Written, Bounds = unknown> {
  (options: NeededOptions & Bounds): Prop<T, Written, true, true>;
  (options: AlwaysOptions<Written> & Bounds): Prop<T, Written, true, false>;
  (options?: MaybeOptions & Bounds): Prop<T, Written, false, false>;
}

/** Makes a `PropMaker`; `typeWith` gets the options for the bounds among them. */
export function propMaker<T, Written, Bounds = unknown>(
  typeWith: (bounds: Bounds | undefined) => PropType<T>,
): PropMaker<T, Written, Bounds> {
  function make(options: NeededOptions & Bounds): Prop<T, Written, true, true>;
  function make(options: AlwaysOptions<Written> & Bounds): Prop<T, Written, true, false>;
  function make(options?: MaybeOptions & Bounds): Prop<T, Written, false, false>;
  function make(options?: PropOptions<Written> & Bounds): Prop<T, Written> {
    return makeProp<T, Written>(typeWith(options), options);
  }
  return make;
}

/** Every prop is made here. */
export function makeProp<T, Written>(type: PropType<T>, options: PropOptions<Written> = {}): Prop<T, Written> {
  const required = options.required === true;
  return {
    type,
    default: options.default === undefined ? undefined : writtenValue(options.default),
    required,
    always: required || options.default !== undefined,
    inherited: options.inherited ?? false,
    needed: shape<boolean>(),
    aliases: options.aliases ?? [],
    reload: options.reload ?? "recreate",
    written: shape<Written>(),
  };
}
