// Batches in protobuf: ExportTraceServiceRequest of opentelemetry/proto/collector/trace/v1/trace_service.proto, and
// ExportLogsServiceRequest of opentelemetry/proto/collector/logs/v1/logs_service.proto.

import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { ExportedLine, Span } from "@hemi/internal";
import type { Batch } from "./otlp-signal.ts";
import {
  errorCode,
  kindNumbers,
  lineAttributes,
  nanoseconds,
  scopeName,
  severityNumbers,
  type Attributes,
} from "./otlp-words.ts";

/** The numbers of the fields, by message. */
const fields = {
  // Of both signals: in spans and in logs, these have the same numbers.
  request: { resources: 1 },
  resourceItems: { resource: 1, scopes: 2 },
  resource: { attributes: 1 },
  scopeItems: { scope: 1, items: 2 },
  scope: { name: 1 },
  span: {
    traceId: 1,
    spanId: 2,
    traceState: 3,
    parentSpanId: 4,
    name: 5,
    kind: 6,
    startTime: 7,
    endTime: 8,
    attributes: 9,
    status: 15,
  },
  status: { message: 2, code: 3 },
  logRecord: {
    time: 1,
    severityNumber: 2,
    severityText: 3,
    body: 5,
    attributes: 6,
    traceId: 9,
    observedTime: 11,
  },
  keyValue: { key: 1, value: 2 },
  anyValue: { string: 1, bool: 2, int: 3, double: 4 },
} as const;

export function spansAsProtobuf(batch: Batch<Span>): Uint8Array {
  return encode(batch, writeSpan);
}

export function linesAsProtobuf(batch: Batch<ExportedLine>): Uint8Array {
  return encode(batch, writeLine);
}

function encode<Item>({ resource, items }: Batch<Item>, write: (writer: BinaryWriter, item: Item) => void): Uint8Array {
  const writer = new BinaryWriter();
  message(writer, fields.request.resources, () => {
    message(writer, fields.resourceItems.resource, () => attributes(writer, fields.resource.attributes, resource));
    message(writer, fields.resourceItems.scopes, () => {
      message(writer, fields.scopeItems.scope, () => text(writer, fields.scope.name, scopeName));
      for (const item of items) message(writer, fields.scopeItems.items, () => write(writer, item));
    });
  });
  return writer.finish();
}

function writeSpan(writer: BinaryWriter, span: Span): void {
  const at = fields.span;
  writer.tag(at.traceId, WireType.LengthDelimited).bytes(Buffer.from(span.traceId, "hex"));
  writer.tag(at.spanId, WireType.LengthDelimited).bytes(Buffer.from(span.spanId, "hex"));
  text(writer, at.traceState, span.state);
  if (span.parentId !== "") {
    writer.tag(at.parentSpanId, WireType.LengthDelimited).bytes(Buffer.from(span.parentId, "hex"));
  }
  text(writer, at.name, span.name);
  writer.tag(at.kind, WireType.Varint).int32(kindNumbers[span.kind]);
  writer.tag(at.startTime, WireType.Bit64).fixed64(nanoseconds(span.startTime));
  writer.tag(at.endTime, WireType.Bit64).fixed64(nanoseconds(span.endTime));
  attributes(writer, at.attributes, span.attributes);
  const { error } = span;
  if (error === undefined) return;
  message(writer, at.status, () => {
    text(writer, fields.status.message, error);
    writer.tag(fields.status.code, WireType.Varint).int32(errorCode);
  });
}

function writeLine(writer: BinaryWriter, line: ExportedLine): void {
  const at = fields.logRecord;
  writer.tag(at.time, WireType.Bit64).fixed64(nanoseconds(line.time));
  writer.tag(at.severityNumber, WireType.Varint).int32(severityNumbers[line.level]);
  text(writer, at.severityText, line.level.toUpperCase());
  message(writer, at.body, () => anyValue(writer, line.text));
  attributes(writer, at.attributes, lineAttributes(line));
  if (line.traceId !== "") writer.tag(at.traceId, WireType.LengthDelimited).bytes(Buffer.from(line.traceId, "hex"));
  writer.tag(at.observedTime, WireType.Bit64).fixed64(nanoseconds(line.time));
}

function attributes(writer: BinaryWriter, field: number, values: Attributes): void {
  for (const key in values) {
    const value = values[key];
    if (value !== undefined) writer.tag(field, WireType.LengthDelimited).bytes(keyValue(key, value));
  }
}

/** A KeyValue. Most attributes have the same value in one span after the other. */
function keyValue(key: string, value: string | number | boolean): Uint8Array {
  const last = lastValues.get(key);
  if (last?.value === value) return last.bytes;
  const writer = new BinaryWriter();
  text(writer, fields.keyValue.key, key);
  message(writer, fields.keyValue.value, () => anyValue(writer, value));
  const bytes = writer.finish();
  if (bytes.length <= maxKept && (last !== undefined || lastValues.size < maxKeys))
    lastValues.set(key, { value, bytes });
  return bytes;
}

/** Of each key the last value, and how it is encoded. */
const lastValues = new Map<string, { readonly value: string | number | boolean; readonly bytes: Uint8Array }>();
/** Keys are words of this program. */
const maxKeys = 256;
/** In bytes. */
const maxKept = 512;

/** Of a choice, also an empty value is written. */
function anyValue(writer: BinaryWriter, value: string | number | boolean): void {
  const at = fields.anyValue;
  if (typeof value === "string") writer.tag(at.string, WireType.LengthDelimited).string(value);
  else if (typeof value === "boolean") writer.tag(at.bool, WireType.Varint).bool(value);
  else if (Number.isSafeInteger(value)) writer.tag(at.int, WireType.Varint).int64(value);
  else writer.tag(at.double, WireType.Bit64).double(value);
}

function message(writer: BinaryWriter, field: number, write: () => void): void {
  writer.tag(field, WireType.LengthDelimited).fork();
  write();
  writer.join();
}

function text(writer: BinaryWriter, field: number, value: string): void {
  if (value !== "") writer.tag(field, WireType.LengthDelimited).string(value);
}
