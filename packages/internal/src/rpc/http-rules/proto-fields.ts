// The fields of protobuf messages, for rules of HTTP.

import { ScalarType, type DescEnum, type DescField, type DescMessage } from "@bufbuild/protobuf";
import { RpcError } from "@hemi/common/rpc";
import { protoFieldSchema } from "@hemi/common/rpc-proto";
import type { Json } from "../openapi-schemas.ts";
import type { BoundField, BoundMessage } from "./bound-field.ts";

export class ProtoMessageFields implements BoundMessage {
  readonly name: string;
  readonly #desc: DescMessage;
  #fields: readonly BoundField[] | undefined;

  constructor(desc: DescMessage) {
    this.name = desc.typeName;
    this.#desc = desc;
  }

  get fields(): readonly BoundField[] {
    return (this.#fields ??= this.#desc.fields.map((field) => new ProtoField(field)));
  }

  find(name: string): BoundField | undefined {
    return this.fields.find((each) => each.name === name || each.jsonName === name);
  }
}

/** A field of protobuf. */
export class ProtoField implements BoundField {
  readonly desc: DescField;
  #inner: BoundMessage | undefined;

  constructor(desc: DescField) {
    this.desc = desc;
  }

  get name(): string {
    return this.desc.name;
  }

  get jsonName(): string {
    return this.desc.jsonName;
  }

  get localName(): string {
    return this.desc.localName;
  }

  get isScalar(): boolean {
    return this.desc.fieldKind === "scalar" || this.desc.fieldKind === "enum";
  }

  get takesText(): boolean {
    return takesText(this.desc);
  }

  get inner(): BoundMessage | undefined {
    if (this.desc.fieldKind !== "message") return undefined;
    return (this.#inner ??= new ProtoMessageFields(this.desc.message));
  }

  get schema(): Json {
    return protoFieldSchema(this.desc);
  }

  get defaultJson(): unknown {
    return defaultOf(this.desc);
  }

  jsonOfTexts(texts: readonly string[]): unknown {
    return jsonOfTexts(this.desc, texts);
  }
}

/** Whether texts can be values of a field: no messages, but for those whose JSON is one value. */
function takesText(field: DescField): boolean {
  switch (field.fieldKind) {
    case "scalar":
    case "enum":
      return true;
    case "message":
      return isTextual(field.message);
    case "list":
      return field.message === undefined || isTextual(field.message);
    case "map":
      return false;
  }
}

/**
 * The JSON of a field with these texts, which are several for a list only. Throws RpcError `invalid_argument` for what
 * the decoder of JSON would not notice.
 */
function jsonOfTexts(field: DescField, texts: readonly string[]): unknown {
  if (field.fieldKind === "list") return texts.map((text) => jsonOfText(field, text));
  const [text = "", ...more] = texts;
  if (more.length > 0) throw new RpcError("invalid_argument", `${field.name} has several values`);
  return jsonOfText(field, text);
}

function jsonOfText(field: DescField, text: string): unknown {
  if (field.enum !== undefined) return jsonOfEnum(field.enum, field.name, text);
  const isBool = field.scalar === ScalarType.BOOL || field.message?.typeName === "google.protobuf.BoolValue";
  // In JSON, the numbers of protobuf may be strings.
  if (!isBool) return text;
  if (text === "true") return true;
  if (text === "false") return false;
  throw new RpcError("invalid_argument", `${field.name} is true or false`);
}

function jsonOfEnum({ values, open }: DescEnum, name: string, text: string): unknown {
  if (values.some((value) => value.name === text)) return text;
  const number = /^-?\d{1,10}$/.test(text) ? Number(text) : undefined;
  if (number !== undefined && (open || values.some((value) => value.number === number))) return number;
  throw new RpcError("invalid_argument", `${name} has no value ${text.slice(0, 100)}`);
}

function isTextual({ typeName }: DescMessage): boolean {
  return textualTypes.has(typeName);
}

/** Messages whose JSON is a string, a number or a boolean. */
const textualTypes: ReadonlySet<string> = new Set(
  [
    ...["Timestamp", "Duration", "FieldMask", "BoolValue", "StringValue", "BytesValue", "DoubleValue", "FloatValue"],
    ...["Int32Value", "Int64Value", "UInt32Value", "UInt64Value"],
  ].map((name) => `google.protobuf.${name}`),
);

/** What JSON leaves out because it is the default. */
function defaultOf(field: DescField): unknown {
  switch (field.fieldKind) {
    case "list":
      return [];
    case "map":
      return {};
    case "enum":
      return field.enum.values[0]?.name ?? null;
    case "message":
      return null;
    case "scalar":
      return scalarDefault(field.getDefaultValue());
  }
}

function scalarDefault(value: unknown): unknown {
  // JSON has 64-bit integers as strings, and bytes as base64.
  if (typeof value === "bigint") return String(value);
  return value instanceof Uint8Array ? "" : (value ?? "");
}
