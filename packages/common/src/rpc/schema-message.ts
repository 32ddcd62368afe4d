// Messages by a schema of any library with the Standard Schema interface: zod, valibot, arktype. They travel as JSON.

import type { StandardJSONSchemaV1, StandardSchemaV1 } from "@standard-schema/spec";
import type { MessageType } from "./message-type.ts";
import { RpcError } from "./rpc-error.ts";

/** The messages of a schema. */
export type SchemaMessage<Schema extends StandardSchemaV1> = MessageType<
  StandardSchemaV1.InferInput<Schema>,
  StandardSchemaV1.InferOutput<Schema>
>;

/** The type of messages that a schema describes. Its values must be what JSON can hold. */
export function schemaMessage<Schema extends StandardSchemaV1>(schema: Schema): SchemaMessage<Schema> {
  const { validate } = schema["~standard"];
  return {
    typeName: undefined,
    make: (given) => given,
    check(value) {
      const result = validate(value);
      return result instanceof Promise ? result.then(validValue) : validValue(result);
    },
    parse: (json) => JSON.parse(json) as unknown,
    stringify(message) {
      const json: unknown = JSON.stringify(message);
      if (typeof json !== "string")
        throw new TypeError(`a message is a value that JSON can hold, not ${typeof message}`);
      return json;
    },
    jsonSchema(direction) {
      const standard = schema["~standard"];
      if (!hasJsonSchema(standard)) return undefined;
      try {
        return standard.jsonSchema[direction]({ target: "draft-2020-12" });
      } catch {
        // A type without a form in JSON Schema, such as a date.
        return undefined;
      }
    },
  };
}

function hasJsonSchema(
  standard: StandardSchemaV1.Props,
): standard is StandardSchemaV1.Props & StandardJSONSchemaV1.Props {
  return "jsonSchema" in standard;
}

function validValue(result: StandardSchemaV1.Result<unknown>): unknown {
  if (result.issues === undefined) return result.value;
  throw new RpcError("invalid_argument", result.issues.slice(0, maxIssues).map(issueText).join("; "));
}

/** Not an option: a client that sends a thousand mistakes learns enough from the first ones. */
const maxIssues = 10;

function issueText({ path, message }: StandardSchemaV1.Issue): string {
  if (path === undefined || path.length === 0) return message;
  const keys = path.map((segment) => String(typeof segment === "object" ? segment.key : segment));
  return `${keys.join(".")}: ${message}`;
}
