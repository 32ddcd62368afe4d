// What is sent in one request to the collector, and what OTLP says in both of its encodings.

import type { Span, SpanKind } from "@hemi/internal";

/** The spans of one request, and who sends them. */
export interface SpanBatch {
  /** Attributes of this program, such as `service.name`. */
  readonly resource: Readonly<Record<string, string>>;
  readonly spans: readonly Span[];
}

/** The name of what has made the spans. */
export const scopeName = "@hemi/internal";

/** The numbers of `SpanKind` in opentelemetry/proto/trace/v1/trace.proto. */
export const kindNumbers: Readonly<Record<SpanKind, number>> = { internal: 1, server: 2, client: 3 };

/** `STATUS_CODE_ERROR` there. */
export const errorCode = 2;

/** Nanoseconds since the epoch, of milliseconds. */
export function nanoseconds(time: number): bigint {
  return BigInt(Math.round(time * 1000)) * 1000n;
}
