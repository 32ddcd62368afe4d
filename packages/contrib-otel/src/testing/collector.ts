// For tests: a collector of OTLP over HTTP. It decodes protobuf by a library of others, from the messages as they are
// defined.

import { once } from "node:events";
import { createServer } from "node:http";
import { buffer } from "node:stream/consumers";
import protobuf from "protobufjs";

/** The part of the definitions of OpenTelemetry that spans and lines of logs need. */
const definitions = `syntax = "proto3";
message ExportTraceServiceRequest { repeated ResourceSpans resource_spans = 1; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
message Resource { repeated KeyValue attributes = 1; }
message ScopeSpans { InstrumentationScope scope = 1; repeated Span spans = 2; }
message InstrumentationScope { string name = 1; string version = 2; }
message Span {
  bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; bytes parent_span_id = 4; string name = 5;
  enum SpanKind { SPAN_KIND_UNSPECIFIED = 0; SPAN_KIND_INTERNAL = 1; SPAN_KIND_SERVER = 2; SPAN_KIND_CLIENT = 3; }
  SpanKind kind = 6;
  fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8; repeated KeyValue attributes = 9;
  Status status = 15;
}
message Status {
  enum StatusCode { STATUS_CODE_UNSET = 0; STATUS_CODE_OK = 1; STATUS_CODE_ERROR = 2; }
  string message = 2; StatusCode code = 3;
}
message ExportLogsServiceRequest { repeated ResourceLogs resource_logs = 1; }
message ResourceLogs { Resource resource = 1; repeated ScopeLogs scope_logs = 2; }
message ScopeLogs { InstrumentationScope scope = 1; repeated LogRecord log_records = 2; }
message LogRecord {
  fixed64 time_unix_nano = 1; fixed64 observed_time_unix_nano = 11; int32 severity_number = 2; string severity_text = 3;
  AnyValue body = 5; repeated KeyValue attributes = 6; bytes trace_id = 9;
}
message KeyValue { string key = 1; AnyValue value = 2; }
message AnyValue {
  oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; }
}`;

const { root } = protobuf.parse(definitions);
/** By the path of the request. */
const requestTypes: Readonly<Record<string, protobuf.Type>> = {
  "/v1/traces": root.lookupType("ExportTraceServiceRequest"),
  "/v1/logs": root.lookupType("ExportLogsServiceRequest"),
};

/** A span, whichever way it was encoded. */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly traceState?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
  readonly status?: { readonly code?: number; readonly message?: string };
}

/** A line of a log, whichever way it was encoded. */
export interface ReceivedLine {
  readonly timeUnixNano: string;
  readonly severityNumber: number;
  readonly severityText: string;
  readonly body: { readonly stringValue: string };
  readonly attributes: ReceivedSpan["attributes"];
  readonly traceId?: string;
}

/** The content of a request. */
export interface Received {
  readonly resourceSpans?: readonly {
    readonly resource: { readonly attributes: ReceivedSpan["attributes"] };
    readonly scopeSpans: readonly { readonly spans?: readonly ReceivedSpan[] }[];
  }[];
  readonly resourceLogs?: readonly {
    readonly resource: { readonly attributes: ReceivedSpan["attributes"] };
    readonly scopeLogs: readonly { readonly logRecords: readonly ReceivedLine[] }[];
  }[];
}

export interface Collector extends AsyncDisposable {
  readonly url: string;
  /** Of all requests that it has accepted. */
  readonly spans: readonly ReceivedSpan[];
  readonly lines: readonly ReceivedLine[];
  readonly resources: readonly ReceivedSpan["attributes"][];
  /** How many requests have come. */
  readonly requests: () => number;
  /** What it answers from now on; 0: nothing at all. */
  status: number;
}

export async function startCollector(status = 200): Promise<Collector> {
  const spans: ReceivedSpan[] = [];
  const lines: ReceivedLine[] = [];
  const resources: ReceivedSpan["attributes"][] = [];
  let requests = 0;
  const server = createServer((req, response) => {
    void buffer(req).then((body) => {
      requests++;
      if (collector.status === 0) return;
      const type = requestTypes[req.url ?? ""];
      if (type !== undefined && collector.status < 300) {
        const isJSON = req.headers["content-type"] === "application/json";
        const received = isJSON ? (JSON.parse(body.toString()) as Received) : decode(type, body);
        for (const { resource, scopeSpans } of received.resourceSpans ?? []) {
          resources.push(resource.attributes);
          spans.push(...scopeSpans.flatMap((scope) => scope.spans ?? []));
        }
        for (const { resource, scopeLogs } of received.resourceLogs ?? []) {
          resources.push(resource.attributes);
          lines.push(...scopeLogs.flatMap((scope) => scope.logRecords));
        }
      }
      response.writeHead(type === undefined ? 404 : collector.status).end();
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const collector: Collector = {
    url: `http://127.0.0.1:${typeof address === "object" ? (address?.port ?? 0) : 0}`,
    spans,
    lines,
    resources,
    requests: () => requests,
    status,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return collector;
}

/** With ids in hexadecimal digits, as JSON has them. */
function decode(type: protobuf.Type, body: Uint8Array): Received {
  const message = type.toObject(type.decode(body), { longs: String, enums: Number, defaults: false });
  return JSON.parse(
    JSON.stringify(message, (_key, value: unknown) => {
      const isBytes =
        typeof value === "object" && value !== null && "type" in value && value.type === "Buffer" && "data" in value;
      return isBytes ? Buffer.from(value.data as number[]).toString("hex") : value;
    }),
  ) as Received;
}

/** An ExportTraceServiceRequest in protobuf. */
export function decodeSpans(body: Uint8Array): Received {
  return decode(root.lookupType("ExportTraceServiceRequest"), body);
}
