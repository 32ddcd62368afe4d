// Procedures: the four kinds of calls, declared by the schemas of their messages.

import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { HttpPath } from "./http-rule.ts";
import type { MessageType } from "./message-type.ts";
import { schemaMessage, type SchemaMessage } from "./schema-message.ts";

/** Who sends one message, and who any number of them; named as in protobuf. */
export type ProcedureKind = "unary" | "server_streaming" | "client_streaming" | "bidi_streaming";

/**
 * What a repetition of a call does. `no_side_effects`: nothing, so that it may be a GET, and be cached. `idempotent`:
 * the same as one call. `unknown`: it might do it twice, so nobody repeats it.
 */
export type Idempotency = "no_side_effects" | "idempotent" | "unknown";

/** One procedure of a bundlet. */
export interface Procedure<
  Kind extends ProcedureKind = ProcedureKind,
  Input extends MessageType = MessageType,
  Output extends MessageType = MessageType,
> {
  readonly kind: Kind;
  readonly input: Input;
  readonly output: Output;
  readonly idempotency: Idempotency;
  /** Its name on the wire; `undefined`: that of its property in the bundlet. */
  readonly wireName?: string;
  /** Its paths of HTTP, if it is declared in TypeScript. */
  readonly http?: readonly HttpPath[];
}

/** What declares a procedure in TypeScript. */
export interface ProcedureDeclaration<Input extends StandardSchemaV1, Output extends StandardSchemaV1> {
  /** The schema of what the client sends. */
  readonly input: Input;
  /** The schema of what the server sends. */
  readonly output: Output;
  /** Default: `unknown`. */
  readonly idempotency?: Idempotency;
  /** Its paths of HTTP, beside the one of its name: see `HttpPath`. Default: none. */
  readonly http?: HttpPath | readonly HttpPath[];
}

/** One message in, one message out. */
export const unary = maker("unary");
/** One message in, any number out. */
export const serverStreaming = maker("server_streaming");
/** Any number of messages in, one out. */
export const clientStreaming = maker("client_streaming");
/** Any number of messages in, any number out, at the same time. */
export const bidiStreaming = maker("bidi_streaming");

function maker<const Kind extends ProcedureKind>(kind: Kind) {
  return function declare<Input extends StandardSchemaV1, Output extends StandardSchemaV1>({
    input,
    output,
    idempotency = "unknown",
    http = [],
  }: ProcedureDeclaration<Input, Output>): Procedure<Kind, SchemaMessage<Input>, SchemaMessage<Output>> {
    return {
      kind,
      input: schemaMessage(input),
      output: schemaMessage(output),
      idempotency,
      http: [http].flat(),
    };
  };
}

/** Whether the client sends any number of messages. */
export function streamsIn(kind: ProcedureKind): boolean {
  return kind === "client_streaming" || kind === "bidi_streaming";
}

/** Whether the server sends any number of messages. */
export function streamsOut(kind: ProcedureKind): boolean {
  return kind === "server_streaming" || kind === "bidi_streaming";
}
