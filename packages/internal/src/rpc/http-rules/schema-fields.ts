// The fields of messages that are declared in TypeScript, for rules of HTTP: by their JSON Schema, where the library of
// the schema has one. The schema itself checks the message in the end.

import { RpcError } from "@hemi/common/rpc";
import { isRecord, type Json } from "../openapi-schemas.ts";
import type { BoundField, BoundMessage } from "./bound-field.ts";

/** Without a schema, a message has any field, and all of them are texts. */
export function schemaFields(name: string, schema: Json | undefined): BoundMessage {
  return schema === undefined ? new AnyFields(name) : new SchemaFields(name, schema, schema);
}

class SchemaFields implements BoundMessage {
  readonly name: string;
  readonly #schema: Json;
  readonly #root: Json;
  #fields: readonly BoundField[] | undefined;

  constructor(name: string, schema: Json, root: Json) {
    this.name = name;
    this.#schema = schema;
    this.#root = root;
  }

  get fields(): readonly BoundField[] {
    const { properties } = resolved(this.#schema, this.#root);
    return (this.#fields ??= Object.entries(isRecord(properties) ? properties : {}).map(
      ([name, schema]) => new SchemaField(name, isRecord(schema) ? schema : {}, this.#root),
    ));
  }

  find(name: string): BoundField | undefined {
    return this.fields.find((each) => each.name === name);
  }
}

class SchemaField implements BoundField {
  readonly name: string;
  readonly defaultJson = null;
  readonly #own: Json;
  readonly #root: Json;
  readonly #types: ReadonlySet<string>;
  #inner: BoundMessage | undefined;

  constructor(name: string, own: Json, root: Json) {
    this.name = name;
    this.#own = own;
    this.#root = root;
    this.#types = typesOf(own, root, 0);
  }

  get jsonName(): string {
    return this.name;
  }

  get localName(): string {
    return this.name;
  }

  get isScalar(): boolean {
    return takesText(this.#types);
  }

  get takesText(): boolean {
    return this.isScalar || (this.#types.has("array") && takesText(typesOf(this.#items, this.#root, 0)));
  }

  get inner(): BoundMessage | undefined {
    if (!this.#types.has("object")) return undefined;
    const { $ref } = this.#own;
    return (this.#inner ??= new SchemaFields(typeof $ref === "string" ? $ref : this.name, this.#own, this.#root));
  }

  get schema(): Json {
    const { $defs } = this.#root;
    return $defs === undefined ? this.#own : { ...this.#own, $defs };
  }

  jsonOfTexts(texts: readonly string[]): unknown {
    if (!this.isScalar) {
      const types = typesOf(this.#items, this.#root, 0);
      return texts.map((text) => jsonOfText(types, text));
    }
    const [text = "", ...more] = texts;
    if (more.length > 0) throw new RpcError("invalid_argument", `${this.name} has several values`);
    return jsonOfText(this.#types, text);
  }

  get #items(): Json {
    const { items } = resolved(this.#own, this.#root);
    return isRecord(items) ? items : {};
  }
}

/** Those of a message whose fields nobody knows. */
class AnyFields implements BoundMessage {
  readonly name: string;
  readonly fields: readonly BoundField[] = [];

  constructor(name: string) {
    this.name = name;
  }

  find(name: string): BoundField | undefined {
    return name === "" || name === "__proto__" ? undefined : new AnyField(name);
  }
}

class AnyField implements BoundField {
  readonly name: string;
  readonly isScalar = true;
  readonly takesText = true;
  readonly schema: Json = {};
  readonly defaultJson = null;

  constructor(name: string) {
    this.name = name;
  }

  get jsonName(): string {
    return this.name;
  }

  get localName(): string {
    return this.name;
  }

  get inner(): BoundMessage {
    return new AnyFields(this.name);
  }

  jsonOfTexts(texts: readonly string[]): unknown {
    return texts.length === 1 ? texts[0] : texts;
  }
}

/** The types that its values may have; none: any. */
function typesOf(schema: Json, root: Json, depth: number): ReadonlySet<string> {
  const types = new Set<string>();
  const { type, anyOf, oneOf, enum: values, const: value } = resolved(schema, root);
  for (const each of [type].flat()) if (typeof each === "string") types.add(each);
  for (const each of [values, value === undefined ? [] : [value]].flat())
    if (each !== null && each !== undefined) types.add(typeof each);
  if (depth >= maxDepth) return types;
  for (const each of [anyOf, oneOf].flat()) {
    if (isRecord(each)) for (const inner of typesOf(each, root, depth + 1)) types.add(inner);
  }
  return types;
}

function takesText(types: ReadonlySet<string>): boolean {
  return types.size === 0 || ["string", "number", "integer", "boolean"].some((type) => types.has(type));
}

/** What fits none of the types stays a text, which the schema refuses. */
function jsonOfText(types: ReadonlySet<string>, text: string): unknown {
  if (types.has("string") || types.size === 0) return text;
  if (types.has("boolean") && (text === "true" || text === "false")) return text === "true";
  const isNumeric = types.has("number") || types.has("integer");
  const number = isNumeric && numberSyntax.test(text) ? Number(text) : Infinity;
  // JSON would have null for one that is too large.
  return Number.isFinite(number) ? number : text;
}

/** What a reference within a schema leads to. */
function resolved(schema: Json, root: Json): Json {
  let found = schema;
  for (let depth = 0; depth < maxDepth; depth++) {
    const { $ref } = found;
    if (typeof $ref !== "string") break;
    if ($ref === "#") return root;
    const { $defs } = root;
    const target = isRecord($defs) ? $defs[$ref.replace("#/$defs/", "")] : undefined;
    if (!isRecord(target)) return {};
    found = target;
  }
  return found;
}

/** Of JSON. */
const numberSyntax = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:e[+-]?\d+)?$/i;
/** Of references to references, and of choices within choices. */
const maxDepth = 10;
