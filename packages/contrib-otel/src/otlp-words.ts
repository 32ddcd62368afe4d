// What OTLP says in both of its encodings: names, numbers, and the attributes of lines.

import type { ExportedLine, LogLevel, SpanKind } from "@hemi/internal";

/** A value as OTLP has them in attributes. */
export type AttributeValue = string | number | boolean;

export type Attributes = Readonly<Record<string, AttributeValue>>;

/** The name of what has made the spans and lines. */
export const scopeName = "@hemi/internal";

/** The numbers of `SpanKind` in opentelemetry/proto/trace/v1/trace.proto. */
export const kindNumbers: Readonly<Record<SpanKind, number>> = { internal: 1, server: 2, client: 3 };

/** `STATUS_CODE_ERROR` there. */
export const errorCode = 2;

/** The numbers of `SeverityNumber` in opentelemetry/proto/logs/v1/logs.proto. */
export const severityNumbers: Readonly<Record<LogLevel, number>> = { debug: 5, info: 9, warn: 13, error: 17 };

/** Its attributes. `exception.stacktrace` is of OpenTelemetry's semantic conventions. */
export function lineAttributes({ log, path, cause }: ExportedLine): Attributes {
  return {
    "hemi.log": log,
    ...(path !== "" && { "hemi.component": path }),
    ...(cause !== "" && { "exception.stacktrace": cause }),
  };
}
