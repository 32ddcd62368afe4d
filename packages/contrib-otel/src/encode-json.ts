// Batches in OTLP/JSON: the protobuf messages in their JSON mapping, with ids in hexadecimal digits
// (opentelemetry.io/docs/specs/otlp, "JSON Protobuf Encoding").

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

/** An ExportTraceServiceRequest. */
export function spansAsJSON({ resource, items }: Batch<Span>): string {
  const spans = items.map((span) => ({
    traceId: span.traceId,
    spanId: span.spanId,
    traceState: span.state,
    parentSpanId: span.parentId,
    name: span.name,
    kind: kindNumbers[span.kind],
    startTimeUnixNano: String(nanoseconds(span.startTime)),
    endTimeUnixNano: String(nanoseconds(span.endTime)),
    attributes: attributesOf(span.attributes),
    status: span.error === undefined ? {} : { code: errorCode, message: span.error },
  }));
  return JSON.stringify({ resourceSpans: [{ resource: resourceOf(resource), scopeSpans: [{ scope, spans }] }] });
}

/** An ExportLogsServiceRequest. */
export function linesAsJSON({ resource, items }: Batch<ExportedLine>): string {
  const logRecords = items.map((line) => ({
    timeUnixNano: String(nanoseconds(line.time)),
    observedTimeUnixNano: String(nanoseconds(line.time)),
    severityNumber: severityNumbers[line.level],
    severityText: line.level.toUpperCase(),
    body: { stringValue: line.text },
    attributes: attributesOf(lineAttributes(line)),
    ...(line.traceId !== "" && { traceId: line.traceId }),
  }));
  return JSON.stringify({ resourceLogs: [{ resource: resourceOf(resource), scopeLogs: [{ scope, logRecords }] }] });
}

const scope = { name: scopeName };

function resourceOf(resource: Attributes): object {
  return { attributes: attributesOf(resource) };
}

function attributesOf(attributes: Attributes): readonly object[] {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: valueOf(value) }));
}

function valueOf(value: string | number | boolean): object {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}
