// One rule of google.api.http for a procedure: makes its message of path, query and content, and the content of its
// answer.

import type { DescField, DescMessage, DescMethod } from "@bufbuild/protobuf";
import { parseJson, RpcError } from "@hemi/common/rpc";
import type { ServedProcedure } from "../served-bundlet.ts";
import type { HttpRule } from "./http-rule.ts";
import { parseTemplate, variableValues, type PathTemplate } from "./path-template.ts";
import { fieldsAt, jsonOfTexts, takesText } from "./text-fields.ts";

type JsonObject = Record<string, unknown>;

/** A variable of a path with its field. */
export interface BoundVariable {
  /** As the template has it: `book.name`. */
  readonly name: string;
  readonly field: DescField;
}

export class HttpBinding {
  readonly rule: HttpRule;
  readonly template: PathTemplate;
  readonly served: ServedProcedure;
  readonly input: DescMessage;
  /** The field that the content is, if it is one. */
  readonly bodyField: DescField | undefined;
  readonly responseField: DescField | undefined;
  /** The fields that the variables of the path lead to, each with those above it. */
  readonly #paths: readonly (readonly DescField[])[];

  /** Throws Error for a rule that does not fit the messages of the method. */
  constructor(served: ServedProcedure, { input, output, methodKind }: DescMethod, rule: HttpRule) {
    if (methodKind === "client_streaming" || methodKind === "bidi_streaming") {
      throw new Error("the client of the procedure streams: no request of HTTP can call it");
    }
    if (!/^(?:\*|[A-Z]+)$/.test(rule.method)) throw new Error(`it has the method ${JSON.stringify(rule.method)}`);
    this.rule = rule;
    this.template = parseTemplate(rule.path);
    this.served = served;
    this.input = input;
    this.#paths = this.template.variables.map(({ fieldPath }) => fieldsAt(input, fieldPath));
    for (const path of this.#paths) {
      const field = path.at(-1);
      if (field?.fieldKind !== "scalar" && field?.fieldKind !== "enum") {
        throw new Error(`${rule.path} has a variable that is neither a number nor a text: ${field?.name ?? ""}`);
      }
    }
    this.bodyField = rule.body === "" || rule.body === "*" ? undefined : fieldsAt(input, rule.body)[0];
    this.responseField = rule.responseBody === "" ? undefined : fieldsAt(output, rule.responseBody)[0];
  }

  /** Whether requests have content. */
  get takesContent(): boolean {
    return this.rule.body !== "";
  }

  /** The variables of the path, in order. */
  get variables(): readonly BoundVariable[] {
    return this.template.variables.flatMap(({ fieldPath: name }, at) => {
      const field = this.#paths[at]?.at(-1);
      return field === undefined ? [] : [{ name, field }];
    });
  }

  /**
   * The message, checked. `segments`: of a path that matches; `query` with its `?`, or "". Throws RpcError
   * `invalid_argument`.
   */
  decode(segments: readonly string[], query: string, content: Uint8Array): unknown {
    const values = variableValues(this.template, segments);
    const isAllContent = this.rule.body === "*" && values.length === 0 && query === "";
    if (isAllContent) return this.#decode(content.length === 0 ? noMembers : content);
    const message = this.#contentAsMessage(content);
    // Before the query: a parameter must not replace what the path says.
    for (const [at, fields] of this.#paths.entries()) put(message, fields, [values[at] ?? ""]);
    if (query !== "") this.#putQuery(message, new URLSearchParams(query));
    return this.#decode(Buffer.from(JSON.stringify(message)));
  }

  /** The JSON that the client gets for a message in JSON. */
  answer(json: string): string {
    const field = this.responseField;
    if (field === undefined) return json;
    const message = parseJson(json);
    const value = isObject(message) && Object.hasOwn(message, field.jsonName) ? message[field.jsonName] : undefined;
    return JSON.stringify(value ?? defaultOf(field));
  }

  #decode(content: Uint8Array): unknown {
    return this.served.decodeInput("json", content);
  }

  #contentAsMessage(content: Uint8Array): JsonObject {
    if (!this.takesContent) {
      if (content.length > 0) throw new RpcError("invalid_argument", `${this.rule.path} takes no content`);
      return {};
    }
    if (content.length === 0) return {};
    const json = parseJson(Buffer.from(content.buffer, content.byteOffset, content.length).toString());
    if (json === undefined) throw new RpcError("invalid_argument", "the content is not JSON");
    if (this.bodyField !== undefined) return { [this.bodyField.jsonName]: json };
    if (!isObject(json)) throw new RpcError("invalid_argument", "the content is not an object in JSON");
    return json;
  }

  #putQuery(message: JsonObject, query: URLSearchParams): void {
    for (const name of new Set(query.keys())) {
      const fields = this.#queryFields(name);
      put(message, fields, query.getAll(name));
    }
  }

  /** Throws RpcError for a parameter that stands for no field, or for one that comes otherwise. */
  #queryFields(name: string): readonly DescField[] {
    const refuse = (why: string): never => {
      throw new RpcError("invalid_argument", `the query has ${name.slice(0, 100)}, which ${why}`);
    };
    if (this.rule.body === "*") return refuse("belongs into the content");
    let fields: readonly DescField[];
    try {
      fields = fieldsAt(this.input, name);
    } catch {
      return refuse(`is no field of ${this.input.typeName}`);
    }
    const field = fields.at(-1);
    if (field === undefined || !takesText(field)) return refuse("is no value of a query");
    if (fields[0] === this.bodyField) return refuse("belongs into the content");
    if (this.#paths.some((path) => path.length === fields.length && path.every((each, at) => each === fields[at]))) {
      return refuse("belongs into the path");
    }
    return fields;
  }
}

const noMembers = Buffer.from("{}");

/** Sets a field of a message in JSON, and makes the messages above it. */
function put(message: JsonObject, fields: readonly DescField[], texts: readonly string[]): void {
  let inside = message;
  for (const [at, field] of fields.entries()) {
    // A client may use either name of a field.
    const isByName = Object.hasOwn(inside, field.name) && !Object.hasOwn(inside, field.jsonName);
    const under = isByName ? field.name : field.jsonName;
    if (at === fields.length - 1) {
      inside[under] = jsonOfTexts(field, texts);
      return;
    }
    const next = Object.hasOwn(inside, under) ? inside[under] : {};
    inside[under] = next;
    if (!isObject(next)) throw new RpcError("invalid_argument", `${field.name} is not an object in JSON`);
    inside = next;
  }
}

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

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
