// The JSON Schema of a protobuf message, by the rules of its JSON form (https://protobuf.dev/programming-guides/json/).

import { ScalarType, type DescEnum, type DescField, type DescMessage } from "@bufbuild/protobuf";

type JsonSchema = Readonly<Record<string, unknown>>;

/** With all message types that it needs in `$defs`: a message may contain itself. */
export function protoJsonSchema(desc: DescMessage): JsonSchema {
  const wellKnown = wellKnownTypes[desc.typeName];
  if (wellKnown !== undefined) return wellKnown;
  const defs = new Map<string, JsonSchema>();
  define(desc, defs);
  return { $ref: `#/$defs/${desc.typeName}`, $defs: Object.fromEntries(defs) };
}

/** That of one field, with `$defs`, too. */
export function protoFieldSchema(field: DescField): JsonSchema {
  const defs = new Map<string, JsonSchema>();
  const schema = schemaOfField(field, defs);
  return defs.size === 0 ? schema : { ...schema, $defs: Object.fromEntries(defs) };
}

function define(desc: DescMessage, defs: Map<string, JsonSchema>): void {
  if (defs.has(desc.typeName)) return;
  const properties: Record<string, JsonSchema> = {};
  // Known before its members are: one of them may be of this type again.
  defs.set(desc.typeName, { type: "object", title: desc.name, properties });
  for (const field of desc.fields) properties[field.jsonName] = schemaOfField(field, defs);
}

function schemaOfField(field: DescField, defs: Map<string, JsonSchema>): JsonSchema {
  switch (field.fieldKind) {
    case "scalar":
      return schemaOfScalar(field.scalar);
    case "enum":
      return schemaOfEnum(field.enum);
    case "message":
      return schemaOfMessage(field.message, defs);
    case "list":
      return { type: "array", items: schemaOfItem(field, defs) };
    case "map":
      return { type: "object", additionalProperties: schemaOfItem(field, defs) };
  }
}

/** Of the items of a list, or the values of a map. */
function schemaOfItem(
  field: Extract<DescField, { fieldKind: "list" | "map" }>,
  defs: Map<string, JsonSchema>,
): JsonSchema {
  const { scalar, enum: choice, message } = field;
  if (message !== undefined) return schemaOfMessage(message, defs);
  return choice === undefined ? schemaOfScalar(scalar) : schemaOfEnum(choice);
}

function schemaOfMessage(desc: DescMessage, defs: Map<string, JsonSchema>): JsonSchema {
  const wellKnown = wellKnownTypes[desc.typeName];
  if (wellKnown !== undefined) return wellKnown;
  define(desc, defs);
  return { $ref: `#/$defs/${desc.typeName}` };
}

function schemaOfEnum({ values }: DescEnum): JsonSchema {
  return { type: "string", enum: values.map(({ name }) => name) };
}

function schemaOfScalar(scalar: ScalarType | undefined): JsonSchema {
  switch (scalar) {
    case ScalarType.BOOL:
      return { type: "boolean" };
    case ScalarType.BYTES:
      return { type: "string", contentEncoding: "base64" };
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return { type: ["number", "string"] };
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      // JavaScript's numbers cannot hold all of them.
      return { type: ["string", "integer"] };
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
      return { type: "integer", minimum: -(2 ** 31), maximum: 2 ** 31 - 1 };
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return { type: "integer", minimum: 0, maximum: 2 ** 32 - 1 };
    case ScalarType.STRING:
    case undefined:
      return { type: "string" };
  }
}

/** Types with a JSON form of their own. */
const wellKnownTypes: { readonly [typeName: string]: JsonSchema | undefined } = {
  "google.protobuf.Timestamp": { type: "string", format: "date-time" },
  "google.protobuf.Duration": { type: "string", pattern: "^-?\\d+(\\.\\d+)?s$" },
  "google.protobuf.FieldMask": { type: "string" },
  "google.protobuf.Struct": { type: "object" },
  "google.protobuf.Value": {},
  "google.protobuf.ListValue": { type: "array" },
  "google.protobuf.Any": { type: "object", properties: { "@type": { type: "string" } }, required: ["@type"] },
  "google.protobuf.BoolValue": { type: "boolean" },
  "google.protobuf.StringValue": { type: "string" },
  "google.protobuf.BytesValue": { type: "string", contentEncoding: "base64" },
  "google.protobuf.DoubleValue": { type: ["number", "string"] },
  "google.protobuf.FloatValue": { type: ["number", "string"] },
  "google.protobuf.Int32Value": { type: "integer" },
  "google.protobuf.UInt32Value": { type: "integer" },
  "google.protobuf.Int64Value": { type: ["string", "integer"] },
  "google.protobuf.UInt64Value": { type: ["string", "integer"] },
};
