// A prop: a value type and the options of every prop: default, required, inherited, aliases, reload.

import type { SourceSpan } from "../../config/spec.ts";
import type { ErrorCode } from "../../errors/codes.ts";
import { shape } from "../kind.ts";
import type { Shape } from "../kind.ts";
import type { Reference } from "../reference.ts";
import type { Value } from "../value.ts";
import type { VariableTable } from "../variables.ts";
import type { Wanted } from "../wanted.ts";
import { writtenValue } from "../written.ts";
import type { JsonSchema } from "./json-schema.ts";

/** The type of a value, and how it is read. A value is never `undefined`. */
export interface PropType<T> {
  /** The name as in `prop.size`. */
  readonly name: string;
  /** For messages: the end of `takes a size such as 64K`. */
  readonly takes: string;
  /**
   * Reads a value. For an invalid value, reports the problem and returns `undefined`. `label` names the position:
   * `.nodes[2].weight`.
   */
  read(value: Value, label: string, reader: PropReader): T | undefined;
  /**
   * Converts a value to plain data that is equal exactly if the values are equal. Omitted if the values are plain data.
   */
  plain?(value: T): unknown;
  /**
   * The schema of a value in a TypeScript object without marks (`ref`, `env`, …). It may accept more than `read`, never
   * less.
   */
  jsonSchema(): JsonSchema;
  /** The type of the values in a list or dict, if `takes` does not describe it. */
  readonly of?: PropType<unknown>;
  /** The props of a record. */
  readonly fields?: PropsSchema;
}

/** The services that a type may use while it reads a value. */
export interface PropReader {
  /** The path of the component, for errors: `webapp.shop/rule.3`. */
  readonly path: string;
  /** The absolute directory against which relative paths are resolved. */
  readonly baseDir: string;
  /** For example `tmpsDir`, without the percent sign. Directories among them are absolute. */
  readonly constants: ReadonlyMap<string, string>;
  /** The variables ($names) of the component; `undefined` if it has none. */
  readonly variables: VariableTable<never> | undefined;
  report(mistake: Mistake): void;
  /** Like `report`, for what is allowed and most likely not meant. */
  warn(mistake: Mistake): void;
  /** Finds a component by name, lexically outwards; reports if there is none. */
  refer<PartType extends object>(
    wanted: Wanted<PartType>,
    name: string,
    label: string,
    span: SourceSpan,
  ): Reference<PartType> | undefined;
}

export interface Mistake {
  /** Default: HEMI_CONFIG_BAD_VALUE. */
  readonly code?: ErrorCode;
  readonly span: SourceSpan;
  /** The message without the component, such as `.weight takes an integer from 1 to 100, not 0`. */
  readonly message: string;
  readonly hint?: string | undefined;
}

/**
 * `Always`: it has a default or is required, so that a component always has a value. `Needed`: it is required and not
 * inherited, so that each component
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
  /** The value if nothing is set. */
  readonly default: Value | undefined;
  /** Whether it is an error not to set it. */
  readonly required: boolean;
  /** Whether a component always has a value: the prop is required or has a default. */
  readonly always: Always;
  /** Whether an unset prop takes the value of the nearest enclosing component that sets it. */
  readonly inherited: boolean;
  /** For types only: whether it must be set of each component itself. */
  readonly needed: Shape<Needed>;
  /** Older spellings; they are read as well. */
  readonly aliases: readonly string[];
  /** How a reload applies a change: in place, or by creating the component anew. */
  readonly reload: "live" | "recreate";
  /** The type of a value in a TypeScript object. */
  readonly written: Shape<Written>;
}

/** The props of a definition, by name. */
export type PropsSchema = Readonly<Record<string, Prop>>;

/** The type of `props` of a component with this schema. */
export type PropsOf<Schema extends PropsSchema> = {
  readonly [Name in keyof Schema]: Schema[Name] extends Prop<infer T, unknown, infer Always>
    ? [Always] extends [true]
      ? T
      : T | undefined
    : never;
};

/** The type of a prop's value in a TypeScript object. */
export type WrittenOf<PropType extends Prop> = PropType extends Prop<unknown, infer Written> ? Written : never;

interface CommonOptions {
  /** Whether an unset prop takes the value of the nearest enclosing component that sets it. Default: false. */
  readonly inherited?: boolean;
  /** Older spellings. They still work. */
  readonly aliases?: readonly string[];
  /**
   * How a reload applies a change: in place with a call of `update`, or by creating the component anew. Default:
   * recreate.
   */
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

/** Makes a `PropMaker`. `typeWith` receives the options, which include the bounds. */
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

/** Creates every prop. */
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
