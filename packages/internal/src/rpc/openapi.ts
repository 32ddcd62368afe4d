// The OpenAPI 3.1 description of procedures, as those see them who call them by JSON over HTTP.

import type { Procedure } from "@hemi/common/rpc";
import type { ServedBundlet } from "./served-bundlet.ts";

type Json = Readonly<Record<string, unknown>>;

/** `prefix`: of all paths; "" for none. Procedures whose clients stream are left out: no plain request calls them. */
export function describeByOpenAPI(bundlets: readonly ServedBundlet[], prefix: string): Json {
  const schemas: Record<string, Json> = { ConnectError: errorSchema };
  const paths: Record<string, Json> = {};
  for (const { bundlet, procedures } of bundlets) {
    for (const { path, procedure } of procedures) {
      if (procedure.kind !== "unary" && procedure.kind !== "server_streaming") continue;
      const name = path.slice(1).replace("/", ".");
      const input = schemaRef(`${name}.Input`, procedure.input.jsonSchema("input"), schemas);
      const output = schemaRef(`${name}.Output`, procedure.output.jsonSchema("output"), schemas);
      paths[prefix + path] = pathItem(bundlet.name, name, procedure, input, output);
    }
  }
  return {
    openapi: "3.1.0",
    info: { title: bundlets.map(({ bundlet }) => bundlet.name).join(", "), version: "1" },
    paths,
    components: { schemas },
  };
}

function pathItem(tag: string, operationId: string, procedure: Procedure, input: Json, output: Json): Json {
  const type = procedure.kind === "unary" ? "application/json" : "text/event-stream";
  const operation = {
    operationId,
    tags: [tag],
    responses: {
      200: { description: "The message, or a stream of them.", content: { [type]: { schema: output } } },
      default: {
        description: "The call has failed.",
        content: { "application/json": { schema: { $ref: "#/components/schemas/ConnectError" } } },
      },
    },
  };
  const post = { ...operation, requestBody: { required: true, content: { "application/json": { schema: input } } } };
  if (procedure.idempotency !== "no_side_effects") return { post };
  const parameters = [
    { name: "encoding", in: "query", required: true, schema: { const: "json" } },
    { name: "message", in: "query", required: true, content: { "application/json": { schema: input } } },
  ];
  return { post, get: { ...operation, operationId: `${operationId}.get`, parameters } };
}

/** Stores a schema under a name, with its own `$defs` as schemas beside it. */
function schemaRef(name: string, schema: Json | undefined, schemas: Record<string, Json>): Json {
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

const errorSchema: Json = {
  type: "object",
  title: "An error of Connect",
  required: ["code"],
  properties: {
    code: { type: "string", examples: ["not_found"] },
    message: { type: "string" },
    details: {
      type: "array",
      items: { type: "object", properties: { type: { type: "string" }, value: { type: "string" } } },
    },
  },
};

function isRecord(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
