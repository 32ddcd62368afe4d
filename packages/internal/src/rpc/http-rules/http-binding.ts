// One rule of HTTP for a procedure: makes its message of path, query and content, and the content of its
// answer.

import { parseJson, RpcError, streamsIn, type HttpRule } from "@hemi/common/rpc";
import type { ServedProcedure } from "../served-bundlet.ts";
import { fieldsAt, isBeneath, type BoundField, type BoundMessage } from "./bound-field.ts";
import { httpBodyJson, isHttpBody, readHttpBody, type HttpBody } from "./http-body.ts";
import { parseTemplate, variableValues, type PathTemplate } from "./path-template.ts";

type JsonObject = Record<string, unknown>;

/** A variable of a path with its field. */
export interface BoundVariable {
  /** As the template has it: `book.name`. */
  readonly name: string;
  readonly field: BoundField;
}

export class HttpBinding {
  readonly rule: HttpRule;
  readonly template: PathTemplate;
  readonly served: ServedProcedure;
  readonly input: BoundMessage;
  /** The field that the content is, if it is one. */
  readonly bodyField: BoundField | undefined;
  readonly responseField: BoundField | undefined;
  readonly #output: BoundMessage;
  /** The fields that the variables of the path lead to, each with those above it. */
  readonly #paths: readonly (readonly BoundField[])[];

  /** Throws Error for a rule that does not fit the messages of the procedure. */
  constructor(served: ServedProcedure, rule: HttpRule, input: BoundMessage, output: BoundMessage) {
    if (streamsIn(served.procedure.kind)) {
      throw new Error("the client of the procedure streams: no request of HTTP can call it");
    }
    if (!/^(?:\*|[A-Z]+)$/.test(rule.method)) throw new Error(`it has the method ${JSON.stringify(rule.method)}`);
    this.rule = rule;
    this.template = parseTemplate(rule.path);
    this.served = served;
    this.input = input;
    this.#output = output;
    this.#paths = this.template.variables.map(({ fieldPath }) => fieldsAt(input, fieldPath));
    for (const path of this.#paths) {
      const field = path.at(-1);
      if (field?.isScalar !== true) {
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

  /** Whether the content of requests is of any media type (google.api.HttpBody). */
  get takesRaw(): boolean {
    return this.takesContent && isHttpBody(this.bodyField === undefined ? this.input : this.bodyField.inner);
  }

  /** Whether the content of answers is of any media type. */
  get givesRaw(): boolean {
    return isHttpBody(this.responseField === undefined ? this.#output : this.responseField.inner);
  }

  /** The variables of the path, in order. */
  get variables(): readonly BoundVariable[] {
    return this.template.variables.flatMap(({ fieldPath: name }, at) => {
      const field = this.#paths[at]?.at(-1);
      return field === undefined ? [] : [{ name, field }];
    });
  }

  /**
   * The message, checked. `segments`: of a path that matches; `query` with its `?`, or ""; `contentType` or "". Throws
   * RpcError `invalid_argument`.
   */
  decode(segments: readonly string[], query: string, content: Uint8Array, contentType: string): unknown {
    const values = variableValues(this.template, segments);
    const isAllContent = this.rule.body === "*" && values.length === 0 && query === "" && !this.takesRaw;
    if (isAllContent) return this.#decode(content.length === 0 ? noMembers : content);
    const message = this.#contentAsMessage(content, contentType);
    // Before the query: a parameter must not replace what the path says.
    for (const [at, fields] of this.#paths.entries()) put(message, fields, [values[at] ?? ""]);
    if (query !== "") this.#putQuery(message, new URLSearchParams(query));
    return this.#decode(Buffer.from(jsonOf(message)));
  }

  /** The content that the client gets for a message, if `givesRaw`. */
  rawAnswer(message: unknown): HttpBody {
    const field = this.responseField;
    if (field === undefined) return readHttpBody(message);
    return readHttpBody(isObject(message) ? message[field.localName] : undefined);
  }

  /** The JSON that the client gets for a message in JSON. */
  answer(json: string): string {
    const field = this.responseField;
    if (field === undefined) return json;
    const message = parseJson(json);
    const value = isObject(message) && Object.hasOwn(message, field.jsonName) ? message[field.jsonName] : undefined;
    return JSON.stringify(value ?? field.defaultJson);
  }

  #decode(content: Uint8Array): unknown {
    return this.served.decodeInput("json", content);
  }

  #contentAsMessage(content: Uint8Array, contentType: string): JsonObject {
    if (!this.takesContent) {
      if (content.length > 0) throw new RpcError("invalid_argument", `${this.rule.path} takes no content`);
      return {};
    }
    if (this.takesRaw) {
      const body = httpBodyJson(contentType, content);
      return this.bodyField === undefined ? { ...body } : { [this.bodyField.jsonName]: body };
    }
    if (content.length === 0) return {};
    const json = parseJson(Buffer.from(content.buffer, content.byteOffset, content.length).toString());
    if (json === undefined) throw new RpcError("invalid_argument", "the content is not JSON");
    if (this.bodyField !== undefined) return { [this.bodyField.jsonName]: json };
    if (!isObject(json)) throw new RpcError("invalid_argument", "the content is not an object in JSON");
    return json;
  }

  #putQuery(message: JsonObject, query: URLSearchParams): void {
    for (const [name, texts] of textsByName(query)) put(message, this.#queryFields(name), texts);
  }

  /** Throws RpcError for a parameter that stands for no field, or for one that comes otherwise. */
  #queryFields(name: string): readonly BoundField[] {
    const refuse = (why: string): never => {
      throw new RpcError("invalid_argument", `the query has ${name.slice(0, 100)}, which ${why}`);
    };
    if (this.rule.body === "*") return refuse("belongs into the content");
    let fields: readonly BoundField[];
    try {
      fields = fieldsAt(this.input, name);
    } catch {
      return refuse(`is no field of ${this.input.name}`);
    }
    if (fields.at(-1)?.takesText !== true) return refuse("is no value of a query");
    if (fields[0]?.name === this.bodyField?.name) return refuse("belongs into the content");
    const isInPath = this.#paths.some((path) => isBeneath(path, fields) || isBeneath(fields, path));
    if (isInPath) return refuse("belongs into the path");
    return fields;
  }
}

const noMembers = Buffer.from("{}");

/** The values of each parameter. Not `getAll` for each: that takes time with the square of their number. */
function textsByName(query: URLSearchParams): ReadonlyMap<string, readonly string[]> {
  const byName = new Map<string, string[]>();
  for (const [name, text] of query) {
    const texts = byName.get(name);
    if (texts === undefined) byName.set(name, [text]);
    else texts.push(text);
  }
  return byName;
}

/** Throws RpcError for what JSON.parse takes and JSON.stringify does not. */
function jsonOf(message: JsonObject): string {
  try {
    return JSON.stringify(message);
  } catch (error) {
    throw new RpcError("invalid_argument", "the content is nested too deeply", { cause: error });
  }
}

/** Sets a field of a message in JSON, and makes the messages above it. */
function put(message: JsonObject, fields: readonly BoundField[], texts: readonly string[]): void {
  let inside = message;
  for (const [at, field] of fields.entries()) {
    // A client may use either name of a field.
    const isByName = Object.hasOwn(inside, field.name) && !Object.hasOwn(inside, field.jsonName);
    const under = isByName ? field.name : field.jsonName;
    if (at === fields.length - 1) {
      inside[under] = field.jsonOfTexts(texts);
      return;
    }
    const next = Object.hasOwn(inside, under) ? inside[under] : {};
    inside[under] = next;
    if (!isObject(next)) throw new RpcError("invalid_argument", `${field.name} is not an object in JSON`);
    inside = next;
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
