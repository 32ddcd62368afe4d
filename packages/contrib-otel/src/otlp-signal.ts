// One signal of OTLP, such as spans: a bounded queue, and its requests to the collector.

import { BatchQueue, finishInSlices, type BatchOutcome, type Steps } from "@hemi/common";
import { type Context, exporterGroup, increase, Outage, ownLabels, type PropsOf } from "@hemi/internal";
import type { CollectorClient } from "./collector-client.ts";
import type { otelProps } from "./otel-props.ts";

/** A batch, and who sends it. */
export interface Batch<Item> {
  /** Attributes of this program, such as `service.name`. */
  readonly resource: Readonly<Record<string, string>>;
  readonly items: readonly Item[];
}

/** What differs between signals. */
export interface SignalKind<Item> {
  /** For messages: `spans`. */
  readonly what: string;
  /** Below the endpoint. */
  readonly path: string;
  readonly encodeJSON: (batch: Batch<Item>) => Steps<string>;
  readonly encodeProtobuf: (batch: Batch<Item>) => Steps<Uint8Array>;
  /** Where the numbers are in `exporterGroup`. */
  readonly at: { readonly sent: number; readonly dropped: number };
}

export class Signal<Item> {
  readonly #kind: SignalKind<Item>;
  readonly #context: Context<PropsOf<typeof otelProps>>;
  readonly #collector: CollectorClient;
  readonly #queue: BatchQueue<Item>;
  readonly #outage: Outage;
  #droppedSince = 0;

  constructor(kind: SignalKind<Item>, context: Context<PropsOf<typeof otelProps>>, collector: CollectorClient) {
    this.#kind = kind;
    this.#context = context;
    this.#collector = collector;
    const { what, at } = kind;
    this.#outage = new Outage(context.log, {
      begins: `the collector takes no ${what}`,
      ends: `the collector takes ${what} again`,
    });
    const numbers = context.metrics.numbers(exporterGroup, ownLabels(context));
    this.#queue = new BatchQueue<Item>({
      limits: context.props,
      send: (items) => this.#send(items),
      sent: (count) => increase(numbers, at.sent, count),
      dropped: (count) => {
        increase(numbers, at.dropped, count);
        this.#droppedSince += count;
      },
    });
  }

  /** Takes what is to be sent, or drops and counts it. */
  add(item: Item): void {
    this.#queue.add(item);
  }

  /** Sends what is left, once. */
  close(): Promise<void> {
    return this.#queue.close();
  }

  async #send(items: readonly Item[]): Promise<BatchOutcome> {
    const { props } = this.#context;
    const { path, encodeJSON, encodeProtobuf } = this.#kind;
    const isJSON = props.format === "json";
    const batch = { resource: this.#resource, items };
    const type = isJSON ? "application/json" : "application/x-protobuf";
    try {
      // A batch may be large: it is encoded without stopping the event loop.
      const content = await (isJSON ? finishInSlices(encodeJSON(batch)) : finishInSlices(encodeProtobuf(batch)));
      const headers = { ...Object.fromEntries(props.headers), "content-type": type };
      return this.#outcomeOf(await this.#collector.post({ path, headers, content, timeout: props.timeout }));
    } catch (error) {
      this.#failed(error instanceof Error ? error.message : String(error));
      return "again";
    }
  }

  get #resource(): Batch<Item>["resource"] {
    const { props, workers } = this.#context;
    return {
      "service.name": props.serviceName,
      "service.instance.id": `${process.pid}`,
      "process.pid": `${process.pid}`,
      "hemi.worker": `${workers.slot}`,
    };
  }

  #outcomeOf(status: number): BatchOutcome {
    if (status >= 200 && status < 300) {
      if (this.#outage.end({ dropped: this.#droppedSince })) this.#droppedSince = 0;
      return "accepted";
    }
    this.#failed(`it answered ${status}`);
    return againStatuses.has(status) ? "again" : "refused";
  }

  #failed(reason: string): void {
    this.#outage.begin(reason, { endpoint: this.#context.props.endpoint });
  }
}

/** See "Failures" in the specification of OTLP. */
const againStatuses: ReadonlySet<number> = new Set([429, 502, 503, 504]);
