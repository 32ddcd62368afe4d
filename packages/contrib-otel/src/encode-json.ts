// A batch in OTLP/JSON: the protobuf messages in their JSON mapping, with ids in hexadecimal digits
// (opentelemetry.io/docs/specs/otlp, "JSON Protobuf Encoding").

import { errorCode, kindNumbers, nanoseconds, scopeName, type SpanBatch } from "./span-batch.ts";

export function encodeJSON({ resource, spans }: SpanBatch): string {
  return JSON.stringify({
    resourceSpans: [
      {
        resource: { attributes: attributesOf(resource) },
        scopeSpans: [
          {
            scope: { name: scopeName },
            spans: spans.map((span) => ({
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
            })),
          },
        ],
      },
    ],
  });
}

function attributesOf(attributes: Readonly<Record<string, string | number | boolean>>): readonly object[] {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: valueOf(value) }));
}

function valueOf(value: string | number | boolean): object {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}
