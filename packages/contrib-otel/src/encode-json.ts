// Batches in OTLP/JSON: the protobuf messages in their JSON mapping, with ids in hexadecimal digits
// (opentelemetry.io/docs/specs/otlp, "JSON Protobuf Encoding").

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

/** An ExportTraceServiceRequest. Yields between spans. */
export function* spansAsJSON({ resource, items }: Batch<Span>): Steps<string> {
  const spans: string[] = [];
  for (const span of items) {
    spans.push(JSON.stringify(spanOf(span)));
    yield undefined;
  }
  const scopeSpans = `[{"scope":${scope},"spans":[${spans.join(",")}]}]`;
  return `{"resourceSpans":[{"resource":${resourceOf(resource)},"scopeSpans":${scopeSpans}}]}`;
}

/** An ExportLogsServiceRequest. Yields between lines. */
export function* linesAsJSON({ resource, items }: Batch<ExportedLine>): Steps<string> {
  const records: string[] = [];
  for (const line of items) {
    records.push(JSON.stringify(recordOf(line)));
    yield undefined;
  }
  const scopeLogs = `[{"scope":${scope},"logRecords":[${records.join(",")}]}]`;
  return `{"resourceLogs":[{"resource":${resourceOf(resource)},"scopeLogs":${scopeLogs}}]}`;
}

function spanOf(span: Span): object {
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    traceState: span.state,
    parentSpanId: span.parentId,
    name: span.name,
    kind: kindNumbers[span.kind],
    startTimeUnixNano: nanoseconds(span.startTime),
    endTimeUnixNano: nanoseconds(span.endTime),
    attributes: attributesOf(span.attributes),
    status: span.error === undefined ? {} : { code: errorCode, message: span.error },
  };
}

function recordOf(line: ExportedLine): object {
  const time = nanoseconds(line.time);
  return {
    timeUnixNano: time,
    observedTimeUnixNano: time,
    severityNumber: severityNumbers[line.level],
    severityText: line.level.toUpperCase(),
    body: { stringValue: line.text },
    attributes: attributesOf(lineAttributes(line)),
    ...(line.traceId !== "" && { traceId: line.traceId }),
  };
}

/** Nanoseconds since the epoch, of milliseconds. A number has too few digits. */
function nanoseconds(time: number): string {
  return `${Math.round(time * 1000)}000`;
}

const scope = JSON.stringify({ name: scopeName });

function resourceOf(resource: Attributes): string {
  return JSON.stringify({ attributes: attributesOf(resource) });
}

function attributesOf(attributes: Attributes): readonly object[] {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: valueOf(value) }));
}

function valueOf(value: AttributeValue): object {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}
