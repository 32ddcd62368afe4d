// Spans: what took how long within a trace, as exporters and operators see them.

/** What a span stands for, with the words of OpenTelemetry. */
export type SpanKind = "server" | "client" | "internal";

/** A span that is over. */
export interface Span {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  /** "" for the first span of a trace. */
  readonly parentId: string;
  /** The field tracestate; "" if there is none. */
  readonly state: string;
  /** `GET webapp.shop` for a request, the path of a rule or handlet for its step, `attempt` for one at a node. */
  readonly name: string;
  /** `server`: a request of a client. `client`: a request to a node. `internal`: a subrequest or a step. */
  readonly kind: SpanKind;
  /** In ms since the epoch, with fractions. */
  readonly startTime: number;
  /** In ms since the epoch, with fractions. */
  readonly endTime: number;
  /** By the names of OpenTelemetry's semantic conventions where there is one. */
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  /** Why it failed; `undefined` if it did not. */
  readonly error: string | undefined;
}
