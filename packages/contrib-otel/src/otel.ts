// otel: sends the spans of webapps, and lines of logs, to a collector of OpenTelemetry, by OTLP over HTTP.

import {
  type Context,
  defineAddon,
  exportedRecord,
  type ExportedLine,
  exporterGroup,
  lineSink,
  type LineSink,
  type Part,
  type PropsOf,
  type Span,
  spanSink,
  type SpanSink,
} from "@hemi/internal";
import { CollectorClient } from "./collector-client.ts";
import { linesAsJSON, spansAsJSON } from "./encode-json.ts";
import { linesAsProtobuf, spansAsProtobuf } from "./encode-protobuf.ts";
import { otelProps } from "./otel-props.ts";
import { Signal } from "./otlp-signal.ts";

/**
 * Takes the spans of webapps that name it in `traceTo`, the lines of access logs and connection logs that name it in
 * `to`, and with `errorLog` those of the error log. It sends them in batches. A batch that the collector does not take
 * for now (no connection, 429, 502, 503, 504) is sent again, three times in all; every other refusal drops it. Requests
 * never wait for the collector.
 */
export const otel = defineAddon({
  sign: "otel",
  props: otelProps,
  offers: [spanSink, lineSink],
  create: (context): Part & SpanSink & LineSink => new Otel(context),
});

class Otel implements Part, SpanSink, LineSink {
  readonly #context: Context<PropsOf<typeof otelProps>>;
  readonly #spans: Signal<Span>;
  readonly #lines: Signal<ExportedLine>;
  readonly #collector: CollectorClient;
  #unfollow: (() => void) | undefined;

  constructor(context: Context<PropsOf<typeof otelProps>>) {
    this.#context = context;
    this.#collector = new CollectorClient(context.props.endpoint);
    const { sent, dropped, sentLines, droppedLines } = exporterGroup.at;
    this.#spans = new Signal<Span>(
      {
        what: "spans",
        path: "/v1/traces",
        encodeJSON: spansAsJSON,
        encodeProtobuf: spansAsProtobuf,
        at: { sent, dropped },
      },
      context,
      this.#collector,
    );
    this.#lines = new Signal<ExportedLine>(
      {
        what: "lines of logs",
        path: "/v1/logs",
        encodeJSON: linesAsJSON,
        encodeProtobuf: linesAsProtobuf,
        at: { sent: sentLines, dropped: droppedLines },
      },
      context,
      this.#collector,
    );
  }

  takeSpan(span: Span): void {
    this.#spans.add(span);
  }

  takeLine(line: ExportedLine): void {
    this.#lines.add(line);
  }

  prepare(): void {
    const { props, log } = this.#context;
    if (props.errorLog) this.#unfollow = log.follow((record) => this.takeLine(exportedRecord(record)));
  }

  /** The components that use it rank higher, and have finished by now. */
  async shutdown(): Promise<void> {
    this.#unfollow?.();
    await Promise.all([this.#spans.close(), this.#lines.close()]);
    this.#collector.close();
  }
}
