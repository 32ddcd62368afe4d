// The OpenAPI 3.1 description of procedures, as those see them who call them by JSON over HTTP.

import type { Procedure } from "@hemi/common/rpc";
import type { HttpBinding } from "./http-rules/http-binding.ts";
import { describeBinding, type ParameterNames } from "./openapi-bindings.ts";
import { schemaRef, type Json } from "./openapi-schemas.ts";
import type { ServedBundlet } from "./served-bundlet.ts";

/**
 * `bindings`: by the paths of procedures; those that have some are described by them, all others by their names.
 * `prefix`: of all paths; "" for none. Procedures whose clients stream are left out: no plain request calls them.
 */
export function describeByOpenAPI(
  bundlets: readonly ServedBundlet[],
  bindings: ReadonlyMap<string, readonly HttpBinding[]>,
  prefix: string,
): Json {
  const schemas: Record<string, Json> = { ConnectError: errorSchema };
  const paths: Record<string, Json> = {};
  const names: ParameterNames = new Map();
  for (const { bundlet, procedures } of bundlets) {
    for (const { path, procedure } of procedures) {
      if (procedure.kind !== "unary" && procedure.kind !== "server_streaming") continue;
      const name = path.slice(1).replace("/", ".");
      const own = bindings.get(path) ?? [];
      for (const [at, binding] of own.entries()) {
        const operationId = at === 0 ? name : `${name}.${at + 1}`;
        const described = describeBinding(binding, operationId, schemas, names);
        if (described === undefined) continue;
        const operation = { operationId, tags: [bundlet.name], ...described.operation };
        const key = prefix + described.path;
        paths[key] = { ...paths[key], [described.method]: { ...operation, responses: responses(described.answer) } };
      }
      if (own.length > 0) continue;
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
  const operation = { operationId, tags: [tag], responses: responses({ [type]: { schema: output } }) };
  const post = { ...operation, requestBody: { required: true, content: { "application/json": { schema: input } } } };
  if (procedure.idempotency !== "no_side_effects") return { post };
  const parameters = [
    { name: "encoding", in: "query", required: true, schema: { const: "json" } },
    { name: "message", in: "query", required: true, content: { "application/json": { schema: input } } },
  ];
  return { post, get: { ...operation, operationId: `${operationId}.get`, parameters } };
}

/** `content`: by media type. */
function responses(content: Json): Json {
  return {
    200: { description: "The message, or a stream of them.", content },
    default: {
      description: "The call has failed.",
      content: { "application/json": { schema: { $ref: "#/components/schemas/ConnectError" } } },
    },
  };
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
