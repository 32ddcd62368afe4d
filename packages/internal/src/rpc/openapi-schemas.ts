// Schemas of JSON in a description by OpenAPI: all of them stand in its components.

/** A value of JSON, as an object. */
export type Json = Readonly<Record<string, unknown>>;

/** Stores a schema under a name, with its own `$defs` as schemas beside it. */
export function schemaRef(name: string, schema: Json | undefined, schemas: Record<string, Json>): Json {
  if (schema === undefined) return {};
  const { $defs, $schema: _dialect, ...own } = schema;
  // Definitions of protobuf have full names, which are the same everywhere; those of a schema are its own.
  const scope = typeof own["$ref"] === "string" ? "" : `${name}.`;
  if (isRecord($defs)) {
    for (const [each, definition] of Object.entries($defs)) {
      if (isRecord(definition)) schemas[scope + each] = moved(definition, scope);
    }
  }
  const here = moved(own, scope);
  if (typeof here["$ref"] === "string") return here;
  schemas[name] = here;
  return { $ref: `#/components/schemas/${name}` };
}

/** With references to where the definitions are now. */
function moved(schema: Json, scope: string): Json {
  const text = JSON.stringify(schema, (key, value: unknown) =>
    key === "$ref" && typeof value === "string" ? value.replace("#/$defs/", `#/components/schemas/${scope}`) : value,
  );
  const result: unknown = JSON.parse(text);
  return isRecord(result) ? result : {};
}

/** Whether a value of JSON is an object. */
export function isRecord(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
