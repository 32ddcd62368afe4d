// A batch in protobuf: ExportTraceServiceRequest of opentelemetry/proto/collector/trace/v1/trace_service.proto.

import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { Span } from "@hemi/internal";
import { errorCode, kindNumbers, nanoseconds, scopeName, type SpanBatch } from "./span-batch.ts";

/** The numbers of the fields, by message. */
const fields = {
  request: { resourceSpans: 1 },
  resourceSpans: { resource: 1, scopeSpans: 2 },
  resource: { attributes: 1 },
  scopeSpans: { scope: 1, spans: 2 },
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
  keyValue: { key: 1, value: 2 },
  anyValue: { string: 1, bool: 2, int: 3, double: 4 },
} as const;

export function encodeProtobuf({ resource, spans }: SpanBatch): Uint8Array {
  const writer = new BinaryWriter();
  message(writer, fields.request.resourceSpans, () => {
    message(writer, fields.resourceSpans.resource, () => attributes(writer, fields.resource.attributes, resource));
    message(writer, fields.resourceSpans.scopeSpans, () => {
      message(writer, fields.scopeSpans.scope, () => text(writer, fields.scope.name, scopeName));
      for (const span of spans) message(writer, fields.scopeSpans.spans, () => writeSpan(writer, span));
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

function attributes(
  writer: BinaryWriter,
  field: number,
  values: Readonly<Record<string, string | number | boolean>>,
): void {
  for (const [key, value] of Object.entries(values)) {
    message(writer, field, () => {
      text(writer, fields.keyValue.key, key);
      message(writer, fields.keyValue.value, () => anyValue(writer, value));
    });
  }
}

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
