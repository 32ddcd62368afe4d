// The protobuf type of a JSON Schema. By protobuf's mapping to JSON, the JSON of a message stays what the schema says.

type JsonSchema = Readonly<Record<string, unknown>>;

/** A field's type as a .proto file has it. */
export interface ProtoType {
  /** `string`, `repeated shop.v1.Stock.FindInput.Line`, `map<string, double>`, `google.protobuf.Value`. */
  readonly text: string;
  /** A comment that tells what the type cannot say. */
  readonly comment?: string;
}

/** Declares a message for an object, and gives its name. */
export type DeclareMessage = (name: string, schema: JsonSchema) => string;

/** `name`: what a message is called that the type needs. `root`: where references of the schema lead. */
export function protoTypeOf(schema: JsonSchema, name: string, root: JsonSchema, declare: DeclareMessage): ProtoType {
  const plain = resolved(schema, root);
  const others = alternativesOf(plain);
  if (others?.length === 1 && others[0] !== undefined) return optional(protoTypeOf(others[0], name, root, declare));
  if (Array.isArray(plain["enum"])) return { text: "string", comment: `one of ${plain["enum"].join(", ")}` };
  switch (plain["type"]) {
    case "string":
      return { text: "string" };
    case "boolean":
      return { text: "bool" };
    case "number":
      return { text: "double" };
    case "integer":
      return integerType(plain);
    case "array":
      return listType(plain, name, root, declare);
    case "object":
      return objectType(plain, name, root, declare);
    default:
      return anything;
  }
}

const anything: ProtoType = { text: "google.protobuf.Value" };

/** Those of an `anyOf`, or of several types, without null; `undefined` if the schema has none. */
function alternativesOf(schema: JsonSchema): readonly JsonSchema[] | undefined {
  const { anyOf, type } = schema;
  if (Array.isArray(type))
    return type.filter((each) => each !== "null").map((each: unknown) => ({ ...schema, type: each }));
  return Array.isArray(anyOf) ? anyOf.filter(isRecord).filter(({ type }) => type !== "null") : undefined;
}

function optional({ text, ...rest }: ProtoType): ProtoType {
  return { text: /^(?:repeated|map|optional|google\.protobuf\.Value)/.test(text) ? text : `optional ${text}`, ...rest };
}

/** JSON has 64-bit integers of protobuf as texts: what may exceed 32 bits stays a double, which is a number. */
function integerType({ minimum, maximum }: JsonSchema): ProtoType {
  if (typeof minimum === "number" && typeof maximum === "number") {
    if (minimum >= -(2 ** 31) && maximum < 2 ** 31) return { text: "int32" };
    if (minimum >= 0 && maximum < 2 ** 32) return { text: "uint32" };
  }
  return { text: "double", comment: "an integer" };
}

function listType({ items }: JsonSchema, name: string, root: JsonSchema, declare: DeclareMessage): ProtoType {
  if (!isRecord(items)) return { text: `repeated ${anything.text}` };
  const { text } = protoTypeOf(items, name, root, declare);
  // A list of lists has no form in protobuf.
  return /^(?:repeated|map|optional)/.test(text) ? anything : { text: `repeated ${text}` };
}

function objectType(schema: JsonSchema, name: string, root: JsonSchema, declare: DeclareMessage): ProtoType {
  const { properties, additionalProperties } = schema;
  if (isRecord(properties)) return { text: declare(name, { ...schema, $defs: root["$defs"] }) };
  if (!isRecord(additionalProperties)) return { text: "google.protobuf.Struct" };
  const { text } = protoTypeOf(additionalProperties, name, root, declare);
  return /^(?:repeated|map|optional)/.test(text)
    ? { text: "google.protobuf.Struct" }
    : { text: `map<string, ${text}>` };
}

/** Without a reference. One that leads nowhere, or to itself, is anything. */
function resolved(schema: JsonSchema, root: JsonSchema, depth = 0): JsonSchema {
  const { $ref } = schema;
  if (typeof $ref !== "string") return schema;
  const definitions = root["$defs"];
  const name = /^#\/\$defs\/(.+)$/.exec($ref)?.[1];
  const found = name !== undefined && isRecord(definitions) ? definitions[name] : undefined;
  return isRecord(found) && depth < maxReferences ? resolved(found, root, depth + 1) : {};
}

const maxReferences = 20;

function isRecord(value: unknown): value is JsonSchema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
