// Batches in protobuf: ExportTraceServiceRequest of opentelemetry/proto/collector/trace/v1/trace_service.proto, and
// ExportLogsServiceRequest of opentelemetry/proto/collector/logs/v1/logs_service.proto.

import type { Steps } from "@hemi/common";
import type { ExportedLine, Span } from "@hemi/internal";
import type { Batch } from "./otlp-signal.ts";
import {
  errorCode,
  kindNumbers,
  lineAttributes,
  scopeName,
  severityNumbers,
  type Attributes,
  type AttributeValue,
} from "./otlp-words.ts";
import { ProtoWriter } from "./proto-writer.ts";

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

/** Yields between spans. */
export function spansAsProtobuf(batch: Batch<Span>): Steps<Uint8Array> {
  return encode(batch, writeSpan);
}

/** Yields between lines. */
export function linesAsProtobuf(batch: Batch<ExportedLine>): Steps<Uint8Array> {
  return encode(batch, writeLine);
}

function* encode<Item>(
  { resource, items }: Batch<Item>,
  write: (writer: ProtoWriter, item: Item) => void,
): Steps<Uint8Array> {
  const writer = new ProtoWriter();
  const resources = writer.begin(fields.request.resources);
  const ofResource = writer.begin(fields.resourceItems.resource);
  attributes(writer, fields.resource.attributes, resource);
  writer.end(ofResource);
  const scopes = writer.begin(fields.resourceItems.scopes);
  const scope = writer.begin(fields.scopeItems.scope);
  writer.text(fields.scope.name, scopeName);
  writer.end(scope);
  for (const item of items) {
    const start = writer.begin(fields.scopeItems.items);
    write(writer, item);
    writer.end(start);
    yield undefined;
  }
  writer.end(scopes);
  writer.end(resources);
  return writer.finish();
}

function writeSpan(writer: ProtoWriter, span: Span): void {
  const at = fields.span;
  writer.hex(at.traceId, span.traceId);
  writer.hex(at.spanId, span.spanId);
  writer.text(at.traceState, span.state);
  writer.hex(at.parentSpanId, span.parentId);
  writer.text(at.name, span.name);
  writer.whole(at.kind, kindNumbers[span.kind]);
  writer.nanoseconds(at.startTime, span.startTime);
  writer.nanoseconds(at.endTime, span.endTime);
  attributes(writer, at.attributes, span.attributes);
  const { error } = span;
  if (error === undefined) return;
  const status = writer.begin(at.status);
  writer.text(fields.status.message, error);
  writer.whole(fields.status.code, errorCode);
  writer.end(status);
}

function writeLine(writer: ProtoWriter, line: ExportedLine): void {
  const at = fields.logRecord;
  writer.nanoseconds(at.time, line.time);
  writer.whole(at.severityNumber, severityNumbers[line.level]);
  writer.text(at.severityText, line.level.toUpperCase());
  const body = writer.begin(at.body);
  anyValue(writer, line.text);
  writer.end(body);
  attributes(writer, at.attributes, lineAttributes(line));
  writer.hex(at.traceId, line.traceId);
  writer.nanoseconds(at.observedTime, line.time);
}

function attributes(writer: ProtoWriter, field: number, values: Attributes): void {
  for (const key in values) {
    const value = values[key];
    if (value !== undefined) attribute(writer, field, key, value);
  }
}

/** Most attributes have the same value in one span after the other: they are encoded once. */
function attribute(writer: ProtoWriter, field: number, key: string, value: AttributeValue): void {
  const last = lastValues.get(key);
  if (last?.value !== value) {
    const start = writer.begin(field);
    keyValue(writer, key, value);
    writer.end(start);
    if (last !== undefined) [last.value, last.bytes] = [value, undefined];
    else if (lastValues.size < maxKeys) lastValues.set(key, { value, bytes: undefined });
    return;
  }
  writer.bytes(field, (last.bytes ??= encoded(key, value)));
}

/** Of each key the last value, and how it is encoded, if it came twice. Keys are words of this program. */
const lastValues = new Map<string, { value: AttributeValue; bytes: Uint8Array | undefined }>();
const maxKeys = 256;

function encoded(key: string, value: AttributeValue): Uint8Array {
  const writer = new ProtoWriter(smallSize);
  keyValue(writer, key, value);
  return writer.finish();
}

/** In bytes: of most attributes. */
const smallSize = 128;

/** The fields of a KeyValue. */
function keyValue(writer: ProtoWriter, key: string, value: AttributeValue): void {
  writer.text(fields.keyValue.key, key);
  const start = writer.begin(fields.keyValue.value);
  anyValue(writer, value);
  writer.end(start);
}

/** The field of an AnyValue, which says also "", `false` and 0. */
function anyValue(writer: ProtoWriter, value: AttributeValue): void {
  const at = fields.anyValue;
  if (typeof value === "string") writer.string(at.string, value);
  else if (typeof value === "boolean") writer.whole(at.bool, value ? 1 : 0);
  else if (Number.isSafeInteger(value)) writer.integer(at.int, value);
  else writer.double(at.double, value);
}
