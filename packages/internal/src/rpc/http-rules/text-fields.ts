// Fields of messages whose values come as text: in paths and queries.

import { ScalarType, type DescEnum, type DescField, type DescMessage } from "@bufbuild/protobuf";
import { RpcError } from "@hemi/common/rpc";

/**
 * The fields that a path such as `book.author_id` leads over; the names may be those of JSON, too. Throws Error if
 * there is no such field.
 */
export function fieldsAt(message: DescMessage, path: string): readonly DescField[] {
  const fields: DescField[] = [];
  let inside: DescMessage | undefined = message;
  for (const name of path.split(".")) {
    const field: DescField | undefined = inside?.fields.find((each) => each.name === name || each.jsonName === name);
    if (field === undefined) throw new Error(`a ${message.typeName} has no field ${path}`);
    fields.push(field);
    inside = field.fieldKind === "message" ? field.message : undefined;
  }
  return fields;
}

/** Whether texts can be values of a field: no messages, but for those whose JSON is one value. */
export function takesText(field: DescField): boolean {
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
export function jsonOfTexts(field: DescField, texts: readonly string[]): unknown {
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
