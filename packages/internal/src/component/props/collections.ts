// list, strings, dict, record: values that contain other values.

import { didYouMean } from "../did-you-mean.ts";
import { quote } from "../../config/quote.ts";
import type { Value } from "../value.ts";
import { hintForOne, unfoldEnv } from "./env-value.ts";
import type { JsonSchema } from "./json-schema.ts";
import { makeProp, propMaker } from "./prop-type.ts";
import type {
  AlwaysOptions,
  MaybeOptions,
  NeededOptions,
  Prop,
  PropOptions,
  PropReader,
  PropsOf,
  PropsSchema,
  PropType,
  WrittenOf,
} from "./prop-type.ts";
import { refuse } from "./refuse.ts";
import { stringType } from "./texts.ts";
import type { StringBounds } from "./texts.ts";

/** The number of items that a collection may contain, inclusive. */
export interface CountBounds {
  /** Default: 0. */
  readonly min?: number;
  /** Default: unlimited. */
  readonly max?: number;
}

/** Values of one type, in order: `("a", "b")`, `()` for none. Only the type of `of` matters, not its default. */
export function list<T, Written>(
  of: Prop<T, Written>,
  options: NeededOptions & CountBounds,
): Prop<readonly T[], readonly Written[], true, true>;
export function list<T, Written>(
  of: Prop<T, Written>,
  options: AlwaysOptions<readonly Written[]> & CountBounds,
): Prop<readonly T[], readonly Written[], true, false>;
export function list<T, Written>(
  of: Prop<T, Written>,
  options?: MaybeOptions & CountBounds,
): Prop<readonly T[], readonly Written[], false, false>;
export function list<T, Written>(
  of: Prop<T, Written>,
  options?: PropOptions<readonly Written[]> & CountBounds,
): Prop<readonly T[], readonly Written[]> {
  return makeProp({ ...listType(of.type, "a list", options), of: of.type }, options);
}

/** Whether one value alone may stand without a list around it. */
export interface OneAloneOption {
  /** Default: false. */
  readonly oneAlone?: boolean;
}

/** A list of strings: `("a", "b")`. The length and the pattern apply to each string. */
export const strings = propMaker<readonly string[], readonly string[], CountBounds & StringBounds & OneAloneOption>(
  (bounds) => {
    const each = stringType(bounds);
    const list = listType(each, "a list of strings", bounds);
    const type = { ...(bounds?.oneAlone === true ? oneOrList(each, list) : list), name: "strings" };
    return each.takes === "a string" ? type : { ...type, of: each };
  },
);

/** A list, in which one value alone needs no list around it. */
export function oneOrList<T>(one: PropType<T>, several: PropType<readonly T[]>): PropType<readonly T[]> {
  return {
    ...several,
    takes: `${one.takes}, or ${several.takes}`,
    read(value, label, reader) {
      if (unfoldEnv(value).type === "list") return several.read(value, label, reader);
      if (value.type !== "string") return refuse(this, value, label, reader);
      const read = one.read(value, label, reader);
      return read === undefined ? undefined : [read];
    },
    jsonSchema: () => ({ anyOf: [one.jsonSchema(), several.jsonSchema()] }),
  };
}

/** Values of one type under arbitrary keys: `["a": 1, "b": 2]`, `[]` for none. */
export function dict<T, Written>(
  of: Prop<T, Written>,
  options: NeededOptions & CountBounds,
): Prop<ReadonlyMap<string, T>, Readonly<Record<string, Written>>, true, true>;
export function dict<T, Written>(
  of: Prop<T, Written>,
  options: AlwaysOptions<Readonly<Record<string, Written>>> & CountBounds,
): Prop<ReadonlyMap<string, T>, Readonly<Record<string, Written>>, true, false>;
export function dict<T, Written>(
  of: Prop<T, Written>,
  options?: MaybeOptions & CountBounds,
): Prop<ReadonlyMap<string, T>, Readonly<Record<string, Written>>, false, false>;
export function dict<T, Written>(
  of: Prop<T, Written>,
  options?: PropOptions<Readonly<Record<string, Written>>> & CountBounds,
): Prop<ReadonlyMap<string, T>, Readonly<Record<string, Written>>> {
  return makeProp(dictType(of.type, options), options);
}

/**
 * A dict with known keys. Each key has its own type, and a default or `required`: `["address": ":80", "weight": 2]`.
 */
export function record<Schema extends PropsSchema>(
  schema: Schema,
  options: NeededOptions,
): Prop<PropsOf<Schema>, WrittenRecord<Schema>, true, true>;
export function record<Schema extends PropsSchema>(
  schema: Schema,
  options: AlwaysOptions<WrittenRecord<Schema>>,
): Prop<PropsOf<Schema>, WrittenRecord<Schema>, true, false>;
export function record<Schema extends PropsSchema>(
  schema: Schema,
  options?: MaybeOptions,
): Prop<PropsOf<Schema>, WrittenRecord<Schema>, false, false>;
export function record<Schema extends PropsSchema>(
  schema: Schema,
  options?: PropOptions<WrittenRecord<Schema>>,
): Prop<PropsOf<Schema>, WrittenRecord<Schema>> {
  return makeProp(recordType(schema), options);
}

/** How a record is written in a TypeScript object. */
export type WrittenRecord<Schema extends PropsSchema> = { readonly [Name in keyof Schema]?: WrittenOf<Schema[Name]> };

/** The type of a list. `takes` describes it without the count. */
export function listType<T>(
  of: PropType<T>,
  takes: string,
  { min = 0, max = Infinity }: CountBounds = {},
): PropType<readonly T[]> {
  return {
    name: "list",
    takes: takes + counts("item", min, max),
    read(written, label, reader) {
      const value = unfoldEnv(written);
      if (value.type !== "list") return refuse(this, value, label, reader, hintForOne(value));
      const { length } = value.items;
      if (length < min || length > max) return refuseCount(this, value, length, label, reader);
      const items: T[] = [];
      value.items.forEach((item, index) => {
        const read = of.read(item, `${label}[${index}]`, reader);
        if (read !== undefined) items.push(read);
      });
      return items.length === length ? items : undefined;
    },
    plain: (items) => (of.plain === undefined ? items : items.map((item) => of.plain?.(item))),
    jsonSchema: () => ({
      type: "array",
      items: of.jsonSchema(),
      ...(min > 0 && { minItems: min }),
      ...(max < Infinity && { maxItems: max }),
    }),
  };
}

function dictType<T>(of: PropType<T>, { min = 0, max = Infinity }: CountBounds = {}): PropType<ReadonlyMap<string, T>> {
  return {
    name: "dict",
    of,
    takes: "a dict" + counts("entry", min, max),
    read(written, label, reader) {
      const value = unfoldEnv(written);
      if (value.type !== "dict") return refuse(this, value, label, reader, hintForOne(value));
      const { length } = value.entries;
      if (length < min || length > max) return refuseCount(this, value, length, label, reader);
      const dict = new Map<string, T>();
      for (const { key, value: item } of value.entries) {
        const read = of.read(item, `${label}[${quote(key)}]`, reader);
        if (read !== undefined) dict.set(key, read);
      }
      return dict.size === length ? dict : undefined;
    },
    plain: (dict) => plainEntries([...dict].map(([key, value]) => [key, of.plain ? of.plain(value) : value])),
    jsonSchema: () => ({
      type: "object",
      additionalProperties: of.jsonSchema(),
      ...(min > 0 && { minProperties: min }),
      ...(max < Infinity && { maxProperties: max }),
    }),
  };
}

/**
 * An object. Where it would not keep the order of these keys, since those like `10` come first in it, by number: a list
 * of objects with one key each.
 */
function plainEntries(entries: readonly (readonly [key: string, value: unknown])[]): unknown {
  const object: Readonly<Record<string, unknown>> = Object.fromEntries(entries);
  const isInOrder = Object.keys(object).every((key, index) => key === entries[index]?.[0]);
  return isInOrder ? object : entries.map(([key, value]) => ({ [key]: value }));
}

function recordType<Schema extends PropsSchema>(schema: Schema): PropType<PropsOf<Schema>> {
  const props = Object.entries(schema);
  const names = props.map(([name]) => name);
  const needed = props.filter(([, { required }]) => required);
  /** The one that must be there: a text that stands alone is most likely meant for it. */
  const sole = needed.length === 1 ? needed[0]?.[0] : undefined;
  return {
    name: "record",
    fields: schema,
    takes: "a dict",
    read(written, label, reader) {
      const value = unfoldEnv(written);
      if (value.type !== "dict") {
        const isText = value.type === "string" && value.fromEnv !== true && sole !== undefined;
        const hint = isText ? `write ["${sole}": ${quote(value.value)}]` : hintForOne(value);
        return refuse(this, value, label, reader, hint);
      }
      const entries = new Map(value.entries.map((entry) => [entry.key, entry]));
      let right = true;
      const record: Record<string, unknown> = {};
      const read = new Set<string>();
      for (const [name, prop] of props) {
        const key = [name, ...prop.aliases].find((key) => entries.has(key));
        const entry = key === undefined ? undefined : entries.get(key);
        if (key !== undefined) read.add(key);
        const found = entry?.value ?? prop.default;
        if (found !== undefined) record[name] = prop.type.read(found, `${label}.${name}`, reader);
        else if (prop.required) {
          reader.report({
            code: "HEMI_CONFIG_MISSING_PROP",
            span: value.span,
            message: `${label} needs ${quote(name)}`,
          });
        }
        if (record[name] === undefined && (found !== undefined || prop.required)) right = false;
      }
      for (const [key, { keySpan }] of entries) {
        if (read.has(key)) continue;
        right = false;
        const hint = didYouMean(key, names, quote);
        reader.report({
          code: "HEMI_CONFIG_UNKNOWN_PROP",
          span: keySpan,
          message: `${label} has no ${quote(key)}`,
          hint,
        });
      }
      // Every prop of the schema has been read by its type, so the record is complete.
      return right ? (record as PropsOf<Schema>) : undefined;
    },
    plain(record) {
      const data: Record<string, unknown> = {};
      for (const [name, { type }] of props) {
        const value: unknown = record[name];
        if (value !== undefined) data[name] = type.plain ? type.plain(value) : value;
      }
      return data;
    },
    jsonSchema: () => ({ type: "object", ...propsJsonSchema(schema), additionalProperties: false }),
  };
}

/**
 * The JSON Schema keywords `properties`, `required` and `allOf` of a schema, including older spellings, of which one
 * may be used at once.
 */
export function propsJsonSchema(schema: PropsSchema): JsonSchema {
  const properties: Record<string, JsonSchema> = {};
  const required: string[] = [];
  const onlyOneOf: JsonSchema[] = [];
  for (const [name, { type, aliases, ...prop }] of Object.entries(schema)) {
    const spellings = [name, ...aliases];
    for (const spelling of spellings) properties[spelling] = type.jsonSchema();
    // An inherited prop may be set in an enclosing component.
    const isRequired = prop.required && !prop.inherited;
    if (aliases.length > 0) onlyOneOf.push(oneSpelling(spellings, isRequired));
    else if (isRequired) required.push(name);
  }
  return {
    properties,
    ...(required.length > 0 && { required }),
    ...(onlyOneOf.length > 0 && { allOf: onlyOneOf }),
  };
}

function oneSpelling(spellings: readonly string[], isRequired: boolean): JsonSchema {
  const oneOf: JsonSchema[] = spellings.map((spelling) => ({ required: [spelling] }));
  if (!isRequired) oneOf.push({ properties: Object.fromEntries(spellings.map((spelling) => [spelling, false])) });
  return { oneOf };
}

function refuseCount(
  type: Pick<PropType<unknown>, "takes">,
  { span }: Value,
  count: number,
  label: string,
  reader: PropReader,
): undefined {
  reader.report({ span, message: `${label} takes ${type.takes}, not of ${count}` });
}

/** ` of 1 to 3 items` */
function counts(one: "item" | "entry", min: number, max: number): string {
  const many = one === "item" ? "items" : "entries";
  if (max < Infinity) return min === 0 ? ` of at most ${max} ${many}` : ` of ${min} to ${max} ${many}`;
  return min === 0 ? "" : ` of at least ${min} ${min === 1 ? one : many}`;
}
