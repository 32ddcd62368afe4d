// otel: sends the spans of webapps to a collector of OpenTelemetry, by OTLP over HTTP.

import {
  type Context,
  defineAddon,
  exporterGroup,
  increase,
  ownLabels,
  type Part,
  prop,
  type PropsOf,
  type Span,
  spanSink,
  type SpanSink,
} from "@hemi/internal";
import { encodeJSON } from "./encode-json.ts";
import { encodeProtobuf } from "./encode-protobuf.ts";
import { SpanQueue, type Outcome } from "./span-queue.ts";

const props = {
  /** The collector: spans are sent to `/v1/traces` below it. */
  endpoint: prop.string({
    required: true,
    pattern: { expression: /^https?:\/\/[^\s?#]+$/, takes: "a URL such as http://127.0.0.1:4318" },
  }),
  /** How spans are encoded. */
  format: prop.choice(["protobuf", "json"], { default: "protobuf" }),
  /** Fields of the requests, such as a key of the collector. */
  headers: prop.dict(prop.string(), { default: {} }),
  /** The name of this program in the collector: `service.name`. */
  serviceName: prop.string({ default: "hemi" }),
  /** Spans that wait for the collector, in each worker. Further ones are dropped, and counted. */
  maxQueue: prop.integer({ default: 8192, min: 1, max: 1_000_000, reload: "live" }),
  /** Spans in one request. */
  maxBatch: prop.integer({ default: 512, min: 1, max: 100_000, reload: "live" }),
  /** How long a span waits for others at most, and the time between two tries. */
  interval: prop.duration({ default: "5s", min: "10ms", max: "10m", reload: "live" }),
  /** Time limit for a request. */
  timeout: prop.duration({ default: "10s", min: "1ms", max: "5m", reload: "live" }),
};

/**
 * Takes the spans of webapps that name it in `traceTo`, and sends them in batches. A batch that the collector does not
 * take for now (no connection, 429, 502, 503, 504) is sent again, three times in all; every other refusal drops it.
 * Requests never wait for the collector.
 */
export const otel = defineAddon({
  sign: "otel",
  props,
  offers: [spanSink],
  create: (context): Part & SpanSink => new Otel(context),
});

class Otel implements Part, SpanSink {
  readonly #context: Context<PropsOf<typeof props>>;
  readonly #queue: SpanQueue;
  /** Whether the log has told that the collector takes nothing. */
  #isDown = false;
  #droppedSince = 0;

  constructor(context: Context<PropsOf<typeof props>>) {
    this.#context = context;
    const numbers = context.metrics.numbers(exporterGroup, ownLabels(context));
    this.#queue = new SpanQueue({
      limits: context.props,
      send: (spans) => this.#send(spans),
      sent: (count) => increase(numbers, exporterGroup.at.sent, count),
      dropped: (count) => {
        increase(numbers, exporterGroup.at.dropped, count);
        this.#droppedSince += count;
      },
    });
  }

  takeSpan(span: Span): void {
    this.#queue.add(span);
  }

  /** The webapps that use it rank higher, and have finished by now. */
  async shutdown(): Promise<void> {
    await this.#queue.close();
  }

  async #send(spans: readonly Span[]): Promise<Outcome> {
    const { props } = this.#context;
    const isJSON = props.format === "json";
    const batch = { resource: this.#resource, spans };
    try {
      const response = await fetch(`${props.endpoint.replace(/\/$/, "")}/v1/traces`, {
        method: "POST",
        headers: {
          ...Object.fromEntries(props.headers),
          "content-type": isJSON ? "application/json" : "application/x-protobuf",
        },
        body: isJSON ? encodeJSON(batch) : Buffer.from(encodeProtobuf(batch)),
        redirect: "error",
        signal: AbortSignal.timeout(props.timeout),
      });
      // What it says beside the status is of no use, and may be endless.
      await response.body?.cancel();
      return this.#outcomeOf(response.status);
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      this.#noteDown(cause instanceof Error ? cause.message : String(cause));
      return "again";
    }
  }

  get #resource(): Readonly<Record<string, string>> {
    const { props, workers } = this.#context;
    return {
      "service.name": props.serviceName,
      "service.instance.id": `${process.pid}`,
      "process.pid": `${process.pid}`,
      "hemi.worker": `${workers.slot}`,
    };
  }

  #outcomeOf(status: number): Outcome {
    if (status >= 200 && status < 300) {
      this.#noteUp();
      return "accepted";
    }
    this.#noteDown(`it answered ${status}`);
    return againStatuses.has(status) ? "again" : "refused";
  }

  #noteDown(reason: string): void {
    if (this.#isDown) return;
    this.#isDown = true;
    this.#context.log.warn(`the collector takes no spans: ${reason}`, { endpoint: this.#context.props.endpoint });
  }

  #noteUp(): void {
    if (!this.#isDown) return;
    this.#isDown = false;
    this.#context.log.info("the collector takes spans again", { dropped: this.#droppedSince });
    this.#droppedSince = 0;
  }
}

/** See "Failures" in the specification of OTLP. */
const againStatuses: ReadonlySet<number> = new Set([429, 502, 503, 504]);
