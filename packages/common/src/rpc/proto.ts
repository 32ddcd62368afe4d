// Bundlets, messages and error details by protobuf descriptors, as protoc-gen-es 2 generates them.

import {
  create,
  fromBinary,
  fromJsonString,
  isMessage,
  toBinary,
  toJsonString,
  type DescMessage,
  type DescMethod,
  type DescService,
  type MessageInitShape,
  type MessageShape,
  type Registry,
} from "@bufbuild/protobuf";
import type { GenService, GenServiceMethods } from "@bufbuild/protobuf/codegenv2";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import type { Bundlet } from "./bundlet.ts";
import type { MessageType } from "./message-type.ts";
import type { Idempotency, Procedure } from "./procedure.ts";
import { protoJsonSchema } from "./proto-json-schema.ts";
import { sharedWriter } from "./proto-writer.ts";
import { RpcError, type ErrorDetail } from "./rpc-error.ts";

/** The messages of a descriptor. */
export type ProtoMessage<Desc extends DescMessage> = MessageType<MessageInitShape<Desc>, MessageShape<Desc>>;

/** The procedures of a protobuf service. */
export type ProtoProcedures<Methods extends GenServiceMethods> = {
  readonly [Name in keyof Methods]: Procedure<
    Methods[Name]["methodKind"],
    ProtoMessage<Methods[Name]["input"]>,
    ProtoMessage<Methods[Name]["output"]>
  >;
};

/** What `protoBundlet` takes beside a service. */
export interface ProtoOptions {
  /** The types that may stand in google.protobuf.Any, for JSON. Default: none. */
  readonly registry?: Registry;
}

/** The bundlet of a generated service: `protoBundlet(ElizaService)`. */
export function protoBundlet<Methods extends GenServiceMethods>(
  service: GenService<Methods>,
  options?: ProtoOptions,
): Bundlet<ProtoProcedures<Methods>>;
export function protoBundlet(service: DescService, options?: ProtoOptions): Bundlet {
  return describedBundlet(service, options);
}

/** The bundlet of a descriptor that is known at run time only, such as one of reflection. */
export function describedBundlet(service: DescService, options: ProtoOptions = {}): Bundlet {
  const procedures = service.methods.map((method) => [method.localName, procedureOf(method, options)] as const);
  return { name: service.typeName, procedures: Object.fromEntries(procedures), descriptor: service };
}

function procedureOf(method: DescMethod, options: ProtoOptions): Procedure {
  return {
    kind: method.methodKind,
    input: protoMessage(method.input, options),
    output: protoMessage(method.output, options),
    idempotency: idempotencies[method.idempotency],
    wireName: method.name,
  };
}

const idempotencies: Readonly<Record<MethodOptions_IdempotencyLevel, Idempotency>> = {
  [MethodOptions_IdempotencyLevel.IDEMPOTENCY_UNKNOWN]: "unknown",
  [MethodOptions_IdempotencyLevel.IDEMPOTENT]: "idempotent",
  [MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS]: "no_side_effects",
};

/** The messages of a descriptor. */
export function protoMessage<Desc extends DescMessage>(desc: Desc, options?: ProtoOptions): ProtoMessage<Desc>;
export function protoMessage(desc: DescMessage, { registry }: ProtoOptions = {}): MessageType {
  const json = registry === undefined ? {} : { registry };
  const make = (given: unknown): MessageShape<DescMessage> => {
    if (isMessage(given, desc)) return given;
    if (isRecord(given)) return create(desc, given);
    throw new RpcError("invalid_argument", `a ${desc.typeName} is an object`);
  };
  const writeShared = sharedWriter(desc);
  return {
    typeName: desc.typeName,
    make,
    check: make,
    parse: (text) => fromJsonString(desc, text, { ...json, ignoreUnknownFields: true }),
    stringify: (message) => toJsonString(desc, make(message), json),
    binary: {
      encode: (message) => toBinary(desc, make(message)),
      encodeShared: (message) => (isMessage(message, desc) ? writeShared(message) : undefined),
      decode: (bytes) => fromBinary(desc, bytes),
    },
    jsonSchema: () => protoJsonSchema(desc),
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** A detail of an error: a protobuf message. */
export function errorDetail<Desc extends DescMessage>(desc: Desc, value: MessageInitShape<Desc>): ErrorDetail {
  return { type: desc.typeName, value: toBinary(desc, create(desc, value)) };
}

/** The details of an error that have this type. Throws an Error if one cannot be decoded. */
export function detailsOf<Desc extends DescMessage>(error: RpcError, desc: Desc): MessageShape<Desc>[] {
  return error.details.filter(({ type }) => type === desc.typeName).map(({ value }) => fromBinary(desc, value));
}
