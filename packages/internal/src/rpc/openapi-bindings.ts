// The operation of OpenAPI for a path that a rule of HTTP gives to a procedure.

import type { BoundField, BoundMessage } from "./http-rules/bound-field.ts";
import type { HttpBinding } from "./http-rules/http-binding.ts";
import { schemaRef, type Json } from "./openapi-schemas.ts";

export interface DescribedBinding {
  /** With a parameter for each variable: `/v1/{name}`. */
  readonly path: string;
  /** As OpenAPI has it: `get`. */
  readonly method: string;
  /** Its parameters and the content of its request. */
  readonly operation: Json;
  /** The content of its answer, by media type. */
  readonly answer: Json;
}

/** The names of the parameters of paths, by those paths without names: equal paths must have equal names. */
export type ParameterNames = Map<string, readonly string[]>;

/** `undefined` for a method that OpenAPI does not have. `name`: for its schemas, which are stored in `schemas`. */
export function describeBinding(
  binding: HttpBinding,
  name: string,
  schemas: Record<string, Json>,
  knownNames: ParameterNames,
): DescribedBinding | undefined {
  const { rule, served, bodyField, responseField } = binding;
  const method = rule.method.toLowerCase();
  if (!methods.has(method)) return undefined;
  const { path, parameters } = describePath(binding, knownNames);
  const { input, output, kind } = served.procedure;
  const ofField = (field: BoundField, part: string): Json => schemaRef(`${name}.${part}`, field.schema, schemas);
  const whole = (part: string, schema: Json | undefined): Json => schemaRef(`${name}.${part}`, schema, schemas);
  const inputSchema = bodyField === undefined ? whole("Input", input.jsonSchema("input")) : ofField(bodyField, "Input");
  const outputSchema =
    responseField === undefined ? whole("Output", output.jsonSchema("output")) : ofField(responseField, "Output");
  const query = rule.body === "*" ? [] : queryParameters(binding);
  return {
    path,
    method,
    operation: {
      parameters: [...parameters, ...query],
      ...(binding.takesContent && {
        requestBody: { content: binding.takesRaw ? anyContent : { "application/json": { schema: inputSchema } } },
      }),
    },
    answer: binding.givesRaw
      ? anyContent
      : kind === "unary"
        ? { "application/json": { schema: outputSchema } }
        : {
            "application/json": { schema: { type: "array", items: outputSchema } },
            "text/event-stream": { schema: outputSchema },
          },
  };
}

/** Of google.api.HttpBody. */
const anyContent: Json = { "*/*": {} };

const methods: ReadonlySet<string> = new Set(["get", "put", "post", "delete", "options", "head", "patch", "trace"]);

interface Wildcard {
  readonly name: string;
  readonly schema: Json;
}

/** Each wildcard is a parameter. In a variable of several segments, it has the name of the literal before it. */
function describePath(
  { template, variables }: HttpBinding,
  knownNames: ParameterNames,
): { path: string; parameters: readonly Json[] } {
  const { segments, verb } = template;
  const parts = segments.map((segment, at): string | Wildcard => {
    if (!segment.startsWith("*")) return segment;
    const variable = template.variables.findIndex(({ start, end }) => start <= at && at < end);
    const { start = at, end = at } = template.variables[variable] ?? {};
    const { name = `segment${at + 1}`, field } = variables[variable] ?? {};
    const isAlone = end - start === 1 && field !== undefined;
    const literal = at > start ? segments[at - 1] : undefined;
    return {
      name: literal === undefined || literal.startsWith("*") ? (start === at ? name : `${name}.${at + 1}`) : literal,
      schema: isAlone ? field.schema : { type: "string" },
    };
  });
  const wildcards = parts.filter((part) => typeof part !== "string");
  const hierarchy = parts.map((part) => (typeof part === "string" ? part : "{}")).join("/") + verb;
  const names = knownNames.get(hierarchy) ?? wildcards.map(({ name }) => name);
  knownNames.set(hierarchy, names);
  const parameters = wildcards.map(({ schema }, at) => ({ name: names[at], in: "path", required: true, schema }));
  const path = parts.map((part) => (typeof part === "string" ? part : `{${names[wildcards.indexOf(part)]}}`)).join("/");
  return { path: `/${path}${verb === "" ? "" : `:${verb}`}`, parameters };
}

/** Messages that contain messages could make any number of them. */
const maxParameters = 200;

/** The fields that neither the path nor the content has. */
function queryParameters({ input, bodyField, variables }: HttpBinding): readonly Json[] {
  const taken = new Set(variables.map(({ name }) => name));
  const parameters: Json[] = [];
  const collect = (message: BoundMessage, prefix: string, above: readonly string[]): void => {
    for (const field of message.fields) {
      if (parameters.length >= maxParameters) return;
      const name = prefix + field.name;
      if (taken.has(name) || (prefix === "" && field.name === bodyField?.name)) continue;
      const { inner } = field;
      if (field.takesText) parameters.push({ name, in: "query", schema: field.schema });
      else if (inner !== undefined && !above.includes(inner.name)) collect(inner, `${name}.`, [...above, inner.name]);
    }
  };
  collect(input, "", [input.name]);
  return parameters;
}
