// The type of the messages of a procedure: how they are checked, and how they become bytes and text.

import { encoder } from "./bytes.ts";
import { RpcError } from "./rpc-error.ts";

declare const carried: unique symbol;

/** Encodes and decodes messages as bytes (protobuf). */
export interface BinaryForm {
  /** Takes what `make` or `check` has returned. */
  encode(message: unknown): Uint8Array;
  /**
   * The same in memory that is used again: what it returns is valid until `encodeShared` of any type is called.
   * `undefined`: this message needs memory of its own, by `encode`. Default: all do.
   */
  encodeShared?(message: unknown): Uint8Array | undefined;
  /** Throws an Error for bytes that are not a message of the type. */
  decode(bytes: Uint8Array): unknown;
}

/**
 * A type of messages. `Given` is what the sender provides, `Taken` what the receiver gets: for a schema with defaults,
 * `Given` has optional members that `Taken` always has.
 */
export interface MessageType<Given = unknown, Taken = unknown> {
  /** The full name of the protobuf message; `undefined` if it has none. */
  readonly typeName: string | undefined;
  /** For clients: the message of what was given, to be encoded. */
  make(given: unknown): unknown;
  /** The valid message. Throws or rejects with RpcError `invalid_argument`. */
  check(value: unknown): unknown;
  /** A message from its JSON text, not yet checked. Throws an Error. */
  parse(json: string): unknown;
  /** The JSON text of what `make` or `check` has returned. */
  stringify(message: unknown): string;
  /** `undefined`: its messages travel as JSON only. */
  readonly binary?: BinaryForm | undefined;
  /** Its JSON Schema (2020-12), as received or as sent; `undefined` if the schema's library has none. */
  jsonSchema(direction: "input" | "output"): Readonly<Record<string, unknown>> | undefined;
  /** For types only. */
  readonly [carried]?: { readonly given: Given; readonly taken: Taken };
}

/** What a sender provides. */
export type GivenOf<T> = T extends MessageType<infer Given> ? Given : never;
/** What a receiver gets. */
export type TakenOf<T> = T extends MessageType<unknown, infer Taken> ? Taken : never;

/** How messages are encoded. */
export type MessageCodec = "proto" | "json";

/** How the messages of a procedure are encoded, if nobody says otherwise. */
export function codecOf({
  input,
  output,
}: {
  readonly input: MessageType;
  readonly output: MessageType;
}): MessageCodec {
  return input.binary !== undefined && output.binary !== undefined ? "proto" : "json";
}

/** The message in these bytes, or in this JSON text, not yet checked. Throws RpcError `invalid_argument`. */
export function decodeMessage(type: MessageType, codec: MessageCodec, encoded: Uint8Array | string): unknown {
  try {
    if (typeof encoded === "string") return type.parse(encoded);
    const { binary } = type;
    return codec === "proto" && binary !== undefined ? binary.decode(encoded) : type.parse(utf8.decode(encoded));
  } catch (error) {
    if (error instanceof RpcError) throw error;
    const what = type.typeName === undefined ? "a message" : `a message of type ${type.typeName}`;
    throw new RpcError("invalid_argument", `${what} cannot be decoded`, { cause: error });
  }
}

/** The bytes of what `make` or `check` has returned. */
export function encodeMessage(type: MessageType, codec: MessageCodec, message: unknown): Uint8Array {
  const serialized = serializeMessage(type, codec, message);
  return typeof serialized === "string" ? encoder.encode(serialized) : serialized;
}

/** The same, where JSON may stay a text. */
export function serializeMessage(type: MessageType, codec: MessageCodec, message: unknown): Uint8Array | string {
  return codec === "proto" && type.binary !== undefined ? type.binary.encode(message) : type.stringify(message);
}

const utf8 = new TextDecoder("utf-8", { fatal: true });
